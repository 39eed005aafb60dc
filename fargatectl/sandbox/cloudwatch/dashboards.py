"""Dashboards, and the tags of all (AWS: CloudWatch API Reference, PutDashboard, ListDashboards and TagResource)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fargatectl.sandbox.cloudwatch.state import Members, Tags
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_SERVICE = "cloudwatch"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_WIDEST, _KINDS = 24, ("metric", "text", "log", "alarm", "explorer")


@dataclass(slots=True)
class Dashboards:
    """The dashboards of one account, in all its Regions: name, body and when it was written last."""

    known: dict[str, Members] = field(default_factory=dict)


def _state(region: Region) -> Dashboards:
    return region.cloud.state(Dashboards, region.account, "")


def _arn(region: Region, name: str) -> str:
    return f"arn:aws:cloudwatch::{region.account}:dashboard/{name}"


@HANDLERS.handles(_SERVICE, "PutDashboard")
def put_dashboard(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create or replace a dashboard; tags count for a new one only."""
    name, body = call.params.get("DashboardName") or "", call.params.get("DashboardBody") or ""
    if not _NAME.fullmatch(name):
        raise _refused("DashboardName", f"Invalid dashboard name: {name}")
    _check_body(body)
    known = _state(region).known
    if name not in known:
        tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or []}
        region.state(Tags)[_arn(region, name)] = tags
    known[name] = {"DashboardArn": _arn(region, name), "DashboardBody": body, "DashboardName": name}
    known[name] |= {"LastModified": region.date()}
    return {"DashboardValidationMessages": []}


def _refused(path: str, message: str) -> AwsError:
    problems = [{"DataPath": path, "Message": message}]
    text = f"The dashboard is not valid: {message}"
    return AwsError("InvalidParameterInput", text, dashboardValidationMessages=problems)


def _check_body(body: str) -> None:
    """Refuse what is no dashboard (AWS: CloudWatch API Reference, "Dashboard Body Structure and Syntax")."""
    try:
        content = json.loads(body)
    except ValueError:
        raise _refused("", "The field DashboardBody must be a valid JSON object") from None
    widgets = content.get("widgets") if isinstance(content, dict) else None
    if not isinstance(widgets, list):
        raise _refused("/widgets", "The dashboard body must have an array of widgets")
    for number, widget in enumerate(widgets):
        if widget.get("type") not in _KINDS or not isinstance(widget.get("properties"), dict):
            raise _refused(f"/widgets/{number}", "Should have a known type and properties")
        if not 1 <= widget.get("width", 6) <= _WIDEST or not 0 <= widget.get("x", 0) < _WIDEST:
            raise _refused(f"/widgets/{number}", "Should fit into 24 columns")
        if widget["type"] == "metric" and not widget["properties"].get("region"):
            raise _refused(f"/widgets/{number}/properties", "Should have required property 'region'")


@HANDLERS.handles(_SERVICE, "GetDashboard")
def get_dashboard(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return a dashboard."""
    found = _state(region).known.get(call.params.get("DashboardName") or "")
    if found is None:
        raise _absent(call.params.get("DashboardName") or "")
    return {key: found[key] for key in ("DashboardArn", "DashboardBody", "DashboardName")}


def _absent(name: str) -> AwsError:
    return AwsError("ResourceNotFound", f"Dashboard {name} does not exist", status=404)


@HANDLERS.handles(_SERVICE, "ListDashboards")
def list_dashboards(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return dashboards in short, by the beginning of their names."""
    prefix = call.params.get("DashboardNamePrefix") or ""
    return {
        "DashboardEntries": [
            {
                "DashboardArn": one["DashboardArn"],
                "DashboardName": name,
                "LastModified": one["LastModified"],
                "Size": len(one["DashboardBody"]),
            }
            for name, one in sorted(_state(region).known.items())
            if name.startswith(prefix)
        ]
    }


@HANDLERS.handles(_SERVICE, "DeleteDashboards")
def delete_dashboards(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete dashboards: all that are named, or none."""
    names, known = call.params.get("DashboardNames") or [], _state(region).known
    for name in names:
        if name not in known:
            raise _absent(name)
    for name in names:
        del known[name]
        region.state(Tags).pop(_arn(region, name), None)
    return {}


def _tags(region: Region, arn: str) -> dict[str, str]:
    found = region.state(Tags).get(arn)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Unknown resource {arn}", status=404)
    return found


@HANDLERS.handles(_SERVICE, "TagResource")
def tag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Add tags to an alarm or a dashboard."""
    _tags(region, call.params["ResourceARN"]).update({tag["Key"]: tag["Value"] for tag in call.params["Tags"]})
    return {}


@HANDLERS.handles(_SERVICE, "UntagResource")
def untag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Take tags from an alarm or a dashboard."""
    tags = _tags(region, call.params["ResourceARN"])
    for key in call.params["TagKeys"]:
        tags.pop(key, None)
    return {}


@HANDLERS.handles(_SERVICE, "ListTagsForResource")
def list_tags_for_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the tags of an alarm or a dashboard."""
    tags = _tags(region, call.params["ResourceARN"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
