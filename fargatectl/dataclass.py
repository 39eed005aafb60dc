"""Dataclasses as the standard library's, without what it costs to make them.

`dataclasses.dataclass` compiles up to six functions for every class. For the two hundred classes that a deploy loads
that was a sixth of its CPU time, and most of these functions are never called. Here all classes share the functions
that compare, hash, show and protect; a constructor is compiled when it is called for the first time.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, FrozenInstanceError
from functools import partial
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - so type checkers know all about it


def _dataclass(
    cls: type[Any] | None = None, /, *, frozen: bool = False, slots: bool = False, kw_only: bool = False
) -> Any:  # noqa: ANN401 - a class, or what takes one
    """Make a class a dataclass: `fields`, `replace` and the like know it as one.

    It takes those parameters of `dataclasses.dataclass` that are used here, and knows no InitVar. A dataclass of the
    standard library cannot be derived from a frozen one of these, nor the other way round.
    """
    if cls is None:
        return partial(_dataclass, frozen=frozen, slots=slots, kw_only=kw_only)
    if cls.__doc__ is None:
        cls.__doc__ = cls.__name__  # or the standard library asks for the constructor's signature
    made: type[Any] = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
    own = made.__dict__
    fields = dataclasses.fields(made)
    compared = _values(field.name for field in fields if field.compare)
    methods: dict[str, Any] = {"__init__": _constructor(made, frozen=frozen), "__repr__": _shown(made)}
    if "__eq__" not in own:
        methods["__eq__"] = _equal(compared)
        methods["__hash__"] = _hashed(compared) if frozen else None
    if frozen:
        methods |= _protected(made, frozenset(field.name for field in fields))
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    return made


def _values(names: Iterable[str]) -> Callable[[Any], Any]:
    """Return what takes the values of these fields from an instance, as one that can be compared and hashed."""
    wanted = tuple(names)
    return attrgetter(*wanted) if wanted else lambda _: ()


def _constructor(cls: type[Any], *, frozen: bool) -> Callable[..., None]:
    def __init__(self: Any, *given: Any, **named: Any) -> None:  # noqa: N807, ANN401 - as the method is called
        constructor = _compiled(cls, frozen=frozen)
        cls.__init__ = constructor
        constructor(self, *given, **named)

    return __init__


def _compiled(cls: type[Any], *, frozen: bool) -> Callable[..., None]:
    """Return the constructor that the standard library would have made."""
    known: dict[str, Any] = {"__missing__": MISSING, "__set__": object.__setattr__}
    positional, keywords, body = ["self"], list[str](), list[str]()
    for field in dataclasses.fields(cls):
        name, default, value = field.name, "", field.name
        if field.default is not MISSING:
            known[f"__default_{name}__"], default = field.default, f"=__default_{name}__"
        elif field.default_factory is not MISSING:
            known[f"__make_{name}__"], default = field.default_factory, "=__missing__"
            value = f"__make_{name}__() if {name} is __missing__ else {name}"
        (keywords if field.kw_only else positional).append(name + default)
        body.append(f"__set__(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join([*positional, *(["*", *keywords] if keywords else [])])
    text = f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"])
    exec(text, known)  # noqa: S102 - names of fields alone, as the standard library does it
    constructor: Callable[..., None] = known["__init__"]
    constructor.__qualname__ = f"{cls.__qualname__}.__init__"
    return constructor


def _shown(cls: type[Any]) -> Callable[[Any], str]:
    @recursive_repr()
    def __repr__(self: Any) -> str:  # noqa: N807, ANN401 - as above
        shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(cls) if field.repr)
        return f"{self.__class__.__qualname__}({', '.join(shown)})"

    return __repr__


def _equal(values: Callable[[Any], Any]) -> Callable[[Any, object], bool]:
    def __eq__(self: Any, other: object) -> bool:  # noqa: N807, ANN401 - as above
        if other.__class__ is not self.__class__:
            return NotImplemented
        equal: bool = values(self) == values(other)
        return equal

    return __eq__


def _hashed(values: Callable[[Any], Any]) -> Callable[[Any], int]:
    def __hash__(self: Any) -> int:  # noqa: N807, ANN401 - as above
        return hash(values(self))

    return __hash__


def _protected(cls: type[Any], names: frozenset[str]) -> dict[str, Callable[..., None]]:
    def __setattr__(self: Any, name: str, value: object) -> None:  # noqa: N807, ANN401 - as above
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:  # noqa: N807, ANN401 - as above
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return {"__setattr__": __setattr__, "__delattr__": __delattr__}


if not TYPE_CHECKING:
    dataclass = _dataclass
