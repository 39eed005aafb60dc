"""Checks of `use`: what exists already is read, so that nothing else can be said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.checks.app import region_of
from fargatectl.config.existing import name_in
from fargatectl.config.findings import Finding, warning
from fargatectl.config.known import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Cluster, Config, Discovery, Http, LoadBalancer


def check(config: Config) -> Iterator[Finding]:
    """Yield findings about the cluster, namespace and load balancers that `use` names."""
    yield from _alone(config, config.cluster, ("cluster",), "cluster", filled="name")
    if config.discovery:
        yield from _alone(config, config.discovery, ("discovery",), "namespace", filled="namespace")
        if not (config.discovery.use or config.discovery.namespace):
            hint = f'namespace = "{config.app}.internal" makes one, use = "…" takes one that exists'
            yield Finding(("discovery",), "`namespace` is required", hint=hint)
    taken: dict[str, str] = {}
    for name, balancer in config.load_balancers.items():
        yield from _alone(config, balancer, ("load_balancers", name), "load balancer")
        other = taken.setdefault(name_in(balancer.use), name) if balancer.use else name
        if other != name:
            message = f"`{other}` is this load balancer already; its rules are placed together"
            hint = f'write load_balancer = "{other}" in the services of both'
            yield Finding(("load_balancers", name, "use"), message, hint=hint)
    for name, service in config.services.items():
        balancer_used = config.load_balancers.get(service.http.load_balancer) if service.http else None
        if service.http and balancer_used and balancer_used.use:
            yield from _route(config, service.http, ("services", name, "http"))


def _alone(
    config: Config, table: Cluster | Discovery | LoadBalancer, path: KeyPath, noun: str, *, filled: str = ""
) -> Iterator[Finding]:
    """Yield findings about keys beside `use`. `filled` is a key that follows from it."""
    if not table.use:
        return
    about = ((*path, "use"),)
    for key, name in keys(type(table)).items():
        value = getattr(table, name)
        given = name in table.model_fields_set and name != "use"
        if given and not (name == filled and value == name_in(table.use).rstrip(".")):
            message = f"`{key}` is not ours to set: with `use` the {noun} is only read"
            yield Finding((*path, key), message, hint="take out this key, or `use`", about=about)
    region = region_of(table.use)
    if region and config.region and region != config.region:
        message = f"this {noun} is in {region}, the app in {config.region}"
        yield Finding((*path, "use"), message, about=(("region",),))
    owner = table.use.split(":")[4] if region else None
    if owner and config.account and owner != config.account:
        message = f"this {noun} is in the account {owner}, the app in {config.account}"
        yield Finding((*path, "use"), message, about=(("account",),))


def _route(config: Config, http: Http, path: KeyPath) -> Iterator[Finding]:
    """Yield findings about a route on an existing load balancer: it is a rule, and its load balancer not ours."""
    about: KeyPath = ("load_balancers", http.load_balancer, "use")
    if not http.host and not http.path:
        message = f"the load balancer `{http.load_balancer}` is not ours: its default action stays as it is"
        hint = 'set `host` or `path`; path = "/*" takes everything that no other rule takes'
        yield Finding(path, message, hint=hint, about=(about, (*path, "host"), (*path, "path")))
    if http.host and config.dns:
        message = f"no DNS record is made for the hosts: the load balancer `{http.load_balancer}` is not ours"
        yield warning((*path, "host"), message, "whoever has the load balancer makes them", about=(about,))
