"""Scalable targets: what may be scaled, between which bounds (AWS: Application Auto Scaling API Reference)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fargatectl.sandbox.autoscaling.policies import delete_alarms
from fargatectl.sandbox.autoscaling.state import (
    SERVICE,
    Key,
    Members,
    Scaling,
    invalid,
    key_of,
    matches,
    note,
    page,
    target_of,
)
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.script import EFFECTS

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.settings import Value
    from fargatectl.sandbox.wire import Call

_RESOURCE = re.compile(r"service/([^/]+)/([^/]+)")
_SUSPENDABLE = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_ROLE = "aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"


@HANDLERS.handles(SERVICE, "RegisterScalableTarget")
def register_scalable_target(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create or change a target; a count outside its bounds is moved into them at once."""
    params, key = call.params, key_of(call.params)
    service = ecs_service(region, key)
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
    move_into(region, service, least, most)
    return {"ScalableTargetARN": made["ScalableTargetARN"]}


def _target_arn(region: Region) -> str:
    return region.arn(SERVICE, f"scalable-target/0ec5{region.hex(28)}")


def ecs_service(region: Region, key: Key) -> Members:
    """Return the ACTIVE service that a target stands for. Raises AwsError."""
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


def move_into(region: Region, service: Members, least: int, most: int) -> None:
    """Move a service's count between two bounds."""
    count = min(max(service["desiredCount"], least), most)
    if count != service["desiredCount"]:
        arn, name = service["clusterArn"], service["serviceName"]
        region.ask("ecs", "UpdateService", cluster=arn, service=name, desiredCount=count)


@HANDLERS.handles(SERVICE, "DeregisterScalableTarget")
def deregister_scalable_target(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete a target with its policies, their alarms and its scheduled actions."""
    key, state = key_of(call.params), region.state(Scaling)
    target = target_of(region, key)
    for policy in state.policies.pop(key, {}).values():
        delete_alarms(region, policy)
    state.actions.pop(key, None)
    state.tags.pop(target["ScalableTargetARN"], None)
    del state.targets[key]
    return {}


@HANDLERS.handles(SERVICE, "DescribeScalableTargets")
def describe_scalable_targets(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return targets, fifty a page."""
    wanted = call.params.get("ResourceIds")
    found = [
        target
        for key, target in region.state(Scaling).targets.items()
        if matches(call.params, key) and (not wanted or key[1] in wanted)
    ]
    shown, more = page(call.params, found, 50)
    return {"ScalableTargets": shown, **more}


@HANDLERS.handles(SERVICE, "DescribeScalingActivities")
def describe_scaling_activities(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return what the autoscaler did, newest first: only what it was told to do, as no metric moves here."""
    wanted = call.params.get("ResourceId")
    found = [one for one in reversed(region.state(Scaling).activities) if wanted in (None, one["ResourceId"])]
    shown, more = page(call.params, found, 50)
    return {"ScalingActivities": shown, **more}


@EFFECTS.of("count")
def set_count(region: Region, subject: str, value: Value | None) -> bool:
    """Scale a service that has a scalable target, within its bounds."""
    key = ("ecs", f"service/{subject}", "ecs:service:DesiredCount")
    target = region.state(Scaling).targets.get(key)
    if target is None or not isinstance(value, float):
        return False
    count = min(max(int(value), target["MinCapacity"]), target["MaxCapacity"])
    move_into(region, ecs_service(region, key), count, count)
    note(region, key, f"Setting desired count to {count}.", "the local AWS was told to")
    return True


def _tags(region: Region, call: Call) -> dict[str, str]:
    tags = region.state(Scaling).tags.get(call.params.get("ResourceARN", ""))
    if tags is None:
        raise AwsError("ResourceNotFoundException", f"The resource does not exist: {call.params.get('ResourceARN')}")
    return tags


@HANDLERS.handles(SERVICE, "TagResource")
def tag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Add tags to a scalable target."""
    _tags(region, call).update(call.params.get("Tags") or {})
    return {}


@HANDLERS.handles(SERVICE, "UntagResource")
def untag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Take tags from a scalable target."""
    tags = _tags(region, call)
    for key in call.params.get("TagKeys") or []:
        tags.pop(key, None)
    return {}


@HANDLERS.handles(SERVICE, "ListTagsForResource")
def list_tags_for_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the tags of a scalable target."""
    return {"Tags": _tags(region, call)}
