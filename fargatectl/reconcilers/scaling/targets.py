"""Scalable targets: the bounds between which the autoscaler moves a service's desired count."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.session import chunks
from fargatectl.aws.waits import Transient, polling, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import tags_shown
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.change import OWNERSHIP_PREFIX, Delta, FieldChange, diff
from fargatectl.model.spec import Spec, setting
from fargatectl.model.status import ScalingBounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.model.values import Late

ECS: Literal["ecs"] = "ecs"
COUNT: Literal["ecs:service:DesiredCount"] = "ecs:service:DesiredCount"
GONE = "ObjectNotFoundException"

# Application Auto Scaling API Reference: a change of the same target is under way.
BUSY = Transient("ConcurrentUpdateException", seconds=60)
# The service, or the service-linked role that the first call of an account makes, is not yet seen everywhere.
_NOT_SEEN = Transient("ValidationException", "ECS service doesn't exist")
_ROLE_NOT_READY = Transient("ValidationException", "Unable to assume IAM role")

BOUNDS = f"{OWNERSHIP_PREFIX}bounds"
"""Tag of a target with scheduled actions: the file's bounds when it was last deployed, which the actions overwrite."""
_SUSPENDED = {
    "in": "DynamicScalingInSuspended",
    "out": "DynamicScalingOutSuspended",
    "scheduled": "ScheduledScalingSuspended",
}
_DESCRIBE_MAX = 50  # Application Auto Scaling API Reference, DescribeScalableTargets: ResourceIds
# DescribeScheduledActions shows fifty actions a page, of one resource or of all: up to so many it is asked for each.
_ASK_EACH_MAX = 5
_GONE_SECONDS = 300
_ID = "scalable-target/"


@dataclass(frozen=True, kw_only=True)
class ScalableTarget(Spec):
    """The desired count of a service as something to scale. `resource_id` is `service/CLUSTER/SERVICE`.

    `suspended` holds `in`, `out` and `scheduled`. `scheduled` are the bounds that scheduled actions set, each `min` and
    `max` or None: what they set at their time is no drift. `service_arn` has the target wait for the service.
    """

    identity: ClassVar[tuple[str, ...]] = ("resource_id",)

    name: str = setting(wiring=True)
    resource_id: str = setting(immutable=True)
    min: int
    max: int
    suspended: tuple[str, ...] = ()
    scheduled: tuple[tuple[int | None, int | None], ...] = setting(wiring=True, default=())
    service_arn: Late[str] = setting(wiring=True, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "suspended", tuple(sorted(set(self.suspended))))
        if self.scheduled:
            object.__setattr__(self, "tags", {**self.tags, BOUNDS: f"{self.min}-{self.max}"})


@dataclass(frozen=True)
class TargetOut:
    """A scalable target; targets from before 2023 may have no ARN, and then take no tags."""

    resource_id: str
    arn: str


TargetLive = Live[ScalableTarget, TargetOut]


