"""Namespaces and operations (AWS: Cloud Map API Reference, CreatePrivateDnsNamespace and its neighbours)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.cloudmap.state import (
    CloudMap,
    Members,
    Namespace,
    Operation,
    begin,
    invalid,
    namespace as find_namespace,
    page,
    selects,
    tags_in,
)
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_SERVICE = "servicediscovery"
_KINDS = {
    "CreatePrivateDnsNamespace": "DNS_PRIVATE",
    "CreatePublicDnsNamespace": "DNS_PUBLIC",
    "CreateHttpNamespace": "HTTP",
}
_LONGEST_DNS_NAME = 253


@HANDLERS.handles(_SERVICE, *_KINDS)
def create_namespace(region: Region, call: Call, _forward: Forward) -> Answer:
    """Begin to create a namespace; it is there when the operation has succeeded."""
    params, kind = call.params, _KINDS[call.operation]
    name = params.get("Name", "")
    if not name or (kind != "HTTP" and len(name) > _LONGEST_DNS_NAME):
        raise invalid(f"Invalid namespace name: {name!r}")
    creator = params.get("CreatorRequestId") or ""
    _refuse_repetition(region, name, kind, creator)
    identifier = f"ns-{region.hex(16)}"
    made = Namespace(
        id=identifier,
        arn=region.arn(_SERVICE, f"namespace/{identifier}"),
        name=name,
        kind=kind,
        vpc=params.get("Vpc", ""),
        description=params.get("Description", ""),
        properties={},
        creator=creator,
        created_at=region.date(),
    )
    time_to_live = ((params.get("Properties") or {}).get("DnsProperties") or {}).get("SOA")

    def finish(operation: Operation) -> None:
        if kind == "DNS_PRIVATE" and not _has_vpc(region, made.vpc):
            reason = (
                "The VPC ID that you specified either isn't a valid ID or the current account is not authorized to "
            )
            operation.error = ("CANNOT_CREATE_HOSTED_ZONE", f"{reason}access this VPC.")
            return
        if kind != "HTTP" and _overlaps(region, made):
            taken = f"The VPC that you chose, {made.vpc} in region {region.name}, is already associated with another "
            detail = "private hosted zone that has an overlapping name space."
            operation.error = ("CANNOT_CREATE_HOSTED_ZONE", taken + detail)
            return
        made.properties = _properties(region, made, time_to_live)
        region.state(CloudMap).namespaces[identifier] = made
        region.state(CloudMap).tags[made.arn] = tags_in(params.get("Tags"))

    targets = {"NAMESPACE": identifier}
    return {"OperationId": begin(region, "CREATE_NAMESPACE", targets, finish, token=creator)}


def provide(region: Region, name: str, vpc: str) -> None:
    """Have a private DNS namespace in the VPC at once, as one that was there all along."""
    identifier = f"ns-{region.hex(16)}"
    made = Namespace(
        id=identifier,
        arn=region.arn(_SERVICE, f"namespace/{identifier}"),
        name=name,
        kind="DNS_PRIVATE",
        vpc=vpc,
        description="",
        properties={},
        creator="",
        created_at=region.date(),
    )
    made.properties = _properties(region, made, None)
    region.state(CloudMap).namespaces[identifier] = made
    region.state(CloudMap).tags[made.arn] = {}


def _refuse_repetition(region: Region, name: str, kind: str, creator: str) -> None:
    state = region.state(CloudMap)
    for operation in state.operations.values():
        if creator and operation.token == creator and operation.status in ("SUBMITTED", "PENDING"):
            raise AwsError(
                "DuplicateRequest", "The operation is already in progress.", DuplicateOperationId=operation.id
            )
    for known in state.namespaces.values():
        if known.name == name and ((creator and known.creator == creator) or (kind == known.kind == "HTTP")):
            raise AwsError(
                "NamespaceAlreadyExists",
                "The namespace that you're trying to create already exists.",
                CreatorRequestId=known.creator,
                NamespaceId=known.id,
            )


def _has_vpc(region: Region, vpc: str) -> bool:
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    return bool(region.moto("ec2", "DescribeVpcs", Filters=filters)["Vpcs"])


def _overlaps(region: Region, made: Namespace) -> bool:
    return any(
        known.vpc == made.vpc and known.kind == made.kind and known.name.lower() == made.name.lower()
        for known in region.state(CloudMap).namespaces.values()
    )


def _properties(region: Region, made: Namespace, soa: Members | None) -> Members:
    if made.kind == "HTTP":
        return {"HttpProperties": {"HttpName": made.name}}
    place = {"VPC": {"VPCRegion": region.name, "VPCId": made.vpc}} if made.vpc else {}
    settings = {"HostedZoneConfig": {"PrivateZone": bool(made.vpc), "Comment": "Created by AWS Cloud Map"}}
    zone = region.ask("route53", "CreateHostedZone", Name=made.name, CallerReference=made.id, **place, **settings)
    identifier = zone["HostedZone"]["Id"].rpartition("/")[2]
    return {
        "DnsProperties": {"HostedZoneId": identifier, "SOA": soa or {"TTL": 15}},
        "HttpProperties": {"HttpName": made.name},
    }


@HANDLERS.handles(_SERVICE, "DeleteNamespace")
def delete_namespace(region: Region, call: Call, _forward: Forward) -> Answer:
    """Begin to delete a namespace that has no services left, with its hosted zone."""
    found = find_namespace(region, call.params["Id"])
    state = region.state(CloudMap)
    if any(service.namespace == found.id for service in state.services.values()):
        raise AwsError("ResourceInUse", "The namespace contains services; delete them before deleting the namespace.")

    def finish(_operation: Operation) -> None:
        state.namespaces.pop(found.id, None)
        state.tags.pop(found.arn, None)
        zone = found.properties.get("DnsProperties", {}).get("HostedZoneId")
        if zone:
            with suppress(AwsError):
                region.ask("route53", "DeleteHostedZone", Id=zone)

    return {"OperationId": begin(region, "DELETE_NAMESPACE", {"NAMESPACE": found.id}, finish)}


@HANDLERS.handles(_SERVICE, "UpdatePrivateDnsNamespace", "UpdatePublicDnsNamespace", "UpdateHttpNamespace")
def update_namespace(region: Region, call: Call, _forward: Forward) -> Answer:
    """Begin to change a namespace's description or the TTL of its SOA record."""
    found, change = find_namespace(region, call.params["Id"]), call.params["Namespace"]

    def finish(_operation: Operation) -> None:
        found.description = change.get("Description", found.description)
        soa = ((change.get("Properties") or {}).get("DnsProperties") or {}).get("SOA")
        if soa:
            found.properties["DnsProperties"]["SOA"] = soa

    return {"OperationId": begin(region, "UPDATE_NAMESPACE", {"NAMESPACE": found.id}, finish)}


