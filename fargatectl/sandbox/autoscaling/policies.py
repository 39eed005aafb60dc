"""Scaling policies and the alarms that AWS makes for some (AWS: Application Auto Scaling API Reference)."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.autoscaling.state import (
    SERVICE,
    Key,
    Members,
    Scaling,
    absent,
    invalid,
    key_of,
    matches,
    page,
    target_of,
)
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_ADJUSTMENTS = ("ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity")
_MOST_STEPS = 20
_POLICY_TYPES = ("TargetTrackingScaling", "StepScaling", "PredictiveScaling")


@HANDLERS.handles(SERVICE, "PutScalingPolicy")
def put_scaling_policy(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create or change a policy; target tracking gets the alarms that AWS makes for it."""
    params, key = call.params, key_of(call.params)
    target_of(region, key)
    policies = region.state(Scaling).policies.setdefault(key, {})
    known = policies.get(params["PolicyName"])
    kind = params.get("PolicyType") or (known["PolicyType"] if known else "StepScaling")
    _check_policy(params, kind, known)
    if kind == "TargetTrackingScaling":
        _check_metric(params, policies)
    setting = f"{kind}PolicyConfiguration"
    policy: Members = {
        "PolicyARN": known["PolicyARN"] if known else _policy_arn(region, key, params["PolicyName"]),
        "PolicyName": params["PolicyName"],
        "ServiceNamespace": key[0],
        "ResourceId": key[1],
        "ScalableDimension": key[2],
        "PolicyType": kind,
        setting: _configuration(params.get(setting) or (known or {}).get(setting), kind),
        "Alarms": known["Alarms"] if known else [],
        "CreationTime": known["CreationTime"] if known else region.date(),
    }
    if kind == "TargetTrackingScaling":
        delete_alarms(region, policy)
        policy["Alarms"] = [_make_alarm(region, key, policy, side) for side in ("High", "Low")]
    policies[params["PolicyName"]] = policy
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def _check_policy(params: Mapping[str, Any], kind: str, known: Members | None) -> None:
    if kind not in _POLICY_TYPES:
        raise invalid(f"Policy type {kind} is not supported.")
    if known and known["PolicyType"] != kind:
        raise invalid("The policy type of a scaling policy cannot be changed.")
    setting = f"{kind}PolicyConfiguration"
    configuration = params.get(setting)
    if configuration is None:
        if known is None:
            raise invalid(f"{setting} must be specified for a policy of type {kind}.")
        return
    if kind == "StepScaling":
        _check_steps(configuration)
    predefined = configuration.get("PredefinedMetricSpecification") or {}
    name = predefined.get("PredefinedMetricType")
    if name == "ALBRequestCountPerTarget" and "/targetgroup/" not in predefined.get("ResourceLabel", ""):
        raise invalid("A resource label must be specified for the metric ALBRequestCountPerTarget.")
    if name and not name.startswith(("ECSService", "ALBRequestCountPerTarget")):
        raise invalid(f"The metric {name} is not supported for the scalable dimension ecs:service:DesiredCount.")


_METRICS = ("PredefinedMetricSpecification", "CustomizedMetricSpecification")


def _check_metric(params: Mapping[str, Any], policies: Mapping[str, Members]) -> None:
    """Refuse no metric, two, and one that another policy of the target tracks already."""
    configuration = params.get("TargetTrackingScalingPolicyConfiguration")
    if configuration is None:
        return
    if sum(bool(configuration.get(one)) for one in _METRICS) != 1:
        raise invalid("Exactly one of a predefined and a customized metric specification must be specified.")
    metric = [configuration.get(one) for one in _METRICS]
    others = [policy for name, policy in policies.items() if name != params["PolicyName"]]
    tracked = [policy.get("TargetTrackingScalingPolicyConfiguration") or {} for policy in others]
    if metric in [[one.get(key) for key in _METRICS] for one in tracked]:
        raise invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")


