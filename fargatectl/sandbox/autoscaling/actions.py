"""Scheduled actions (AWS: Application Auto Scaling API Reference, PutScheduledAction)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import expressions
from fargatectl.sandbox.autoscaling.state import (
    SERVICE,
    Key,
    Members,
    Scaling,
    absent,
    invalid,
    key_of,
    matches,
    note,
    page,
    target_of,
)
from fargatectl.sandbox.autoscaling.targets import ecs_service, move_into
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.script import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.settings import Value
    from fargatectl.sandbox.wire import Call


@HANDLERS.handles(SERVICE, "PutScheduledAction")
def put_scheduled_action(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create or change a scheduled action; start and end times that are left out are deleted."""
    params, key = call.params, key_of(call.params)
    target_of(region, key)
    actions = region.state(Scaling).actions.setdefault(key, {})
    known = actions.get(params["ScheduledActionName"])
    schedule = params.get("Schedule") or (known or {}).get("Schedule")
    action = params.get("ScalableTargetAction") or (known or {}).get("ScalableTargetAction") or {}
    _check_schedule(schedule or "", action)
    if not expressions.is_timezone(params.get("Timezone") or "UTC"):
        raise invalid(f"Invalid timezone: {params['Timezone']}")
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
    if not expressions.is_schedule(schedule):
        raise invalid(f"Schedule expression not valid: {schedule}")
    least, most = action.get("MinCapacity"), action.get("MaxCapacity")
    if least is None and most is None:
        raise invalid("At least one of MinCapacity and MaxCapacity must be specified for a scheduled action.")
    if least is not None and most is not None and least > most:
        raise invalid("Maximum capacity cannot be less than minimum capacity.")


def _action_arn(region: Region, key: Key, params: Mapping[str, Any]) -> str:
    path = f"scheduledAction:{region.uuid()}:resource/ecs/{key[1]}:scheduledActionName/{params['ScheduledActionName']}"
    return f"arn:aws:autoscaling:{region.name}:{region.account}:{path}"


@HANDLERS.handles(SERVICE, "DeleteScheduledAction")
def delete_scheduled_action(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete a scheduled action."""
    key = key_of(call.params)
    if region.state(Scaling).actions.get(key, {}).pop(call.params["ScheduledActionName"], None) is None:
        raise absent(f"scheduled action {call.params['ScheduledActionName']}", key)
    return {}


@HANDLERS.handles(SERVICE, "DescribeScheduledActions")
def describe_scheduled_actions(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return scheduled actions, fifty a page."""
    wanted = call.params.get("ScheduledActionNames")
    found = [
        action
        for key, actions in region.state(Scaling).actions.items()
        for name, action in actions.items()
        if matches(call.params, key) and (not wanted or name in wanted)
    ]
    shown, more = page(call.params, found, 50)
    return {"ScheduledActions": shown, **more}


@EFFECTS.of("scheduled_action")
def run_action(region: Region, subject: str, _value: Value | None) -> bool:
    """Have a scheduled action move the bounds of its target, and the count into them."""
    cluster, service, name = subject.split("/", 2)
    key = ("ecs", f"service/{cluster}/{service}", "ecs:service:DesiredCount")
    target, action = region.state(Scaling).targets.get(key), region.state(Scaling).actions.get(key, {}).get(name)
    if target is None or action is None:
        return False
    if target["SuspendedState"]["ScheduledScalingSuspended"]:
        return True
    least, most = (action["ScalableTargetAction"].get(one, target[one]) for one in ("MinCapacity", "MaxCapacity"))
    target |= {"MinCapacity": min(least, most), "MaxCapacity": max(least, most)}
    move_into(region, ecs_service(region, key), target["MinCapacity"], target["MaxCapacity"])
    note(
        region,
        key,
        f"Setting min capacity to {least} and max capacity to {most}",
        f"scheduled action name {name} was triggered",
    )
    return True
