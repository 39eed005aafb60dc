"""What moto works out anew for every request though it never changes, worked out once: half of the time that it takes.

Only the price differs: each of these functions gives for the same arguments what it always gave. The exception are keys
of certificates: all certificates of a process for the same domains have the same.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import boto3
import botocore.session
from moto.core import responses, serialize
from moto.core.constants import MISSING
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, Request, environ_key_for_header
from moto.core.serialize import (
    AttributePicker,
    AttributePickerContext,
    ResponseSerializer,
    XFormedAttributePicker,
)
from moto.core.utils import get_value as get_in
from moto.moto_api._internal import mock_random
from moto.utilities import utils as resources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_TYPES = "ec2/resources/instance_types.json"
_OFFERINGS = "ec2/resources/instance_type_offerings/"
_TEXT = "#text"
_HOW = {"full_document", "short_empty_elements", "pretty"}


def hasten() -> None:
    """Put the remembering functions in the places of moto's; for good, and for the whole process."""
    _replace(responses, "method_names_from_class", cache)  # all members of a class, by name
    _replace(responses, "gen_amzn_requestid_long", _at_one_draw)
    _replace(vars(serialize)["xmltodict"], "unparse", _without_events)
    _replace(ResponseSerializer, "get_value", _without_looking_everywhere)
    for picker in (AttributePicker, XFormedAttributePicker):
        _replace(picker, "get_possible_keys", _by_type_and_shape)


@contextmanager
def without_instances() -> Iterator[None]:
    """Have moto's EC2 be imported without what it knows of instances, of which none is ever run here.

    It reads the types of instances of all Regions, and for the names of the Regions three times all operations of EC2.
    """
    session, load = boto3.Session, resources.load_resource

    def load_resource(resource: str) -> Any:  # noqa: ANN401 - moto's are untyped
        return {} if resource == _TYPES else [] if resource.startswith(_OFFERINGS) else load(resource)

    boto3.Session = _Regions  # type: ignore[assignment,misc]
    resources.load_resource = load_resource
    try:
        yield
    finally:
        boto3.Session, resources.load_resource = session, load  # type: ignore[misc]


class _Regions:
    """What there is of a boto3 session for who asks it for Regions only."""

    def get_available_regions(self, service: str, partition_name: str = "aws") -> list[str]:
        """Return the Regions that have the service."""
        partition = next(one for one in _partitions() if one["partition"] == partition_name)
        return [name for name in partition["services"][service]["endpoints"] if name in partition["regions"]]


@cache
def _partitions() -> list[Any]:
    found: list[Any] = botocore.session.Session().get_data("endpoints")["partitions"]
    return found


def hasten_certificates(bundle: Any) -> None:  # noqa: ANN401 - moto's are untyped
    """Have moto's class of certificates make a key pair for new domains only: that takes as long as fifty calls."""
    _replace(bundle, "generate_cert", _by_domains)
    loaded: dict[bytes, Any] = {}
    load = bundle.validate_pk

    def validate_pk(one: Any) -> Any:  # noqa: ANN401 - moto's are untyped
        if one.key not in loaded:
            loaded[one.key] = load(one)
        return loaded[one.key]

    bundle.validate_pk = validate_pk


def post_to_root(host: str, headers: Mapping[str, str], body: bytes) -> Request:
    """Return what moto's `Request.from_primitives` makes of a POST to the root of an HTTPS host, only faster.

    So most of AWS's protocols ask for everything. What differs is left to werkzeug's own builder of requests.
    """
    named = {environ_key_for_header(name): value for name, value in headers.items()}
    return Request(
        {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "REQUEST_URI": "/",
            "RAW_URI": "/",
            "SERVER_NAME": host,
            "SERVER_PORT": "443",
            "HTTP_HOST": host,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            PRESERVED_HEADER_NAMES_ENVIRON_KEY: {},
            **named,
            "CONTENT_LENGTH": str(len(body)),
        }
    )


def _replace(owner: Any, name: str, remembering: Callable[[Any], Any]) -> None:  # noqa: ANN401 - moto's are untyped
    setattr(owner, name, remembering(getattr(owner, name)))


def _at_one_draw(_: Callable[[Any], str]) -> Callable[[Any], str]:
    """Draw an id of a request at once, not letter by letter."""

    def gen_amzn_requestid_long(headers: Any) -> str:  # noqa: ANN401 - moto's are untyped
        request_id = f"{mock_random.getrandbits(208):052X}"
        headers["x-amzn-requestid"] = request_id
        return request_id

    return gen_amzn_requestid_long


