"""Declaring a load balancer with its listeners, and the target groups and rules of the services behind it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from fargatectl.aws.session import chunks
from fargatectl.errors import ConfigError, Problem
from fargatectl.model import names
from fargatectl.model.values import Address, Late, Ref
from fargatectl.reconcilers.alb.access_logs import Bucket, BucketQuery, Buckets
from fargatectl.reconcilers.alb.actions import FixedResponse, Forward, Redirect
from fargatectl.reconcilers.alb.certificate import CertificateQuery, Certificates, uncovered
from fargatectl.reconcilers.alb.existing import ExistingLoadBalancers, ExistingQuery, priorities
from fargatectl.reconcilers.alb.listener import HTTPS, Listener, Listeners
from fargatectl.reconcilers.alb.load_balancer import PROTECTION, LoadBalancer, LoadBalancers
from fargatectl.reconcilers.alb.priority import Wish, place
from fargatectl.reconcilers.alb.rule import Rule, Rules
from fargatectl.reconcilers.alb.target_group import HealthCheck, TargetGroup, TargetGroups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.reconcilers.alb.actions import ListenerAction
    from fargatectl.reconcilers.alb.certificate import Certificate
    from fargatectl.reconcilers.alb.exchange import Consumer
    from fargatectl.reconcilers.alb.existing import Existing
    from fargatectl.reconcilers.alb.target_group import TargetGroupOut

HTTP_PORT, HTTPS_PORT = 80, 443
_CONDITION_VALUES = 5  # ELB User Guide, "Quotas": condition values per rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A load balancer as the file describes it; times in seconds. `certificates` are domain names or ARNs."""

    scheme: str = "internet-facing"
    certificates: tuple[str, ...] = ()
    ssl_policy: str = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    ip_address_type: str = "ipv4"
    idle_timeout: int = 60
    drop_invalid_headers: bool = True
    deletion_protection: bool = False
    default: FixedResponse = field(default_factory=FixedResponse)
    logs_bucket: str = ""
    logs_prefix: str = ""

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports of its listeners."""
        return (HTTP_PORT, HTTPS_PORT) if self.certificates else (HTTP_PORT,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Requests that lead to a service; times in seconds. Without `host` and `path`: all that no rule takes.

    `stickiness` is None for none. `priority` is None where it follows from `host` and `path`. `consumer` is the ECS
    service whose tasks get the requests.
    """

    service: str
    port: int
    host: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    priority: int | None = None
    protocol_version: str = "HTTP1"
    health_check: HealthCheck = field(default_factory=HealthCheck)
    deregistration_delay: int = 30
    algorithm: str = "round_robin"
    stickiness: int | None = None
    consumer: Consumer | None = None

    @property
    def is_default(self) -> bool:
        """Tell whether it is what the listener does by default."""
        return not (self.host or self.path)


@dataclass(frozen=True, slots=True)
class Target:
    """The target group of a service. `attached` is known once a listener or rule leads to it: ECS wants that first."""

    target_group: Address
    target_group_arn: Ref[str]
    target_group_suffix: Ref[str]
    attached: tuple[Ref[str], ...]


@dataclass(frozen=True, slots=True)
class LoadBalancerHandles:
    """What others take from a load balancer. `name` is AWS's, `arn_suffix` CloudWatch's; `targets` are by service.

    `callers` are the security groups that its requests come from.
    """

    address: Address
    name: str
    arn: Ref[str]
    arn_suffix: Ref[str]
    dns_name: Ref[str]
    zone_id: Ref[str]
    targets: Mapping[str, Target]
    callers: tuple[Late[str] | Late[tuple[str, ...]], ...]


def declare(  # noqa: PLR0913 - what a load balancer is made of
    stack: Stack,
    name: str,
    settings: Settings,
    *,
    vpc_id: Late[str],
    subnets: Late[tuple[str, ...]],
    security_groups: Sequence[Late[str]],
    routes: Sequence[Route],
    tags: Mapping[str, str] | None = None,
    requested: Ref[str] | None = None,
) -> LoadBalancerHandles:
    """Declare the load balancer `name` with all that leads to the services of `routes`.

    `tags` are for the load balancer alone. `requested` is a certificate (its ARN) in place of those that exist. With
    certificates port 443 carries the routes and port 80 redirects to it, else port 80 carries them. Raises
    `ConfigError` where two routes want the same place.
    """
    _check(name, routes)
    group = f"load balancer {name}"
    physical = names.hashed(stack.owner, name, Address(f"{LoadBalancers.kind}/{name}"), settings.scheme)
    spec = LoadBalancer(
        name=physical,
        scheme=settings.scheme,
        vpc_id=vpc_id,
        subnets=subnets,
        security_groups=tuple(security_groups),
        ip_address_type=settings.ip_address_type,
        attributes={
            "idle_timeout.timeout_seconds": str(settings.idle_timeout),
            "routing.http.drop_invalid_header_fields.enabled": _flag(settings.drop_invalid_headers),
            PROTECTION: _flag(settings.deletion_protection),
            **_access_logs(stack, name, settings),
        },
        tags=tags or {},
    )
    balancer = stack.add(LoadBalancers(), name, spec, group=group)
    target_groups = {route.service: _target_group(stack, route, vpc_id, physical, group) for route in routes}
    arns = {service: made.ref(lambda out: out.arn) for service, made in target_groups.items()}
    default = next((Forward(arns[route.service]) for route in routes if route.is_default), settings.default)
    listener = _listeners(stack, name, settings, balancer.ref(lambda out: out.arn), routes, default, requested)
    attached = dict.fromkeys(arns, (listener,)) | _rules(stack, listener, routes, arns, group)
    return LoadBalancerHandles(
        address=balancer.address,
        name=physical,
        arn=balancer.ref(lambda out: out.arn),
        arn_suffix=balancer.ref(lambda out: out.suffix),
        dns_name=balancer.ref(lambda out: out.dns_name),
        zone_id=balancer.ref(lambda out: out.zone_id),
        targets=_targets(target_groups, attached),
        callers=tuple(security_groups),
    )


