"""What botocore works out anew for every client, though it never changes, worked out once for the whole run.

A test makes its own session and clients, so that no test can harm another; those share here what they only read: the
descriptions of services, the classes of clients, the rules of endpoints. Only the price differs.
"""

from __future__ import annotations

import pickle
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlencode

import botocore.client
import botocore.endpoint
import botocore.hooks
import botocore.httpsession
import botocore.parsers
import botocore.regions
import botocore.session
import botocore.useragent
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.config import Config
from botocore.loaders import create_loader

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from botocore.model import ServiceModel

T = TypeVar("T")

_LOADER = create_loader()
_MOST = 2_000  # answers that are kept


def vouch(session: botocore.session.Session, key: str) -> None:
    """Have requests say whose they are without a true signature: the local AWS does not check it, and it takes time."""

    def promise(context: dict[str, Any], **_: Any) -> None:
        context["vouched"] = key

    session.get_component("event_emitter").register("before-call", promise)


def quick_session() -> botocore.session.Session:
    """Return a session of its own, with the models that all sessions of this process share."""
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    session.set_default_client_config(Config(user_agent="tests"))  # else made up of twenty parts for each request
    return session


def hasten() -> None:
    """Put the remembering functions in the places of botocore's; for good, and for the whole process."""
    creator = botocore.client.ClientCreator
    _replace(creator, "_load_service_model", _for_one_description)
    _replace(creator, "_create_client_class", _for_one_model)
    _replace(botocore.regions, "EndpointProvider", _for_one_ruleset)
    _replace(botocore.hooks.EventAliaser, "_alias_event_name", _for_one_name)
    _replace(botocore.hooks, "accepts_kwargs", cache)
    trie: Any = vars(botocore.hooks)["_PrefixTrie"]
    _replace(trie, "_recursive_copy", _without_asking)
    _replace(botocore.regions.EndpointRulesetResolver, "construct_endpoint", _for_one_operation)
    _replace(botocore.endpoint.Endpoint, "create_request", _unsigned)
    _replace(botocore.endpoint.Endpoint, "_needs_retry", _without_a_pause)
    _replace(botocore.parsers.QueryParser, "_parse_body_as_xml", _for_one_body)
    _replace(botocore.parsers.JSONParser, "_handle_json_body", _for_one_json)
    _replace(botocore.httpsession.URLLib3Session, "_get_ssl_context", _for_all)  # nothing is sent through it
    _replace(botocore.useragent, "sanitize_user_agent_string_component", cache)


def _replace(owner: Any, name: str, remembering: Callable[[Any], Any]) -> None:
    setattr(owner, name, remembering(getattr(owner, name)))


