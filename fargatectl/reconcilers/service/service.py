"""ECS services: one CreateService or one UpdateService per deploy, carrying everything that changed."""

from __future__ import annotations

from dataclasses import field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, polling, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import require_ours
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.capacity import as_request, from_answer
from fargatectl.model.change import Action, Delta, FieldChange, diff
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.status import ServiceState
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.service import reading
from fargatectl.reconcilers.service.health import ServiceHealth, health_of
from fargatectl.reconcilers.service.strategy import (
    ROLLING,
    DeploymentConfiguration,
    Target,
    balanced,
    configuration,
    configured,
    oriented,
    targets_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set as AbstractSet

    from types_boto3_ecs.type_defs import ServiceTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.capacity import Capacity
    from fargatectl.model.ownership import Ownership

NEW = Effect.NEW_DEPLOYMENT

# Errors that pass by themselves after other parts of the stack were made (ECS API Reference, CreateService; bounds as
# other tools on AWS found them).
_ROLE_NOT_READY = Transient("InvalidParameterException", "Unable to assume", seconds=240)
_CLUSTER_NOT_SEEN = Transient("ClusterNotFoundException", seconds=240)
_NOT_ATTACHED = Transient("InvalidParameterException", "does not have an associated load balancer", seconds=240)
_DRAINING = Transient("InvalidParameterException", "that is still Draining", seconds=1200)
_DEPLOYING = Transient("InvalidParameterException", "cannot be stopped while deployments are active", seconds=1200)
_IN_USE = Transient("DependencyViolation", "has a dependent object", seconds=1200)
_GONE_SECONDS = 1800  # deregistration delay and stop timeout of every task, with room


@dataclass(frozen=True, kw_only=True)
class DiscoveryRegistration:
    """A Cloud Map service that the tasks are registered in; `port` only where it has SRV records."""

    arn: Late[str]
    port: int | None = setting(whole=True, default=None)


@dataclass(frozen=True, kw_only=True)
class Service(Spec):
    """An ECS service on Fargate.

    `desired_count` is None where an autoscaler owns the count, which it keeps at `least_count` or above;
    `initial_count` is what a new service starts with.
    `after` holds what must exist before ECS accepts the service and is no setting of it: the listeners and rules;
    `after_rollout_of` holds the services that must have rolled out well before this one is touched.
    """

    identity: ClassVar[tuple[str, ...]] = ("cluster", "name")

    name: str = setting(immutable=True)
    cluster: str = setting(immutable=True)
    after: tuple[Late[object], ...] = setting(wiring=True, default=())
    after_rollout_of: tuple[Late[object], ...] = setting(wiring=True, settled=True, default=())
    task_definition: Late[str] = setting(effect=NEW)
    initial_count: int = setting(create_only=True, default=1)
    least_count: int = setting(create_only=True, default=0)
    desired_count: int | None = None
    capacity: tuple[Capacity, ...] = setting(effect=NEW, default=())
    subnets: Late[tuple[str, ...]] = setting(effect=NEW)
    security_groups: tuple[Late[str], ...] = setting(effect=NEW)
    public_ip: Late[bool] = setting(effect=NEW)
    targets: tuple[Target, ...] = setting(effect=NEW, default=())
    discovery: tuple[DiscoveryRegistration, ...] = setting(effect=NEW, default=())
    grace_period: int | None = None
    deployment: DeploymentConfiguration = field(default_factory=DeploymentConfiguration)
    platform_version: str = setting(effect=NEW, default="LATEST")
    zone_rebalancing: bool = True
    exec: bool = False
    propagate_tags: str = "NONE"

    def __post_init__(self) -> None:
        for name in ("subnets", "security_groups"):
            value = getattr(self, name)
            if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
                object.__setattr__(self, name, tuple(sorted(value)))


@dataclass(frozen=True)
class ServiceOut:
    """`deployment_id` is that of the PRIMARY deployment, as ECS answered last."""

    arn: str
    name: str
    cluster: str
    deployment_id: str
    health: ServiceHealth


class Services(Reconciler[Service, ServiceOut]):
    """Reads and changes ECS services."""

    kind = "service.service"
    noun = "service"
    tagged_as = "ecs:service"
    settles = True
    effects: ClassVar = {Action.DELETE: Effect.INTERRUPTION, Action.REPLACE: Effect.INTERRUPTION}

    def read(self, aws: Aws, specs: Sequence[Service]) -> Sequence[Live[Service, ServiceOut] | None]:
        found = reading.describe(aws, ((spec.cluster, spec.name) for spec in specs))
        for spec in specs:
            aws.reads.note(_unused(spec), (spec.cluster, spec.name) not in found)
        return [_live(found.get((spec.cluster, spec.name))) for spec in specs]

    def compare(self, spec: Service, live: Live[Service, ServiceOut]) -> Delta:
        delta = diff(_oriented(spec, live.spec), live.spec)
        # A deployment that failed with nothing serving is not tried again by ECS, and tasks that are added to one that
        # was completed without any are not watched by its circuit breaker; a capacity strategy takes effect only with a
        # forced deployment (ECS API Reference, UpdateService).
        stuck = live.out.health.failed_with_nothing_serving or _emptied(spec, live.out.health)
        if delta.touches("capacity") or (stuck and delta.effect != NEW):
            delta = Delta((*delta, FieldChange("force_new_deployment", before=False, after=True, effect=NEW)))
        return delta

    def create(self, aws: Aws, spec: Service) -> ServiceOut:
        request = _creation(spec, predecessor=self._last_of_that_name(aws, spec))

        def call() -> ServiceTypeDef:
            return aws.ecs.create_service(**request)["service"]

        try:
            made = retrying(aws, call, _ROLE_NOT_READY, _CLUSTER_NOT_SEEN, _NOT_ATTACHED, _DRAINING)
        except ClientError as error:
            # A repeated call meets its own earlier success where the token no longer fits.
            if not says(error, "InvalidParameterException", "not idempotent"):
                raise
            found = reading.describe(aws, [(spec.cluster, spec.name)]).get((spec.cluster, spec.name))
            if found is None:
                raise
            require_ours(self.summary(spec), spec.tags, tags.as_dict(found.get("tags")))
            made = found
        return _out(made)

    def update(self, aws: Aws, live: Live[Service, ServiceOut], spec: Service, delta: Delta) -> ServiceOut:
        if delta.touches("tags"):
            aws.ecs.tag_resource(resourceArn=live.out.arn, tags=tags.ecs_pairs(spec.tags))
        request = _changes(_oriented(spec, live.spec), delta)
        if "desiredCount" in request and is_scaled(aws, spec):
            del request["desiredCount"]  # somebody else's autoscaler, or one that this run was not to take away
        if not request:
            return live.out

        def call() -> ServiceTypeDef:
            return aws.ecs.update_service(cluster=spec.cluster, service=spec.name, **request)["service"]

        return _out(retrying(aws, call, _ROLE_NOT_READY, _NOT_ATTACHED))

    def delete(self, aws: Aws, live: Live[Service, ServiceOut]) -> None:
        cluster, name = live.out.cluster, live.out.name
        try:
            retrying(
                aws, lambda: aws.ecs.delete_service(cluster=cluster, service=name, force=True), _DEPLOYING, _IN_USE
            )
        except ClientError as error:
            gone = ("ServiceNotFoundException", "ClusterNotFoundException", "ServiceNotActiveException")
            if not any(says(error, code) for code in gone):
                raise
        self._wait_until_inactive(aws, cluster, name)

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[Live[Service, ServiceOut]]:
        arns = {arn for arn in aws.tagged(owner.tags()) if ":service/" in arn and ":ecs:" in arn} - known
        wanted = [(arn.split("/")[-2], arn.split("/")[-1]) for arn in sorted(arns)]
        lives = [_live(found) for found in reading.describe(aws, wanted).values()]
        return [live for live in lives if live is not None and owner.owns(live.spec.tags)]

    def health(self, aws: Aws, lives: Sequence[Live[Service, ServiceOut]]) -> Sequence[ServiceHealth]:
        del aws
        return [live.out.health for live in lives]

    def _last_of_that_name(self, aws: Aws, spec: Service) -> str:
        """Return when the last service of that name was made, which ECS may still show; wait while it drains.

        A name that ECS did not show when the plan was made is not asked for again: who takes it meanwhile is met by
        CreateService itself.
        """
        if aws.reads.noted(_unused(spec)):
            return ""
        found = reading.describe(aws, [(spec.cluster, spec.name)]).get((spec.cluster, spec.name))
        if found is None:
            return ""
        if found["status"] == "DRAINING":
            self._wait_until_inactive(aws, spec.cluster, spec.name)
        return found["createdAt"].isoformat() if found["status"] != "ACTIVE" else ""

    @staticmethod
    def _wait_until_inactive(aws: Aws, cluster: str, name: str) -> None:
        def look() -> bool | None:
            aws.reads.clear()
            found = reading.describe(aws, [(cluster, name)]).get((cluster, name))
            return True if found is None or found["status"] == "INACTIVE" else None

        polling(aws, f"the tasks of {name} to stop", look, seconds=_GONE_SECONDS, interval=4)


def _unused(spec: Service) -> tuple[str, ...]:
    """Return the key of a note that ECS shows no service of that name, not even one that is gone."""
    return ("unused service name", spec.cluster, spec.name)


def _live(found: ServiceTypeDef | None) -> Live[Service, ServiceOut] | None:
    # A DRAINING service is on its way out and cannot be brought back: for a plan it is absent.
    if found is None or found["status"] in {"INACTIVE", "DRAINING"}:
        return None
    return Live(_parsed(found), _out(found), found["serviceArn"])


def _out(found: ServiceTypeDef) -> ServiceOut:
    primary = next((d for d in found.get("deployments", ()) if d.get("status") == "PRIMARY"), None)
    return ServiceOut(
        arn=found["serviceArn"],
        name=found["serviceName"],
        cluster=found["clusterArn"].rpartition("/")[2],
        deployment_id=primary["id"] if primary else "",
        health=health_of(found),
    )


def _parsed(found: ServiceTypeDef) -> Service:
    network: Any = (found.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return Service(
        name=found["serviceName"],
        cluster=found["clusterArn"].rpartition("/")[2],
        task_definition=found["taskDefinition"],
        desired_count=found["desiredCount"],
        capacity=from_answer(found.get("capacityProviderStrategy")),
        subnets=tuple(network.get("subnets", ())),
        security_groups=tuple(network.get("securityGroups", ())),
        public_ip=network.get("assignPublicIp") == "ENABLED",
        targets=targets_of(found),
        discovery=tuple(
            DiscoveryRegistration(arn=r["registryArn"], port=r.get("port")) for r in found.get("serviceRegistries", ())
        ),
        grace_period=found.get("healthCheckGracePeriodSeconds", 0),
        deployment=configured(found.get("deploymentConfiguration") or {}),
        platform_version=found.get("platformVersion", "LATEST"),
        zone_rebalancing=found.get("availabilityZoneRebalancing") == "ENABLED",
        exec=found.get("enableExecuteCommand", False),
        propagate_tags=found.get("propagateTags", "NONE"),
        tags=tags.as_dict(found.get("tags")),
    )


def _oriented(spec: Service, live: Service) -> Service:
    return replace(spec, targets=oriented(spec.targets, live.targets))


def _creation(spec: Service, *, predecessor: str) -> dict[str, Any]:
    request = {"cluster": spec.cluster, "serviceName": spec.name, "desiredCount": spec.initial_count}
    request |= {name: part for parts in _parts(spec).values() for name, part in parts.items()}
    request |= {"tags": tags.ecs_pairs(spec.tags), "schedulingStrategy": "REPLICA"}
    if not spec.capacity:
        request.pop("capacityProviderStrategy")
        request["launchType"] = "FARGATE"
    # The same request meets its own lost answer with the same token (at most 36 characters); a service that is made
    # again after it was deleted is another request.
    seed = repr((predecessor, sorted((key, repr(value)) for key, value in request.items())))
    return {**request, "clientToken": sha256(seed.encode()).hexdigest()[:32]}


def _emptied(spec: Service, health: ServiceHealth) -> bool:
    """Tell whether a service that shall have tasks was set to have none, as the failure of its first deployment is."""
    wanted = spec.least_count if spec.desired_count is None else spec.desired_count
    return wanted > 0 and health.state == ServiceState.STEADY and health.desired == 0


def _changes(spec: Service, delta: Delta) -> dict[str, Any]:
    """Return what UpdateService is sent: only what changed, but each nested object complete, for AWS replaces those."""
    parts = _parts(spec)
    request: dict[str, Any] = {}
    for name, members in parts.items():
        if delta.touches(name):
            request |= members
    if delta.touches("desired_count"):
        request["desiredCount"] = spec.desired_count
    if delta.touches("force_new_deployment"):
        request["forceNewDeployment"] = True
    if request and spec.targets and spec.grace_period is not None:
        # UpdateService documents 0 for an omitted grace period: with load balancers it is always sent.
        request["healthCheckGracePeriodSeconds"] = spec.grace_period
    return request


def _parts(spec: Service) -> dict[str, dict[str, Any]]:
    """Return, per field of the spec, the members of the request that carry it."""
    subnets: tuple[str, ...] = known(spec.subnets)
    network = {
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": list(subnets),
                "securityGroups": [known(group) for group in spec.security_groups],
                "assignPublicIp": "ENABLED" if known(spec.public_ip) else "DISABLED",
            }
        }
    }
    registries = [
        {"registryArn": known(entry.arn), **({"port": entry.port} if entry.port else {})} for entry in spec.discovery
    ]
    grace = {} if spec.grace_period is None else {"healthCheckGracePeriodSeconds": spec.grace_period}
    return {
        "task_definition": {"taskDefinition": known(spec.task_definition)},
        "capacity": {"capacityProviderStrategy": as_request(spec.capacity)},
        "subnets": network,
        "security_groups": network,
        "public_ip": network,
        "targets": {
            "loadBalancers": [balanced(target) for target in spec.targets],
            # What shifts requests belongs together: groups and rules are refused without the strategy.
            **({"deploymentConfiguration": configuration(spec.deployment)} if _is_shifted(spec) else {}),
        },
        "discovery": {"serviceRegistries": registries},
        "grace_period": grace,
        "deployment": {"deploymentConfiguration": configuration(spec.deployment)},
        "platform_version": {"platformVersion": spec.platform_version},
        "zone_rebalancing": {"availabilityZoneRebalancing": "ENABLED" if spec.zone_rebalancing else "DISABLED"},
        "exec": {"enableExecuteCommand": spec.exec},
        "propagate_tags": {"propagateTags": spec.propagate_tags},
    }


def _is_shifted(spec: Service) -> bool:
    return spec.deployment.strategy != ROLLING


def is_scaled(aws: Aws, spec: Service) -> bool:
    """Tell whether an autoscaler owns the desired count of a service."""
    answer = aws.autoscaling.describe_scalable_targets(
        ServiceNamespace="ecs",
        ResourceIds=[f"service/{spec.cluster}/{spec.name}"],
        ScalableDimension="ecs:service:DesiredCount",
    )
    return bool(answer["ScalableTargets"])