def attach(
    stack: Stack, name: str, load_balancer: str, *, vpc_id: Late[str], routes: Sequence[Route]
) -> LoadBalancerHandles:
    """Declare what leads to the services of `routes` from `load_balancer` (a name or ARN), which is not ours.

    Its listeners are taken as they are: HTTPS before HTTP. All that is made there are rules, at priorities that no
    rule of others has. `name` is what the file calls it.
    """
    _check(name, routes)
    group = f"load balancer {name}"
    query = ExistingQuery(
        load_balancer=load_balancer, vpc_id=vpc_id, path=f"load_balancers.{name}.use", tags=stack.owner.tags()
    )
    found = stack.find(ExistingLoadBalancers(), load_balancer, query)
    physical = load_balancer.split("/")[-2] if "/" in load_balancer else load_balancer
    target_groups = {route.service: _target_group(stack, route, vpc_id, physical, group) for route in routes}
    arns = {service: made.ref(lambda out: out.arn) for service, made in target_groups.items()}

    def placed(wishes: Sequence[Wish]) -> dict[str, Late[int]]:
        return {wish.name: found.ref(partial(_priority, wish.name, wishes)) for wish in wishes}

    attached = _rules(stack, found.ref(lambda one: one.listener), routes, arns, group, placed)
    return LoadBalancerHandles(
        address=found.address,
        name=physical,
        arn=found.ref(lambda one: one.arn),
        arn_suffix=found.ref(lambda one: one.suffix),
        dns_name=found.ref(lambda one: one.dns_name),
        zone_id=found.ref(lambda one: one.zone_id),
        targets=_targets(target_groups, attached),
        callers=(found.ref(lambda one: one.security_groups),),
    )


def _priority(name: str, wishes: Sequence[Wish], found: Existing) -> int:
    return priorities(wishes, found)[name]


def _targets(
    target_groups: Mapping[str, Declared[TargetGroupOut]], attached: Mapping[str, tuple[Ref[str], ...]]
) -> dict[str, Target]:
    return {
        service: Target(
            made.address, made.ref(lambda out: out.arn), made.ref(lambda out: out.suffix), attached[service]
        )
        for service, made in target_groups.items()
    }


def _access_logs(stack: Stack, name: str, settings: Settings) -> dict[str, str]:
    """Return the attributes of access logs; their bucket is looked at before anything is written."""
    key = "access_logs.s3."
    if not settings.logs_bucket:
        return {f"{key}enabled": "false"}
    path = f"load_balancers.{name}.access_logs.bucket"
    query = BucketQuery(bucket=settings.logs_bucket, prefix=settings.logs_prefix, path=path)
    stack.note(stack.find(Buckets(), name, query).ref(_unchecked))
    return {
        f"{key}enabled": "true",
        f"{key}bucket": settings.logs_bucket,
        f"{key}prefix": settings.logs_prefix,
    }


def _unchecked(bucket: Bucket) -> str:
    if not bucket.unchecked:
        return ""
    return f"whether the bucket {bucket.name} takes access logs is not checked: its policy may not be read"


def _target_group(
    stack: Stack, route: Route, vpc_id: Late[str], load_balancer: str, group: str
) -> Declared[TargetGroupOut]:
    address = Address(f"{TargetGroups.kind}/{route.service}")
    attributes = {
        "deregistration_delay.timeout_seconds": str(route.deregistration_delay),
        "load_balancing.algorithm.type": route.algorithm,
        "stickiness.enabled": _flag(route.stickiness is not None),
    }
    if route.stickiness is not None:
        attributes |= {
            "stickiness.type": "lb_cookie",
            "stickiness.lb_cookie.duration_seconds": str(route.stickiness),
        }
    spec = TargetGroup(
        # A target group belongs to one load balancer: another one needs another.
        name=names.hashed(stack.owner, route.service, address, load_balancer, route.protocol_version),
        vpc_id=vpc_id,
        port=route.port,
        protocol_version=route.protocol_version,
        health_check=route.health_check,
        attributes=attributes,
        load_balancer=load_balancer,
        consumer=route.consumer,
    )
    return stack.add(TargetGroups(), route.service, spec, group=group)


