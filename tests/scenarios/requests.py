"""Requests against AWS's service models: what botocore leaves to the service to refuse.

botocore itself looks at types, at what is required and at lower bounds. The models also say patterns, upper bounds,
enumerations, and what is deprecated.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from botocore.model import ListShape, MapShape, Shape, StructureShape

    from fargatectl.sandbox.cloud import RecordedCall

_SESSION = botocore.session.Session()
_BOTOCORE = {
    "elasticloadbalancing": "elbv2",
    "elasticfilesystem": "efs",
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
}
"""Services that requests name otherwise than botocore does."""
# Java's classes of characters in Python's words, roughly where there is no such class.
_CLASSES = (
    (r"\uD800\uDC00-\uDBFF\uDFFF", ""),
    (r"\p{Print}+", "[ -~]+"),
    (r"\p{L}", r"\w"),
    (r"\p{Z}", r"\s"),
    (r"\p{N}", r"\d"),
    (r"\p{M}", ""),
    (r"\p{P}", "!-/:-@"),
    (r"\p{S}", "$+<=>^`|~"),
    (r"\p{IsAlphabetic}", "A-Za-z"),
    (r"\p{ASCII}", r"\x00-\x7f"),
)


def breaches(calls: Iterable[RecordedCall]) -> set[str]:
    """Return what in `calls` AWS's models do not allow, each in a line."""
    return {line for call in calls for line in _in_call(call)}


def _in_call(call: RecordedCall) -> Iterator[str]:
    operation = _model(_BOTOCORE.get(call.service, call.service)).operation_model(call.operation)
    name = f"{call.service}:{call.operation}"
    if operation.deprecated:
        yield f"{name} is deprecated"
    if operation.input_shape is not None:
        yield from _in(call.params, operation.input_shape, name)


@cache
def _model(service: str) -> Any:
    return _SESSION.get_service_model(service)


def _in(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if shape.metadata.get("deprecated"):
        yield f"{path} is deprecated"
    if shape.type_name == "structure":
        structure: StructureShape = shape  # type: ignore[assignment]
        for key, part in value.items():
            yield from _in(part, structure.members[key], f"{path}.{key}")
    elif shape.type_name == "list":
        listed: ListShape = shape  # type: ignore[assignment]
        yield from _bounds(len(value), shape, path)
        for part in value:
            yield from _in(part, listed.member, f"{path}[]")
    elif shape.type_name == "map":
        mapped: MapShape = shape  # type: ignore[assignment]
        yield from _bounds(len(value), shape, path)
        for key, part in value.items():
            yield from _in(key, mapped.key, f"{path}{{}}")
            yield from _in(part, mapped.value, f"{path}{{}}")
    elif isinstance(value, str):
        yield from _text(value, shape, path)
    elif isinstance(value, int | float):
        yield from _bounds(value, shape, path)


def _bounds(size: float, shape: Shape, path: str) -> Iterator[str]:
    most, least = shape.metadata.get("max"), shape.metadata.get("min")
    if (most is not None and size > most) or (least is not None and size < least):
        yield f"{path}: {size} is not from {least} to {most}"


def _text(value: str, shape: Shape, path: str) -> Iterator[str]:
    yield from _bounds(len(value), shape, path)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{path}: {value!r} is none of {', '.join(allowed)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(_pythonic(pattern), value):
        yield f"{path}: {value!r} does not match {pattern}"


def _pythonic(pattern: str) -> str:
    for java, python in _CLASSES:
        pattern = pattern.replace(java, python)
    return pattern
