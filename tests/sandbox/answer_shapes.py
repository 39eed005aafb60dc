"""Checks answers of the local AWS against botocore's output models."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import botocore.session

from fargatectl.sandbox.handlers import HANDLERS
from fargatectl.sandbox.services import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call

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


class Observer:
    """Looks at every answer of ours before it is encoded: encoders of XML drop what the model does not know."""

    _loader = botocore.session.get_session()

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.seen: dict[str, set[str]] = {}

    def __call__(self, call: Call, answer: Mapping[str, Any]) -> None:
        self.seen.setdefault(call.service, set()).add(call.operation)
        shape: Any = self._loader.get_service_model(call.service).operation_model(call.operation).output_shape
        if shape is not None:
            self.problems += [f"{call.service}:{call.operation}{one}" for one in unmodelled(shape, dict(answer))]

    def missed(self, service: str) -> set[str]:
        """Return our operations of a service that were not called."""
        load()
        ours = {operation for owner, operation in HANDLERS.handled() if owner == service}
        return ours - self.seen.get(service, set())

    def intercept(self, call: Call, apply: Callable[[], Response]) -> Response:
        """Look at what moto alone answers, where it is JSON."""
        response = apply()
        if call.protocol == "json" and response.status == HTTPStatus.OK:
            self(call, json.loads(response.body or b"{}"))
        return response