def _listeners(  # noqa: PLR0913 - what listeners are made of
    stack: Stack,
    name: str,
    settings: Settings,
    load_balancer: Ref[str],
    routes: Sequence[Route],
    default: ListenerAction,
    requested: Ref[str] | None,
) -> Ref[str]:
    """Declare the listeners; return the ARN of the one that carries the routes."""
    group = f"load balancer {name}"
    secure = bool(settings.certificates)
    plain = Listener(load_balancer_arn=load_balancer, port=HTTP_PORT, default_action=Redirect() if secure else default)
    if not secure:
        return stack.add(Listeners(), f"{name}:{HTTP_PORT}", plain, group=group).ref(lambda out: out.arn)
    spec = Listener(
        load_balancer_arn=load_balancer,
        port=HTTPS_PORT,
        protocol=HTTPS,
        ssl_policy=settings.ssl_policy,
        certificate=requested,
        default_action=default,
    )
    if requested is None:
        query = CertificateQuery(certificates=settings.certificates, path=f"load_balancers.{name}.certificates")
        certificates = stack.find(Certificates(), name, query)
        stack.note(certificates.ref(lambda found: _uncovered(name, found, routes)))
        main, others = certificates.ref(lambda found: found[0].arn), certificates.ref(_extra)
        spec = replace(spec, certificate=main, extra_certificates=others)
    listener = stack.add(Listeners(), f"{name}:{HTTPS_PORT}", spec, group=group).ref(lambda out: out.arn)
    stack.add(Listeners(), f"{name}:{HTTP_PORT}", plain, group=group)
    return listener


def _rules(  # noqa: PLR0913 - what rules are made of
    stack: Stack,
    listener: Ref[str],
    routes: Sequence[Route],
    arns: Mapping[str, Ref[str]],
    group: str,
    placed: Callable[[Sequence[Wish]], Mapping[str, Late[int]]] = place,
) -> dict[str, tuple[Ref[str], ...]]:
    """Declare the rules, at the priorities that `placed` chooses; return their ARNs by service."""
    wishes = [(route, wish) for route in routes for wish in _wishes(route)]
    priorities = placed([wish for _, wish in wishes])
    made: dict[str, tuple[Ref[str], ...]] = {}
    for route, wish in wishes:
        spec = Rule(
            listener_arn=listener,
            priority=priorities[wish.name],
            hosts=wish.hosts,
            paths=wish.paths,
            action=Forward(arns[route.service]),
        )
        rule = stack.add(Rules(), wish.name, spec, group=group).ref(lambda out: out.arn)
        made[route.service] = (*made.get(route.service, ()), rule)
    return made


def _wishes(route: Route) -> Iterator[Wish]:
    """Yield the rules that a route needs."""
    for number, (hosts, paths) in enumerate(_conditions(route)):
        name = route.service if number == 0 else f"{route.service}:{number + 1}"
        yield Wish(name, hosts, paths, (route.priority or None) if number == 0 else None)


def _conditions(route: Route) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield hosts and paths of each rule that a route needs: more than a rule may hold become several."""
    if route.is_default:
        return
    hosts_each = max(1, _CONDITION_VALUES - len(route.path))
    for hosts in chunks(route.host, hosts_each) or [()]:
        for paths in chunks(route.path, _CONDITION_VALUES - len(hosts)) or [()]:
            yield tuple(hosts), tuple(paths)


def _check(name: str, routes: Sequence[Route]) -> None:
    problems = []
    places: dict[int | str, str] = {}
    for route in routes:
        place = "default" if route.is_default else route.priority
        if place is None:
            continue
        if place in places:
            what = "have neither `host` nor `path`" if route.is_default else f"both have priority {place}"
            message = f"{places[place]} and {route.service} {what} on load balancer {name}"
            problems.append(Problem(message, path=f"services.{route.service}.http", hint="change one of them"))
        places.setdefault(place, route.service)
    if problems:
        message = f"load balancer {name} cannot tell services apart"
        raise ConfigError(message, problems)


def _extra(found: tuple[Certificate, ...]) -> tuple[str, ...]:
    """Return the certificates beside the default one."""
    return tuple({certificate.arn for certificate in found} - {found[0].arn})


def _uncovered(name: str, found: tuple[Certificate, ...], routes: Sequence[Route]) -> str:
    hosts = uncovered(found, dict.fromkeys(host for route in routes for host in route.host if "?" not in host))
    if not hosts:
        return ""
    return f"no certificate of load balancer {name} is valid for {', '.join(hosts)}: browsers will refuse it"


def _flag(value: bool) -> str:  # noqa: FBT001 - the value itself
    return "true" if value else "false"
