"""Alarms that watch a deployment (AWS: ECS guide, "How CloudWatch alarms detect Amazon ECS deployment failures")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox.cloudwatch.state import ALARM, Alarms, state_of

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.state import Rollout

_DEFAULT_PERIOD_SECONDS = 60


def begin(region: Region, rollout: Rollout) -> None:
    """Watch the alarms of a deployment that begins; one that rings already has ECS ignore them all, so as to mend."""
    alarms = rollout.configuration["alarms"]
    ringing = any(state_of(region, name) == ALARM for name in alarms["alarmNames"])
    rollout.alarms = "MONITORING" if alarms["enable"] and not ringing else "DISABLED"


def concerns(rollout: Rollout, alarm: str) -> bool:
    """Tell whether an alarm that rings now fails a deployment."""
    watching = rollout.status == "IN_PROGRESS" and rollout.alarms == "MONITORING"
    return watching and alarm in rollout.configuration["alarms"]["alarmNames"]


def bake_seconds(region: Region, rollout: Rollout) -> float:
    """Return how long ECS keeps watching a deployment that is steady, before it calls it completed.

    As long as the slowest of its alarms needs to notice; AWS computes it from the alarms, and does not say how.
    """
    if rollout.alarms != "MONITORING" or rollout.status != "IN_PROGRESS":
        return 0.0
    found = [region.state(Alarms).find(name) or {} for name in rollout.configuration["alarms"]["alarmNames"]]
    return max(
        (float(one.get("Period", _DEFAULT_PERIOD_SECONDS) * one.get("EvaluationPeriods", 1)) for one in found),
        default=0.0,
    )
