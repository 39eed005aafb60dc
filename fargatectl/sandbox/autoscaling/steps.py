"""Step scaling: what an alarm that rings does to a service's count.

AWS: Application Auto Scaling user guide, "Step scaling policies". How far the metric is beyond its threshold is not
known here: it is taken as just over it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fargatectl.sandbox.autoscaling.state import Members, Scaling, note
from fargatectl.sandbox.autoscaling.targets import ecs_service, move_into
from fargatectl.sandbox.cloudwatch.state import ALARM, on_change

if TYPE_CHECKING:
    from fargatectl.sandbox.autoscaling.state import Key
    from fargatectl.sandbox.cloud import Region


@on_change
def heed(region: Region, alarm: Members) -> None:
    """Have the policies scale that an alarm calls."""
    if alarm["StateValue"] != ALARM or not alarm["ActionsEnabled"]:
        return
    state = region.state(Scaling)
    called = [
        (key, policy)
        for key, policies in state.policies.items()
        for policy in policies.values()
        if policy["PolicyType"] == "StepScaling" and policy["PolicyARN"] in alarm["AlarmActions"]
    ]
    for key, policy in called:
        _scale(region, key, policy["StepScalingPolicyConfiguration"], alarm)


def _scale(region: Region, key: Key, configuration: Members, alarm: Members) -> None:
    target, above = region.state(Scaling).targets[key], alarm["ComparisonOperator"].startswith("Greater")
    step = next((one for one in configuration["StepAdjustments"] if _touches(one, above=above)), None)
    if step is None:
        return
    service = ecs_service(region, key)
    wanted = _adjusted(service["desiredCount"], configuration, step["ScalingAdjustment"])
    count = min(max(wanted, target["MinCapacity"]), target["MaxCapacity"])
    suspended = target["SuspendedState"]
    side = "DynamicScalingOutSuspended" if count > service["desiredCount"] else "DynamicScalingInSuspended"
    if count == service["desiredCount"] or suspended[side]:
        return
    move_into(region, service, count, count)
    cause = f"monitor alarm {alarm['AlarmName']} in state ALARM triggered policy"
    note(region, key, f"Setting desired count to {count}.", cause)


def _touches(step: Members, *, above: bool) -> bool:
    """Tell whether a metric just over its threshold, or just under it, is in a step."""
    low, high = step.get("MetricIntervalLowerBound"), step.get("MetricIntervalUpperBound")
    if above:
        return (low is None or low <= 0) and (high is None or high > 0)
    return (low is None or low < 0) and (high is None or high >= 0)


def _adjusted(count: int, configuration: Members, adjustment: int) -> int:
    """Return the count after a step; percentages round as AWS does it (user guide, "Scaling adjustment types")."""
    if configuration["AdjustmentType"] == "ExactCapacity":
        return adjustment
    if configuration["AdjustmentType"] == "ChangeInCapacity":
        return count + adjustment
    change = count * adjustment / 100
    whole = math.trunc(change) if abs(change) > 1 else int(math.copysign(1, change)) if change else 0
    least = configuration.get("MinAdjustmentMagnitude") or 0
    return count + int(math.copysign(max(abs(whole), least), change))
