"""Declaring a load balancer with its listeners, and the target groups and rules of the services behind it."""

from __future__ import annotations

from dataclasses import field, replace
from functools import partial
from typing import TYPE_CHECKING

from fargatectl.aws.session import chunks
from fargatectl.dataclass import dataclass
from fargatectl.errors import ConfigError, Problem
from fargatectl.model import names
from fargatectl.model.values import Address, Late, Ref
from fargatectl.reconcilers.alb.access_logs import Bucket, BucketQuery, Buckets
from fargatectl.reconcilers.alb.actions import FixedResponse, Forward, Redirect, Shifted
from fargatectl.reconcilers.alb.certificate import CertificateQuery, Certificates, uncovered
from fargatectl.reconcilers.alb.existing import ExistingLoadBalancers, ExistingQuery, priorities
from fargatectl.reconcilers.alb.listener import HTTPS, Listener, Listeners
from fargatectl.reconcilers.alb.load_balancer import PROTECTION, LoadBalancer, LoadBalancers
from fargatectl.reconcilers.alb.priority import Wish, place
from fargatectl.reconcilers.alb.rule import EVERYTHING, Rule, Rules
from fargatectl.reconcilers.alb.target_group import HealthCheck, TargetGroup, TargetGroups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence, Set as AbstractSet

    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.reconcilers.alb.actions import ListenerAction
    from fargatectl.reconcilers.alb.certificate import Certificate
    from fargatectl.reconcilers.alb.exchange import Consumer
    from fargatectl.reconcilers.alb.existing import Existing
    from fargatectl.reconcilers.alb.target_group import TargetGroupOut

