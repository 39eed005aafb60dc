"""An app: what its services share, then one service after the other."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from fargatectl.config.checks.traffic import REQUEST, recordable
from fargatectl.config.complete import PRIVATE_ADDRESSES
from fargatectl.config.field_types import TagSelector
from fargatectl.dataclass import dataclass
from fargatectl.engine.stack import Stack
from fargatectl.model import names
from fargatectl.model.capacity import Capacity
from fargatectl.model.images import parse
from fargatectl.model.ownership import Ownership
from fargatectl.reconcilers import (
    alarms,
    alb,
    cloudmap,
    cluster,
    dashboard,
    dns,
    iam,
    identity,
    jobs,
    logs,
    network,
    registry,
    scaling,
    service as ecs,
)
from fargatectl.stack.dashboard import declare_dashboard
from fargatectl.stack.exec import endpoints as exec_endpoints, recording
from fargatectl.stack.groups import declare_task_groups
from fargatectl.stack.jobs import declare_jobs
from fargatectl.stack.logs import declare_groups, source
from fargatectl.stack.roles import containers
from fargatectl.stack.service import declare_service
from fargatectl.stack.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fargatectl.aws.secrets import SecretOut
    from fargatectl.config.models import Config, Http, LoadBalancer, Registry, Service
    from fargatectl.config.service import TestTraffic
    from fargatectl.engine.reconciler import AnyReconciler
    from fargatectl.engine.stack import Declared
    from fargatectl.model.jobs import JobView
    from fargatectl.model.logs import LogSource
    from fargatectl.model.status import ServiceView
    from fargatectl.model.values import Late, Ref

T = TypeVar("T")

KINDS: tuple[AnyReconciler, ...] = (
    logs.LogGroups(),
    registry.RegistrySecrets(),
    iam.Roles(),
    *network.KINDS,
    *dns.CERTIFICATE_KINDS,
    *alb.KINDS,
    cloudmap.Namespaces(),
    cloudmap.DiscoveryServices(),
    cluster.Clusters(),
    *ecs.KINDS,
    *scaling.KINDS,
    *dns.KINDS,
    *jobs.KINDS,
    alarms.Alarms(),
    dashboard.Dashboards(),
)
"""Every kind there is, in the order of creation; the sweep goes backward."""


@dataclass(frozen=True)
class Blueprint:
    """What a file becomes: the stack, where on it each service's and job's parts stand, and where their lines go."""

    stack: Stack
    services: tuple[ServiceView, ...]
    jobs: tuple[JobView, ...] = ()
    logs: tuple[LogSource, ...] = ()


def build(
    config: Config, environment: str | None, region: str, variables: Mapping[str, str] = MappingProxyType({})
) -> Blueprint:
    """Declare everything that `config` wants in `region`. Pure: nothing is read from AWS.

    `variables` are those of this machine's environment that the file takes credentials from; those of a registry for
    which one is missing stay as they are in AWS.
    """
    stack = Stack(Ownership(config.app, environment), KINDS, extra_tags=config.tags)
    shared = _shared(config, region, stack, variables)
    views = tuple(declare_service(shared, name, service) for name, service in config.services.items())
    runnable = declare_jobs(shared)
    _declare_records(shared)
    declare_dashboard(shared)
    stack.check()
    sources = tuple(source(config, name) for name in config.services)
    return Blueprint(stack, views, runnable, sources)


def _shared(config: Config, region: str, stack: Stack, variables: Mapping[str, str]) -> Shared:
    who = identity.declare(stack, config.account)
    net = network.declare(
        stack,
        vpc=_tags_or(config.network.vpc),
        public_subnets=_tags_or(config.network.public_subnets),
        private_subnets=_tags_or(config.network.private_subnets),
    )
    vpc = net.ref(lambda found: found.vpc_id)
    groups = declare_groups(config, stack)
    placements = {name: _placement(name, service, config, region) for name, service in config.services.items()}
    for place in placements.values():
        stack.note(net.ref(place).then(lambda placement: placement.reason))
    return Shared(
        config=config,
        region=region,
        stack=stack,
        identity=who,
        network=net,
        cluster=_cluster(config, stack, groups),
        namespace=_namespace(config, stack, vpc),
        registries={name: _credentials(stack, name, one, variables) for name, one in config.registries.items()},
        placements=placements,
        balancers={name: _load_balancer(config, stack, name, net, placements) for name in config.load_balancers},
        task_groups=declare_task_groups(config, stack, vpc),
        log_groups=groups,
    )


def _credentials(stack: Stack, name: str, one: Registry, variables: Mapping[str, str]) -> Declared[SecretOut]:
    if one.secret:
        return registry.declare(stack, name, secret=one.secret, path=f"registries.{name}.secret")
    return registry.declare_own(
        stack,
        name,
        username=variables.get(one.username.env) if one.username else None,
        password=variables.get(one.password.env) if one.password else None,
        kms_key=one.kms_key,
    )


def _cluster(
    config: Config, stack: Stack, groups: Mapping[str, Declared[logs.LogGroupOut]]
) -> Declared[cluster.ClusterOut]:
    wanted = config.cluster
    strategies = [one.capacity for one in config.services.values()] + [one.capacity for one in config.jobs.values()]
    providers = {item.provider for strategy in strategies for item in strategy}
    if wanted.use:
        return cluster.use(stack, wanted.use, providers=providers)
    return cluster.declare(
        stack,
        wanted.name,
        container_insights=wanted.container_insights,
        capacity=[Capacity(**item.model_dump()) for item in wanted.capacity],
        providers=providers,
        recording=recording(config, groups),
    )


def _namespace(config: Config, stack: Stack, vpc: Ref[str]) -> Declared[cloudmap.NamespaceOut] | None:
    wanted = config.discovery
    if wanted is None:
        return None
    if wanted.use:
        return cloudmap.use_namespace(stack, wanted.use)
    kind = cloudmap.HTTP if wanted.type == "http" else cloudmap.DNS_PRIVATE
    if kind == cloudmap.DNS_PRIVATE:
        stack.note(network.declare_resolution(stack, wanted.namespace, vpc).ref(lambda warning: warning))
    return cloudmap.declare_namespace(stack, wanted.namespace, vpc, namespace_type=kind)


def _load_balancer(
    config: Config,
    stack: Stack,
    name: str,
    net: Declared[network.Network],
    placements: Mapping[str, Callable[[network.Network], network.TaskPlacement]],
) -> alb.LoadBalancerHandles:
    one = config.load_balancers[name]
    routed = {
        service: found for service, found in config.services.items() if found.http and found.http.load_balancer == name
    }
    routes = [_route(config, stack, service, found.http) for service, found in routed.items() if found.http]
    vpc = net.ref(lambda found: found.vpc_id)
    if one.use:
        return alb.attach(stack, name, one.use, vpc_id=vpc, routes=routes)

    def subnets(found: network.Network) -> tuple[str, ...]:
        zones = {zone for service in routed for zone in found.zones_of(placements[service](found).subnets)}
        return network.load_balancer_subnets(found, one.scheme, zones, dualstack=one.ip_address_type == "dualstack")

    settings = _settings(one)
    callers: list[Late[str] | Late[tuple[str, ...]]] = list(one.allow_from)
    if one.ip_address_type == "dualstack" and one.allow_from == PRIVATE_ADDRESSES:
        # IPv6 has no private addresses that VPCs use: those of this one are its callers.
        callers.append(net.ref(lambda found: found.ipv6_cidrs))
    group = network.load_balancer_group(stack, name, vpc_id=vpc, ports=settings.ports, allow_from=callers)
    return alb.declare(
        stack,
        name,
        settings,
        vpc_id=vpc,
        subnets=net.ref(subnets),
        security_groups=(group,),
        routes=routes,
        tags=dns.mark(config.dns.zone) if config.dns else None,
        requested=_request(config, stack, name, routes),
    )


def _request(config: Config, stack: Stack, name: str, routes: Sequence[alb.Route]) -> Ref[str] | None:
    """Declare the certificate that the file asks for, for all hosts that the load balancer answers to."""
    if REQUEST not in config.load_balancers[name].certificates or config.dns is None:
        return None
    hosts = (host.lower() for route in routes for host in recordable(route.host))
    return dns.request(stack, name, config.dns.zone, dict.fromkeys(hosts))


def _declare_records(shared: Shared) -> None:
    """Declare a record for each host that can have one; `checks.traffic` says which cannot."""
    if shared.config.dns is None:
        return
    aliases: dict[str, dns.Alias] = {}
    for http in [service.http for service in shared.config.services.values() if service.http]:
        settings = shared.config.load_balancers[http.load_balancer]
        # A record is known to be ours by the load balancer that it leads to.
        for host in recordable(() if settings.use else http.host):
            balancer = shared.balancers[http.load_balancer]
            aliases[host.lower()] = dns.Alias(
                balancer=balancer.name,
                dns_name=balancer.dns_name,
                zone_id=balancer.zone_id,
                dualstack=settings.ip_address_type == "dualstack",
                internal=settings.scheme == "internal",
            )
    dns.declare(shared.stack, shared.config.dns.zone, aliases)


def _placement(
    name: str, service: Service, config: Config, region: str
) -> Callable[[network.Network], network.TaskPlacement]:
    """Return how to choose the subnets of a service's tasks, once the network is known."""
    reach = _reach(service, config, region)

    def place(found: network.Network) -> network.TaskPlacement:
        path = f"services.{name}"
        return network.place_tasks(found, service.subnets, reach, public_ip=service.public_ip, path=path)

    return place


