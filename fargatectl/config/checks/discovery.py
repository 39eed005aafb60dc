"""Checks of the names under which services find one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.findings import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, Discovery, ServiceDiscovery


def check(config: Config) -> Iterator[Finding]:
    """Yield findings about discovery."""
    taken: dict[str, str] = {}
    for name, service in config.services.items():
        if service.discovery is None:
            continue
        path: KeyPath = ("services", name, "discovery")
        if config.discovery is None:
            hint = f'add a table [discovery] with namespace = "{config.app}.internal"'
            yield Finding(path, "`discovery` needs the app's namespace", hint=hint, about=(("discovery",),))
        else:
            yield from _name(service.discovery, config.discovery, path)
        other = taken.setdefault(service.discovery.name.lower(), name)
        if other != name:
            yield Finding((*path, "name"), f"`{service.discovery.name}` is the name of the service `{other}` too")
        if config.discovery and config.discovery.type == "http":
            yield from _by_api(service.discovery, path)
        else:
            yield from _records(service.discovery, service.port, path)
    if config.discovery:
        yield from _shadows(config, config.discovery)


def _name(discovery: ServiceDiscovery, namespace: Discovery, path: KeyPath) -> Iterator[Finding]:
    full = f"{discovery.name}.{namespace.namespace}".rstrip(".")
    if len(full) > limits.NAMESPACE_LENGTH:
        yield Finding((*path, "name"), f"{full} has {len(full)} characters; DNS takes {limits.NAMESPACE_LENGTH}")


def _by_api(discovery: ServiceDiscovery, path: KeyPath) -> Iterator[Finding]:
    """Find keys that say how DNS answers, where there is none."""
    for key in sorted(discovery.model_fields_set & {"records", "ttl", "routing"}):
        message = f"`{key}` is about DNS, and the namespace is found by API calls alone"
        yield Finding((*path, key), message, hint='drop it, or `type = "http"`', about=(("discovery", "type"),))


def _records(discovery: ServiceDiscovery, port: int | None, path: KeyPath) -> Iterator[Finding]:
    records = (*path, "records")
    if not discovery.records:
        yield Finding(records, "expected at least one record type")
    if len(set(discovery.records)) < len(discovery.records):
        yield Finding(records, "a record type stands twice in the list")
    if "SRV" in discovery.records and port is None:
        yield Finding(records, "SRV records need `port`", about=((*path[:-1], "port"),))


def _shadows(config: Config, discovery: Discovery) -> Iterator[Finding]:
    """Warn where the private zone answers for a public host: inside the VPC that host would no longer be found."""
    zone = discovery.namespace.lower()
    if discovery.use or not zone or discovery.type == "http":
        return
    for service in config.services.values():
        for host in service.http.host if service.http else ():
            if host.lower() == zone or host.lower().endswith(f".{zone}"):
                message = f"inside the VPC the private zone {zone} hides the public host {host}"
                yield warning(
                    ("discovery", "namespace"), message, f"a name such as {config.app}.internal hides nothing"
                )
                return