class Targets(Reconciler[ScalableTarget, TargetOut]):
    """Reads and changes scalable targets.

    RegisterScalableTarget makes and changes alike: nothing says "already exists", so that a target which somebody
    registers in the seconds between plan and call gets our bounds (but not our tags).
    """

    kind = "scaling.target"
    noun = "autoscaling"
    holds = "service.service"  # its desired count
    tagged_as = "application-autoscaling"

    def read(self, aws: Aws, specs: Sequence[ScalableTarget]) -> Sequence[TargetLive | None]:
        found = describe(aws, [spec.resource_id for spec in specs])

        def live(spec: ScalableTarget) -> TargetLive | None:
            target = found.get(spec.resource_id)
            return _live(target, _tags(aws, target, spec.tags)) if target else None

        # The sweep asks which actions are on our targets; asked beside the targets' tags, it takes no time of its own.
        answers = aws.together(*(partial(live, spec) for spec in specs), *action_asks(aws, found.keys()))
        return answers[: len(specs)]

    def compare(self, spec: ScalableTarget, live: TargetLive) -> Delta:
        """Return what differs, without what a scheduled action of the file has set: that is at work, and no drift.

        An edit of the file's own bounds shows against the tag that holds them as they were last deployed.
        """
        delta = diff(spec, live.spec)
        noted = live.spec.tags.get(BOUNDS)
        if noted and not spec.scheduled:
            return Delta((*delta, FieldChange(f"tags.{BOUNDS}", noted, None)))
        if noted != spec.tags.get(BOUNDS):
            return delta
        at_work = {
            bound
            for place, bound in enumerate(("min", "max"))
            if getattr(live.spec, bound) in {action[place] for action in spec.scheduled}
        }
        return Delta(change for change in delta if change.path not in at_work)

    def create(self, aws: Aws, spec: ScalableTarget) -> TargetOut:
        # Tags are taken at creation only; on a target that is there already AWS ignores them.
        return self._register(aws, spec, Tags=dict(spec.tags))

    def update(self, aws: Aws, live: TargetLive, spec: ScalableTarget, delta: Delta) -> TargetOut:
        if delta.touches("min", "max", "suspended"):
            # Only what differs is sent: bounds that a scheduled action has set stay until the next one.
            kept = replace(spec, **{b: getattr(live.spec, b) for b in ("min", "max") if not delta.touches(b)})
            self._register(aws, kept)
        # The tag of the bounds comes after them: a run that dies in between is seen by the next one.
        if delta.touches("tags") and live.out.arn:
            aws.autoscaling.tag_resource(ResourceARN=live.out.arn, Tags=dict(spec.tags))
            if BOUNDS in live.spec.tags and not spec.scheduled:
                aws.autoscaling.untag_resource(ResourceARN=live.out.arn, TagKeys=[BOUNDS])
        return live.out

    @staticmethod
    def _register(aws: Aws, spec: ScalableTarget, **more: Any) -> TargetOut:  # noqa: ANN401 - tags, or nothing
        answer = retrying(
            aws,
            lambda: aws.autoscaling.register_scalable_target(
                ServiceNamespace=ECS,
                ScalableDimension=COUNT,
                ResourceId=spec.resource_id,
                MinCapacity=spec.min,
                MaxCapacity=spec.max,
                SuspendedState={key: name in spec.suspended for name, key in _SUSPENDED.items()},  # type: ignore[arg-type]
                **more,
            ),
            _NOT_SEEN,
            _ROLE_NOT_READY,
            BUSY,
        )
        return TargetOut(spec.resource_id, answer.get("ScalableTargetARN", ""))

    def delete(self, aws: Aws, live: TargetLive) -> None:
        """Deregister it; AWS deletes its policies, their alarms and its scheduled actions along with it."""
        resource_id = live.out.resource_id

        def gone() -> bool | None:
            return None if _batch(aws, [resource_id]) else True

        try:
            retrying(
                aws,
                lambda: aws.autoscaling.deregister_scalable_target(
                    ServiceNamespace=ECS, ScalableDimension=COUNT, ResourceId=resource_id
                ),
                BUSY,
            )
        except ClientError as error:
            if not says(error, GONE):
                raise
        polling(aws, f"end of the scaling of {resource_id}", gone, seconds=_GONE_SECONDS)

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[TargetLive]:
        """Find targets by the services that they are about, and by their own tags where the tagging API shows these."""
        shown = aws.tagged(owner.tags())
        services = {*shown, *known}
        wanted = {arn.rpartition(":")[2] for arn in services if ":ecs:" in arn and ":service/" in arn}
        found = describe(aws, wanted - {*resource_ids(known)})
        tagged = {arn for arn in shown if ":scalable-target/" in arn}
        seen = {**describe(aws, resource_ids(known)), **found}
        if tagged - {target.get("ScalableTargetARN", "") for target in seen.values()}:
            # The ARN does not say which service it is about: all must be listed.
            pages = aws.autoscaling.get_paginator("describe_scalable_targets").paginate(
                ServiceNamespace=ECS, ScalableDimension=COUNT
            )
            targets = [target for page in pages for target in page["ScalableTargets"]]
            found |= {t["ResourceId"]: t for t in targets if t.get("ScalableTargetARN") in tagged}
        left = [target for resource, target in found.items() if f"{_ID}{resource}" not in known]
        lives = aws.each(lambda target: _live(target, _tags(aws, target, {})), left)
        return [live for live in lives if owner.owns(live.spec.tags)]

    def health(self, aws: Aws, lives: Sequence[TargetLive]) -> Sequence[ScalingBounds]:
        """Return the bounds of each target."""
        del aws
        return [ScalingBounds(min=live.spec.min, max=live.spec.max) for live in lives]

    def summary(self, spec: ScalableTarget) -> str:
        return f"autoscaling of {spec.name}, {spec.min} to {spec.max} tasks"


