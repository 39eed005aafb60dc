"""One service: its tasks, who reaches them, where they are found, and how their number moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.model import names
from fargatectl.model.capacity import Capacity
from fargatectl.model.status import ServiceView
from fargatectl.model.values import Address, Ref
from fargatectl.reconcilers import cloudmap, network, service as ecs
from fargatectl.stack.alarms import declare_alarms
from fargatectl.stack.pace import pace_of
from fargatectl.stack.scaling import declare_scaling
from fargatectl.stack.strategy import declare_strategy
from fargatectl.stack.task import declare_definition

if TYPE_CHECKING:
    from fargatectl.config.models import Service
    from fargatectl.model.values import Late
    from fargatectl.reconcilers import alb
    from fargatectl.stack.shared import Shared

ALL = 100  # percent


def declare_service(shared: Shared, name: str, service: Service) -> ServiceView:
    """Declare the service `name` with all that is its own; return where its parts stand."""
    stack, config = shared.stack, shared.config
    target = shared.balancers[service.http.load_balancer].targets[name] if service.http else None
    placed = shared.network.ref(shared.placements[name])
    definition = declare_definition(shared, name, service)
    reachable = _declare_ingress(shared, name, service)
    watching = declare_alarms(shared, name, service)
    targets, deployment = declare_strategy(shared, name, service, target)
    scaled = service.scaling
    count = max(scaled.min, min(service.count, scaled.max)) if scaled else service.count
    declared = stack.add(
        ecs.Services(),
        name,
        ecs.Service(
            name=names.family(stack.owner, name),
            cluster=config.cluster.name,
            after=(
                shared.cluster.ref(lambda made: made.arn),
                reachable,
                *(target.attached if target else ()),
                *watching,
                *_before(service),
            ),
            after_rollout_of=tuple(
                Ref(Address(f"service.service/{other}"), lambda made: made.arn) for other in service.depends_on
            ),
            task_definition=definition.ref(lambda made: made.arn),
            initial_count=count,
            least_count=_min_tasks(service),
            desired_count=None if scaled else count,
            capacity=_capacity(shared, service),
            subnets=placed.then(lambda placement: placement.subnets),
            security_groups=shared.task_groups[name].all,
            public_ip=placed.then(lambda placement: placement.public_ip),
            targets=targets,
            discovery=_discovery(shared, name, service, target),
            grace_period=service.http.grace_period if service.http else None,
            deployment=deployment,
            # ECS refuses zone rebalancing for a service that may not run more tasks than desired.
            zone_rebalancing=service.deploy.max > ALL,
            exec=service.exec,
            platform_version=service.platform_version,
            propagate_tags=service.propagate_tags,
        ),
        group=f"service {name}",
    )
    if service.deploy.before:
        job = service.deploy.before
        stack.precede(declared.address, job, f"The job {job} runs before {name} is touched, and must succeed.")
    declare_scaling(shared, name, service, declared, target)
    return _view(shared, name, service)


def _before(service: Service) -> tuple[Ref[str], ...]:
    """Return what must be there before the job can run that comes before the service."""
    return (ecs.declared_job(service.deploy.before).ref(lambda made: made.arn),) if service.deploy.before else ()


def _capacity(shared: Shared, service: Service) -> tuple[Capacity, ...]:
    """Return the effective strategy: the service's, else the cluster's; empty for plain on-demand Fargate."""
    items = service.capacity or shared.config.cluster.capacity
    return tuple(Capacity(**one.model_dump()) for one in items)


def _declare_ingress(shared: Shared, name: str, service: Service) -> Ref[str]:
    """Let the load balancer reach the port, and the app's other services where this one can be discovered."""
    sources: list[Late[str] | Late[tuple[str, ...]]] = []
    if service.http:
        sources += shared.balancers[service.http.load_balancer].callers
    if service.discovery:
        sources += [groups.own for other, groups in shared.task_groups.items() if other != name]
    sources += service.allow_from
    group = shared.task_groups[name].own
    return network.task_ingress(shared.stack, name, group_id=group, port=service.port, sources=sources)


def _discovery(
    shared: Shared, name: str, service: Service, target: alb.Target | None
) -> tuple[ecs.DiscoveryRegistration, ...]:
    if service.discovery is None or shared.namespace is None:
        return ()
    by_api = _by_api(shared)
    declared = cloudmap.declare_service(
        shared.stack,
        name,
        name=service.discovery.name,
        namespace=shared.namespace,
        records=() if by_api else service.discovery.records,
        ttl=None if by_api else service.discovery.ttl,
        routing=service.discovery.routing,
        after=target.target_group_arn if target else "",
    )
    # With SRV records ECS wants the port, with A records alone it refuses one (ECS API Reference, ServiceRegistry).
    port = service.port if "SRV" in service.discovery.records and not by_api else None
    return (ecs.DiscoveryRegistration(arn=declared.ref(lambda made: made.arn), port=port),)


def _by_api(shared: Shared) -> bool:
    """Tell whether services are found by Cloud Map's API alone."""
    return shared.config.discovery is not None and shared.config.discovery.type == "http"


def _view(shared: Shared, name: str, service: Service) -> ServiceView:
    http = service.http
    balancer = shared.config.load_balancers[http.load_balancer] if http else None
    found = None
    if service.discovery and shared.config.discovery:
        port = f":{service.port}" if service.port else ""
        where = shared.config.discovery.namespace
        name_there = f"{service.discovery.name}.{where}".rstrip(".")
        if _by_api(shared):
            name_there = f"{where}/{service.discovery.name}"
        found = f"{name_there}{port}"
    return ServiceView(
        name=name,
        service=Address(f"service.service/{name}"),
        task_definition=Address(f"service.task_definition/{name}"),
        load_balancer=shared.balancers[http.load_balancer].address if http else None,
        target_group=Address(f"alb.target_group/{name}") if http else None,
        alternate=Address(f"alb.target_group/{name}/alternate")
        if http and service.deploy.strategy != "rolling"
        else None,
        scaling=Address(f"scaling.target/{name}") if service.scaling else None,
        host=next((host for host in http.host if not _has_wildcard(host)), None) if http else None,
        path=next((path for path in http.path if path != "/" and not _has_wildcard(path)), "") if http else "",
        https=bool(balancer and balancer.certificates),
        discovery=found,
        pace=pace_of(service),
        stop_early=service.deploy.stop_early,
        min_tasks=_min_tasks(service),
    )


def _min_tasks(service: Service) -> int:
    scaling = service.scaling
    return 0 if scaling is None or scaling.schedule or scaling.suspended else scaling.min


def _has_wildcard(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern
