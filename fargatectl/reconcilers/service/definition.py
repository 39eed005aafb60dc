"""Task definitions: what the containers of a service are. Immutable; every change is a new revision.

A new revision is registered only when the wanted one differs from the one that the service *runs* (others may have
registered newer ones) and from the family's newest ACTIVE revision: that one may be our own, from a run that died
before it could update the service.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.session import chunks
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import same_owner
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.ownership import ADDRESS, APP
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.service.container import Container, container_request, parsed_container
from fargatectl.reconcilers.service.reading import describe
from fargatectl.reconcilers.service.volume import Volume, parsed_volume, volume_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from types_boto3_ecs.type_defs import TaskDefinitionTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

_STATUSES = ("ACTIVE", "INACTIVE")
_DELETE_MAX = 10  # ECS API Reference, DeleteTaskDefinitions: taskDefinitions
JOB_DEFINITION = "jobs.task_definition"
DEFAULT_STORAGE_GIB = 20  # what Fargate gives when nothing is asked; sending exactly 20 is refused


@dataclass(frozen=True, kw_only=True)
class TaskDefinition(Spec):
    """What a service's tasks are made of. `cpu` in CPU units (1024 = 1 vCPU), `memory` in MiB, storage in GiB.

    `cluster` and `service` say which service's running revision to compare with. `after` holds what must exist before a
    task can start and is no setting of the definition: the log groups.
    """

    identity: ClassVar[tuple[str, ...]] = ("family", "cluster", "service")

    family: str = setting(immutable=True)
    cluster: str = setting(wiring=True, default="")
    service: str = setting(wiring=True, default="")
    after: tuple[Late[object], ...] = setting(wiring=True, default=())
    containers: tuple[Container, ...] = setting(effect=Effect.NEW_DEPLOYMENT, whole=True, default=())
    volumes: tuple[Volume, ...] = setting(effect=Effect.NEW_DEPLOYMENT, whole=True, default=())
    cpu: int = setting(effect=Effect.NEW_DEPLOYMENT, default=0)
    memory: int = setting(effect=Effect.NEW_DEPLOYMENT, default=0)
    architecture: str = setting(effect=Effect.NEW_DEPLOYMENT, default="X86_64")
    storage_gib: int = setting(effect=Effect.NEW_DEPLOYMENT, default=DEFAULT_STORAGE_GIB)
    execution_role: Late[str] | None = setting(effect=Effect.NEW_DEPLOYMENT, whole=True, default=None)
    task_role: Late[str] | None = setting(effect=Effect.NEW_DEPLOYMENT, whole=True, default=None)


@dataclass(frozen=True)
class TaskDefinitionOut:
    """A revision. `active` says whether tasks can be made of it; `newest` is the family's newest ACTIVE one where
    the service runs another."""

    arn: str
    image: str
    active: bool = True
    newest: Live[TaskDefinition, TaskDefinitionOut] | None = field(default=None, repr=False, compare=False)

    @property
    def revision(self) -> str:
        """`family:revision`, as people write it."""
        return self.arn.rpartition("/")[2]


class TaskDefinitions(Reconciler[TaskDefinition, TaskDefinitionOut]):
    """Reads task definitions and registers revisions."""

    kind = "service.task_definition"
    noun = "task definition"
    tagged_as = "ecs:task-definition"
    outlives_deploy = True

    def read(
        self, aws: Aws, specs: Sequence[TaskDefinition]
    ) -> Sequence[Live[TaskDefinition, TaskDefinitionOut] | None]:
        def newest() -> list[Live[TaskDefinition, TaskDefinitionOut] | None]:
            return aws.each(lambda spec: describe_revision(aws, spec.family), specs)

        running = {
            key: service
            for key, service in describe(aws, ((s.cluster, s.service) for s in specs)).items()
            if service["status"] == "ACTIVE"
        }
        tops = newest()
        others = aws.each(lambda pair: self._running(aws, *pair, running), list(zip(specs, tops, strict=True)))
        return [self._combined(top, live) for top, live in zip(tops, others, strict=True)]

    def _running(
        self,
        aws: Aws,
        spec: TaskDefinition,
        top: Live[TaskDefinition, TaskDefinitionOut] | None,
        running: Mapping[tuple[str, str], Any],
    ) -> Live[TaskDefinition, TaskDefinitionOut] | None:
        """Return the revision that the service runs, or the newest where there is no service."""
        service = running.get((spec.cluster, spec.service))
        if service is None or (top is not None and top.out.arn == service["taskDefinition"]):
            live = top
        else:
            live = describe_revision(aws, service["taskDefinition"])
        if live is None or service is None:
            return live
        # Whoever runs the service answers for its revision: one that a pipeline registered carries none of our tags,
        # yet the service is ours. The missing address shows as a difference, so that the next revision is ours again.
        inherited = {key: value for key, value in tags.as_dict(service.get("tags")).items() if key != ADDRESS}
        return replace(live, spec=replace(live.spec, tags={**inherited, **live.spec.tags}))

    @staticmethod
    def _combined(
        top: Live[TaskDefinition, TaskDefinitionOut] | None, live: Live[TaskDefinition, TaskDefinitionOut] | None
    ) -> Live[TaskDefinition, TaskDefinitionOut] | None:
        if live is None or top is None or top.out.arn == live.out.arn:
            return live
        return replace(live, out=replace(live.out, newest=top))

    def renews(self, delta: Delta) -> bool:
        return any(not change.path.startswith("tags") for change in delta)

    def create(self, aws: Aws, spec: TaskDefinition) -> TaskDefinitionOut:
        # RegisterTaskDefinition has no idempotency token: a repeated call makes one more revision, which the next
        # run finds as the newest and uses.
        answer = aws.ecs.register_task_definition(**_request(spec))
        return _out(answer["taskDefinition"])

    def update(
        self,
        aws: Aws,
        live: Live[TaskDefinition, TaskDefinitionOut],
        spec: TaskDefinition,
        delta: Delta,
    ) -> TaskDefinitionOut:
        if self.renews(delta):
            newest = live.out.newest
            if newest is not None and not self.compare(spec, newest):
                return newest.out
            return self.create(aws, spec)
        aws.ecs.tag_resource(resourceArn=live.out.arn, tags=tags.ecs_pairs(spec.tags))
        return live.out

    def delete(self, aws: Aws, live: Live[TaskDefinition, TaskDefinitionOut]) -> None:
        """Deregister and delete every revision of the family that carries the family's owner."""
        mine = live.spec.tags
        active, inactive = aws.each(lambda status: self._revisions(aws, live.spec.family, status), _STATUSES)
        listed = [*active, *inactive]
        carry = aws.each(lambda arn: _carries(aws, arn, mine), listed)
        ours = [arn for arn, owned in zip(listed, carry, strict=True) if owned]
        # One after the other: ECS allows one such call a second beyond a burst of 20.
        for arn in [arn for arn in active if arn in ours]:
            aws.ecs.deregister_task_definition(taskDefinition=arn)
        for batch in chunks(ours, _DELETE_MAX):
            aws.ecs.delete_task_definitions(taskDefinitions=list(batch))

    @staticmethod
    def _revisions(aws: Aws, family: str, status: Any) -> list[str]:  # noqa: ANN401 - ECS's literal
        pages = aws.ecs.get_paginator("list_task_definitions").paginate(familyPrefix=family, status=status)
        arns = [arn for page in pages for arn in page["taskDefinitionArns"]]
        return [arn for arn in arns if _family_of(arn) == family]

    def owned(
        self, aws: Aws, owner: Ownership, known: AbstractSet[str]
    ) -> Iterable[Live[TaskDefinition, TaskDefinitionOut]]:
        arns = [
            arn
            for arn, carried in aws.tagged(owner.tags()).items()
            if ":task-definition/" in arn and self._is_of_this_kind(carried)
        ]
        families = sorted({_family_of(arn) for arn in arns if _id(_family_of(arn)) not in known})
        found = aws.each(lambda family: describe_revision(aws, family), families)
        return [live for live in found if live is not None and owner.owns(live.spec.tags)]

    def _is_of_this_kind(self, carried: Mapping[str, str]) -> bool:
        """Families of services and of jobs lie side by side; what has no address of a job is a service's."""
        return not carried.get(ADDRESS, "").startswith(JOB_DEFINITION)

    def summary(self, spec: TaskDefinition) -> str:
        return f"task definition {spec.family}"

    def detail(self, out: TaskDefinitionOut) -> str:
        return out.revision