class Known(Generic[T]):
    """What was made from objects that are themselves; they are held, so that their identity stays theirs."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, ...], tuple[tuple[Any, ...], T]] = {}

    def of(self, sources: tuple[Any, ...], make: Callable[[], T]) -> T:
        key = tuple(map(id, sources))
        if key not in self._made:
            self._made[key] = (sources, make())
        return self._made[key][1]


def _for_one_description(load: Callable[..., Any]) -> Callable[..., Any]:
    known: Known[ServiceModel] = Known()

    def load_service_model(creator: Any, service_name: str, api_version: str | None = None) -> ServiceModel:
        description = creator._loader.load_service_model(service_name, "service-2", api_version=api_version)
        return known.of((description,), lambda: load(creator, service_name, api_version))

    return load_service_model


def _for_one_model(create: Callable[..., type]) -> Callable[..., type]:
    known: Known[type] = Known()

    def create_client_class(creator: Any, service_name: str, model: ServiceModel) -> type:
        return known.of((model,), lambda: create(creator, service_name, model))

    return create_client_class


def _for_one_ruleset(make: Callable[..., Any]) -> Callable[..., Any]:
    known: Known[Any] = Known()

    def provider(ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
        sources = (ruleset_data, partition_data, excluded_params)
        return known.of(sources, lambda: make(ruleset_data, partition_data, excluded_params))

    return provider


def _for_all(make: Callable[[Any], SSLContext]) -> Callable[[Any], SSLContext]:
    made: list[SSLContext] = []

    def one(session: Any) -> SSLContext:
        made[:] = made or [make(session)]
        return made[0]

    return one


def _for_one_name(alias: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    known: dict[str, str] = {}

    def alias_event_name(aliaser: Any, name: str) -> str:
        if name not in known:
            known[name] = alias(aliaser, name)
        return known[name]

    return alias_event_name


def _without_asking(copy: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    del copy

    def node_of(node: dict[str, Any]) -> dict[str, Any]:
        values = node["values"]
        return {
            "chunk": node["chunk"],
            "children": {name: node_of(child) for name, child in node["children"].items()},
            "values": values and botocore.hooks.NodeList(values.first[:], values.middle[:], values.last[:]),
        }

    def recursive_copy(trie: Any, attributes: dict[str, Any]) -> dict[str, Any]:
        del trie
        return {"_root": node_of(attributes["_root"])}

    return recursive_copy


def _for_one_operation(construct: Callable[..., Any]) -> Callable[..., Any]:
    """Find the endpoint of an operation once for a client, where no parameter of a call has a say in it."""

    def construct_endpoint(resolver: Any, operation_model: Any, call_args: Any, request_context: Any) -> Any:
        if operation_model.context_parameters or operation_model.operation_context_parameters:
            return construct(resolver, operation_model, call_args, request_context)
        known = vars(resolver).setdefault("endpoints", {})
        if operation_model.name not in known:
            known[operation_model.name] = construct(resolver, operation_model, call_args, request_context)
        return known[operation_model.name]

    return construct_endpoint


def _unsigned(create: Callable[..., Any]) -> Callable[..., Any]:
    """Make a request that is vouched for at once: what prepares and signs others would do no more with it."""

    def create_request(endpoint: Any, params: dict[str, Any], operation_model: Any = None) -> Any:
        context, body = params["context"], params["body"]
        if "vouched" not in context or not isinstance(body, dict | str | bytes):
            return create(endpoint, params, operation_model)
        signing = context.get("signing", {})
        region = signing.get("region") or context["client_region"]
        name = signing.get("signing_name") or operation_model.service_model.signing_name
        scope = f"{context['vouched']}/20200101/{region}/{name}/aws4_request"
        headers: Any = HeadersDict(params["headers"])
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        sent = urlencode(body, doseq=True) if isinstance(body, dict) else body
        streams = operation_model.has_streaming_output
        return AWSPreparedRequest(params["method"], params["url"], headers, sent or None, streams)

    return create_request


def _without_a_pause(needs_retry: Callable[..., bool]) -> Callable[..., bool]:
    """Try again at once what is vouched for: a local AWS in this process is no better in a second."""

    def needs_another(endpoint: Any, attempts: int, operation_model: Any, request_dict: Any, *happened: Any) -> bool:
        if "vouched" not in request_dict["context"]:
            return needs_retry(endpoint, attempts, operation_model, request_dict, *happened)
        response, error = happened
        event = f"needs-retry.{operation_model.service_model.service_id.hyphenize()}.{operation_model.name}"
        said = endpoint._event_emitter.emit(
            event,
            response=response,
            endpoint=endpoint,
            operation=operation_model,
            attempts=attempts,
            caught_exception=error,
            request_dict=request_dict,
        )
        pause = botocore.hooks.first_non_none_response(said)
        return pause is not None and pause is not False

    return needs_another


def _for_one_body(parse: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[tuple[Any, ...], bytes] = {}

    def parse_body_as_xml(parser: Any, response: dict[str, Any], shape: Any, **how: Any) -> Any:
        key = (type(parser), shape, response["body"], *how.items())
        return _remembered(known, key, lambda: parse(parser, response, shape, **how))

    return parse_body_as_xml


def _for_one_json(parse: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[tuple[Any, ...], bytes] = {}

    def handle_json_body(parser: Any, raw_body: bytes, shape: Any) -> Any:
        return _remembered(known, (shape, raw_body), lambda: parse(parser, raw_body, shape))

    return handle_json_body


def _remembered(known: dict[tuple[Any, ...], bytes], key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """Return a copy of what was made for `key`, which may be amended."""
    if key in known:
        return pickle.loads(known[key])  # noqa: S301 - pickled below
    made = make()
    if len(known) >= _MOST:
        known.clear()
    known[key] = pickle.dumps(made)
    return made
