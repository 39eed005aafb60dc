"""Application Auto Scaling for ECS services: targets, policies with their alarms, scheduled actions.

AWS: Application Auto Scaling API Reference and user guide. Nothing scales by itself here, as no metric moves; what a
client sees of its settings, and what registering does to a service's count, is AWS's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.script import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.settings import Value
    from fargatectl.sandbox.wire import Call

_SERVICE = "application-autoscaling"
_RESOURCE = re.compile(r"service/([^/]+)/([^/]+)")
_SCHEDULE = re.compile(r"(at|rate|cron)\((.+)\)")
_CRON_FIELDS = 6
_POLICY_TYPES = ("TargetTrackingScaling", "StepScaling", "PredictiveScaling")
_SUSPENDABLE = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_ROLE = "aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"

Members = dict[str, Any]
Key = tuple[str, str, str]


@dataclass(slots=True)
class Scaling:
    """All of one account's Region, by namespace, resource and dimension."""

    targets: dict[Key, Members] = field(default_factory=dict)
    policies: dict[Key, dict[str, Members]] = field(default_factory=dict)
    actions: dict[Key, dict[str, Members]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    activities: list[Members] = field(default_factory=list)


def invalid(message: str) -> AwsError:
    """Return the service's refusal of a request."""
    return AwsError("ValidationException", message)


def _key(params: Mapping[str, Any]) -> Key:
    for name in ("ServiceNamespace", "ResourceId", "ScalableDimension"):
        if not params.get(name):
            raise invalid(f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: not null")
    return params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"]


def _absent(what: str, key: Key) -> AwsError:
    namespace, resource, dimension = key
    return AwsError(
        "ObjectNotFoundException",
        f"No {what} found for service namespace: {namespace}, resource ID: {resource}, scalable dimension: {dimension}",
    )


def _target(region: Region, key: Key) -> Members:
    found = region.state(Scaling).targets.get(key)
    if found is None:
        raise _absent("scalable target", key)
    return found


@HANDLERS.handles(_SERVICE, "RegisterScalableTarget")
def register_scalable_target(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create or change a target; a count outside its bounds is moved into them at once."""
    params, key = call.params, _key(call.params)
    service = _ecs_service(region, key)
    known = region.state(Scaling).targets.get(key)
    least = params.get("MinCapacity", known["MinCapacity"] if known else None)
    most = params.get("MaxCapacity", known["MaxCapacity"] if known else None)
    if least is None or most is None:
        raise invalid("Both minCapacity and maxCapacity must be specified to register a scalable target.")
    if not 0 <= least <= most:
        raise invalid("Maximum capacity cannot be less than minimum capacity, and neither can be negative.")
    suspended = dict.fromkeys(_SUSPENDABLE, False) | (known or {}).get("SuspendedState", {})
    made: Members = {
        "ServiceNamespace": key[0],
        "ResourceId": key[1],
        "ScalableDimension": key[2],
        "MinCapacity": least,
        "MaxCapacity": most,
        "RoleARN": f"arn:aws:iam::{region.account}:role/{_ROLE}",
        "CreationTime": known["CreationTime"] if known else region.date(),
        "SuspendedState": suspended | (params.get("SuspendedState") or {}),
        "ScalableTargetARN": known["ScalableTargetARN"] if known else _target_arn(region),
    }
    state = region.state(Scaling)
    state.targets[key] = made
    if not known:
        state.tags[made["ScalableTargetARN"]] = dict(params.get("Tags") or {})
    _move_into(region, service, least, most)
    return {"ScalableTargetARN": made["ScalableTargetARN"]}


def _target_arn(region: Region) -> str:
    return region.arn(_SERVICE, f"scalable-target/0ec5{region.hex(28)}")


def _ecs_service(region: Region, key: Key) -> Members:
    namespace, resource, dimension = key
    found = _RESOURCE.fullmatch(resource)
    if namespace != "ecs" or dimension != "ecs:service:DesiredCount" or not found:
        raise invalid(f"Unsupported service namespace, resource type or scalable dimension: {'/'.join(key)}")
    cluster, name = found.groups()
    try:
        shown = region.ask("ecs", "DescribeServices", cluster=cluster, services=[name])["services"]
    except AwsError:
        shown = []
    if not shown or shown[0]["status"] != "ACTIVE":
        raise invalid(f"ECS service doesn't exist: {resource}")
    service: Members = shown[0]
    return service


def _move_into(region: Region, service: Members, least: int, most: int) -> None:
    count = min(max(service["desiredCount"], least), most)
    if count != service["desiredCount"]:
        arn, name = service["clusterArn"], service["serviceName"]
        region.ask("ecs", "UpdateService", cluster=arn, service=name, desiredCount=count)


@HANDLERS.handles(_SERVICE, "DeregisterScalableTarget")
def deregister_scalable_target(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete a target with its policies, their alarms and its scheduled actions."""
    key, state = _key(call.params), region.state(Scaling)
    target = _target(region, key)
    for policy in state.policies.pop(key, {}).values():
        _delete_alarms(region, policy)
    state.actions.pop(key, None)
    state.tags.pop(target["ScalableTargetARN"], None)
    del state.targets[key]
    return {}


@HANDLERS.handles(_SERVICE, "DescribeScalableTargets")
def describe_scalable_targets(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return targets, fifty a page."""
    wanted = call.params.get("ResourceIds")
    found = [
        target
        for key, target in region.state(Scaling).targets.items()
        if _matches(call.params, key) and (not wanted or key[1] in wanted)
    ]
    shown, more = _page(call.params, found, 50)
    return {"ScalableTargets": shown, **more}


def _matches(params: Mapping[str, Any], key: Key) -> bool:
    asked = (params.get("ServiceNamespace"), params.get("ResourceId"), params.get("ScalableDimension"))
    return all(want in (None, have) for want, have in zip(asked, key, strict=True))


def _page(params: Mapping[str, Any], items: Sequence[Members], most: int) -> tuple[list[Members], Members]:
    size = min(int(params.get("MaxResults") or most), most)
    token = str(params.get("NextToken") or "0")
    if not token.isdigit():
        raise AwsError("InvalidNextTokenException", "The next token supplied was invalid.")
    start = int(token)
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return list(items[start : start + size]), more


@HANDLERS.handles(_SERVICE, "PutScalingPolicy")
def put_scaling_policy(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create or change a policy; target tracking gets the alarms that AWS makes for it."""
    params, key = call.params, _key(call.params)
    _target(region, key)
    policies = region.state(Scaling).policies.setdefault(key, {})
    known = policies.get(params["PolicyName"])
    kind = params.get("PolicyType") or (known["PolicyType"] if known else "StepScaling")
    _check_policy(params, kind, known)
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
        _delete_alarms(region, policy)
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
    predefined = configuration.get("PredefinedMetricSpecification") or {}
    name = predefined.get("PredefinedMetricType")
    if name == "ALBRequestCountPerTarget" and "/targetgroup/" not in predefined.get("ResourceLabel", ""):
        raise invalid("A resource label must be specified for the metric ALBRequestCountPerTarget.")
    if name and not name.startswith(("ECSService", "ALBRequestCountPerTarget")):
        raise invalid(f"The metric {name} is not supported for the scalable dimension ecs:service:DesiredCount.")


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


def _delete_alarms(region: Region, policy: Members) -> None:
    if policy["PolicyType"] == "TargetTrackingScaling" and policy["Alarms"]:
        names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
        region.ask("cloudwatch", "DeleteAlarms", AlarmNames=names)


@HANDLERS.handles(_SERVICE, "DeleteScalingPolicy")
def delete_scaling_policy(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete a policy with the alarms that were made for it."""
    key = _key(call.params)
    policy = region.state(Scaling).policies.get(key, {}).pop(call.params["PolicyName"], None)
    if policy is None:
        raise _absent(f"scaling policy {call.params['PolicyName']}", key)
    _delete_alarms(region, policy)
    return {}


@HANDLERS.handles(_SERVICE, "DescribeScalingPolicies")
def describe_scaling_policies(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return policies, ten a page; a step policy shows the alarms that point at it."""
    wanted = call.params.get("PolicyNames")
    found = [
        policy
        for key, policies in region.state(Scaling).policies.items()
        for name, policy in policies.items()
        if _matches(call.params, key) and (not wanted or name in wanted)
    ]
    shown, more = _page(call.params, found, 10)
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


@HANDLERS.handles(_SERVICE, "PutScheduledAction")
def put_scheduled_action(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create or change a scheduled action; start and end times that are left out are deleted."""
    params, key = call.params, _key(call.params)
    _target(region, key)
    actions = region.state(Scaling).actions.setdefault(key, {})
    known = actions.get(params["ScheduledActionName"])
    schedule = params.get("Schedule") or (known or {}).get("Schedule")
    action = params.get("ScalableTargetAction") or (known or {}).get("ScalableTargetAction") or {}
    _check_schedule(schedule or "", action)
    made: Members = {
        "ScheduledActionName": params["ScheduledActionName"],
        "ScheduledActionARN": known["ScheduledActionARN"] if known else _action_arn(region, key, params),
        "ServiceNamespace": key[0],
        "ResourceId": key[1],
        "ScalableDimension": key[2],
        "Schedule": schedule,
        "ScalableTargetAction": action,
        "CreationTime": known["CreationTime"] if known else region.date(),
    }
    made |= {name: params[name] for name in ("StartTime", "EndTime", "Timezone") if params.get(name)}
    actions[params["ScheduledActionName"]] = made
    return {}


def _check_schedule(schedule: str, action: Mapping[str, Any]) -> None:
    found = _SCHEDULE.fullmatch(schedule)
    if not found or (found.group(1) == "cron" and len(found.group(2).split()) != _CRON_FIELDS):
        raise invalid(f"Schedule expression not valid: {schedule}")
    least, most = action.get("MinCapacity"), action.get("MaxCapacity")
    if least is None and most is None:
        raise invalid("At least one of MinCapacity and MaxCapacity must be specified for a scheduled action.")
    if least is not None and most is not None and least > most:
        raise invalid("Maximum capacity cannot be less than minimum capacity.")


def _action_arn(region: Region, key: Key, params: Mapping[str, Any]) -> str:
    path = f"scheduledAction:{region.uuid()}:resource/ecs/{key[1]}:scheduledActionName/{params['ScheduledActionName']}"
    return f"arn:aws:autoscaling:{region.name}:{region.account}:{path}"


@HANDLERS.handles(_SERVICE, "DeleteScheduledAction")
def delete_scheduled_action(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete a scheduled action."""
    key = _key(call.params)
    if region.state(Scaling).actions.get(key, {}).pop(call.params["ScheduledActionName"], None) is None:
        raise _absent(f"scheduled action {call.params['ScheduledActionName']}", key)
    return {}


@HANDLERS.handles(_SERVICE, "DescribeScheduledActions")
def describe_scheduled_actions(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return scheduled actions, fifty a page."""
    wanted = call.params.get("ScheduledActionNames")
    found = [
        action
        for key, actions in region.state(Scaling).actions.items()
        for name, action in actions.items()
        if _matches(call.params, key) and (not wanted or name in wanted)
    ]
    shown, more = _page(call.params, found, 50)
    return {"ScheduledActions": shown, **more}


@HANDLERS.handles(_SERVICE, "DescribeScalingActivities")
def describe_scaling_activities(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return what the autoscaler did, newest first: only what it was told to do, as no metric moves here."""
    wanted = call.params.get("ResourceId")
    found = [one for one in reversed(region.state(Scaling).activities) if wanted in (None, one["ResourceId"])]
    shown, more = _page(call.params, found, 50)
    return {"ScalingActivities": shown, **more}


@EFFECTS.of("count")
def set_count(region: Region, subject: str, value: Value | None) -> bool:
    """Scale a service that has a scalable target, within its bounds."""
    key = ("ecs", f"service/{subject}", "ecs:service:DesiredCount")
    target = region.state(Scaling).targets.get(key)
    if target is None or not isinstance(value, float):
        return False
    service = _ecs_service(region, key)
    count = min(max(int(value), target["MinCapacity"]), target["MaxCapacity"])
    _move_into(region, service, count, count)
    region.state(Scaling).activities.append(
        {
            "ActivityId": region.uuid(),
            "ServiceNamespace": key[0],
            "ResourceId": key[1],
            "ScalableDimension": key[2],
            "Description": f"Setting desired count to {count}.",
            "Cause": "the local AWS was told to",
            "StartTime": region.date(),
            "EndTime": region.date(),
            "StatusCode": "Successful",
            "StatusMessage": f"Successfully set desired count to {count}. Change successfully fulfilled by ecs.",
        }
    )
    return True


def _tags(region: Region, call: Call) -> dict[str, str]:
    tags = region.state(Scaling).tags.get(call.params.get("ResourceARN", ""))
    if tags is None:
        raise AwsError("ResourceNotFoundException", f"The resource does not exist: {call.params.get('ResourceARN')}")
    return tags


@HANDLERS.handles(_SERVICE, "TagResource")
def tag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Add tags to a scalable target."""
    _tags(region, call).update(call.params.get("Tags") or {})
    return {}


@HANDLERS.handles(_SERVICE, "UntagResource")
def untag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Take tags from a scalable target."""
    tags = _tags(region, call)
    for key in call.params.get("TagKeys") or []:
        tags.pop(key, None)
    return {}


@HANDLERS.handles(_SERVICE, "ListTagsForResource")
def list_tags_for_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the tags of a scalable target."""
    return {"Tags": _tags(region, call)}
