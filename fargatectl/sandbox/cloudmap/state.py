"""What the local Cloud Map knows, and what all its operations share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from fargatectl.sandbox.cloud import Region

Members = dict[str, Any]

_SUBMITTED_SECONDS = 1.0
_SECONDS = {
    "CREATE_NAMESPACE": 30.0,
    "DELETE_NAMESPACE": 20.0,
    "UPDATE_NAMESPACE": 10.0,
    "UPDATE_SERVICE": 10.0,
    "REGISTER_INSTANCE": 3.0,
    "DEREGISTER_INSTANCE": 3.0,
}


@dataclass(slots=True, kw_only=True)
class Namespace:
    """A namespace; `vpc` is empty for one without private DNS."""

    id: str
    arn: str
    name: str
    kind: str
    vpc: str
    description: str
    properties: Members
    creator: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class DiscoveryService:
    """A service with its instances' attributes by their ids."""

    id: str
    arn: str
    name: str
    namespace: str
    members: Members
    creator: str
    created_at: datetime
    instances: dict[str, dict[str, str]] = field(default_factory=dict)
    unhealthy: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Operation:
    """Something that takes its time; `token` is the request's own id."""

    id: str
    kind: str
    targets: dict[str, str]
    created_at: datetime
    updated_at: datetime
    token: str = ""
    status: str = "SUBMITTED"
    error: tuple[str, str] | None = None


@dataclass(slots=True)
class CloudMap:
    """All of Cloud Map in one account's Region."""

    namespaces: dict[str, Namespace] = field(default_factory=dict)
    services: dict[str, DiscoveryService] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)


def invalid(message: str) -> AwsError:
    """Return Cloud Map's refusal of a request."""
    return AwsError("InvalidInput", message)


def namespace(region: Region, reference: str) -> Namespace:
    """Return a namespace by id or ARN. Raises AwsError if there is none."""
    identifier = reference.rpartition("/")[2]
    found = region.state(CloudMap).namespaces.get(identifier)
    if found is None:
        raise AwsError("NamespaceNotFound", f"Namespace {identifier} not found.")
    return found


def service(region: Region, reference: str) -> DiscoveryService:
    """Return a service by id or ARN. Raises AwsError if there is none."""
    identifier = reference.rpartition("/")[2]
    found = region.state(CloudMap).services.get(identifier)
    if found is None:
        raise AwsError("ServiceNotFound", f"Service {identifier} not found.")
    return found


def begin(
    region: Region,
    kind: str,
    targets: dict[str, str],
    finish: Callable[[Operation], None],
    *,
    token: str = "",
) -> str:
    """Start an operation that takes its time; `finish` does the work and may set its error. Returns its id."""
    operation = Operation(
        id=f"{region.hex(32)}-{region.hex(8)}",
        kind=kind,
        targets=targets,
        created_at=region.date(),
        updated_at=region.date(),
        token=token,
    )
    region.state(CloudMap).operations[operation.id] = operation

    def proceed() -> None:
        operation.status, operation.updated_at = "PENDING", region.date()

    def end() -> None:
        finish(operation)
        operation.status, operation.updated_at = "FAIL" if operation.error else "SUCCESS", region.date()

    region.later(_SUBMITTED_SECONDS, proceed)
    region.later(_SECONDS[kind], end)
    return operation.id


def selects(filters: Sequence[Mapping[str, Any]] | None, **values: str) -> bool:
    """Tell whether something with these values passes the filters of a List operation. Raises AwsError for others."""
    for wish in filters or []:
        if wish["Name"] == "RESOURCE_OWNER":
            continue
        if wish["Name"] not in values:
            raise invalid(f"Filter {wish['Name']} is not supported.")
        value, wanted = values[wish["Name"]], wish["Values"]
        begins = wish.get("Condition") == "BEGINS_WITH" and any(value.startswith(prefix) for prefix in wanted)
        if value not in wanted and not begins:
            return False
    return True


def page(params: Mapping[str, Any], items: Sequence[Members]) -> tuple[list[Members], Members]:
    """Return one page, at most a hundred items, and what leads to the next. Raises AwsError for a bad token."""
    size = int(params.get("MaxResults") or 100)
    if not 1 <= size <= 100:  # noqa: PLR2004 - AWS: ListNamespaces, ListServices, ListInstances
        raise AwsError("InvalidInput", "MaxResults must be between 1 and 100.")
    token = str(params.get("NextToken") or "0")
    if not token.isdigit():
        raise invalid("Invalid NextToken.")
    start = int(token)
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return list(items[start : start + size]), more


def tags_in(given: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """Return the tags of a request."""
    return {tag["Key"]: tag["Value"] for tag in given or []}
