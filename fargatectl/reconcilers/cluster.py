"""ECS: the cluster, its Container Insights and its capacity providers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, code_of, says
from fargatectl.aws.session import chunks
from fargatectl.aws.tags import as_dict, ecs_pairs
from fargatectl.aws.waits import Transient, polling, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.existing import missing, require_foreign
from fargatectl.engine.proof import require_ours, same_owner
from fargatectl.engine.reconciler import Live, Lookup, Reconciler
from fargatectl.errors import AwsFailure, Refused
from fargatectl.model.capacity import as_request, from_answer
from fargatectl.model.change import Action, diff
from fargatectl.model.ownership import owner_of
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.values import Late, known

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set as AbstractSet

    from types_boto3_ecs.type_defs import ClusterTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError
    from fargatectl.model.capacity import Capacity
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

_DESCRIBE_MAX = 100  # ECS API Reference, DescribeClusters: clusters
_SERVICES_MAX = 10  # ECS API Reference, DescribeServices: services
_SETTLE_SECONDS = 600
_EXISTS = "Arguments on this idempotent request are inconsistent"

# The first CreateCluster of an account also makes ECS's service-linked role, which takes a moment to be usable.
_ROLE_NOT_READY = Transient("InvalidParameterException", "Unable to assume the service linked role")
# ECS API Reference, PutClusterCapacityProviders: one change at a time, and only while ACTIVE.
_CHANGING = (
    Transient("ClientException", "Cluster was not ACTIVE", seconds=_SETTLE_SECONDS),
    Transient("UpdateInProgressException", seconds=_SETTLE_SECONDS),
    Transient("ResourceInUseException", seconds=_SETTLE_SECONDS),
)
# ECS API Reference, DeleteCluster: services and tasks are still counted for a while after they have gone.
_HAS_SERVICES = "ClusterContainsServicesException"
_DRAINING = (
    Transient(_HAS_SERVICES, seconds=_SETTLE_SECONDS),
    Transient("ClusterContainsTasksException", seconds=_SETTLE_SECONDS),
    Transient("ClusterContainsContainerInstancesException", seconds=_SETTLE_SECONDS),
    Transient("UpdateInProgressException", seconds=_SETTLE_SECONDS),
)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Where sessions of ECS Exec are recorded; empty parts are not used. `kms_key` encrypts the sessions themselves.

    Sessions are recorded by the tasks: see `iam.record_to_logs` and `iam.record_to_bucket`.
    """

    log_group: Late[str] = ""
    bucket: str = ""
    prefix: str = ""
    kms_key: str = ""


@dataclass(frozen=True, kw_only=True)
class Cluster(Spec):
    """A cluster. `capacity` is its default strategy, `providers` what must be attached to it.

    Without a `recording` sessions of ECS Exec go where the container's own log driver sends its output, AWS's default.

    Providers that somebody else attached to our cluster stay attached: their tasks may run on them.
    """

    name: str
    container_insights: str = "enabled"
    providers: tuple[str, ...] = ()
    capacity: tuple[Capacity, ...] = ()
    recording: Recording | None = setting(whole=True, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "providers", tuple(sorted(set(self.providers))))
        object.__setattr__(self, "capacity", tuple(sorted(self.capacity, key=lambda item: item.provider)))


@dataclass(frozen=True)
class ClusterOut:
    """A cluster."""

    name: str
    arn: str


ClusterLive = Live[Cluster, ClusterOut]


