"""How the number of a service's tasks moves, with the alarms that its step policies need."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from fargatectl.model import names
from fargatectl.reconcilers import alarms, scaling
from fargatectl.stack.metrics import dimensions

if TYPE_CHECKING:
    from fargatectl.config.models import Metric, Scaling, Service, StepScaling
    from fargatectl.engine.stack import Declared
    from fargatectl.model.values import Late, Ref
    from fargatectl.reconcilers import alb, service as ecs
    from fargatectl.stack.shared import Shared

_ADJUSTMENTS = {"change": "ChangeInCapacity", "percent": "PercentChangeInCapacity", "exact": "ExactCapacity"}
_AGGREGATIONS = frozenset({"Minimum", "Maximum"})
_DIGEST = 8


def declare_scaling(
    shared: Shared, name: str, service: Service, declared: Declared[ecs.ServiceOut], target: alb.Target | None
) -> None:
    """Declare the autoscaling of the service `name`, if the file has it."""
    wanted = service.scaling
    if wanted is None:
        return
    balancer = shared.balancers[service.http.load_balancer] if service.http else None
    wishes = scaling.Wishes(
        bounds=(wanted.min, wanted.max),
        cpu=wanted.cpu,
        memory=wanted.memory,
        requests=wanted.requests,
        label=_label(balancer, target),
        cooldown_out=wanted.cooldown.out,
        cooldown_in=wanted.cooldown.in_,
        custom=_custom(shared, name, service, wanted),
        steps={one.name: _stepping(one) for one in wanted.step},
        schedules={
            one.name: scaling.Schedule(
                schedule=f"cron({' '.join(one.cron.split())})", timezone=one.timezone, min=one.min, max=one.max
            )
            for one in wanted.schedule
        },
        suspended=wanted.suspended,
    )
    policies = scaling.declare(
        shared.stack,
        name,
        resource_id=f"service/{shared.config.cluster.name}/{names.family(shared.stack.owner, name)}",
        service_arn=declared.ref(lambda made: made.arn),
        wishes=wishes,
    )
    for step in wanted.step:
        _declare_alarm(shared, name, service, step, policies[step.name])


def _label(balancer: alb.LoadBalancerHandles | None, target: alb.Target | None) -> tuple[Late[str], ...] | None:
    """Return what requests are counted by: the load balancer, and the group or groups that get them."""
    if balancer is None or target is None:
        return None
    more = () if target.alternate_suffix is None else (target.alternate_suffix,)
    return (balancer.arn_suffix, target.target_group_suffix, *more)


def _custom(shared: Shared, name: str, service: Service, wanted: Scaling) -> dict[str, scaling.Tracking]:
    return {
        _policy_name(name, one.metric): scaling.Tracking(
            metric=scaling.CustomMetric(
                namespace=one.metric.namespace,
                name=one.metric.name,
                statistic=one.metric.statistic,
                dimensions=dimensions(shared, name, service, one.metric),
            ),
            value=one.target,
            scale_in=one.scale_in,
        )
        for one in wanted.custom
    }


def _policy_name(service: str, metric: Metric) -> str:
    """Return a name for a policy on `metric`: it is the same policy as long as it is the same metric."""
    written = sorted(metric.dimensions.items())
    seed = "\n".join([metric.namespace, metric.name, metric.statistic, *(f"{key}={value}" for key, value in written)])
    stem = re.sub(r"[^A-Za-z0-9_.-]", "-", metric.name)[:100]
    return f"{service}-{stem}-{sha256(seed.encode()).hexdigest()[:_DIGEST]}"


def _stepping(step: StepScaling) -> scaling.Stepping:
    aggregation = step.metric.statistic if step.metric.statistic in _AGGREGATIONS else "Average"
    return scaling.Stepping(
        adjust=_ADJUSTMENTS[step.adjust],
        adjustments=tuple(scaling.Adjustment(lower=one.from_, upper=one.to, by=one.by) for one in step.steps),
        cooldown=step.cooldown,
        aggregation=aggregation,
    )


def _declare_alarm(shared: Shared, name: str, service: Service, step: StepScaling, policy: Ref[str]) -> None:
    spec = alarms.Alarm(
        name=names.scaling_alarm(shared.stack.owner, name, step.name),
        description=f"Step scaling {step.name} of the service {name}",
        namespace=step.metric.namespace,
        metric=step.metric.name,
        statistic=step.metric.statistic,
        dimensions=dimensions(shared, name, service, step.metric),
        period=step.metric.period,
        periods=step.metric.periods,
        comparison=alarms.BELOW if step.above is None else alarms.ABOVE,
        threshold=(step.below or 0.0) if step.above is None else step.above,
        actions=(policy,),
    )
    alarms.declare(shared.stack, f"{name}/scaling/{step.name}", spec, group=f"service {name}")
