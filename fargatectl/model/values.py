"""Values that may not be known yet.

A `Ref` is a value that another resource yields once it exists. Left unresolved, it *is* "known after apply": there is
no other marker for the unknown. Edges between resources are read off the Refs in their specs; nobody writes them down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass, replace
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, NewType, TypeAlias, TypeVar, Union

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

T = TypeVar("T")
U = TypeVar("U")

Address = NewType("Address", str)
"""Our name of a resource: `<concern>.<kind>/<name>`, such as `alb.target_group/web`."""


@dataclass(frozen=True)
class Ref(Generic[T]):
    """A value that the resource at `source` yields; `pick` takes it from that resource's outputs.

    `pick` may raise a `FargatectlError` when the outputs cannot give the value (a VPC without a fitting subnet).
    """

    source: Address
    pick: Callable[[Any], T] = field(compare=False)

    def then(self, pick: Callable[[T], U]) -> Ref[U]:
        """Return the value derived from this one by `pick`."""
        first = self.pick
        return Ref(self.source, lambda outputs: pick(first(outputs)))


Late: TypeAlias = Union[T, Ref[T]]
"""Known now, or known once its source exists."""


class Sealed:
    """A secret value: equal ones are equal, but no text, JSON or traceback shows what is in it. `reveal` does."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the value itself: for sending it to where it belongs, and for nothing else."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Sealed(\N{HORIZONTAL ELLIPSIS})"


def known(value: Late[T]) -> T:
    """Narrow a late value at a point where the engine guarantees that it is known."""
    if isinstance(value, Ref):
        message = f"the value from {value.source} was used before it was known"
        raise TypeError(message)
    return value


_SIMPLE = (str, int, float, NoneType)  # most values by far, and nothing is inside


def sources(value: object) -> Iterator[Address]:
    """Yield the resources that `value` still waits for, however deep their Refs lie."""
    if isinstance(value, _SIMPLE):
        return
    if isinstance(value, Ref):
        yield value.source
    else:
        for part in _parts(value):
            yield from sources(part)


def fill(value: Any, outputs: Mapping[Address, Any]) -> Any:  # noqa: ANN401 - any value of a spec's field
    """Return `value` with every Ref replaced whose source has outputs; the others stay. Without any it is `value`."""
    if isinstance(value, Ref):
        return value.pick(outputs[value.source]) if value.source in outputs else value
    parts = _parts(value)
    filled = [part if isinstance(part, _SIMPLE) else fill(part, outputs) for part in parts]
    if all(new is old for new, old in zip(filled, parts, strict=True)):
        return value
    names = _names(type(value))
    if names:
        return replace(value, **dict(zip(names, filled, strict=True)))
    return tuple(filled) if isinstance(value, tuple) else dict(zip(value, filled, strict=True))


def _parts(value: object) -> Collection[Any]:
    names = _names(type(value))
    if names:
        return [getattr(value, name) for name in names]
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, tuple) else ()


_NAMES: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    """Return the names of a dataclass's fields; nothing of what is none."""
    if kind not in _NAMES:
        _NAMES[kind] = tuple(f.name for f in fields(kind)) if is_dataclass(kind) else ()
    return _NAMES[kind]
