"""EventBridge Scheduler: groups, which carry the tags, and the schedules in them.

AWS: EventBridge Scheduler API Reference and user guide. No schedule comes due by itself here, so that what runs does
not depend on the time of day; `schedule` of `settings` has one do its work.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import expressions, permissions
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.script import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.settings import Value
    from fargatectl.sandbox.wire import Call

_SERVICE = "scheduler"
_PRINCIPAL = "scheduler.amazonaws.com"
_DEFAULT = "default"
_NAME = re.compile(r"[0-9a-zA-Z-_.]{1,64}")
_RETRIES = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
_MOST_AGE, _LEAST_AGE, _MOST_RETRIES, _MOST_TASKS, _MOST_PROVIDERS = 86_400, 60, 185, 10, 6
_LONGEST_WINDOW = 1440
_PAGE = 100
_OPTIONAL = ("Description", "StartDate", "EndDate", "KmsKeyArn")

Members = dict[str, Any]


@dataclass(slots=True)
class Group:
    """A group of schedules; `schedules` by name, as GetSchedule shows them."""

    name: str
    arn: str
    created: datetime
    tags: dict[str, str] = field(default_factory=dict)
    schedules: dict[str, Members] = field(default_factory=dict)


@dataclass(slots=True)
class Schedules:
    """All of one account's Region, by the name of the group; `tokens` are the requests that were answered already."""

    groups: dict[str, Group] = field(default_factory=dict)
    tokens: dict[str, tuple[str, object]] = field(default_factory=dict)


def _state(region: Region) -> Schedules:
    state = region.state(Schedules)
    if _DEFAULT not in state.groups:  # AWS: every account has this group
        state.groups[_DEFAULT] = Group(_DEFAULT, _group_arn(region, _DEFAULT), region.date())
    return state


def tagged(region: Region) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ARN and tags of what carries tags."""
    for group in region.state(Schedules).groups.values():
        yield group.arn, group.tags


def invalid(message: str) -> AwsError:
    """Return the service's refusal of a request."""
    return AwsError("ValidationException", message)


def _absent(what: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"{what} does not exist.", status=404)


def _group_arn(region: Region, name: str) -> str:
    return region.arn(_SERVICE, f"schedule-group/{name}")


def _group(region: Region, name: str) -> Group:
    found = _state(region).groups.get(name)
    if found is None:
        raise _absent(f"Schedule group {name}")
    return found


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        message = f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must "
        raise invalid(f"{message}satisfy regular expression pattern: ^{_NAME.pattern}$")


def _seen_before(region: Region, params: Mapping[str, Any]) -> bool:
    """Tell whether a request with this token was answered already. Raises AwsError if it was another one."""
    token = params.get("ClientToken")
    if not token:
        return False
    asked = {key: value for key, value in params.items() if key != "ClientToken"}
    known = _state(region).tokens.setdefault(token, ("", asked))
    if known[1] != asked:
        raise AwsError("ConflictException", "The client token was used with other parameters.", status=409)
    _state(region).tokens[token] = ("seen", asked)
    return known[0] == "seen"