def describe(aws: Aws, wanted: Iterable[str]) -> dict[str, Any]:
    """Return resource id → scalable target, for those of `wanted` that are registered."""
    pages = aws.each(lambda batch: _shared_batch(aws, batch), chunks(sorted(set(wanted)), _DESCRIBE_MAX))
    return {target["ResourceId"]: target for page in pages for target in page}


def ours(aws: Aws, owner: Ownership, known: AbstractSet[str]) -> list[str]:
    """Return the resource ids of `owner`'s targets among the physical ids `known`: the parents of our policies."""
    found = describe(aws, resource_ids(known))
    return [resource for resource, target in found.items() if owner.owns(_tags(aws, target, owner.tags()))]


def action_asks(aws: Aws, resources: AbstractSet[str]) -> list[Callable[[], list[Any]]]:
    """Return the calls that read the scheduled actions on `resources`, each made once in a planning pass: one for each
    of these while they are few, one for all of ECS's when many."""
    asked: list[str | None] = [*sorted(resources)] if len(resources) <= _ASK_EACH_MAX else [None]
    return [partial(aws.reads.once, ("scheduled actions", one), partial(_actions, aws, one)) for one in asked]


def _actions(aws: Aws, resource: str | None) -> list[Any]:
    limits: Any = {"ResourceId": resource, "ScalableDimension": COUNT} if resource else {}
    pages = aws.autoscaling.get_paginator("describe_scheduled_actions").paginate(ServiceNamespace=ECS, **limits)
    return [action for page in pages for action in page["ScheduledActions"]]


def resource_ids(known: AbstractSet[str]) -> list[str]:
    """Return what `known`, the physical ids of a stack, has of scalable targets."""
    return [physical.removeprefix(_ID) for physical in known if physical.startswith(_ID)]


def _shared_batch(aws: Aws, batch: Sequence[str]) -> list[Any]:
    return aws.reads.once(("scalable targets", tuple(batch)), lambda: _batch(aws, batch))


def _batch(aws: Aws, batch: Sequence[str]) -> list[Any]:
    pages = aws.autoscaling.get_paginator("describe_scalable_targets").paginate(
        ServiceNamespace=ECS, ScalableDimension=COUNT, ResourceIds=list(batch)
    )
    return [target for page in pages for target in page["ScalableTargets"]]


def _live(found: Any, tags: Mapping[str, str]) -> TargetLive:  # noqa: ANN401 - AWS's scalable target
    resource = found["ResourceId"]
    spec = ScalableTarget(
        name=resource.rpartition("/")[2],
        resource_id=resource,
        min=found["MinCapacity"],
        max=found["MaxCapacity"],
        suspended=tuple(name for name, key in _SUSPENDED.items() if found.get("SuspendedState", {}).get(key)),
        tags=tags,
    )
    # Not every target has an ARN, and policies need to know their targets by the resource.
    return Live(spec, TargetOut(resource, found.get("ScalableTargetARN", "")), f"{_ID}{resource}")


def _tags(aws: Aws, found: Any, wanted: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ANN401 - as above
    arn = found.get("ScalableTargetARN")
    if not arn:
        return {}

    def ask() -> dict[str, str]:
        return aws.autoscaling.list_tags_for_resource(ResourceARN=arn)["Tags"]

    return tags_shown(aws, arn, wanted, lambda: aws.reads.once(("tags of a scalable target", arn), ask))