@HANDLERS.handles(_SERVICE, "GetNamespace")
def get_namespace(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return a namespace."""
    found = find_namespace(region, call.params["Id"])
    return {"Namespace": {**_show(region, found), "CreatorRequestId": found.creator}}


def _show(region: Region, found: Namespace) -> Members:
    services = region.state(CloudMap).services.values()
    shown: Members = {
        "Id": found.id,
        "Arn": found.arn,
        "ResourceOwner": region.account,
        "Name": found.name,
        "Type": found.kind,
        "ServiceCount": sum(service.namespace == found.id for service in services),
        "Properties": found.properties,
        "CreateDate": found.created_at,
    }
    return shown | ({"Description": found.description} if found.description else {})


@HANDLERS.handles(_SERVICE, "ListNamespaces")
def list_namespaces(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return namespaces by type, name or HTTP name."""
    found = [
        _show(region, known)
        for known in region.state(CloudMap).namespaces.values()
        if selects(call.params.get("Filters"), TYPE=known.kind, NAME=known.name, HTTP_NAME=known.name)
    ]
    shown, more = page(call.params, found)
    return {"Namespaces": shown, **more}


@HANDLERS.handles(_SERVICE, "GetOperation")
def get_operation(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return how far an operation is."""
    operation = region.state(CloudMap).operations.get(call.params["OperationId"])
    if operation is None:
        raise AwsError("OperationNotFound", f"Operation {call.params['OperationId']} not found.")
    return {"Operation": _show_operation(region, operation)}


def _show_operation(region: Region, operation: Operation) -> Members:
    shown: Members = {
        "Id": operation.id,
        "OwnerAccount": region.account,
        "Type": operation.kind,
        "Status": operation.status,
        "CreateDate": operation.created_at,
        "UpdateDate": operation.updated_at,
        "Targets": operation.targets,
    }
    if operation.error and operation.status == "FAIL":
        shown["ErrorCode"], shown["ErrorMessage"] = operation.error
    return shown


@HANDLERS.handles(_SERVICE, "ListOperations")
def list_operations(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return operations by target, status or type."""

    def passes(operation: Operation) -> bool:
        return selects(
            call.params.get("Filters"),
            NAMESPACE_ID=operation.targets.get("NAMESPACE", ""),
            SERVICE_ID=operation.targets.get("SERVICE", ""),
            STATUS=operation.status,
            TYPE=operation.kind,
        )

    known = region.state(CloudMap).operations.values()
    found = [{"Id": operation.id, "Status": operation.status} for operation in known if passes(operation)]
    shown, more = page(call.params, found)
    return {"Operations": shown, **more}


def _tags(region: Region, params: Mapping[str, Any]) -> dict[str, str]:
    tags = region.state(CloudMap).tags.get(params["ResourceARN"])
    if tags is None:
        raise AwsError("ResourceNotFoundException", f"The resource was not found: {params['ResourceARN']}")
    return tags


@HANDLERS.handles(_SERVICE, "TagResource")
def tag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Add tags."""
    _tags(region, call.params).update(tags_in(call.params.get("Tags")))
    return {}


@HANDLERS.handles(_SERVICE, "UntagResource")
def untag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Take tags away."""
    tags = _tags(region, call.params)
    for key in call.params.get("TagKeys") or []:
        tags.pop(key, None)
    return {}


@HANDLERS.handles(_SERVICE, "ListTagsForResource")
def list_tags_for_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return tags."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in _tags(region, call.params).items()]}
