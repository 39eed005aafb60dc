"""What the autoscaler knows, and what its operations have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.sandbox.cloud import Region

SERVICE = "application-autoscaling"

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


def key_of(params: Mapping[str, Any]) -> Key:
    """Return what a request names. Raises AwsError where it leaves something out."""
    for name in ("ServiceNamespace", "ResourceId", "ScalableDimension"):
        if not params.get(name):
            raise invalid(f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: not null")
    return params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"]


def absent(what: str, key: Key) -> AwsError:
    """Return the refusal of what does not exist."""
    namespace, resource, dimension = key
    return AwsError(
        "ObjectNotFoundException",
        f"No {what} found for service namespace: {namespace}, resource ID: {resource}, scalable dimension: {dimension}",
    )


def target_of(region: Region, key: Key) -> Members:
    """Return a scalable target. Raises AwsError."""
    found = region.state(Scaling).targets.get(key)
    if found is None:
        raise absent("scalable target", key)
    return found


def matches(params: Mapping[str, Any], key: Key) -> bool:
    """Tell whether something is among what a request asks for."""
    asked = (params.get("ServiceNamespace"), params.get("ResourceId"), params.get("ScalableDimension"))
    return all(want in (None, have) for want, have in zip(asked, key, strict=True))


def page(params: Mapping[str, Any], items: Sequence[Members], most: int) -> tuple[list[Members], Members]:
    """Return one page and the members that lead to the next. Raises AwsError for a bad token."""
    size = min(int(params.get("MaxResults") or most), most)
    token = str(params.get("NextToken") or "0")
    if not token.isdigit():
        raise AwsError("InvalidNextTokenException", "The next token supplied was invalid.")
    start = int(token)
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return list(items[start : start + size]), more


def note(region: Region, key: Key, description: str, cause: str) -> None:
    """Remember what the autoscaler did."""
    region.state(Scaling).activities.append(
        {
            "ActivityId": region.uuid(),
            "ServiceNamespace": key[0],
            "ResourceId": key[1],
            "ScalableDimension": key[2],
            "Description": description,
            "Cause": cause,
            "StartTime": region.date(),
            "EndTime": region.date(),
            "StatusCode": "Successful",
            "StatusMessage": f"Successfully: {description} Change successfully fulfilled by ecs.",
        }
    )