def _reach(service: Service, config: Config, region: str) -> network.Reach:
    """Return what the tasks of a service must get to before and while they run."""
    endpoints = set() if service.logs.driver == "none" else {"logs"}
    # A log router's image is in no registry of the account, and its output may go anywhere.
    internet = service.logs.driver == "awsfirelens"
    for container in containers(service):
        ecr = parse(container.image).ecr
        if ecr is not None and ecr.region == region:
            endpoints |= {"ecr.api", "ecr.dkr", "s3"}
        else:
            internet = True
        endpoints |= {"ssm" if one.parameter else "secretsmanager" for one in container.secrets.values()}
    if service.env_files:
        endpoints.add("s3")
    if service.exec:
        endpoints |= set(exec_endpoints(config))
    return network.Reach(internet, frozenset(endpoints))


def _settings(one: LoadBalancer) -> alb.Settings:
    default = alb.FixedResponse(status=one.default.status, body=one.default.body) if one.default else None
    return alb.Settings(
        scheme=one.scheme,
        certificates=one.certificates,
        ssl_policy=one.ssl_policy,
        ip_address_type=one.ip_address_type,
        idle_timeout=one.idle_timeout,
        drop_invalid_headers=one.drop_invalid_headers,
        deletion_protection=one.deletion_protection,
        default=default or alb.FixedResponse(),
        logs_bucket=one.access_logs.bucket if one.access_logs else "",
        logs_prefix=(one.access_logs.prefix or "") if one.access_logs else "",
    )


