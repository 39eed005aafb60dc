"""From the values of a plan to plain data: what JSON can say, without what nobody may see."""

from __future__ import annotations

from collections.abc import Mapping, Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from typing import Any

from fargatectl.model.values import Ref


def plain(  # noqa: PLR0911 - one answer per shape of value
    value: object, *, hidden: object = None, unknown: object = None
) -> Any:  # noqa: ANN401 - what JSON can say
    """Return `value` as plain data. `hidden` stands for sensitive parts, `unknown` for what is known after apply.

    Settings that are not ours (None) are left out of records.
    """

    def go(part: object) -> Any:  # noqa: ANN401 - as above
        return plain(part, hidden=hidden, unknown=unknown)

    match value:
        case Ref():
            return unknown
        case Enum():
            return go(value.value)
        case datetime():
            return timestamp(value)
        case Mapping():
            return {str(key): go(part) for key, part in value.items()}
        case list() | tuple():
            return [go(part) for part in value]
        case AbstractSet():
            return [go(part) for part in sorted(value, key=str)]
        case _ if is_dataclass(value) and not isinstance(value, type):
            ours = [f for f in fields(value) if getattr(value, f.name) is not None]
            return {f.name: hidden if f.metadata.get("sensitive") else go(getattr(value, f.name)) for f in ours}
        case _:
            return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def timestamp(moment: datetime) -> str:
    """Return `moment` as ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