class Clusters(Reconciler[Cluster, ClusterOut]):
    """Reads and changes clusters. An INACTIVE cluster is one that was deleted: ECS goes on showing it for a while."""

    kind = "cluster.cluster"
    noun = "cluster"
    tagged_as = "ecs:cluster"
    effects: ClassVar[dict[Action, Effect]] = {Action.DELETE: Effect.INTERRUPTION}

    def read(self, aws: Aws, specs: Sequence[Cluster]) -> Sequence[ClusterLive | None]:
        found = _describe(aws, [spec.name for spec in specs])
        return [found.get(spec.name) for spec in specs]

    def compare(self, spec: Cluster, live: ClusterLive) -> Delta:
        attached = tuple(provider for provider in live.spec.providers if provider in spec.providers)
        return diff(spec, replace(live.spec, providers=attached))

    def create(self, aws: Aws, spec: Cluster) -> ClusterOut:
        request: dict[str, Any] = {
            "clusterName": spec.name,
            "tags": ecs_pairs(spec.tags),
            "settings": _settings(spec),
        }
        if spec.recording:
            request["configuration"] = _configuration(spec)
        if spec.providers:
            request |= {
                "capacityProviders": list(spec.providers),
                "defaultCapacityProviderStrategy": as_request(spec.capacity),
            }
        try:
            made = retrying(aws, lambda: aws.ecs.create_cluster(**request)["cluster"], _ROLE_NOT_READY)
        except ClientError as error:
            # CreateCluster is idempotent for equal arguments only; others mean that there is one already.
            if not says(error, "InvalidParameterException", _EXISTS):
                raise
            return self._take_up(aws, spec)
        if made.get("status") != "ACTIVE":
            _until_active(aws, spec.name)
        return ClusterOut(made["clusterName"], made["clusterArn"])

    def _take_up(self, aws: Aws, spec: Cluster) -> ClusterOut:
        live = _until_active(aws, spec.name)
        require_ours(self.summary(spec), spec.tags, live.spec.tags)
        return self.update(aws, live, spec, self.compare(spec, live))

    def update(self, aws: Aws, live: ClusterLive, spec: Cluster, delta: Delta) -> ClusterOut:
        if delta.touches("tags"):
            aws.ecs.tag_resource(resourceArn=live.out.arn, tags=ecs_pairs(spec.tags))
        request: dict[str, Any] = {"settings": _settings(spec)} if delta.touches("container_insights") else {}
        if delta.touches("recording"):
            request["configuration"] = _configuration(spec)
        if request:
            aws.ecs.update_cluster(cluster=spec.name, **request)
        if delta.touches("providers", "capacity"):
            self._put_capacity(aws, live, spec)
        return live.out

    @staticmethod
    def _put_capacity(aws: Aws, live: ClusterLive, spec: Cluster) -> None:
        # The call replaces both lists: a provider that it does not name is taken off the cluster.
        providers = sorted({*live.spec.providers, *spec.providers})

        def put() -> object:
            return aws.ecs.put_cluster_capacity_providers(
                cluster=spec.name,
                capacityProviders=providers,
                defaultCapacityProviderStrategy=as_request(spec.capacity),
            )

        retrying(aws, put, *_CHANGING)
        _until_active(aws, spec.name)

    def delete(self, aws: Aws, live: ClusterLive) -> None:
        def gone() -> bool | None:
            return True if not _describe(aws, [live.out.name]) else None

        def ask() -> object:
            try:
                return aws.ecs.delete_cluster(cluster=live.out.arn)
            except ClientError as error:
                if says(error, _HAS_SERVICES):
                    _require_none_of_others(aws, live, error)
                raise

        try:
            retrying(aws, ask, *_DRAINING, interval=5)
        except ClientError as error:
            if not says(error, "ClusterNotFoundException"):
                raise
        polling(aws, f"deletion of the cluster {live.out.name}", gone, seconds=_SETTLE_SECONDS)

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[ClusterLive]:
        arns = {arn for arn in aws.tagged(owner.tags()) if ":ecs:" in arn and ":cluster/" in arn} - known
        found = _describe(aws, sorted(arn.rpartition("/")[2] for arn in arns))
        return [live for live in found.values() if owner.owns(live.spec.tags)]


@dataclass(frozen=True, kw_only=True)
class ExistingQuery(Spec):
    """A cluster that is not ours, by name or ARN; `providers` must be attached to it. `path` is where the file names
    it; the tags are ours, which it must not have."""

    cluster: str
    providers: tuple[str, ...] = ()
    path: str


class ExistingClusters(Lookup[ExistingQuery, ClusterOut]):
    """Finds clusters that are used as they are."""

    kind = "cluster.existing_cluster"

    def read(self, aws: Aws, specs: Sequence[ExistingQuery]) -> Sequence[ClusterOut | FargatectlError]:
        """Return the clusters; `NotFoundError` for a missing one, `Refused` where it lacks a provider or is ours."""
        found = _describe(aws, [spec.cluster for spec in specs])
        by_arn = {live.id: live for live in found.values()}
        return answer_each(
            aws, lambda spec: _usable(aws, spec, found.get(spec.cluster) or by_arn.get(spec.cluster)), specs
        )


def _usable(aws: Aws, spec: ExistingQuery, live: ClusterLive | None) -> ClusterOut:
    if live is None:
        pages = aws.ecs.get_paginator("list_clusters").paginate()
        there = [arn.rpartition("/")[2] for page in pages for arn in page["clusterArns"]]
        raise missing("cluster", spec.cluster, there, path=spec.path)
    require_foreign(f"the cluster {live.out.name}", spec.tags, live.spec.tags, path=spec.path)
    lacking = sorted(set(spec.providers) - set(live.spec.providers))
    if lacking:
        message = f"the cluster {live.out.name} has no capacity provider {' and no '.join(lacking)}, and it is not ours"
        hint = "attach it (`aws ecs put-cluster-capacity-providers …`), or leave it out of `capacity`"
        raise Refused(message, hint=hint)
    return live.out


def use(stack: Stack, cluster: str, *, providers: Iterable[str] = ()) -> Declared[ClusterOut]:
    """Declare that `cluster` (a name or ARN) exists and is not ours; `providers` are what services need of it."""
    query = ExistingQuery(
        cluster=cluster, providers=tuple(sorted(set(providers))), path="cluster.use", tags=stack.owner.tags()
    )
    return stack.find(ExistingClusters(), cluster, query)


def declare(  # noqa: PLR0913 - the settings of a cluster
    stack: Stack,
    name: str,
    *,
    container_insights: str,
    capacity: Sequence[Capacity] = (),
    providers: Iterable[str] = (),
    recording: Recording | None = None,
) -> Declared[ClusterOut]:
    """Declare the cluster. `capacity` is its default strategy; `providers` are what services use besides."""
    spec = Cluster(
        name=name,
        container_insights=container_insights,
        capacity=tuple(capacity),
        providers=(*providers, *(item.provider for item in capacity)),
        recording=recording,
    )
    return stack.add(Clusters(), name, spec, group="cluster")


