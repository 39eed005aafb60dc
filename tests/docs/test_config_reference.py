"""`docs/config.md` against the code: every key, its default, its example, its choices."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import TypeAdapter

from fargatectl.config.field_types import LocalVariable, TagSelector
from fargatectl.config.models import Config
from fargatectl.config.pending import PENDING
from fargatectl.config.section import Section
from tests.docs.reading import Row, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

VALUES = (TagSelector, LocalVariable)
"""Tables that are one value, written in one line."""
NONE = "\N{EN DASH}"


@dataclass(frozen=True)
class Key:
    """A key that the file may have. In `path` a name of the user's choice is `*`."""

    path: tuple[str, ...]
    field: FieldInfo

    def __str__(self) -> str:
        return ".".join(self.path)


def keys(section: type[Section], path: tuple[str, ...] = ()) -> Iterator[Key]:
    """Yield all keys below a table, but those that only hold further tables."""
    for name, field in section.model_fields.items():
        key = Key((*path, field.alias or name), field)
        below = list(dict.fromkeys(_tables(field.annotation)))
        is_named = get_origin(field.annotation) is dict
        if _is_pending(key):
            continue
        if not below or not (is_named or _is_one(field.annotation)) or key.path[-1] == "secrets":
            yield key
        for table in below:
            yield from keys(table, (*key.path, "*") if is_named else key.path)


def _tables(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        if annotation not in VALUES:
            yield annotation
        return
    for part in get_args(annotation):
        yield from _tables(part)


def _is_one(annotation: Any) -> bool:
    """Tell a table from a list of tables."""
    if get_origin(annotation) in {Union, UnionType}:
        return any(_is_one(part) for part in get_args(annotation))
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _is_pending(key: Key) -> bool:
    """Tell whether this version refuses the key, or all of its values but the default."""
    path = str(key)
    for row in PENDING:
        if not row.values and (path == row.path or path.startswith(f"{row.path}.")):
            return True
        if row.values and path == row.path:
            choices = set(get_args(key.field.annotation)) or {True, False}
            if choices - set(row.values) <= {key.field.default}:
                return True
    return False


KEYS = {key.path: key for key in keys(Config)}
ROWS = list(rows())


def pattern(row: Row) -> tuple[str, ...]:
    return tuple("*" if part in {"NAME", "VARIABLE"} else part for part in row.path)


def test_every_key_is_described_and_no_other() -> None:
    described = [pattern(row) for row in ROWS]
    assert len(described) == len(set(described))
    assert {".".join(path) for path in described} == {str(key) for key in KEYS.values()}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_defaults_are_those_of_the_models(row: Row) -> None:
    field = KEYS[pattern(row)].field
    if row.default == "required":
        assert field.is_required()
    elif row.default == NONE:
        assert field.get_default(call_default_factory=True) in (None, "", (), {})
    else:
        assert _parsed(field, row.default) == field.get_default(call_default_factory=True)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_examples_are_accepted(row: Row) -> None:
    _parsed(KEYS[pattern(row)].field, row.example)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_choices_are_complete(row: Row) -> None:
    choices = {choice for choice in _choices(KEYS[pattern(row)].field.annotation) if choice not in _refused(row)}
    assert [choice for choice in choices if choice not in f"{row.type} {row.meaning}"] == []


def _choices(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) is not dict or "depends_on" in str(annotation):
        for part in get_args(annotation):
            yield from _choices(part)


def _refused(row: Row) -> set[object]:
    path = ".".join(pattern(row))
    return {value for pending in PENDING if pending.path == path for value in pending.values}


def _parsed(field: FieldInfo, cell: str) -> object:
    annotation: Any = field.annotation
    for part in field.metadata:
        annotation = Annotated[annotation, part]
    adapter: TypeAdapter[object] = TypeAdapter(annotation)
    return adapter.validate_python(_tuples(tomllib.loads(f"value = {cell}")["value"]))


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