def _check_steps(configuration: Mapping[str, Any]) -> None:
    """Refuse steps that leave gaps or overlap (AWS: Application Auto Scaling user guide, "Step adjustments")."""
    if configuration.get("AdjustmentType") not in _ADJUSTMENTS:
        raise invalid(f"Adjustment type must be one of {', '.join(_ADJUSTMENTS)}.")
    steps = configuration.get("StepAdjustments") or []
    if not 1 <= len(steps) <= _MOST_STEPS:
        raise invalid("There must be between 1 and 20 step adjustments specified.")
    bounds = [(one.get("MetricIntervalLowerBound"), one.get("MetricIntervalUpperBound")) for one in steps]
    if (None, None) in bounds and len(bounds) > 1:
        raise invalid("Step adjustment intervals can't overlap.")
    if any(low is not None and high is not None and low >= high for low, high in bounds):
        raise invalid("The lower bound of a step adjustment must be less than its upper bound.")
    if sum(low is None for low, _ in bounds) > 1 or sum(high is None for _, high in bounds) > 1:
        raise invalid("At most one step adjustment can have an unspecified lower bound, and one an upper bound.")
    ordered = sorted(bounds, key=lambda bound: -math.inf if bound[0] is None else bound[0])
    if any(first[1] != second[0] for first, second in itertools.pairwise(ordered)):
        raise invalid("There is a gap or an overlap between step adjustment intervals.")


def _configuration(given: Mapping[str, Any] | None, kind: str) -> Members:
    configuration = dict(given or {})
    if kind == "TargetTrackingScaling":
        configuration.setdefault("DisableScaleIn", False)
    return configuration


def _policy_arn(region: Region, key: Key, name: str) -> str:
    path = f"scalingPolicy:{region.uuid()}:resource/ecs/{key[1]}:policyName/{name}"
    return f"arn:aws:autoscaling:{region.name}:{region.account}:{path}"


def _make_alarm(region: Region, key: Key, policy: Members, side: str) -> Members:
    name = f"TargetTracking-{key[1]}-Alarm{side}-{region.uuid()}"
    above = side == "High"
    region.ask(
        "cloudwatch",
        "PutMetricAlarm",
        AlarmName=name,
        AlarmDescription=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
        AlarmActions=[policy["PolicyARN"]],
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=3 if above else 15,
        Threshold=float(policy["TargetTrackingScalingPolicyConfiguration"].get("TargetValue", 0)),
        ComparisonOperator="GreaterThanThreshold" if above else "LessThanThreshold",
    )
    return {"AlarmName": name, "AlarmARN": region.arn("cloudwatch", f"alarm:{name}")}


def delete_alarms(region: Region, policy: Members) -> None:
    """Delete the alarms that target tracking made for a policy."""
    if policy["PolicyType"] == "TargetTrackingScaling" and policy["Alarms"]:
        names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
        region.ask("cloudwatch", "DeleteAlarms", AlarmNames=names)


@HANDLERS.handles(SERVICE, "DeleteScalingPolicy")
def delete_scaling_policy(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete a policy with the alarms that were made for it."""
    key = key_of(call.params)
    policy = region.state(Scaling).policies.get(key, {}).pop(call.params["PolicyName"], None)
    if policy is None:
        raise absent(f"scaling policy {call.params['PolicyName']}", key)
    delete_alarms(region, policy)
    return {}


@HANDLERS.handles(SERVICE, "DescribeScalingPolicies")
def describe_scaling_policies(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return policies, ten a page; a step policy shows the alarms that point at it."""
    wanted = call.params.get("PolicyNames")
    found = [
        policy
        for key, policies in region.state(Scaling).policies.items()
        for name, policy in policies.items()
        if matches(call.params, key) and (not wanted or name in wanted)
    ]
    shown, more = page(call.params, found, 10)
    return {"ScalingPolicies": [_with_alarms(region, policy) for policy in shown], **more}


def _with_alarms(region: Region, policy: Members) -> Members:
    if policy["PolicyType"] != "StepScaling":
        return policy
    alarms = region.ask("cloudwatch", "DescribeAlarms").get("MetricAlarms", [])
    pointing = [
        {"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]}
        for alarm in alarms
        if policy["PolicyARN"] in alarm.get("AlarmActions", [])
    ]
    return {**policy, "Alarms": pointing}
