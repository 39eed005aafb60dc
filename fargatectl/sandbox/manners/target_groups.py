"""Target groups (AWS: ELB v2 API Reference, CreateTargetGroup and its neighbours)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import targets
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.manners.paging import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_RANGES = {
    "HealthCheckIntervalSeconds": (5, 300),
    "HealthCheckTimeoutSeconds": (2, 120),
    "HealthyThresholdCount": (2, 10),
    "UnhealthyThresholdCount": (2, 10),
}
_CODES = re.compile(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*")
_LONGEST_PATH = 1024


@dataclass(slots=True)
class Groups:
    """The request that made a target group, by its ARN."""

    requests: dict[str, dict[str, Any]] = field(default_factory=dict)


@HANDLERS.handles("elbv2", "CreateTargetGroup")
def create_target_group(region: Region, call: Call, forward: Forward) -> Answer:
    """Create a target group; equal settings return the one that exists, others of that name are refused."""
    name, state = call.params["Name"], region.state(Groups)
    request = {key: value for key, value in call.params.items() if key != "Tags"}
    for known in region.moto("elbv2", "DescribeTargetGroups", PageSize=ALL).get("TargetGroups", []):
        if known["TargetGroupName"] == name:
            if state.requests.get(known["TargetGroupArn"]) == request:
                return {"TargetGroups": [_show(region, known)]}
            message = f"A target group with the same name '{name}' exists, but with different settings"
            raise AwsError("DuplicateTargetGroupName", message)
    _check_health(call.params)
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
def modify_target_group(region: Region, call: Call, forward: Forward) -> Answer:
    """Change health check settings."""
    _check_health(call.params)
    answer = forward()
    return {**answer, "TargetGroups": [_show(region, group) for group in answer["TargetGroups"]]}


def _check_health(params: Mapping[str, Any]) -> None:
    """Refuse health checks that there are not (AWS: ELB v2 API Reference, CreateTargetGroup)."""
    for key, (least, most) in _RANGES.items():
        if not least <= params.get(key, least) <= most:
            name = f"{key[0].lower()}{key[1:]}"
            message = f"'{name}' value '{params[key]}' must be between '{least}-{most}' inclusive"
            raise AwsError("ValidationError", message)
    path = params.get("HealthCheckPath") or "/"
    if not path.startswith("/") or len(path) > _LONGEST_PATH:
        raise AwsError("ValidationError", f"Health check path '{path}' must begin with a '/' character")
    codes = (params.get("Matcher") or {}).get("HttpCode") or "200"
    numbers = [number for part in codes.split(",") for number in part.split("-")]
    if not _CODES.fullmatch(codes) or any(not 200 <= int(number) <= 499 for number in numbers):  # noqa: PLR2004 - as said
        raise AwsError(
            "ValidationError", f"Health check matcher HTTP code '{codes}' must be within '200-499' inclusive"
        )


def _show(region: Region, group: dict[str, Any]) -> dict[str, Any]:
    return {**group, "LoadBalancerArns": targets.load_balancers_of(region, group["TargetGroupArn"])}
