"""EventBridge Scheduler: schedules that start a job's task, in a group of ours that carries the tags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.tags import as_dict, pairs
from fargatectl.aws.waits import Transient, polling, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import require_ours, tags_shown
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.capacity import Capacity, as_request, from_answer
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Late, known as settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

_GONE = "ResourceNotFoundException"
_GROUP = ":schedule-group/"
_GONE_SECONDS = 300
_OF_OTHERS = ("Description", "KmsKeyArn", "ActionAfterCompletion")
_OF_OTHERS_AT_TARGET = ("DeadLetterConfig",)
# EventBridge Scheduler says this of a role that is new, and of one whose trust is wrong.
_ROLE_NOT_READY = Transient("ValidationException", "must allow AWS EventBridge Scheduler to assume the role")


@dataclass(frozen=True, kw_only=True)
class ScheduleGroup(Spec):
    """A group of schedules: they take no tags themselves (EventBridge Scheduler API Reference, TagResource)."""

    name: str = setting(immutable=True)


@dataclass(frozen=True)
class GroupOut:
    """A schedule group."""

    name: str
    arn: str


GroupLive = Live[ScheduleGroup, GroupOut]


class Groups(Reconciler[ScheduleGroup, GroupOut]):
    """Reads and changes schedule groups."""

    kind = "jobs.group"
    noun = "schedule group"
    tagged_as = "scheduler"

    def read(self, aws: Aws, specs: Sequence[ScheduleGroup]) -> Sequence[GroupLive | None]:
        return aws.each(lambda spec: _group(aws, spec.name, spec.tags), specs)

    def create(self, aws: Aws, spec: ScheduleGroup) -> GroupOut:
        def make() -> GroupOut:
            arn = aws.scheduler.create_schedule_group(Name=spec.name, Tags=pairs(spec.tags))["ScheduleGroupArn"]
            return GroupOut(spec.name, arn)

        try:
            return make()
        except ClientError as error:
            if not says(error, "ConflictException"):
                raise
        live = _group(aws, spec.name, {})
        if live is not None:
            require_ours(self.summary(spec), spec.tags, live.spec.tags)
            return live.out
        _await_end(aws, spec.name)  # the old group of that name is still being deleted
        return make()

    def update(self, aws: Aws, live: GroupLive, spec: ScheduleGroup, delta: Delta) -> GroupOut:
        del delta
        aws.scheduler.tag_resource(ResourceArn=live.out.arn, Tags=pairs(spec.tags))
        return live.out

    def delete(self, aws: Aws, live: GroupLive) -> None:
        """Delete the group with all schedules in it, and wait for its end."""
        try:
            aws.scheduler.delete_schedule_group(Name=live.out.name)
        except ClientError as error:
            if not (says(error, _GONE) or says(error, "ConflictException")):  # gone, or being deleted already
                raise
        _await_end(aws, live.out.name)

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[GroupLive]:
        arns = {arn for arn in aws.tagged(owner.tags()) if _GROUP in arn} - known
        found = aws.each(lambda arn: _group(aws, arn.partition(_GROUP)[2], {}), sorted(arns))
        return [live for live in found if live is not None and owner.owns(live.spec.tags)]


def _found(aws: Aws, name: str) -> Any:  # noqa: ANN401 - Scheduler's group, or None
    try:
        return aws.scheduler.get_schedule_group(Name=name)
    except ClientError as error:
        if not says(error, _GONE):
            raise
        return None


def _group(aws: Aws, name: str, wanted: Mapping[str, str]) -> GroupLive | None:
    found = _found(aws, name)
    if found is None or found.get("State") == "DELETING":
        return None
    arn = found["Arn"]
    tags = tags_shown(
        aws, arn, wanted, lambda: as_dict(aws.scheduler.list_tags_for_resource(ResourceArn=arn).get("Tags"))
    )
    return Live(ScheduleGroup(name=name, tags=tags), GroupOut(name, arn), arn)


def _await_end(aws: Aws, name: str) -> None:
    def gone() -> bool | None:
        return True if _found(aws, name) is None else None

    polling(aws, f"deletion of the schedule group {name}", gone, seconds=_GONE_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Schedule(Spec):
    """A task that runs at its time: `expression` is `cron(…)`, `rate(…)` or `at(…)` in a time zone.

    `retries` repeat the start of a task, never a task that fails. `input` holds overrides; `window` is the width of a
    flexible time window in minutes, `start` and `end` limits; we set none of these. `parent` is the group's ARN.
    """

    identity: ClassVar[tuple[str, ...]] = ("group", "name")

    name: str = setting(immutable=True)
    group: str = setting(immutable=True)
    expression: str = ""
    timezone: str = "UTC"
    cluster: Late[str] = ""
    definition: Late[str] = ""
    role: Late[str] = ""
    subnets: Late[tuple[str, ...]] = ()
    security_groups: tuple[Late[str], ...] = ()
    public_ip: Late[bool] = False
    capacity: tuple[Capacity, ...] = ()
    retries: int = 0
    input: str = ""
    state: str = "ENABLED"
    count: int = 1
    window: int | None = setting(whole=True, default=None)
    start: str | None = setting(whole=True, default=None)
    end: str | None = setting(whole=True, default=None)
    parent: Late[str] = setting(wiring=True, default="")
    after_rollout_of: Late[str] = setting(wiring=True, settled=True, default="")

    def __post_init__(self) -> None:
        for name in ("subnets", "security_groups"):
            value = getattr(self, name)
            if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
                object.__setattr__(self, name, tuple(sorted(value)))
        object.__setattr__(self, "capacity", tuple(sorted(self.capacity, key=lambda item: item.provider)))


@dataclass(frozen=True)
class ScheduleOut:
    """A schedule."""

    arn: str


ScheduleLive = Live[Schedule, ScheduleOut]


class Schedules(Reconciler[Schedule, ScheduleOut]):
    """Reads and changes schedules. Every schedule in a group of ours is ours; one that the file does not name goes."""

    kind = "jobs.schedule"
    noun = "schedule"
    tagged_as = ""
    taggable = False

    def read(self, aws: Aws, specs: Sequence[Schedule]) -> Sequence[ScheduleLive | None]:
        return aws.each(lambda spec: _schedule(aws, spec.group, spec.name), specs)

    def create(self, aws: Aws, spec: Schedule) -> ScheduleOut:
        try:
            answer = retrying(aws, lambda: aws.scheduler.create_schedule(**_request(spec)), _ROLE_NOT_READY)
        except ClientError as error:
            if not says(error, "ConflictException"):
                raise
            return self._put(aws, spec)
        return ScheduleOut(answer["ScheduleArn"])

    def update(self, aws: Aws, live: ScheduleLive, spec: Schedule, delta: Delta) -> ScheduleOut:
        del live, delta
        return self._put(aws, spec)

    @staticmethod
    def _put(aws: Aws, spec: Schedule) -> ScheduleOut:
        # UpdateSchedule resets what it does not hold (EventBridge Scheduler API Reference): what others have set
        # beside our settings is sent along.
        found: Any = aws.scheduler.get_schedule(GroupName=spec.group, Name=spec.name)
        request = _request(spec)
        request |= {key: found[key] for key in _OF_OTHERS if found.get(key)}
        target = found["Target"]
        request["Target"] |= {key: target[key] for key in _OF_OTHERS_AT_TARGET if target.get(key)}
        request["Target"]["RetryPolicy"] = {**target.get("RetryPolicy", {}), **request["Target"]["RetryPolicy"]}
        answer = retrying(aws, lambda: aws.scheduler.update_schedule(**request), _ROLE_NOT_READY)
        return ScheduleOut(answer["ScheduleArn"])

    def delete(self, aws: Aws, live: ScheduleLive) -> None:
        try:
            aws.scheduler.delete_schedule(GroupName=live.spec.group, Name=live.spec.name)
        except ClientError as error:
            if not says(error, _GONE):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[ScheduleLive]:
        tagged = (arn for arn, tags in aws.tagged(owner.tags()).items() if _GROUP in arn and owner.owns(tags))
        groups = sorted({arn.partition(_GROUP)[2] for arn in (*tagged, *known) if _GROUP in arn})
        listed = [(group, name) for group in groups for name, arn in _listed(aws, group) if arn not in known]
        return [live for live in aws.each(lambda pair: _schedule(aws, *pair), listed) if live is not None]

    def summary(self, spec: Schedule) -> str:
        return f"schedule of {spec.name}"


def _listed(aws: Aws, group: str) -> list[tuple[str, str]]:
    """Return names and ARNs of the schedules in a group; the tagging API may still show one that is gone."""
    try:
        pages = aws.scheduler.get_paginator("list_schedules").paginate(GroupName=group)
        return [(one["Name"], one["Arn"]) for page in pages for one in page["Schedules"]]
    except ClientError as error:
        if not says(error, _GONE):
            raise
        return []


def _schedule(aws: Aws, group: str, name: str) -> ScheduleLive | None:
    try:
        found: Any = aws.scheduler.get_schedule(GroupName=group, Name=name)
    except ClientError as error:
        if not says(error, _GONE):
            raise
        return None
    target = found["Target"]
    ecs = target.get("EcsParameters") or {}
    network = (ecs.get("NetworkConfiguration") or {}).get("awsvpcConfiguration") or {}
    spec = Schedule(
        name=name,
        group=group,
        expression=found["ScheduleExpression"],
        timezone=found.get("ScheduleExpressionTimezone") or "UTC",
        cluster=target["Arn"],
        definition=ecs.get("TaskDefinitionArn", ""),
        role=target["RoleArn"],
        subnets=tuple(network.get("Subnets", ())),
        security_groups=tuple(network.get("SecurityGroups", ())),
        public_ip=network.get("AssignPublicIp") == "ENABLED",
        capacity=from_answer(ecs.get("CapacityProviderStrategy")),
        retries=(target.get("RetryPolicy") or {}).get("MaximumRetryAttempts", 185),
        input="" if _is_empty(target.get("Input")) else target["Input"],
        state=found.get("State", "ENABLED"),
        count=ecs.get("TaskCount", 1),
        window=(found.get("FlexibleTimeWindow") or {}).get("MaximumWindowInMinutes"),
        start=_text(found.get("StartDate")),
        end=_text(found.get("EndDate")),
    )
    return Live(spec, ScheduleOut(found["Arn"]), found["Arn"])


def _is_empty(text: str | None) -> bool:
    try:
        return not json.loads(text or "{}")
    except ValueError:
        return False


def _text(moment: Any) -> str | None:  # noqa: ANN401 - a datetime of botocore's
    return moment.isoformat() if moment is not None else None


def _request(spec: Schedule) -> dict[str, Any]:
    launch: dict[str, Any] = {"LaunchType": "FARGATE"}
    if spec.capacity:
        launch = {"CapacityProviderStrategy": as_request(spec.capacity)}
    subnets: tuple[str, ...] = settled(spec.subnets)
    network = {
        "Subnets": list(subnets),
        "SecurityGroups": [settled(group) for group in spec.security_groups],
        "AssignPublicIp": "ENABLED" if settled(spec.public_ip) else "DISABLED",
    }
    return {
        "GroupName": spec.group,
        "Name": spec.name,
        "ScheduleExpression": spec.expression,
        "ScheduleExpressionTimezone": spec.timezone,
        "State": spec.state,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": settled(spec.cluster),
            "RoleArn": settled(spec.role),
            "RetryPolicy": {"MaximumRetryAttempts": spec.retries},
            "EcsParameters": {
                "TaskDefinitionArn": settled(spec.definition),
                "TaskCount": spec.count,
                "NetworkConfiguration": {"awsvpcConfiguration": network},
                **launch,
            },
        },
    }


KINDS = (Groups(), Schedules())
"""The kinds of this concern, in the order of creation."""
