"""What botocore works out anew for every client, though it never changes, worked out once for the whole run.

A test makes its own session and clients, so that no test can harm another; those share here what they only read: the
descriptions of services, the classes of clients, the rules of endpoints. Only the price differs.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import botocore.client
import botocore.hooks
import botocore.httpsession
import botocore.regions
import botocore.session
import botocore.useragent
from botocore.config import Config
from botocore.loaders import create_loader

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from botocore.model import ServiceModel

T = TypeVar("T")

_LOADER = create_loader()


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