def _route(config: Config, stack: Stack, name: str, http: Http) -> alb.Route:
    check, service = http.health_check, config.services[name]
    consumer = alb.Consumer(
        cluster=config.cluster.name,
        service=names.family(stack.owner, name),
        rolling=service.deploy.strategy == "rolling",
        timeout=service.deploy.timeout,
    )
    return alb.Route(
        service=name,
        port=service.port or 0,
        host=http.host,
        path=http.path,
        priority=http.priority,
        protocol_version=http.protocol_version,
        health_check=alb.HealthCheck(
            path=check.path,
            codes=check.codes,
            interval=check.interval,
            timeout=check.timeout,
            healthy=check.healthy,
            unhealthy=check.unhealthy,
        ),
        deregistration_delay=http.deregistration_delay,
        algorithm=http.algorithm,
        stickiness=http.stickiness,
        consumer=consumer,
        test=_test(http, service.deploy.test) if service.deploy.test else None,
    )


def _test(http: Http, test: TestTraffic) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return hosts and paths of the requests that try a new version: with a host of their own any path will do."""
    return (test.host or http.host, test.path or (() if test.host else http.path))


def _tags_or(selector: TagSelector | T) -> Mapping[str, str] | T:
    """Return a selector of the file as the network takes it: tags, or what was written instead of them."""
    return selector.tag if isinstance(selector, TagSelector) else selector
