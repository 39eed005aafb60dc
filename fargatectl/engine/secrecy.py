"""Keeping values that we send out of the words in which AWS refuses them: its messages may quote what they refuse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from fargatectl.model.values import Sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.errors import FargatectlError
    from fargatectl.model.spec import Spec

HIDDEN = "(hidden)"
_SHORTEST = 6  # characters; to hide "1" or "true" would garble the message and keep nothing secret


def withhold(failure: FargatectlError, spec: Spec) -> FargatectlError:
    """Return `failure` without the sensitive values of `spec` in its message."""
    message = failure.message
    for value in sorted(set(_sensitive(spec)), key=len, reverse=True):
        if len(value) >= _SHORTEST:
            for form in (value, *_quoted(value)):
                message = message.replace(form, HIDDEN)
    failure.message, failure.args = message, (message,)
    return failure


def _quoted(value: str) -> Iterator[str]:
    """Yield `value` as JSON has it, and as JSON within JSON."""
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        yield once
    yield repr(value)[1:-1]


def _sensitive(value: object, *, within: bool = False) -> Iterator[str]:
    """Yield the texts in sensitive fields, however deep they lie."""
    match value:
        case Sealed():
            yield value.reveal()
            yield from _sensitive(_held(value.reveal()), within=True)
        case str() if within:
            yield value
        case Mapping():
            for part in value.values():
                yield from _sensitive(part, within=within)
        case tuple() | list():
            for part in value:
                yield from _sensitive(part, within=within)
        case _ if is_dataclass(value) and not isinstance(value, type):
            for field in fields(value):
                secret = within or bool(field.metadata.get("sensitive"))
                yield from _sensitive(getattr(value, field.name), within=secret)
        case _:
            pass


def _held(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