HTTP_PORT, HTTPS_PORT = 80, 443
_CONDITION_VALUES = 5  # ELB User Guide, "Quotas": condition values per rule


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class Route:
    """Requests that lead to a service; times in seconds. Without `host` and `path`: all that no rule takes.

    `stickiness` is None for none. `priority` is None where it follows from `host` and `path`. `consumer` is the ECS
    service whose tasks get the requests; if it does not roll, ECS shifts them between two target groups, in a rule of
    their own. `test` are hosts and paths of the requests that reach its new tasks first.
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
    test: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    @property
    def is_default(self) -> bool:
        """Tell whether it is what the listener does by default."""
        return not (self.host or self.path or self.is_shifted)

    @property
    def is_shifted(self) -> bool:
        """Tell whether ECS moves its requests from one target group to another."""
        return self.consumer is not None and not self.consumer.rolling


@dataclass(frozen=True)
class Target:
    """The target group of a service. `attached` is known once a listener or rule leads to it: ECS wants that first.

    Where ECS shifts requests there are two: `alternate` is the other one, and the rules are those that ECS changes.
    """

    target_group: Address
    target_group_arn: Ref[str]
    target_group_suffix: Ref[str]
    attached: tuple[Ref[str], ...]
    alternate: Address | None = None
    alternate_arn: Ref[str] | None = None
    alternate_suffix: Ref[str] | None = None
    production_rule: Ref[str] | None = None
    test_rule: Ref[str] | None = None


@dataclass(frozen=True)
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
    pairs = {route.service: _target_groups(stack, route, vpc_id, physical, group) for route in routes}
    default = next((pairs[route.service].action for route in routes if route.is_default), settings.default)
    listener = _listeners(stack, name, settings, balancer.ref(lambda out: out.arn), routes, default, requested)
    redirected = balancer.ref(lambda out: out.arn) if settings.certificates else ""
    rules = _rules(stack, listener, routes, pairs, group, redirected_from=redirected)
    return LoadBalancerHandles(
        address=balancer.address,
        name=physical,
        arn=balancer.ref(lambda out: out.arn),
        arn_suffix=balancer.ref(lambda out: out.suffix),
        dns_name=balancer.ref(lambda out: out.dns_name),
        zone_id=balancer.ref(lambda out: out.zone_id),
        targets={service: pair.target(listener, rules.get(service, {})) for service, pair in pairs.items()},
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
    pairs = {route.service: _target_groups(stack, route, vpc_id, physical, group) for route in routes}

    def placed(wishes: Sequence[Wish]) -> dict[str, Late[int]]:
        return {wish.name: found.ref(partial(_priority, wish.name, wishes)) for wish in wishes}

    listener = found.ref(lambda one: one.listener)
    rules = _rules(stack, listener, routes, pairs, group, placed)
    return LoadBalancerHandles(
        address=found.address,
        name=physical,
        arn=found.ref(lambda one: one.arn),
        arn_suffix=found.ref(lambda one: one.suffix),
        dns_name=found.ref(lambda one: one.dns_name),
        zone_id=found.ref(lambda one: one.zone_id),
        targets={service: pair.target(listener, rules.get(service, {})) for service, pair in pairs.items()},
        callers=(found.ref(lambda one: one.security_groups),),
    )


def _priority(name: str, wishes: Sequence[Wish], found: Existing) -> int:
    return priorities(wishes, found)[name]


@dataclass(frozen=True)
class _Groups:
    """The target group of a service, and the other one if ECS shifts its requests."""

    first: Declared[TargetGroupOut]
    second: Declared[TargetGroupOut] | None = None

    @property
    def action(self) -> Forward | Shifted:
        first = self.first.ref(lambda out: out.arn)
        return Forward(first) if self.second is None else Shifted(first, self.second.ref(lambda out: out.arn))

    def target(self, listener: Ref[str], rules: Mapping[str, Ref[str]]) -> Target:
        """Return what others take; `rules` are by their place: "1", "2", "test"."""
        second = self.second
        return Target(
            self.first.address,
            self.first.ref(lambda out: out.arn),
            self.first.ref(lambda out: out.suffix),
            attached=tuple(rules.values()) or (listener,),
            alternate=second.address if second else None,
            alternate_arn=second.ref(lambda out: out.arn) if second else None,
            alternate_suffix=second.ref(lambda out: out.suffix) if second else None,
            production_rule=rules["1"] if second else None,
            test_rule=rules.get("test"),
        )


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


def _target_groups(stack: Stack, route: Route, vpc_id: Late[str], load_balancer: str, group: str) -> _Groups:
    """Declare the target group of a route, and a second one where ECS shifts the requests."""
    first, second = (Address(f"{TargetGroups.kind}/{name}") for name in (route.service, f"{route.service}/alternate"))
    settings = (load_balancer, route.protocol_version)
    # A target group belongs to one load balancer: another one needs another.
    name, twin = (names.hashed(stack.owner, route.service, one, *settings) for one in (first, second))
    spec = replace(_target_group(route, vpc_id, load_balancer), name=name, twin=twin, beside=str(second))
    made = stack.add(TargetGroups(), route.service, spec, group=group)
    if not route.is_shifted:
        return _Groups(made)
    other = replace(spec, name=twin, twin=name, beside=str(first))
    return _Groups(made, stack.add(TargetGroups(), f"{route.service}/alternate", other, group=group))


def _target_group(route: Route, vpc_id: Late[str], load_balancer: str) -> TargetGroup:
    """Return a route's target group, but for its name."""
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
    return TargetGroup(
        name="",
        vpc_id=vpc_id,
        port=route.port,
        protocol_version=route.protocol_version,
        health_check=route.health_check,
        attributes=attributes,
        load_balancer=load_balancer,
        consumer=route.consumer,
    )


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
    pairs: Mapping[str, _Groups],
    group: str,
    placed: Callable[[Sequence[Wish]], Mapping[str, Late[int]]] = place,
    *,
    redirected_from: Late[str] = "",
) -> dict[str, dict[str, Ref[str]]]:
    """Declare the rules, at the priorities that `placed` chooses; return their ARNs by service and place."""
    explicit = {route.priority for route in routes if route.priority}
    wishes = [(route, where, wish) for route in routes for where, wish in _wishes(route, explicit)]
    priorities = placed([wish for *_, wish in wishes])
    made: dict[str, dict[str, Ref[str]]] = {}
    for route, where, wish in wishes:
        spec = Rule(
            listener_arn=listener,
            priority=priorities[wish.name],
            hosts=wish.hosts,
            paths=wish.paths,
            action=pairs[route.service].action,
            redirected_from=redirected_from,
        )
        rule = stack.add(Rules(), wish.name, spec, group=group).ref(lambda out: out.arn)
        made.setdefault(route.service, {})[where] = rule
    return made


def _wishes(route: Route, explicit: AbstractSet[int]) -> Iterator[tuple[str, Wish]]:
    """Yield place and wish of the rules that a route needs; `explicit` are the priorities of the file.

    A test comes before the rule that it is a part of.
    """
    for where, hosts, paths in _conditions(route):
        name = route.service if where == "1" else f"{route.service}:{where}"
        priority = route.priority if where == "1" else None
        if where == "test" and route.priority:
            priority = next((one for one in range(route.priority - 1, 0, -1) if one not in explicit), None)
        yield where, Wish(name, hosts, paths, priority or None)


def _conditions(route: Route) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Yield place, hosts and paths of each rule that a route needs: more than a rule may hold become several.

    A rule must have a condition: what stands in for the default action takes any path.
    """
    if route.is_default:
        return
    if route.test is not None:
        yield "test", *route.test
    paths_wanted = route.path or (() if route.host else (EVERYTHING,))
    hosts_each = max(1, _CONDITION_VALUES - len(paths_wanted))
    number = 0
    for hosts in chunks(route.host, hosts_each) or [()]:
        for paths in chunks(paths_wanted, _CONDITION_VALUES - len(hosts)) or [()]:
            number += 1
            yield str(number), tuple(hosts), tuple(paths)


def _check(name: str, routes: Sequence[Route]) -> None:
    problems = []
    places: dict[int | str, str] = {}
    for route in routes:
        place = route.priority if route.host or route.path else "default"
        if place is None:
            continue
        if place in places:
            what = "have neither `host` nor `path`" if place == "default" else f"both have priority {place}"
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