def _family_of(arn: str) -> str:
    return arn.rpartition("/")[2].rpartition(":")[0]


def _id(family: str) -> str:
    return f"task-definition/{family}"


def describe_revision(aws: Aws, name: str) -> Live[TaskDefinition, TaskDefinitionOut] | None:
    """Return a family's newest ACTIVE revision, or the revision that `name` gives, INACTIVE ones too; None for none."""
    try:
        answer = aws.ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])
    except ClientError as error:
        if says(error, "ClientException"):  # ECS's way of saying that there is none
            return None
        raise
    found = answer["taskDefinition"]
    spec = _parsed(found, tags.as_dict(answer.get("tags")))
    return Live(spec, _out(found), _id(spec.family))


def _carries(aws: Aws, arn: str, wanted: Mapping[str, str]) -> bool:
    # This shows INACTIVE revisions with their tags, too: a run that died may have deregistered and not deleted them.
    found = describe_revision(aws, arn)
    return found is not None and APP in wanted and same_owner(wanted, found.spec.tags)


def _out(found: TaskDefinitionTypeDef) -> TaskDefinitionOut:
    containers = found["containerDefinitions"]
    first = next((c for c in containers if c.get("essential", True) and c.get("portMappings")), containers[0])
    # A family of ours ends with the name of its main container; of two that fit, the longer is meant.
    named = [c for c in containers if found["family"].endswith(f"-{c['name']}")]
    main = max(named, key=lambda c: len(c["name"]), default=first)
    return TaskDefinitionOut(found["taskDefinitionArn"], main["image"], active=found.get("status") != "INACTIVE")