def _describe(aws: Aws, names: Sequence[str]) -> dict[str, ClusterLive]:
    """Return the clusters of `names` that exist, by name; those being made or deleted included."""

    def ask(batch: Sequence[str]) -> list[ClusterTypeDef]:
        # Without `include` ECS leaves settings, configuration and tags out, which would look like drift.
        return aws.ecs.describe_clusters(clusters=list(batch), include=["SETTINGS", "CONFIGURATIONS", "TAGS"])[
            "clusters"
        ]

    pages = aws.each(ask, chunks(list(dict.fromkeys(names)), _DESCRIBE_MAX))
    return {c["clusterName"]: _live(c) for page in pages for c in page if c["status"] != "INACTIVE"}


def _live(found: ClusterTypeDef) -> ClusterLive:
    settings = {item["name"]: item["value"] for item in found.get("settings") or ()}
    spec = Cluster(
        name=found["clusterName"],
        container_insights=settings.get("containerInsights", "disabled"),
        providers=tuple(found.get("capacityProviders") or ()),
        capacity=from_answer(found.get("defaultCapacityProviderStrategy")),
        recording=_recording(found),
        tags=as_dict(found.get("tags")),
    )
    return Live(spec, ClusterOut(found["clusterName"], found["clusterArn"]), found["clusterArn"])


def _until_active(aws: Aws, name: str) -> ClusterLive:
    """Return the cluster once it is ACTIVE. Raises `AwsFailure` when it ends up FAILED, or takes ten minutes."""

    def look() -> ClusterLive | None:
        described = aws.ecs.describe_clusters(clusters=[name], include=["SETTINGS", "CONFIGURATIONS", "TAGS"])[
            "clusters"
        ]
        status = described[0]["status"] if described else "MISSING"
        if status == "FAILED":
            message = f"ECS could not make the cluster {name}: its status is FAILED"
            raise AwsFailure(message, operation="ecs:CreateCluster", code=status, hint="delete it and try again")
        return _live(described[0]) if status == "ACTIVE" else None

    return polling(aws, f"cluster {name} ACTIVE", look, seconds=_SETTLE_SECONDS)


def _require_none_of_others(aws: Aws, live: ClusterLive, error: ClientError) -> None:
    """Raise `AwsFailure` for services in the cluster that are not of its owner: no wait takes these away."""
    pages = aws.ecs.get_paginator("list_services").paginate(cluster=live.out.arn)
    arns = [arn for page in pages for arn in page["serviceArns"]]

    def ask(batch: Sequence[str]) -> list[Any]:
        return list(aws.ecs.describe_services(cluster=live.out.arn, services=list(batch), include=["TAGS"])["services"])

    found = [
        (one["serviceName"], as_dict(one.get("tags")))
        for page in aws.each(ask, chunks(arns, _SERVICES_MAX))
        for one in page
    ]
    theirs = [
        f"{name}, which belongs to {owner_of(tags)}" for name, tags in found if not same_owner(live.spec.tags, tags)
    ]
    if theirs:
        message = f"cluster {live.out.name} stays: in it runs {'; '.join(theirs)}"
        hint = "move these services to another cluster, then run the same command again"
        raise AwsFailure(message, operation="ecs:DeleteCluster", code=code_of(error), hint=hint) from error


def _settings(spec: Cluster) -> list[Any]:
    return [{"name": "containerInsights", "value": spec.container_insights}]


def _configuration(spec: Cluster) -> dict[str, Any]:
    """Return the configuration of ECS Exec: ECS API Reference, ExecuteCommandConfiguration."""
    wanted = spec.recording
    if wanted is None:
        return {"executeCommandConfiguration": {"logging": "DEFAULT"}}
    group: Any = {"cloudWatchLogGroupName": known(wanted.log_group)} if wanted.log_group else {}
    bucket = {"s3BucketName": wanted.bucket} if wanted.bucket else {}
    prefix = {"s3KeyPrefix": wanted.prefix} if wanted.prefix else {}
    key = {"kmsKeyId": wanted.kms_key} if wanted.kms_key else {}
    # Without a place of its own, a record goes where the container's output goes.
    logging = {"logging": "OVERRIDE", "logConfiguration": {**group, **bucket, **prefix}} if group or bucket else {}
    return {"executeCommandConfiguration": {"logging": "DEFAULT", **logging, **key}}


def _recording(found: ClusterTypeDef) -> Recording | None:
    command: Any = (found.get("configuration") or {}).get("executeCommandConfiguration") or {}
    places: Any = command.get("logConfiguration") or {}
    recording = Recording(
        log_group=places.get("cloudWatchLogGroupName", ""),
        bucket=places.get("s3BucketName", ""),
        prefix=places.get("s3KeyPrefix", ""),
        kms_key=command.get("kmsKeyId", ""),
    )
    return None if recording == Recording() else recording