def _by_domains(generate: Callable[..., Any]) -> Callable[..., Any]:
    """Make a certificate again from the texts of one for the same domains."""
    made: dict[tuple[str, tuple[str, ...]], Any] = {}

    def generate_cert(
        domain_name: str, account_id: str, region: str, sans: list[str] | None = None, **authority: str | None
    ) -> Any:  # noqa: ANN401 - moto's are untyped
        known = made.get(key := (domain_name, tuple(sans or ())))
        if any(authority.values()):
            return generate(domain_name, account_id, region, sans, **authority)
        if known is None:
            made[key] = generate(domain_name, account_id, region, sans)
            return made[key]
        return type(known)(
            certificate=known.cert,
            private_key=known.key,
            cert_type="AMAZON_ISSUED",
            cert_status="PENDING_VALIDATION",
            account_id=account_id,
            region=region,
        )

    return generate_cert


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


def _without_looking_everywhere(get_value: Callable[..., Any]) -> Callable[..., Any]:
    """Look into plain dictionaries and objects, which most answers are made of, without detours."""
    amending: dict[tuple[int, str], tuple[Any, list[tuple[str, Any]]]] = {}

    def amended(serializer: Any, key: str, value: Any) -> Any:  # noqa: ANN401 - moto's are untyped
        """Let the service's own transformer of this member, if there is one, have its way."""
        transformers = serializer._value_picker.response_transformers  # noqa: SLF001 - moto's own use
        place = (id(transformers), key)
        if place not in amending:
            ends = [(end, amend) for end, amend in transformers.items() if _may_end(end, key)]
            amending[place] = (transformers, ends)  # held, so that its identity stays its own
        for end, amend in amending[place][1]:
            if ".".join((*serializer.path, key)).endswith(end):
                return amend(value)
        return value

    def get_member(serializer: Any, value: Any, key: str, shape: Any) -> Any:  # noqa: ANN401 - moto's are untyped
        picker, kind = serializer._value_picker, type(value)  # noqa: SLF001 - moto's own use
        look = _look(kind)
        if look is None or type(picker) is not XFormedAttributePicker:
            return get_value(serializer, value, key, shape)
        known = vars(shape).setdefault("names_in_types", {})
        names = known.get((kind, key))
        if names is None:
            context = AttributePickerContext(obj=value, key=key, shape=shape)
            names = known[kind, key] = tuple(picker.get_possible_keys(context))
        for name in names:
            found = get_in(value, name, MISSING) if "." in name else look(value, name, MISSING)
            if found is not MISSING:
                return amended(serializer, key, found)
        return amended(serializer, key, None)

    return get_member


def _may_end(end: str, key: str) -> bool:
    """Tell whether a path to `key` may end so."""
    _, dot, last = end.rpartition(".")
    return key == last if dot else key.endswith(end)


def _look(kind: type) -> Callable[[Any, str, Any], Any] | None:
    """Return how to look for a member of an object of this type; None where only moto knows."""
    if kind is dict:
        return dict.get
    return None if hasattr(kind, "__getitem__") or hasattr(kind, "__getattr__") else getattr


def _without_events(unparse: Callable[..., str]) -> Callable[..., str]:
    """Write XML down as it comes, instead of through the events of SAX."""

    def write(document: dict[str, Any], **how: Any) -> str:  # noqa: ANN401 - moto's are untyped
        if how.keys() != _HOW or how["pretty"] or len(document) != 1:
            return unparse(document, **how)
        (root,) = document.items()
        prologue = '<?xml version="1.0" encoding="utf-8"?>\n' if how["full_document"] else ""
        return prologue + "".join(_elements(*root, short=how["short_empty_elements"]))

    return write


def _elements(name: str, value: Any, *, short: bool) -> Iterator[str]:  # noqa: ANN401 - whatever is in an answer
    for one in value if isinstance(value, list | tuple) else (value,):
        attributes = ""
        if isinstance(one, dict):
            inner = "".join(
                part
                for key, child in one.items()
                if key[0] != "@" and key != _TEXT and child != []
                for part in _elements(key, child, short=short)
            ) + _text(one.get(_TEXT))
            attributes = "".join(f" {key[1:]}={quoteattr(str(part))}" for key, part in one.items() if key[0] == "@")
        else:
            inner = _text(one)
        yield f"<{name}{attributes}/>" if short and not inner else f"<{name}{attributes}>{inner}</{name}>"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return escape(value.decode(errors="replace"))
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
