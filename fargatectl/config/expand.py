"""The file with all its defaults, as `validate --expanded` shows it."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

from fargatectl.config.checks.task import looks_secret
from fargatectl.config.interpolate import Interpolated
from fargatectl.config.logs import DRIVER_KEYS
from fargatectl.config.models import Container, CustomScaling, Deploy, Job, LocalVariable, Logs, Secret, TagSelector
from fargatectl.config.overlay import ANY_STRATEGY, STRATEGY_KEYS
from fargatectl.config.pending import PENDING, Pending
from fargatectl.config.scalars import Seconds, duration
from fargatectl.config.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set as AbstractSet

    from fargatectl.config.models import Config

_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp"})  # Unicode, general categories: controls and what reorders a line
_OF_DNS = frozenset({"records", "ttl", "routing"})
_OF_ALARMS = frozenset({"period", "periods"})
_OF_SCHEDULES = frozenset({"timezone", "retries"})
HIDDEN = "(hidden)"
"""In place of a container's variable that looks like a secret."""


def expanded(config: Config, pending: tuple[Pending, ...] = PENDING) -> str:
    """Return `config` as TOML with all defaults. Loading it again gives the same config, but for what is hidden.

    Keys of `pending` are left out: this version would refuse them.
    """
    hidden = {row.path for row in pending if not row.values}
    data = _plain(config)
    if config.discovery and config.discovery.type == "http":
        for service in data.get("services", {}).values():
            for key in _OF_DNS & service.get("discovery", {}).keys():
                del service["discovery"][key]
    return "\n".join(_table((), data, hidden)).strip() + "\n"


class _Inline(dict[str, Any]):
    """A table that is written in one line."""


def _plain(value: object) -> Any:  # noqa: ANN401 - a TOML value
    if isinstance(value, Section):
        fields = ((field.alias or name, name, field) for name, field in type(value).model_fields.items())
        table = {key: _written(getattr(value, name), field.metadata) for key, name, field in fields}
        if isinstance(value, Container):
            table["env"] = {name: _shown(name, text) for name, text in value.env.items()}
        table = {key: item for key, item in table.items() if key not in _of_others(value)}
        if isinstance(value, CustomScaling):
            table["metric"] = {key: item for key, item in table["metric"].items() if key not in _OF_ALARMS}
        if table.get("use"):
            table = {"use": table["use"]}
        kind = _Inline if isinstance(value, Secret | TagSelector | LocalVariable) else dict
        return kind((key, item) for key, item in table.items() if item not in (None, {}, ()))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return tuple(_plain(item) for item in value) if isinstance(value, tuple) else value


def _of_others(value: Section) -> AbstractSet[str]:
    """Return the keys of a table that belong to another choice than was made: the file may not have them."""
    if isinstance(value, Deploy):
        return ANY_STRATEGY - STRATEGY_KEYS[value.strategy]
    if isinstance(value, Logs):
        return {key.rstrip("_") for key, drivers in DRIVER_KEYS.items() if value.driver not in drivers}
    return _OF_SCHEDULES if isinstance(value, Job) and not value.schedule else frozenset()


def _shown(name: str, text: str) -> str:
    """Return a container's variable, without what `${env.…}` has put there: that is how secrets come into a file."""
    if looks_secret(name):
        return HIDDEN
    if isinstance(text, Interpolated) and text.foreign:
        return HIDDEN if "${var." in text.written else text  # vars are replaced already, and can be named no more
    return str(text)


def _written(value: object, metadata: list[Any]) -> Any:  # noqa: ANN401 - a TOML value
    if isinstance(value, int) and any(isinstance(kind, Seconds) for kind in metadata):
        return duration(value)
    return _plain(value)


def _table(path: tuple[str, ...], table: Mapping[str, Any], hidden: set[str]) -> Iterator[str]:
    shown = {key: item for key, item in table.items() if _pattern((*path, key)) not in hidden}
    lines = [f"{_key(key)} = {_value(item)}" for key, item in shown.items() if not _is_table(item)]
    if path and (lines or not table):
        yield f"\n[{'.'.join(map(_key, path))}]"
    yield from lines
    for key, item in shown.items():
        if _is_table(item):
            yield from _table((*path, key), item, hidden)


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and not isinstance(value, _Inline)


def _pattern(path: tuple[str, ...]) -> str:
    return ".".join("*" if depth == 1 and path[0] in _NAMED else key for depth, key in enumerate(path))


_NAMED = frozenset({"load_balancers", "registries", "services"})


def _key(key: str) -> str:
    return key if key and all(char.isascii() and (char.isalnum() or char in "_-") for char in key) else _string(key)


def _value(value: object) -> str:
    if isinstance(value, Interpolated):
        return _string(value.written)
    if isinstance(value, str):
        return _string(value.replace("${", "$${"))
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_value(item)}' for key, item in value.items())} }}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _string(text: str) -> str:
    """Return a basic string. JSON's escapes are TOML's, which must and does show what cannot be seen, too."""
    return "".join(map(_visible, json.dumps(text, ensure_ascii=False))).replace("##", "#\\u0023")


def _visible(char: str) -> str:
    if (char.isascii() and char != "\x7f") or unicodedata.category(char) not in _UNSEEN:
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"  # noqa: PLR2004 - four digits
