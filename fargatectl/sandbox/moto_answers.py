"""moto's answers without the XML between: what a client would read in it, made from what would be written into it.

For the local AWS's own questions to moto, in the protocols `query` and `ec2`: their XML takes longer than all else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.core.serialize import EC2Serializer, QuerySerializer, XFormedAttributePicker

from fargatectl.sandbox import botocore_adapter

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = (QuerySerializer, EC2Serializer)
_ABSENT: Any = object()


class Catcher:
    """Catches an answer of moto's before it is written down; used by the one thread that holds moto's lock."""

    def __init__(self) -> None:
        self._waits = False
        self._caught: dict[str, Any] | None = None
        self._write = ActionResult.execute_result

    def stand(self) -> None:
        """Stand where moto writes its answers, for good."""

        def execute_result(result: Any, context: Any) -> Any:  # noqa: ANN401 - moto's are untyped
            return self._take(result, context)

        setattr(ActionResult, "execute_result", execute_result)  # noqa: B010 - mypy sees no attribute but a method

    def ask(self, send: Callable[[], Any]) -> tuple[Any, dict[str, Any] | None]:
        """Return what `send` returns, and the answer if it could be caught: nothing is written then."""
        self._waits, self._caught = True, None
        try:
            return send(), self._caught
        finally:
            self._waits, self._caught = False, None

    def _take(self, result: Any, context: Any) -> Any:  # noqa: ANN401 - moto's are untyped
        error = isinstance(result.result, Exception)
        if not self._waits or error or context.serializer_class not in _PLAIN:
            return self._write(result, context)
        self._waits = False
        transformers = getattr(context.response, "RESPONSE_KEY_PATH_TO_TRANSFORMER", None)
        picker = XFormedAttributePicker(response_transformers=transformers)
        serializer = context.serializer_class(operation_model=context.operation_model, value_picker=picker)
        shape = context.operation_model.output_shape
        empty = shape is None or result.result is None
        self._caught = {} if empty else _value(serializer, result.result, shape, "")
        return 200, {}, ""


def _value(serializer: Any, value: Any, shape: Any, key: str) -> Any:  # noqa: ANN401 - moto's are untyped
    serializer.path.append(key or shape.name)  # transformers of members go by it
    make: Callable[[Any, Any, Any], Any] = _MAKERS.get(shape.type_name, _string)
    made = make(serializer, value, shape)
    serializer.path.pop()
    return made


def _structure(serializer: Any, value: Any, shape: Any) -> Any:  # noqa: ANN401 - moto's are untyped
    if value is None:
        return _ABSENT
    members = {}
    for key, member in shape.members.items():
        member.parent = shape  # aliases of members go by it
        found = serializer.get_value(value, key, member)
        if found is not None:
            made = _value(serializer, found, member, key)
            if made is not _ABSENT:
                members[key] = made
    return members


def _list(serializer: Any, value: Any, shape: Any) -> Any:  # noqa: ANN401 - moto's are untyped
    made = [_value(serializer, item, shape.member, shape.member.name) for item in value]
    kept = [item for item in made if item is not _ABSENT and item != {}]
    return kept if kept or not shape.is_flattened else _ABSENT


def _map(serializer: Any, value: Any, shape: Any) -> Any:  # noqa: ANN401 - moto's are untyped
    return {
        _value(serializer, key, shape.key, "key"): _value(serializer, item, shape.value, "value")
        for key, item in value.items()
        if item is not None
    }


def _timestamp(serializer: Any, value: Any, shape: Any) -> Any:  # noqa: ANN401 - moto's are untyped
    written: dict[str, str] = {}
    serializer._timestamp_serializer.serialize(written, value, shape, "date")  # noqa: SLF001 - moto's own use
    return botocore_adapter.read_date(written["date"])


def _boolean(_: Any, value: Any, __: Any) -> bool:  # noqa: ANN401 - moto's are untyped
    return value is True or str(value).lower() == "true"


def _integer(_: Any, value: Any, __: Any) -> int:  # noqa: ANN401 - moto's are untyped
    return int(value)


def _float(_: Any, value: Any, __: Any) -> float:  # noqa: ANN401 - moto's are untyped
    return float(value)


def _blob(_: Any, value: Any, __: Any) -> bytes:  # noqa: ANN401 - moto's are untyped
    return value.encode() if isinstance(value, str) else bytes(value)


def _string(_: Any, value: Any, __: Any) -> str:  # noqa: ANN401 - moto's are untyped
    return str(value)


_MAKERS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "timestamp": _timestamp,
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "blob": _blob,
}
