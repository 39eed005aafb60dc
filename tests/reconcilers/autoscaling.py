"""Application Auto Scaling as it behaves (its API Reference), for the scalable targets and policies of ECS services.

Registering makes and changes alike, tags are taken at creation only, a target takes its policies along, policies come
ten a page, and every target-tracking policy has alarms of AWS's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import wire
from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.inprocess import LocalAws
    from fargatectl.sandbox.wire import Call

_PAGE = 10


class AutoScaling:
    def __init__(self, local: LocalAws) -> None:
        self.local = local
        self.targets: dict[str, dict[str, Any]] = {}
        self.policies: dict[tuple[str, str], dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.refusals: list[tuple[str, AwsError]] = []
        self.serial = 0
        local.intercept(self._answer)

    def refuse(self, operation: str, code: str, message: str = "refused", *, times: int = 1) -> None:
        self.refusals += [(operation, AwsError(code, message))] * times

    def _answer(self, call: Call, apply: Callable[[], Response]) -> Response:
        if call.service == "resourcegroupstaggingapi":
            tagged = [{"ResourceARN": arn, "Tags": _pairs(tags)} for arn, tags in self.tags.items() if _has(call, tags)]
            return wire.encode(call, {"ResourceTagMappingList": tagged})
        if call.service != "application-autoscaling":
            return apply()
        for place, (operation, error) in enumerate(self.refusals):
            if operation == call.operation:
                del self.refusals[place]
                raise error
        handle: Callable[[dict[str, Any]], dict[str, Any]] = getattr(self, call.operation)
        return wire.encode(call, handle(call.params))

    def RegisterScalableTarget(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        resource = params["ResourceId"]
        if resource not in self.targets:
            self.serial += 1
            account = f"{self.local.region}:{self.local.account}"
            arn = f"arn:aws:application-autoscaling:{account}:scalable-target/0{self.serial:011x}"
            self.targets[resource] = {"ScalableTargetARN": arn, "CreationTime": 0, "RoleARN": "arn:aws:iam::1:role/r"}
            self.tags[arn] = dict(params.get("Tags", {}))
        shown = {key: value for key, value in params.items() if key != "Tags"}
        self.targets[resource] |= shown
        return {"ScalableTargetARN": self.targets[resource]["ScalableTargetARN"]}

    def DescribeScalableTargets(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        wanted = params.get("ResourceIds")
        found = [target for resource, target in self.targets.items() if wanted is None or resource in wanted]
        return {"ScalableTargets": found}

    def DeregisterScalableTarget(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        target = self.targets.pop(params["ResourceId"], None)
        if target is None:
            raise AwsError("ObjectNotFoundException", "No scalable target found")
        del self.tags[target["ScalableTargetARN"]]
        self.policies = {key: one for key, one in self.policies.items() if key[0] != params["ResourceId"]}
        return {}

    def PutScalingPolicy(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        resource, name = params["ResourceId"], params["PolicyName"]
        if resource not in self.targets:
            raise AwsError("ObjectNotFoundException", "No scalable target found")
        arn = f"arn:aws:autoscaling:{self.local.region}:{self.local.account}:scalingPolicy:1:{resource}:{name}"
        alarms = [{"AlarmName": f"TargetTracking-{resource}-AlarmHigh", "AlarmARN": "arn:aws:cloudwatch:alarm"}]
        self.policies[resource, name] = {**params, "PolicyARN": arn, "CreationTime": 0, "Alarms": alarms}
        return {"PolicyARN": arn, "Alarms": alarms}

    def DescribeScalingPolicies(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        wanted = params.get("ResourceId")
        found = [policy for (resource, _), policy in self.policies.items() if wanted in {None, resource}]
        start = int(params.get("NextToken", 0))
        page: dict[str, Any] = {"ScalingPolicies": found[start : start + _PAGE]}
        return page | ({"NextToken": str(start + _PAGE)} if len(found) > start + _PAGE else {})

    def DeleteScalingPolicy(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if self.policies.pop((params["ResourceId"], params["PolicyName"]), None) is None:
            raise AwsError("ObjectNotFoundException", "No scaling policy found")
        return {}

    def DescribeScheduledActions(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        del params
        return {"ScheduledActions": []}

    def ListTagsForResource(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Tags": self.tags[params["ResourceARN"]]}

    def TagResource(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.tags[params["ResourceARN"]] |= params["Tags"]
        return {}


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _has(call: Call, tags: dict[str, str]) -> bool:
    return all(tags.get(wanted["Key"]) in wanted["Values"] for wanted in call.params.get("TagFilters", []))
