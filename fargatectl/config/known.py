"""Which keys a table may have, read off the models: for hints about unknown ones."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Union, get_args, get_origin

from fargatectl.config.section import Section
from fargatectl.model.nearest import nearest

if TYPE_CHECKING:
    from fargatectl.config.findings import KeyPath

_ELSEWHERE = {
    "architecture": "arch",
    "container_port": "port",
    "desired_count": "count",
    "environment": "env",
    "envs": "env",
    "instances": "count",
    "replicas": "count",
    "working_dir": "workdir",
}
"""Words for our keys in other tools' files, too far from ours for a spell checker."""


def section_at(path: KeyPath, root: type[Section]) -> type[Section] | None:
    """Return the model of the table at `path`, or None if the schema has no table there."""
    kind: object = root
    for part in path:
        kind = _below(kind, part)
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def keys(section: type[Section]) -> dict[str, str]:
    """Return the keys that a table may have, and the field of each."""
    return {field.alias or name: name for name, field in section.model_fields.items()}


def meant(path: KeyPath, root: type[Section]) -> tuple[str | None, str]:
    """Return the key beside the unknown one at `path` that was meant, if any, and a hint."""
    table = section_at(path[:-1], root)
    key = path[-1]
    if table is None or not isinstance(key, str):
        return None, ""
    known = keys(table)
    close = _ELSEWHERE.get(key) if _ELSEWHERE.get(key) in known else nearest(key, known)
    below = next((name for name in known if key in _keys_below((*path[:-1], name), root)), None)
    if below is not None and (close is None or key not in {close, _ELSEWHERE.get(key)}):
        return None, f"`{key}` belongs to `{below}`: write `{below}.{key}`"
    if close is not None:
        return close, f"did you mean `{close}`?"
    return None, f"known here: {', '.join(sorted(known))}"


def _keys_below(path: KeyPath, root: type[Section]) -> dict[str, str]:
    section = section_at(path, root)
    return keys(section) if section else {}


def _below(kind: object, part: str | int) -> object:
    if isinstance(kind, type) and issubclass(kind, Section):
        field = keys(kind).get(str(part))
        return _bare(kind.model_fields[field].annotation) if field else None
    if get_origin(kind) is dict:
        return _bare(get_args(kind)[1])
    return _bare(get_args(kind)[0]) if get_origin(kind) is tuple and get_args(kind) else None


def _bare(kind: object) -> object:
    """Return the table, dict or list in an annotation, without Annotated, None and other forms."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        options = [_bare(option) for option in get_args(kind)]
        return next(
            (option for option in options if isinstance(option, type) and issubclass(option, Section)), options[0]
        )
    return kind
