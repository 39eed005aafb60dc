"""Dataclasses as the standard library's, without what it costs to make them.

`dataclasses.dataclass` looks through every class for its fields and compiles up to six functions for it. For the two
hundred classes that a deploy loads that was a fifth of its CPU time, and most of them are never used. Here all classes
share the functions that compare, hash, show and protect; fields are found when somebody asks for them, and a
constructor is compiled when it is called for the first time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError
from functools import partial
from operator import attrgetter
from reprlib import recursive_repr
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - so type checkers know all about it


def _dataclass(cls: type[Any] | None = None, /, *, frozen: bool = False, kw_only: bool = False) -> Any:  # noqa: ANN401 - a class, or what takes one
    """Make a class a dataclass: `fields`, `replace` and the like know it as one.

    It takes those parameters of `dataclasses.dataclass` that are used here, and knows no InitVar. A dataclass of the
    standard library cannot be derived from a frozen one of these, nor the other way round.
    """
    if cls is None:
        return partial(_dataclass, frozen=frozen, kw_only=kw_only)
    if cls.__doc__ is None:
        cls.__doc__ = cls.__name__  # or the standard library asks for the constructor's signature
    own = cls.__dict__
    methods = {
        "__init__": _constructor(cls, frozen=frozen),
        "__repr__": _shown(cls),
        "__dataclass_fields__": _Fields(cls, kw_only),
    }
    if "__eq__" not in own:
        values = _values(cls)
        methods["__eq__"] = _equal(values)
        methods["__hash__"] = _hashed(values) if frozen else None
    if frozen:
        methods |= _protected(cls)
    for name, method in methods.items():
        if name not in own:
            setattr(cls, name, method)
    return cls


class _Fields:
    """What stands in for the fields of a class until somebody asks for them: most classes of a run are never used."""

    _finding = RLock()  # a class finds those of the class that it is derived from, too

    def __init__(self, cls: type[Any], kw_only: bool) -> None:  # noqa: FBT001 - as the decorator has it
        self._cls, self._kw_only = cls, kw_only

    def __get__(self, instance: object, owner: type[Any]) -> dict[str, dataclasses.Field[Any]]:
        cls = self._cls
        with self._finding:
            if cls.__dict__["__dataclass_fields__"] is self:
                dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=self._kw_only)(cls)
        found: dict[str, dataclasses.Field[Any]] = cls.__dict__["__dataclass_fields__"]
        return found


def _values(cls: type[Any]) -> Callable[[Any], Any]:
    """Return what takes from an instance the values that it is compared and hashed by."""
    known = list[Callable[[Any], Any]]()

    def values(instance: Any) -> Any:  # noqa: ANN401 - as the fields are
        if not known:
            names = [field.name for field in dataclasses.fields(cls) if field.compare]
            known.append(attrgetter(*names) if names else lambda _: ())
        return known[0](instance)

    return values


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


def _protected(cls: type[Any]) -> dict[str, Callable[..., None]]:
    def __setattr__(self: Any, name: str, value: object) -> None:  # noqa: N807, ANN401 - as above
        if type(self) is cls or name in cls.__dataclass_fields__:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:  # noqa: N807, ANN401 - as above
        if type(self) is cls or name in cls.__dataclass_fields__:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return {"__setattr__": __setattr__, "__delattr__": __delattr__}


if not TYPE_CHECKING:
    dataclass = _dataclass
