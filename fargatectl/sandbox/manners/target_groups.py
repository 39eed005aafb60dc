"""Target groups (AWS: ELB v2 API Reference, CreateTargetGroup and its neighbours)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import targets
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call


@dataclass(slots=True)
class Groups:
    """The request that made a target group, by its ARN."""

    requests: dict[str, dict[str, Any]] = field(default_factory=dict)


@HANDLERS.handles("elbv2", "CreateTargetGroup")
def create_target_group(region: Region, call: Call, forward: Forward) -> Answer:
    """Create a target group; equal settings return the one that exists, others of that name are refused."""
    name, state = call.params["Name"], region.state(Groups)
    request = {key: value for key, value in call.params.items() if key != "Tags"}
    for known in region.moto("elbv2", "DescribeTargetGroups").get("TargetGroups", []):
        if known["TargetGroupName"] == name:
            if state.requests.get(known["TargetGroupArn"]) == request:
                return {"TargetGroups": [_show(region, known)]}
            message = f"A target group with the same name '{name}' exists, but with different settings"
            raise AwsError("DuplicateTargetGroupName", message)
    answer = forward()
    made = answer["TargetGroups"][0]
    state.requests[made["TargetGroupArn"]] = request
    return {"TargetGroups": [_show(region, made)]}


@HANDLERS.handles("elbv2", "DescribeTargetGroups")
def describe_target_groups(region: Region, call: Call, forward: Forward) -> Answer:
    """Return target groups with the load balancers that listeners and rules make theirs now."""
    balancer = call.params.get("LoadBalancerArn")
    answer = forward({key: value for key, value in call.params.items() if key != "LoadBalancerArn"})
    shown = [_show(region, group) for group in answer.get("TargetGroups", [])]
    if balancer:
        shown = [group for group in shown if balancer in group["LoadBalancerArns"]]
    return {**answer, "TargetGroups": shown}


@HANDLERS.handles("elbv2", "ModifyTargetGroup")
def modify_target_group(region: Region, _call: Call, forward: Forward) -> Answer:
    """Change health check settings."""
    answer = forward()
    return {**answer, "TargetGroups": [_show(region, group) for group in answer["TargetGroups"]]}


def _show(region: Region, group: dict[str, Any]) -> dict[str, Any]:
    return {**group, "LoadBalancerArns": targets.load_balancers_of(region, group["TargetGroupArn"])}
