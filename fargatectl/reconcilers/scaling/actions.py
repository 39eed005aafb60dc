"""Scheduled actions: bounds of a service's desired count that change at their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.spec import Spec, setting
from fargatectl.reconcilers.scaling.targets import BUSY, COUNT, ECS, GONE, action_asks, ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership
    from fargatectl.model.values import Late

_TARGET_NOT_SEEN = Transient(GONE)
# Application Auto Scaling API Reference, PutScheduledAction: the resource is being changed at this moment.
_NOT_SCALABLE = Transient("ValidationException", "is not scalable", seconds=60)


@dataclass(frozen=True, kw_only=True)
class ScheduledAction(Spec):
    """Bounds from a time on; a bound that is None is left as it is.

    `schedule` is `cron(…)` with six fields, in the time zone `timezone` (an IANA name). We set neither `start` nor
    `end`, so those that somebody has set are drift. `target` and `after` are no settings, as in a scaling policy.
    """

    identity: ClassVar[tuple[str, ...]] = ("resource_id", "name")

    name: str = setting(immutable=True)
    resource_id: str = setting(immutable=True)
    schedule: str = ""
    timezone: str = "UTC"
    min: int | None = setting(whole=True, default=None)
    max: int | None = setting(whole=True, default=None)
    start: str | None = setting(whole=True, default=None)
    end: str | None = setting(whole=True, default=None)
    target: Late[str] = setting(wiring=True, default="")
    after: Late[str] = setting(wiring=True, default="")


@dataclass(frozen=True)
class ActionOut:
    """A scheduled action. AWS's answer to putting one does not hold its ARN: the name stands for it."""

    name: str


ActionLive = Live[ScheduledAction, ActionOut]


class Actions(Reconciler[ScheduledAction, ActionOut]):
    """Reads and changes scheduled actions.

    They take no tags: every action on a target of ours is ours, and one that the file does not name goes.
    """

    kind = "scaling.action"
    noun = "scheduled scaling"
    taggable = False

    def read(self, aws: Aws, specs: Sequence[ScheduledAction]) -> Sequence[ActionLive | None]:
        found = {(live.spec.resource_id, live.spec.name): live for live in _on(aws, {s.resource_id for s in specs})}
        return [found.get((spec.resource_id, spec.name)) for spec in specs]

    def create(self, aws: Aws, spec: ScheduledAction) -> ActionOut:
        # PutScheduledAction deletes a start and an end that it does not hold: the whole action is sent, always.
        retrying(
            aws,
            lambda: aws.autoscaling.put_scheduled_action(**_request(spec)),
            _TARGET_NOT_SEEN,
            _NOT_SCALABLE,
            BUSY,
        )
        return ActionOut(spec.name)

    def update(self, aws: Aws, live: ActionLive, spec: ScheduledAction, delta: Delta) -> ActionOut:
        del live, delta
        return self.create(aws, spec)

    def delete(self, aws: Aws, live: ActionLive) -> None:
        try:
            retrying(
                aws,
                lambda: aws.autoscaling.delete_scheduled_action(
                    ServiceNamespace=ECS,
                    ScalableDimension=COUNT,
                    ResourceId=live.spec.resource_id,
                    ScheduledActionName=live.spec.name,
                ),
                BUSY,
            )
        except ClientError as error:
            if not says(error, GONE):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[ActionLive]:
        # Actions on a target that goes itself go with it.
        return [live for live in _on(aws, set(ours(aws, owner, known))) if live.id not in known]

    def summary(self, spec: ScheduledAction) -> str:
        return f"scheduled scaling of {spec.resource_id.rpartition('/')[2]}: {spec.name}"


def _on(aws: Aws, resources: AbstractSet[str]) -> list[ActionLive]:
    """Return all actions on `resources`."""
    pages = aws.together(*action_asks(aws, resources))
    return [_live(action) for page in pages for action in page if action["ResourceId"] in resources]


def _live(found: Any) -> ActionLive:  # noqa: ANN401 - AWS's scheduled action
    bounds = found.get("ScalableTargetAction") or {}
    spec = ScheduledAction(
        name=found["ScheduledActionName"],
        resource_id=found["ResourceId"],
        schedule=found["Schedule"],
        timezone=found.get("Timezone") or "UTC",
        min=bounds.get("MinCapacity"),
        max=bounds.get("MaxCapacity"),
        start=_text(found.get("StartTime")),
        end=_text(found.get("EndTime")),
    )
    return Live(spec, ActionOut(spec.name), found["ScheduledActionARN"])


def _text(moment: Any) -> str | None:  # noqa: ANN401 - a datetime of botocore's
    return moment.isoformat() if moment is not None else None


def _request(spec: ScheduledAction) -> dict[str, Any]:
    bounds = {"MinCapacity": spec.min, "MaxCapacity": spec.max}
    return {
        "ServiceNamespace": ECS,
        "ScalableDimension": COUNT,
        "ResourceId": spec.resource_id,
        "ScheduledActionName": spec.name,
        "Schedule": spec.schedule,
        "Timezone": spec.timezone,
        "ScalableTargetAction": {name: bound for name, bound in bounds.items() if bound is not None},
    }
