"""Checks of what the whole app shares: names, tags, registries, network, roles."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.findings import Finding, warning
from fargatectl.config.images import images, registry_for
from fargatectl.model import names
from fargatectl.model.images import parse
from fargatectl.model.ownership import Ownership

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import CapacityItem, Config

_LINES_PER_SERVICE = 10  # on the dashboard
_RESERVED_TAGS = ("aws:", "fargatectl:")


def check(config: Config, environment: str | None) -> Iterator[Finding]:
    """Yield findings about the app."""
    yield from _names(config, Ownership(config.app, environment))
    yield from _tags(config)
    yield from _registries(config)
    yield from _sources(config)
    yield from _recording(config)
    yield from _group_sources(config)
    yield from _dashboard(config)
    yield from capacity(config.cluster.capacity, ("cluster", "capacity"))
    if not config.services:
        yield warning(("services",), "the file has no services", "a service is a table [services.NAME] with an image")


def _names(config: Config, owner: Ownership) -> Iterator[Finding]:
    if config.app == "sg" or config.app.startswith("sg-"):
        hint = "EC2 refuses security groups whose names begin with sg-"
        yield Finding(("app",), "the app's name may not begin with `sg-`", hint=hint)
    taken: dict[str, str] = {}
    for name, service in config.services.items():
        role = names.execution_role(owner, name)
        existing = service.roles.execution and service.roles.task
        if existing and len(names.family(owner, name)) > limits.ECS_NAME_LENGTH:
            message = f"its name in ECS has {len(names.family(owner, name))} characters; ECS takes 255"
            yield Finding(("services", name), message, hint="shorten the name of the service")
        if not existing and len(role) > limits.ROLE_NAME_LENGTH:
            message = f"its role's name `{role}` has {len(role)} characters; IAM takes {limits.ROLE_NAME_LENGTH}"
            yield Finding(("services", name), message, hint="shorten the name of the app, environment or service")
        other = taken.setdefault(name.lower(), name)
        if other != name:
            message = f"differs from the service `{other}` only by case; IAM takes their roles' names for equal"
            yield Finding(("services", name), message)
    for name in config.load_balancers:
        group = names.load_balancer_security_group(owner, name)
        if len(group) > limits.SECURITY_GROUP_NAME_LENGTH:
            message = f"its security group's name has {len(group)} characters; EC2 takes 255"
            yield Finding(("load_balancers", name), message, hint="shorten the load balancer's name")


def _tags(config: Config) -> Iterator[Finding]:
    if len(config.tags) > limits.USER_TAGS:
        message = f"{len(config.tags)} tags; at most {limits.USER_TAGS} of AWS's 50 are free"
        yield Finding(("tags",), message, hint="the others are for fargatectl's own")
    for key in config.tags:
        reserved = next((prefix for prefix in _RESERVED_TAGS if key.lower().startswith(prefix)), None)
        if reserved:
            yield Finding(("tags", key), f"tag keys that begin with `{reserved}` are reserved")


def _registries(config: Config) -> Iterator[Finding]:
    used = {registry_for(config, image) for image in images(config)}
    for name, registry in config.registries.items():
        path: KeyPath = ("registries", name)
        about = tuple((*path, key) for key in ("secret", "username", "password"))
        local = (registry.username is not None, registry.password is not None)
        if registry.secret and any(local):
            message = "either an existing `secret`, or `username` and `password` to make one from"
            yield Finding((*path, "secret"), message, about=about)
        elif not registry.secret and not all(local):
            message = "`secret` is required, the name or ARN of one, or `username` and `password` to make one from"
            yield Finding(path, message, about=about)
        if registry.kms_key and not all(local):
            message = "`kms_key` is for a secret that is made from `username` and `password`"
            yield Finding((*path, "kms_key"), message, about=about)
        if name not in used:
            yield warning((*path, "match"), "no image matches", about=(("services",),))
    for image in images(config):
        found = registry_for(config, image)
        if found and parse(image).ecr:
            message = f"matches {image}; ECR takes no credentials but the execution role's"
            yield Finding(("registries", found, "match"), message, about=(("services",),))
    yield from _registry_regions(config)


def _registry_regions(config: Config) -> Iterator[Finding]:
    for name, registry in config.registries.items():
        region = region_of(registry.secret)
        if region and config.region and region != config.region:
            message = f"the secret is in {region}; ECS reads registry credentials in its own Region, {config.region}"
            yield Finding(("registries", name, "secret"), message, about=(("region",),))


def region_of(arn: str | None) -> str | None:
    """Return the Region in an ARN, None for a plain name."""
    return arn.split(":")[3] if arn and arn.startswith("arn:") else None


def _sources(config: Config) -> Iterator[Finding]:
    for table, entries in (("load_balancers", config.load_balancers), ("services", config.services)):
        for name, entry in entries.items():
            for index, source in enumerate(entry.allow_from):
                yield from _cidr(source, (table, name, "allow_from", index))


def _group_sources(config: Config) -> Iterator[Finding]:
    for name, group in config.network.security_groups.items():
        path: KeyPath = ("network", "security_groups", name)
        for index, rule in enumerate(group.ingress):
            yield from _cidr(rule.from_, (*path, "ingress", index, "from"))
        for index, destination in enumerate(group.egress):
            yield from _cidr(destination, (*path, "egress", index))


def _cidr(source: str, path: KeyPath) -> Iterator[Finding]:
    if "/" not in source:
        return
    try:
        interface = ip_interface(source)
    except ValueError:
        yield Finding(path, f"{source} is no CIDR")
        return
    if interface.ip != interface.network.network_address:
        yield Finding(path, f"{source} has bits set beyond its prefix", hint=f"did you mean {interface.network}?")


def capacity(items: Sequence[CapacityItem], path: KeyPath) -> Iterator[Finding]:
    """Yield findings about a capacity provider strategy: ECS API Reference, CapacityProviderStrategyItem."""
    if not items:
        return
    providers = [item.provider for item in items]
    for index, provider in enumerate(providers):
        if provider in providers[:index]:
            yield Finding((*path, index, "provider"), f"{provider} stands twice in the strategy")
    if sum(item.base > 0 for item in items) > 1:
        yield Finding(path, "only one item may have a base")
    if not any(item.weight for item in items):
        yield Finding(path, "one item at least needs a weight above 0")


def _recording(config: Config) -> Iterator[Finding]:
    wanted = config.cluster.exec
    if wanted is None:
        return
    path: KeyPath = ("cluster", "exec")
    if not (wanted.log_group or wanted.bucket or wanted.kms_key):
        yield Finding(path, "sessions are recorded in a `log_group` or a `bucket`, and encrypted with a `kms_key`")
    if wanted.prefix and not wanted.bucket:
        yield Finding((*path, "prefix"), "`prefix` needs `bucket`", about=((*path, "bucket"),))
    if not any(service.exec for service in config.services.values()):
        yield warning(path, "no service has `exec = true`", about=(("services",),))


def _dashboard(config: Config) -> Iterator[Finding]:
    most = limits.DASHBOARD_METRICS // _LINES_PER_SERVICE
    if config.dashboard and config.dashboard.enabled and len(config.services) > most:
        message = f"{len(config.services)} services; a dashboard has room for {most}"
        yield Finding(("dashboard",), message, about=(("services",),))
