"""From bytes to meaning and back: an HTTP request of any AWS protocol becomes a call, an answer becomes a response."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from fargatectl.sandbox import botocore_adapter, moto_adapter
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.http import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.identity import Scope

_READING = ("Describe", "List", "Get", "BatchGet", "Lookup", "Discover", "Search", "Simulate", "Filter", "Head", "Test")
_ACTION = re.compile(r"(?:^|&)Action=(\w+)")
_A_SET = re.compile(r"\{'([^']*)'\}")
_QUERYING = ("StartQuery", "StopQuery")  # of Logs Insights: nothing of the account's changes


@dataclass(frozen=True, slots=True)
class Call:
    """One request, understood: which operation of which service, with what members, for whom.

    `params` has AWS's own names and botocore's types; `protocol` is the one the client speaks.
    """

    service: str
    operation: str
    params: dict[str, Any]
    account: str
    region: str
    protocol: str = "json"

    @property
    def mutating(self) -> bool:
        """Whether the operation changes something, by its verb."""
        return not self.operation.startswith(_READING) and self.operation not in _QUERYING


def decode(request: Request, scope: Scope) -> Call:
    """Return the call that a request makes. Raises AwsError if it makes none that can be read."""
    protocol = botocore_adapter.protocol_of(scope.service, request.content_type)
    operation, uri = _operation(request, scope.service, protocol)
    if not operation:
        message = f"The local AWS cannot read this request to {scope.service}: {request.method} {request.path}"
        raise AwsError("UnknownOperationException", message, status=404)
    params = _params(request, scope.service, operation, protocol, uri)
    return Call(scope.service, operation, params, scope.account, scope.region, protocol)


def _operation(request: Request, service: str, protocol: str) -> tuple[str, dict[str, Any]]:
    if protocol == "json":
        return request.headers.get("x-amz-target", "").rpartition(".")[2], {}
    if protocol in ("query", "ec2"):
        action = _ACTION.search(request.body.decode() if request.body else request.url.partition("?")[2])
        return action[1] if action else "", {}
    if protocol.startswith("rest"):
        return moto_adapter.match(service, request) or ("", {})
    return "", {}


def _params(request: Request, service: str, operation: str, protocol: str, uri: dict[str, Any]) -> dict[str, Any]:
    if botocore_adapter.operation_model(service, operation) is None:
        raise AwsError("InvalidAction", f"The action {operation} is not valid for this web service.")
    if protocol in ("query", "ec2"):
        sent = (request.method, request.url, request.content_type, request.body)
        return dict(pickle.loads(_form(service, operation, protocol, *sent)))  # noqa: S301 - pickled below
    if protocol != "json":
        return moto_adapter.parse(service, operation, protocol, request, uri)
    try:
        params = json.loads(request.body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", "The request body is not valid JSON.") from error
    return params if isinstance(params, dict) else {}


@lru_cache(maxsize=512)
def _form(service: str, operation: str, protocol: str, method: str, url: str, media: str, body: bytes) -> bytes:  # noqa: PLR0913 - all of a request that tells one form from another
    # As slow as moto's serializers, and as often the same.
    request = Request(method, url, {"content-type": media}, body)
    return pickle.dumps(moto_adapter.parse(service, operation, protocol, request, {}))


def encode(call: Call, answer: Mapping[str, Any]) -> Response:
    """Return the response that carries a successful answer."""
    if call.protocol == "json":
        body = json.dumps(answer, default=_json, separators=(",", ":")).encode()
        return Response(200, body, {"content-type": "application/x-amz-json-1.1"})
    return _xml(call.service, call.operation, call.protocol, pickle.dumps(answer))


@lru_cache(maxsize=512)
def _xml(service: str, operation: str, protocol: str, answer: bytes) -> Response:
    # moto's serializers take milliseconds, and the same answers go out again and again.
    return moto_adapter.serialize(service, operation, protocol, pickle.loads(answer))  # noqa: S301 - pickled above


def decode_answer(call: Call, response: Response) -> dict[str, Any]:
    """Return the members of an answer of moto's. Raises AwsError where it is a refusal."""
    parsed = botocore_adapter.decode_response(call.service, call.operation, call.protocol, response)
    error = parsed.pop("Error", None)
    if response.status < 300:  # noqa: PLR2004 - HTTP's own boundary
        return parsed
    error = error or {}
    # moto shows an id as a set with one member.
    code, message = str(error.get("Code", response.status)), _A_SET.sub(r"\1", str(error.get("Message", "")))
    raise AwsError(code, message, status=response.status, **parsed)


def encode_error(service: str, protocol: str, error: AwsError) -> Response:
    """Return the response that carries a refusal, in the form that the protocol has for it."""
    if protocol in ("query", "rest-xml"):
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>"
            f"<Message>{escape(error.message)}</Message></Error><RequestId>local</RequestId></ErrorResponse>"
        )
        return Response(error.status, body.encode(), {"content-type": "text/xml"})
    if protocol == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
            f"</Error></Errors><RequestID>local</RequestID></Response>"
        )
        return Response(error.status, body.encode(), {"content-type": "text/xml"})
    key = "message" if service in ("ecs", "resourcegroupstaggingapi", "scheduler", "logs") else "Message"
    members = {"__type": error.code, key: error.message, **error.members}
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": error.code}
    return Response(error.status, json.dumps(members, default=_json).encode(), headers)


def _json(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return value.decode()
    message = f"an answer of the local AWS holds a {type(value).__name__}"
    raise TypeError(message)
