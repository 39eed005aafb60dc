"""Declaring a service's autoscaling: one scalable target, and a policy for each metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.reconcilers.scaling.policies import Policies, ScalingPolicy
from fargatectl.reconcilers.scaling.targets import ScalableTarget, Targets

if TYPE_CHECKING:
    from fargatectl.engine.stack import Stack
    from fargatectl.model.values import Late

_CPU = "ECSServiceAverageCPUUtilization"
_MEMORY = "ECSServiceAverageMemoryUtilization"
_REQUESTS = "ALBRequestCountPerTarget"


def declare(  # noqa: PLR0913 - what autoscaling of a service is made of
    stack: Stack,
    service: str,
    *,
    resource_id: str,
    bounds: tuple[int, int],
    service_arn: Late[str],
    cpu: float | None = None,
    memory: float | None = None,
    requests: float | None = None,
    label: tuple[Late[str], Late[str]] | None = None,
    cooldown_out: int | None = None,
    cooldown_in: int | None = None,
) -> None:
    """Declare that the desired count of `service` (`service/CLUSTER/SERVICE`) moves within `bounds`, both included.

    cpu, memory: average percentage to hold. requests: per target and minute, with `label` the suffixes of the ARNs of
    load balancer and target group (`app/…`, `targetgroup/…`). Cooldowns are in seconds.
    """
    group = f"service {service}"
    least, most = bounds
    spec = ScalableTarget(name=service, resource_id=resource_id, min=least, max=most, service_arn=service_arn)
    target = stack.add(Targets(), service, spec, group=group).ref(lambda out: out.resource_id)
    wanted = {"cpu": (_CPU, cpu, None), "memory": (_MEMORY, memory, None), "requests": (_REQUESTS, requests, label)}
    after: Late[str] = ""
    for suffix, (metric, value, metric_label) in wanted.items():
        if value is None:
            continue
        name = f"{service}-{suffix}"
        policy = ScalingPolicy(
            name=name,
            resource_id=resource_id,
            metric=metric,
            label=metric_label,
            value=value,
            cooldown_out=cooldown_out,
            cooldown_in=cooldown_in,
            target=target,
            after=after,
        )
        after = stack.add(Policies(), name, policy, group=group).ref(lambda out: out.arn)
