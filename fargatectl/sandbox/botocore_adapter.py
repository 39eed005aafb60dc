"""The one place where the local AWS touches botocore: its service models, its codecs and its way to send."""

from __future__ import annotations

import io
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, UnknownServiceError
from botocore.model import OperationNotFoundError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.utils import parse_timestamp

from fargatectl.sandbox.faults import LostAnswer
from fargatectl.sandbox.http import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from botocore.awsrequest import AWSPreparedRequest
    from botocore.model import OperationModel, ServiceModel
    from botocore.session import Session

# moto serves S3 objects only to requests that carry a signature, without looking at it.
_SIGNED = "AWS4-HMAC-SHA256 Credential=LOCALAWS/20200101/local/local/aws4_request, SignedHeaders=host, Signature=0"
SERVICES = (
    "acm",
    "application-autoscaling",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "elbv2",
    "iam",
    "logs",
    "resourcegroupstaggingapi",
    "route53",
    "s3",
    "scheduler",
    "secretsmanager",
    "servicediscovery",
    "sns",
    "ssm",
    "sts",
)
_MEDIA = {"json": "application/x-amz-json-", "form": "application/x-www-form-urlencoded"}


@cache
def service_model(service: str) -> ServiceModel | None:
    """Return botocore's model of a service, or None where it knows none of that name."""
    try:
        return _session().get_service_model(service)
    except UnknownServiceError:
        return None


@cache
def operation_model(service: str, operation: str) -> OperationModel | None:
    """Return botocore's model of an operation, or None."""
    model = service_model(service)
    try:
        return model.operation_model(operation) if model else None
    except OperationNotFoundError:
        return None


@cache
def operations(service: str) -> tuple[str, ...]:
    """Return the operations of a service, or nothing where botocore knows none of that name."""
    model = service_model(service)
    return tuple(model.operation_names) if model else ()


@cache
def _session() -> Session:
    return botocore.session.Session()


def protocol_of(service: str, content_type: str) -> str:
    """Return the protocol a client speaks: the content type decides where a service has several."""
    model = service_model(service)
    if model is None:
        return "unknown"
    known = model.metadata.get("protocols", [model.protocol])
    if content_type.startswith(_MEDIA["json"]) and "json" in known:
        return "json"
    if content_type.startswith(_MEDIA["form"]):
        return "ec2" if "ec2" in known else "query"
    return str(model.metadata["protocol"])


def _own_protocol(service: str) -> str:
    """Return the protocol that the local AWS itself speaks to moto, which knows no CBOR."""
    model = service_model(service)
    known = model.metadata.get("protocols", []) if model else []
    return next((name for name in ("json", "query", "ec2", "rest-json", "rest-xml") if name in known), "json")


def encode_request(service: str, operation: str, params: Mapping[str, Any], region: str) -> Request:
    """Return the request that a client would send for `operation`."""
    model = operation_model(service, operation)
    if model is None:
        message = f"botocore knows no {service}:{operation}"
        raise LookupError(message)
    serializer = create_serializer(_own_protocol(service), include_validation=False)
    sent = serializer.serialize_to_request(dict(params), model)
    body = sent["body"]
    if isinstance(body, dict):
        body = _form(body)
    query = sent.get("query_string") or {}
    suffix = "?" + _form(query) if query else ""
    return Request(
        method=sent["method"],
        url=f"https://{endpoint(service, region)}{sent['url_path']}{suffix}",
        headers={**{key.lower(): str(value) for key, value in sent["headers"].items()}, "authorization": _SIGNED},
        body=body.encode() if isinstance(body, str) else bytes(body or b""),
    )


def endpoint(service: str, region: str) -> str:
    """Return the host name of a service, close enough to AWS's for moto to know it."""
    model = service_model(service)
    prefix = model.endpoint_prefix if model else service
    if service in ("iam", "route53"):  # global services have one host for all Regions
        return f"{prefix}.amazonaws.com"
    return f"{prefix}.{region}.amazonaws.com"


def _form(values: Mapping[str, Any]) -> str:
    from urllib.parse import urlencode  # noqa: PLC0415

    return urlencode({key: _text(value) for key, value in values.items()})


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def decode_response(service: str, operation: str, protocol: str, response: Response) -> dict[str, Any]:
    """Return the members of a successful answer, with botocore's types (timestamps are datetimes)."""
    model = operation_model(service, operation)
    shape = model.output_shape if model else None
    parser: Any = create_parser(protocol if protocol != "unknown" else _own_protocol(service))
    parsed: dict[str, Any] = parser.parse(
        {"status_code": response.status, "headers": _Headers(response.headers), "body": response.body}, shape
    )
    parsed.pop("ResponseMetadata", None)
    return parsed


@lru_cache(maxsize=10_000)
def read_date(written: str) -> datetime:
    """Return a date of an answer as a client reads it."""
    found: datetime = parse_timestamp(written)
    return found


class _Headers(dict[str, str]):
    """Headers as botocore's parsers look them up: without regard to case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({key.lower(): value for key, value in headers.items()})

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - dict's own signature
        return super().get(key.lower(), default)


class _Body(io.BytesIO):
    """The raw stream that an AWSResponse reads from."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """Yield all there is."""
        yield self.read()


def attach(session: Session, send: Callable[[Request], Response]) -> None:
    """Make every client that `session` creates from now on send to `send` instead of a socket.

    The handler is registered first: botocore takes the first answer, and a handler registered later by a test (a fault)
    would otherwise come too late. botocore runs the others all the same.
    """

    def on_send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        try:
            answer = send(_from_prepared(request))
        except LostAnswer as error:
            raise ConnectionClosedError(endpoint_url=request.url) from error
        headers: Any = _Headers(answer.headers)
        return AWSResponse(request.url, answer.status, headers, _Body(answer.body))

    session.get_component("event_emitter").register_first("before-send", on_send)


def _from_prepared(request: AWSPreparedRequest) -> Request:
    body: Any = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    sent: dict[str, Any] = dict(request.headers.items())
    headers = {key.lower(): value.decode() if isinstance(value, bytes) else str(value) for key, value in sent.items()}
    return Request(
        method=request.method, url=request.url, headers=headers, body=body.encode() if isinstance(body, str) else body
    )