@HANDLERS.handles(_SERVICE, "CreateScheduleGroup")
def create_schedule_group(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create a group with its tags."""
    name, state = call.params["Name"], _state(region)
    _check_name(name)
    if not _seen_before(region, call.params):
        if name in state.groups:
            raise AwsError("ConflictException", f"Schedule group {name} already exists.", status=409)
        tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or []}
        state.groups[name] = Group(name, _group_arn(region, name), region.date(), tags)
    return {"ScheduleGroupArn": _group(region, name).arn}


@HANDLERS.handles(_SERVICE, "GetScheduleGroup")
def get_schedule_group(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return a group."""
    return _show_group(_group(region, call.params["Name"]))


def _show_group(group: Group) -> Members:
    dates = {"CreationDate": group.created, "LastModificationDate": group.created}
    return {"Arn": group.arn, "Name": group.name, "State": "ACTIVE", **dates}


@HANDLERS.handles(_SERVICE, "DeleteScheduleGroup")
def delete_schedule_group(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete a group with its schedules."""
    name = call.params["Name"]
    if name == _DEFAULT:
        raise invalid("The default schedule group cannot be deleted.")
    _group(region, name)
    del _state(region).groups[name]
    return {}


@HANDLERS.handles(_SERVICE, "ListScheduleGroups")
def list_schedule_groups(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return groups by the beginning of their name."""
    prefix = call.params.get("NamePrefix") or ""
    found = [_show_group(group) for name, group in sorted(_state(region).groups.items()) if name.startswith(prefix)]
    shown, more = _page(call.params, found)
    return {"ScheduleGroups": shown, **more}


def _page(params: Mapping[str, Any], items: Sequence[Members]) -> tuple[list[Members], Members]:
    size, token = int(params.get("MaxResults") or _PAGE), str(params.get("NextToken") or "0")
    if not token.isdigit():
        raise invalid("Invalid NextToken.")
    start = int(token)
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return list(items[start : start + size]), more


@HANDLERS.handles(_SERVICE, "CreateSchedule")
def create_schedule(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create a schedule, in the default group unless another is named."""
    params = call.params
    group = _group(region, params.get("GroupName") or _DEFAULT)
    _check_name(params["Name"])
    if not _seen_before(region, params):
        if params["Name"] in group.schedules:
            raise AwsError("ConflictException", f"Schedule {params['Name']} already exists.", status=409)
        group.schedules[params["Name"]] = _schedule(region, group, params, region.date())
    return {"ScheduleArn": group.schedules[params["Name"]]["Arn"]}


@HANDLERS.handles(_SERVICE, "UpdateSchedule")
def update_schedule(region: Region, call: Call, _forward: Forward) -> Answer:
    """Replace a schedule: what the request leaves out goes back to its default."""
    group, known = _find(region, call.params)
    made = _schedule(region, group, call.params, known["CreationDate"])
    group.schedules[call.params["Name"]] = made
    return {"ScheduleArn": made["Arn"]}


def _find(region: Region, params: Mapping[str, Any]) -> tuple[Group, Members]:
    group = _group(region, params.get("GroupName") or _DEFAULT)
    found = group.schedules.get(params["Name"])
    if found is None:
        raise _absent(f"Schedule {params['Name']}")
    return group, found


def _schedule(region: Region, group: Group, params: Mapping[str, Any], created: datetime) -> Members:
    timezone = params.get("ScheduleExpressionTimezone") or "UTC"
    _check_time(params, timezone)
    target = params["Target"]
    _check_target(target)
    _check_role(region, group, target["RoleArn"])
    return {
        "Arn": region.arn(_SERVICE, f"schedule/{group.name}/{params['Name']}"),
        "GroupName": group.name,
        "Name": params["Name"],
        "ScheduleExpression": params["ScheduleExpression"],
        "ScheduleExpressionTimezone": timezone,
        "State": params.get("State") or "ENABLED",
        "ActionAfterCompletion": params.get("ActionAfterCompletion") or "NONE",
        "FlexibleTimeWindow": params["FlexibleTimeWindow"],
        "Target": {**target, "RetryPolicy": {**_RETRIES, **(target.get("RetryPolicy") or {})}},
        "CreationDate": created,
        "LastModificationDate": region.date(),
        **{key: params[key] for key in _OPTIONAL if params.get(key)},
    }


def _check_time(params: Mapping[str, Any], timezone: str) -> None:
    if not expressions.is_schedule(params["ScheduleExpression"]):
        raise invalid(f"Invalid Schedule Expression {params['ScheduleExpression']}.")
    if not expressions.is_timezone(timezone):
        raise invalid(f"Invalid Schedule Expression Timezone {timezone}.")
    window = params["FlexibleTimeWindow"]
    minutes = window.get("MaximumWindowInMinutes")
    if window["Mode"] == "OFF" and minutes is not None:
        raise invalid("MaximumWindowInMinutes must not be set when the flexible time window mode is OFF.")
    if window["Mode"] == "FLEXIBLE" and not (minutes and 1 <= minutes <= _LONGEST_WINDOW):
        raise invalid("A flexible time window needs MaximumWindowInMinutes, between 1 and 1440.")
    start, end = params.get("StartDate"), params.get("EndDate")
    if start and end and end <= start:
        raise invalid("The EndDate must be after the StartDate.")


def _check_target(target: Mapping[str, Any]) -> None:
    retries = target.get("RetryPolicy") or {}
    age, attempts = retries.get("MaximumEventAgeInSeconds", _MOST_AGE), retries.get("MaximumRetryAttempts", 0)
    if not (_LEAST_AGE <= age <= _MOST_AGE and 0 <= attempts <= _MOST_RETRIES):
        raise invalid("A retry policy has an event age of 60 to 86400 seconds and at most 185 retry attempts.")
    if ":ecs:" not in target["Arn"]:
        return
    ecs = target.get("EcsParameters")
    if not ecs:
        raise invalid("EcsParameters must be specified for an Amazon ECS target.")
    if not 1 <= ecs.get("TaskCount", 1) <= _MOST_TASKS:
        raise invalid("TaskCount must be between 1 and 10.")
    if ecs.get("LaunchType") and ecs.get("CapacityProviderStrategy"):
        raise invalid("Specify either LaunchType or CapacityProviderStrategy, not both.")
    if len(ecs.get("CapacityProviderStrategy") or []) > _MOST_PROVIDERS:
        raise invalid("A capacity provider strategy has at most 6 items.")


def _check_role(region: Region, group: Group, arn: str) -> None:
    role = permissions.role(region, arn)
    context = {"aws:SourceArn": group.arn, "aws:SourceAccount": region.account}
    if role is None or permissions.is_new(region, arn) or not permissions.trusts(role, _PRINCIPAL, context):
        raise invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")


@HANDLERS.handles(_SERVICE, "GetSchedule")
def get_schedule(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return a schedule."""
    return dict(_find(region, call.params)[1])


@HANDLERS.handles(_SERVICE, "DeleteSchedule")
def delete_schedule(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete a schedule."""
    group, found = _find(region, call.params)
    del group.schedules[found["Name"]]
    return {}


@HANDLERS.handles(_SERVICE, "ListSchedules")
def list_schedules(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return schedules in short, of one group or of all."""
    params, wanted = call.params, call.params.get("GroupName")
    if wanted:
        _group(region, wanted)
    found = [
        _summary(one)
        for group in _state(region).groups.values()
        for name, one in sorted(group.schedules.items())
        if wanted in (None, group.name)
        and name.startswith(params.get("NamePrefix") or "")
        and params.get("State") in (None, one["State"])
    ]
    shown, more = _page(params, found)
    return {"Schedules": shown, **more}


def _summary(schedule: Members) -> Members:
    keys = ("Arn", "Name", "GroupName", "State", "CreationDate", "LastModificationDate")
    return {**{key: schedule[key] for key in keys}, "Target": {"Arn": schedule["Target"]["Arn"]}}


def _tags(region: Region, call: Call) -> dict[str, str]:
    arn = call.params["ResourceArn"]
    found = next((group for group in _state(region).groups.values() if group.arn == arn), None)
    if found is None:
        raise _absent(f"Schedule group {arn.rpartition('/')[2]}")
    return found.tags


@HANDLERS.handles(_SERVICE, "TagResource")
def tag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Add tags to a group."""
    _tags(region, call).update({tag["Key"]: tag["Value"] for tag in call.params["Tags"]})
    return {}


@HANDLERS.handles(_SERVICE, "UntagResource")
def untag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Take tags from a group."""
    tags = _tags(region, call)
    for key in call.params["TagKeys"]:
        tags.pop(key, None)
    return {}


@HANDLERS.handles(_SERVICE, "ListTagsForResource")
def list_tags_for_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the tags of a group."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in _tags(region, call).items()]}


@EFFECTS.of("schedule")
def run_now(region: Region, subject: str, _value: Value | None) -> bool:
    """Have a schedule do its work: run its task, with the rights of its role (AWS: "Templated targets")."""
    group, _, name = subject.partition("/")
    schedules = region.state(Schedules).groups.get(group)
    schedule = schedules.schedules.get(name) if schedules else None
    if schedule is None or schedule["State"] != "ENABLED" or ":ecs:" not in schedule["Target"]["Arn"]:
        return False
    target = schedule["Target"]
    role = permissions.role(region, target["RoleArn"])
    definition = target["EcsParameters"]["TaskDefinitionArn"]
    if role is None or not permissions.allows(role, "ecs:RunTask", definition):
        return True  # AWS says nothing of it either, but to a dead-letter queue
    region.ask("ecs", "RunTask", **_task(target))
    return True


def _task(target: Mapping[str, Any]) -> Members:
    """Return the request to RunTask that a target stands for; its input are the overrides."""
    ecs = target["EcsParameters"]
    asked: Members = {
        "cluster": target["Arn"],
        "taskDefinition": ecs["TaskDefinitionArn"],
        "count": ecs.get("TaskCount", 1),
        "overrides": json.loads(target.get("Input") or "{}"),
    }
    network = (ecs.get("NetworkConfiguration") or {}).get("awsvpcConfiguration")
    if network:
        asked["networkConfiguration"] = {"awsvpcConfiguration": {_lower(key): network[key] for key in network}}
    return asked | {_lower(key): ecs[key] for key in _OF_RUN_TASK if key in ecs}


_OF_RUN_TASK = (
    "CapacityProviderStrategy",
    "EnableECSManagedTags",
    "EnableExecuteCommand",
    "Group",
    "LaunchType",
    "PlatformVersion",
    "PropagateTags",
    "Tags",
)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
