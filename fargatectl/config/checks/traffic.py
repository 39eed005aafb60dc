"""Checks of load balancers and of what they route where."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.checks.app import region_of
from fargatectl.config.findings import Finding, warning
from fargatectl.model.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, Http, LoadBalancer

_REDIRECT = 3
"""ELB API Reference, FixedResponseActionConfig: 3XX is no status of a fixed response."""
REQUEST = "request"
"""In place of certificates: one that is asked for."""
Routes = dict[str, "Http"]
"""The services behind one load balancer."""


def check(config: Config) -> Iterator[Finding]:
    """Yield findings about load balancers and routes."""
    routes: dict[str, Routes] = {name: {} for name in config.load_balancers}
    for name, service in config.services.items():
        if service.http is None:
            continue
        path: KeyPath = ("services", name, "http")
        if service.port is None:
            yield Finding(path, "`http` needs `port`", about=(("services", name, "port"),))
        if service.http.load_balancer in routes:
            routes[service.http.load_balancer][name] = service.http
        else:
            yield _no_load_balancer(config, service.http, path)
        yield from _route(service.http, path)
    yield from _hosts(config)
    for name, balancer in config.load_balancers.items():
        yield from _load_balancer(config, name, routes[name])
        yield from _default_action(name, balancer, routes[name])
        yield from _rules(routes[name])
        yield from _room(config, name, routes[name])


def recordable(hosts: Iterable[str]) -> Iterator[str]:
    """Yield the hosts that a DNS record can stand for: `*` only as the whole first label (RFC 4592)."""
    for host in hosts:
        rest = host.removeprefix("*.")
        if "." in rest and "*" not in rest and "?" not in rest:
            yield host


def _hosts(config: Config) -> Iterator[Finding]:
    """Yield findings about the records of `[dns]`."""
    if config.dns is None:
        return
    zone = config.dns.zone.lower()
    balancers: dict[str, str] = {}
    for name, service in config.services.items():
        if service.http is None or _is_used(config, service.http):
            continue
        for index, host in enumerate(service.http.host):
            path: KeyPath = ("services", name, "http", "host", index)
            if not list(recordable([host])):
                yield warning(path, f"no DNS record can stand for {host}", "it gets none; make one by hand")
            elif "." in zone and host.lower() != zone and not host.lower().endswith(f".{zone}"):
                message = f"{host} is not in the zone {config.dns.zone}"
                yield Finding(path, message, hint="change `[dns] zone` to its zone", about=(("dns", "zone"),))
            balancer = service.http.load_balancer
            other = balancers.setdefault(host.lower(), balancer)
            if other != balancer:
                message = f"{host} leads to the load balancer `{other}` already; a record leads to one"
                yield Finding(path, message, hint="give both services the same load balancer")


def _is_used(config: Config, http: Http) -> bool:
    """Tell whether a route is on a load balancer that exists and is not ours: it gets no records."""
    balancer = config.load_balancers.get(http.load_balancer)
    return balancer is not None and balancer.use is not None


def _no_load_balancer(config: Config, http: Http, path: KeyPath) -> Finding:
    place, about = (*path, "load_balancer"), (("load_balancers",),)
    known = ", ".join(config.load_balancers)
    if not http.load_balancer:
        return Finding(
            path, "which load balancer?", hint=f"set `load_balancer` to one of {known}", about=(place, *about)
        )
    close = nearest(http.load_balancer, config.load_balancers)
    hint = f"did you mean `{close}`?" if close else f"add a table [load_balancers.{http.load_balancer}]"
    return Finding(place, f"there is no load balancer `{http.load_balancer}`", hint=hint, about=about)


def _route(http: Http, path: KeyPath) -> Iterator[Finding]:
    health = http.health_check
    if health.timeout >= health.interval:
        message = f"the timeout of {health.timeout} s must be shorter than the interval of {health.interval} s"
        place = (*path, "health_check")
        key = "timeout" if "timeout" in health.model_fields_set else "interval"
        yield Finding((*place, key), message, about=((*place, "interval"), (*place, "timeout")))
    values = len(http.host) + len(http.path)
    if values > limits.CONDITION_VALUES_PER_RULE:
        message = f"{values} hosts and paths; a rule takes {limits.CONDITION_VALUES_PER_RULE}"
        yield Finding((*path, "path" if http.path else "host"), message, hint="use wildcards")
    wildcards = sum(value.count("*") + value.count("?") for value in (*http.host, *http.path))
    if wildcards > limits.WILDCARDS_PER_RULE:
        message = f"{wildcards} wildcards; a rule takes {limits.WILDCARDS_PER_RULE}"
        yield Finding((*path, "path" if http.path else "host"), message)
    if http.priority is not None and not http.host and not http.path:
        message = "`priority` is for rules; without `host` and `path` the service is the default action"
        yield Finding((*path, "priority"), message, about=((*path, "host"), (*path, "path")))


def _load_balancer(config: Config, name: str, routes: Routes) -> Iterator[Finding]:
    balancer, path = config.load_balancers[name], ("load_balancers", name)
    if balancer.use:
        if not routes:
            yield warning(path, "no service uses this load balancer", about=(("services",),))
        return
    if not routes:
        yield warning(path, "no service uses this load balancer; it costs money all the same", about=(("services",),))
    if balancer.default and balancer.default.status // 100 == _REDIRECT:
        yield Finding((*path, "default", "status"), f"{balancer.default.status} is none of 2XX, 4XX and 5XX")
    yield from _certificates(config, name, routes)
    if balancer.certificates:
        return
    for service, http in routes.items():
        if http.protocol_version == "GRPC":
            message = f"gRPC needs TLS, and the load balancer `{name}` has no certificates"
            about = ((*path, "certificates"),)
            yield Finding(("services", service, "http", "protocol_version"), message, about=about)
    if balancer.scheme == "internet-facing" and routes:
        implied = balancer.model_fields_set <= {"allow_from", "default"}
        place: KeyPath = ("services", next(iter(routes)), "http") if implied else path
        message = f"the load balancer `{name}` is public and speaks plain HTTP"
        hint = f'for TLS add certificates = ["your.domain"] to [load_balancers.{name}]'
        yield warning(place, message, hint, about=((*path, "certificates"),))


def _requested(config: Config, name: str, routes: Routes) -> Iterator[Finding]:
    """Yield findings about a certificate that is to be asked for."""
    path: KeyPath = ("load_balancers", name, "certificates")
    about = tuple(("services", service, "http", "host") for service in routes)
    if len(config.load_balancers[name].certificates) > 1:
        yield Finding(path, "`request` stands alone: the certificate has all hosts of the load balancer")
    if config.dns is None:
        hint = 'add [dns] with zone = "…", the hosted zone of the hosts'
        yield Finding(path, "a certificate is proven by records: `request` needs `[dns]`", hint=hint, about=(("dns",),))
    hosts = {host.lower() for http in routes.values() for host in recordable(http.host)}
    if not hosts:
        message = "there is no host to ask for a certificate for"
        yield Finding(path, message, hint="set `host` in the `http` of a service", about=about)
    elif len(hosts) > limits.CERTIFICATE_NAMES:
        message = f"{len(hosts)} hosts; a certificate takes {limits.CERTIFICATE_NAMES} unless ACM's quota was raised"
        yield warning(path, message, about=about)
    if hosts and len(min(hosts)) > limits.CERTIFICATE_NAME_LENGTH:
        message = f"{min(hosts)} has more than {limits.CERTIFICATE_NAME_LENGTH} characters, too many for ACM"
        yield Finding(path, message, hint="use a shorter host, or a certificate that exists", about=about)


def _certificates(config: Config, name: str, routes: Routes) -> Iterator[Finding]:
    certificates = config.load_balancers[name].certificates
    path = ("load_balancers", name, "certificates")
    if REQUEST in certificates:
        yield from _requested(config, name, routes)
        return
    if len(certificates) > limits.CERTIFICATES_PER_LISTENER:
        message = f"{len(certificates)} certificates; a listener takes {limits.CERTIFICATES_PER_LISTENER}"
        yield Finding(path, message)
    for index, certificate in enumerate(certificates):
        if certificate in certificates[:index]:
            yield Finding((*path, index), f"{certificate} stands twice in the list")
        region = region_of(certificate)
        if region and config.region and region != config.region:
            message = f"this certificate is in {region}, the load balancer in {config.region}"
            yield Finding((*path, index), message, about=(("region",),))
    if not certificates or any(region_of(certificate) for certificate in certificates):
        return
    for service, http in routes.items():
        for index, host in enumerate(http.host):
            if not any(_covers(certificate, host) for certificate in certificates):
                message = f"no certificate of the load balancer `{name}` has the name {host}"
                place = ("services", service, "http", "host", index)
                yield warning(place, message, "unless one lists it as a further name", about=(path,))


def _covers(certificate: str, host: str) -> bool:
    certificate, host = certificate.lower(), host.lower()
    if certificate.startswith("*."):
        return host.partition(".")[2] == certificate[2:]
    return certificate == host


def _default_action(name: str, balancer: LoadBalancer, routes: Routes) -> Iterator[Finding]:
    defaults = [service for service, http in routes.items() if not http.host and not http.path]
    for service in defaults[1:]:
        path = ("services", service, "http")
        message = f"both this service and `{defaults[0]}` would answer everything on the load balancer `{name}`"
        about = tuple(("services", one, "http", key) for one in (service, defaults[0]) for key in ("host", "path"))
        yield Finding(path, message, hint="give one of them `host` or `path`", about=about)
    if defaults and balancer.default:
        message = f"the service `{defaults[0]}` answers what no rule takes, so this is never sent"
        about = tuple(("services", defaults[0], "http", key) for key in ("host", "path"))
        yield Finding(
            ("load_balancers", name, "default"), message, hint="give the service `host` or `path`", about=about
        )


def _room(config: Config, name: str, routes: Routes) -> Iterator[Finding]:
    """Yield findings about more services than a load balancer has room for; all that shift traffic have two groups."""
    rules = [service for service, http in routes.items() if http.host or http.path]
    shifting = {name for name, service in config.services.items() if service.deploy.strategy != "rolling"}
    groups = [service for service in routes for _ in range(1 + (service in shifting))]
    for places, most, noun in (
        (rules, limits.RULES_PER_LOAD_BALANCER, "rules"),
        (groups, limits.TARGET_GROUPS_PER_LOAD_BALANCER, "target groups"),
    ):
        if len(places) > most:
            message = f"{len(places)} {noun} on the load balancer `{name}`; it takes {most}"
            yield Finding(("services", places[most], "http"), message, hint="use a second load balancer")
            return


def _rules(routes: Routes) -> Iterator[Finding]:
    priorities: dict[int, str] = {}
    matches: dict[tuple[str, str], str] = {}
    for service, http in routes.items():
        path = ("services", service, "http")
        if http.priority is not None:
            other = priorities.setdefault(http.priority, service)
            if other != service:
                yield Finding((*path, "priority"), f"priority {http.priority} is that of the service `{other}`")
        if not http.host and not http.path:
            continue
        pairs = product([host.lower() for host in http.host] or ["*"], http.path or ["*"])
        taken = next(((pair, matches[pair]) for pair in pairs if matches.setdefault(pair, service) != service), None)
        if taken:
            (host, route), other = taken
            message = f"`{other}` answers the same requests: host {host}, path {route}"
            about = tuple(("services", other, "http", key) for key in ("host", "path"))
            yield Finding((*path, "path" if http.path else "host"), message, about=about)
