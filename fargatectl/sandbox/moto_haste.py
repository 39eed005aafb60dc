"""What moto works out anew for every request though it never changes, worked out once: half of the time that it takes.

Only the price differs: each of these functions gives for the same arguments what it always gave.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from moto.core import responses, serialize
from moto.core.serialize import AttributePicker, XFormedAttributePicker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def hasten() -> None:
    """Put the remembering functions in the places of moto's; for good, and for the whole process."""
    _replace(responses, "method_names_from_class", cache)  # all members of a class, by name
    _replace(vars(serialize)["xmltodict"], "_validate_name", lru_cache(maxsize=10_000))  # of XML, letter by letter
    for picker in (AttributePicker, XFormedAttributePicker):
        _replace(picker, "get_possible_keys", _by_type_and_shape)


def _replace(owner: Any, name: str, remembering: Callable[[Any], Any]) -> None:  # noqa: ANN401 - moto's are untyped
    setattr(owner, name, remembering(getattr(owner, name)))


def _by_type_and_shape(possible_keys: Callable[[Any, Any], Iterable[str]]) -> Callable[[Any, Any], Iterable[str]]:
    """Keep the names under which an attribute may be found, by the object's type, in the attribute's shape."""

    def remembered(picker: Any, context: Any) -> Iterable[str]:  # noqa: ANN401 - moto's objects are untyped
        if context.shape is None:
            return possible_keys(picker, context)
        known = vars(context.shape).setdefault("possible_keys", {})
        key = (possible_keys, type(context.obj), context.key)
        if key not in known:
            known[key] = tuple(possible_keys(picker, context))
        names: Iterable[str] = known[key]
        return names

    return remembered
