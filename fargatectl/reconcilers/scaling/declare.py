"""Declaring a service's autoscaling: one scalable target, its policies, and its scheduled actions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass
from fargatectl.reconcilers.scaling.actions import Actions, ScheduledAction
from fargatectl.reconcilers.scaling.policies import STEP, Policies, ScalingPolicy
from fargatectl.reconcilers.scaling.targets import ScalableTarget, Targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.engine.stack import Stack
    from fargatectl.model.values import Late, Ref
    from fargatectl.reconcilers.scaling.policies import CustomMetric, Stepping

_CPU = "ECSServiceAverageCPUUtilization"
_MEMORY = "ECSServiceAverageMemoryUtilization"
_REQUESTS = "ALBRequestCountPerTarget"
_BALANCER_AND_GROUP = 2


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Target tracking on a metric of one's own: the value to hold, and whether tasks are removed too."""

    metric: CustomMetric
    value: float
    scale_in: bool = True


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Bounds from a time on: `cron(…)` in a time zone; a bound that is None stays as it is."""

    schedule: str
    timezone: str = "UTC"
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What moves a service's desired count, and between which `bounds` (both included).

    cpu, memory: average percentage to hold. requests: per target and minute, with `label` the suffixes of the ARNs of
    load balancer and target group (`app/…`, `targetgroup/…`), and of the other group where ECS shifts requests between
    two. `custom`, `steps` and `schedules` are by the names of
    their policies and actions. Cooldowns are in seconds. `suspended` is as in `ScalableTarget`.
    """

    bounds: tuple[int, int]
    cpu: float | None = None
    memory: float | None = None
    requests: float | None = None
    label: tuple[Late[str], ...] | None = None
    cooldown_out: int | None = None
    cooldown_in: int | None = None
    custom: Mapping[str, Tracking] | None = None
    steps: Mapping[str, Stepping] | None = None
    schedules: Mapping[str, Schedule] | None = None
    suspended: tuple[str, ...] = ()


def declare(
    stack: Stack, service: str, *, resource_id: str, service_arn: Late[str], wishes: Wishes
) -> dict[str, Ref[str]]:
    """Declare how the desired count of `service` (`service/CLUSTER/SERVICE`) moves.

    Return the ARNs of the step policies, by their names: whoever calls gives them an alarm.
    """
    group = f"service {service}"
    least, most = wishes.bounds
    schedules = wishes.schedules or {}
    spec = ScalableTarget(
        name=service,
        resource_id=resource_id,
        min=least,
        max=most,
        suspended=wishes.suspended,
        scheduled=tuple((one.min, one.max) for one in schedules.values()),
        service_arn=service_arn,
    )
    target = stack.add(Targets(), service, spec, group=group).ref(lambda out: out.resource_id)
    stepping: dict[str, Ref[str]] = {}
    # AWS takes one change of a target at a time: each waits for the one before it.
    after: Late[str] = ""
    for address, policy in _policies(service, resource_id, wishes):
        waiting = replace(policy, target=target, after=after)
        after = made = stack.add(Policies(), address, waiting, group=group).ref(lambda out: out.arn)
        if policy.step is not None:
            stepping[policy.name] = made
    for name, one in schedules.items():
        action = ScheduledAction(
            name=name,
            resource_id=resource_id,
            schedule=one.schedule,
            timezone=one.timezone,
            min=one.min,
            max=one.max,
            target=target,
            after=after,
        )
        after = stack.add(Actions(), f"{service}/{name}", action, group=group).ref(lambda out: out.name)
    return stepping


def _policies(service: str, resource_id: str, wishes: Wishes) -> Iterator[tuple[str, ScalingPolicy]]:
    """Yield every policy with the name in its address."""
    tracking = ScalingPolicy(
        name=service, resource_id=resource_id, cooldown_out=wishes.cooldown_out, cooldown_in=wishes.cooldown_in
    )
    predefined = {
        "cpu": (_CPU, wishes.cpu, None),
        "memory": (_MEMORY, wishes.memory, None),
        "requests": (_REQUESTS, wishes.requests, wishes.label),
    }
    for suffix, (metric, value, label) in predefined.items():
        if value is not None:
            name = f"{service}-{suffix}"
            if label is not None and len(label) > _BALANCER_AND_GROUP:
                balancer, *groups = label
                yield name, replace(tracking, name=name, requests=(balancer, *groups), value=value)
            else:
                yield name, replace(tracking, name=name, metric=metric, value=value, label=label)
    for name, one in (wishes.custom or {}).items():
        policy = replace(tracking, name=name, custom=one.metric, value=one.value, scale_in=one.scale_in)
        yield f"{service}/{name}", policy
    for name, step in (wishes.steps or {}).items():
        yield f"{service}/{name}", ScalingPolicy(name=name, resource_id=resource_id, type=STEP, step=step)
