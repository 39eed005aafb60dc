"""Checks answers of the local AWS against botocore's output models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: dict[str, type] = {"structure": dict, "list": list, "map": dict, "string": str, "boolean": bool}


def unmodelled(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Yield what in an answer the model does not know, or knows as another type."""
    kind = shape.type_name
    expected: Any = _TYPES.get(kind, object)
    if value is None or not isinstance(value, expected):
        yield f"{path}: {value!r} is no {kind}"
    elif kind == "structure":
        yield from (f"{path}.{key} is unknown" for key in value if key not in shape.members)
        for key in value.keys() & shape.members.keys():
            yield from unmodelled(shape.members[key], value[key], f"{path}.{key}")
    elif kind == "list":
        for item in value:
            yield from unmodelled(shape.member, item, f"{path}[]")
    elif kind == "map":
        for item in value.values():
            yield from unmodelled(shape.value, item, f"{path}{{}}")
    elif kind == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path}: {value!r} is none of {shape.enum}"
    elif kind in ("integer", "long") and type(value) is not int:
        yield f"{path}: {value!r} is no {kind}"