def _request(spec: TaskDefinition) -> dict[str, Any]:
    request: dict[str, Any] = {
        "family": spec.family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": str(spec.cpu),
        "memory": str(spec.memory),
        "runtimePlatform": {"cpuArchitecture": spec.architecture, "operatingSystemFamily": "LINUX"},
        "containerDefinitions": [container_request(container) for container in spec.containers],
        "tags": tags.ecs_pairs(spec.tags),
    }
    if spec.storage_gib != DEFAULT_STORAGE_GIB:
        request["ephemeralStorage"] = {"sizeInGiB": spec.storage_gib}
    if spec.volumes:
        request["volumes"] = [volume_request(volume) for volume in spec.volumes]
    if spec.execution_role is not None:
        request["executionRoleArn"] = known(spec.execution_role)
    if spec.task_role is not None:
        request["taskRoleArn"] = known(spec.task_role)
    return request


def _parsed(found: TaskDefinitionTypeDef, tagged: Mapping[str, str]) -> TaskDefinition:
    platform: Any = found.get("runtimePlatform") or {}
    storage: Any = found.get("ephemeralStorage") or {}
    return TaskDefinition(
        family=found["family"],
        cpu=int(found.get("cpu", 0)),
        memory=int(found.get("memory", 0)),
        # Families registered without a platform run on Linux and x86 (ECS API Reference, RuntimePlatform).
        architecture=platform.get("cpuArchitecture", "X86_64"),
        storage_gib=storage.get("sizeInGiB", DEFAULT_STORAGE_GIB),
        execution_role=found.get("executionRoleArn"),
        task_role=found.get("taskRoleArn"),
        volumes=tuple(sorted(map(parsed_volume, found.get("volumes") or ()), key=lambda volume: volume.name)),
        containers=tuple(parsed_container(c) for c in sorted(found["containerDefinitions"], key=lambda c: c["name"])),
        tags=tagged,
    )
