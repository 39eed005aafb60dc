"""Services and instances (AWS: Cloud Map API Reference, CreateService and RegisterInstance and their neighbours)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.cloudmap.state import (
    CloudMap,
    DiscoveryService,
    Members,
    Namespace,
    Operation,
    begin,
    invalid,
    namespace as find_namespace,
    page,
    selects,
    service as find_service,
    tags_in,
)
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_SERVICE = "servicediscovery"
_RECORDS = ("A", "AAAA", "CNAME", "SRV")


@HANDLERS.handles(_SERVICE, "CreateService")
def create_service(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create a service, at once; its name is unique in its namespace without regard to case."""
    params = call.params
    dns = params.get("DnsConfig")
    reference = params.get("NamespaceId") or (dns or {}).get("NamespaceId")
    if not reference:
        raise invalid("A namespace must be specified.")
    home = find_namespace(region, reference)
    _refuse_twin(region, home, params["Name"])
    identifier = f"srv-{region.hex(16)}"
    made = DiscoveryService(
        id=identifier,
        arn=region.arn(_SERVICE, f"service/{identifier}"),
        name=params["Name"],
        namespace=home.id,
        members=_members(home, params),
        creator=params.get("CreatorRequestId") or "",
        created_at=region.date(),
    )
    region.state(CloudMap).services[identifier] = made
    region.state(CloudMap).tags[made.arn] = tags_in(params.get("Tags"))
    return {"Service": {**_show(region, made), "NamespaceId": home.id, "CreatorRequestId": made.creator}}


def _refuse_twin(region: Region, home: Namespace, name: str) -> None:
    for known in region.state(CloudMap).services.values():
        if known.namespace == home.id and known.name.lower() == name.lower():
            raise AwsError(
                "ServiceAlreadyExists",
                "The service can't be created because a service with the same name already exists.",
                CreatorRequestId=known.creator,
                ServiceId=known.id,
                ServiceArn=known.arn,
            )


def _members(home: Namespace, params: Mapping[str, Any]) -> Members:
    dns = params.get("DnsConfig")
    if dns and home.kind == "HTTP":
        raise invalid("DnsConfig can't be specified for a service in an HTTP namespace.")
    members: Members = {"Type": "HTTP" if home.kind == "HTTP" or params.get("Type") == "HTTP" else "DNS_HTTP"}
    if params.get("Description"):
        members["Description"] = params["Description"]
    if dns:
        members["DnsConfig"] = {"RoutingPolicy": "MULTIVALUE", **dns, "NamespaceId": home.id}
        _check_records(dns.get("DnsRecords") or [])
    if params.get("HealthCheckConfig") and params.get("HealthCheckCustomConfig") is not None:
        raise invalid("Specify either HealthCheckConfig or HealthCheckCustomConfig, not both.")
    if params.get("HealthCheckConfig") and home.kind == "DNS_PRIVATE":
        raise invalid("HealthCheckConfig can't be specified for a service in a private DNS namespace.")
    if params.get("HealthCheckConfig"):
        members["HealthCheckConfig"] = params["HealthCheckConfig"]
    if params.get("HealthCheckCustomConfig") is not None:
        members["HealthCheckCustomConfig"] = {"FailureThreshold": 1}  # AWS: always 1, whatever is sent
    return members


def _check_records(records: list[Mapping[str, Any]]) -> None:
    kinds = [record.get("Type") for record in records]
    if not kinds or any(kind not in _RECORDS for kind in kinds) or len(set(kinds)) < len(kinds):
        raise invalid("DnsRecords must hold one or more different types of A, AAAA, CNAME and SRV.")
    if "CNAME" in kinds and len(kinds) > 1:
        raise invalid("CNAME records cannot be combined with other types.")


@HANDLERS.handles(_SERVICE, "UpdateService")
def update_service(region: Region, call: Call, _forward: Forward) -> Answer:
    """Begin to change a service: DNS records and health check that are left out are deleted."""
    found, change = find_service(region, call.params["Id"]), call.params["Service"]
    if find_namespace(region, found.namespace).kind == "HTTP":
        raise invalid("Services in an HTTP namespace can't be updated.")
    records = (change.get("DnsConfig") or {}).get("DnsRecords")
    before = [record["Type"] for record in (found.members.get("DnsConfig") or {}).get("DnsRecords", [])]
    if records and sorted(record["Type"] for record in records) != sorted(before):
        raise invalid("The types of DNS records of a service can't be changed.")

    def finish(_operation: Operation) -> None:
        if "Description" in change:
            found.members["Description"] = change["Description"]
        if records:
            found.members["DnsConfig"] = {**found.members["DnsConfig"], "DnsRecords": records}
        else:
            found.members.pop("DnsConfig", None)
        found.members.pop("HealthCheckConfig", None)
        if change.get("HealthCheckConfig"):
            found.members["HealthCheckConfig"] = change["HealthCheckConfig"]

    return {"OperationId": begin(region, "UPDATE_SERVICE", {"SERVICE": found.id}, finish)}


@HANDLERS.handles(_SERVICE, "DeleteService")
def delete_service(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete a service, at once, if no instance is registered any more."""
    found = find_service(region, call.params["Id"])
    if found.instances:
        raise AwsError(
            "ResourceInUse",
            "Service contains registered instances; delete the instances before deleting the service",
        )
    del region.state(CloudMap).services[found.id]
    region.state(CloudMap).tags.pop(found.arn, None)
    return {}


@HANDLERS.handles(_SERVICE, "GetService")
def get_service(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return a service."""
    found = find_service(region, call.params["Id"])
    shown = {**_show(region, found), "NamespaceId": found.namespace, "CreatorRequestId": found.creator}
    return {"Service": shown}


def _show(region: Region, found: DiscoveryService) -> Members:
    return {
        "Id": found.id,
        "Arn": found.arn,
        "ResourceOwner": region.account,
        "Name": found.name,
        "InstanceCount": len(found.instances),
        "CreateDate": found.created_at,
        "CreatedByAccount": region.account,
        **found.members,
    }


@HANDLERS.handles(_SERVICE, "ListServices")
def list_services(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return services by namespace."""
    found = [
        _show(region, known)
        for known in region.state(CloudMap).services.values()
        if selects(call.params.get("Filters"), NAMESPACE_ID=known.namespace)
    ]
    shown, more = page(call.params, found)
    return {"Services": shown, **more}


def register(region: Region, service_arn: str, instance: str, attributes: dict[str, str]) -> None:
    """Register an instance at once, as ECS does. Raises AwsError if the service is gone."""
    find_service(region, service_arn).instances[instance] = attributes


def deregister(region: Region, service_arn: str, instance: str) -> None:
    """Take an instance out at once. Raises AwsError if the service is gone."""
    found = find_service(region, service_arn)
    found.instances.pop(instance, None)
    found.unhealthy.discard(instance)


@HANDLERS.handles(_SERVICE, "RegisterInstance")
def register_instance(region: Region, call: Call, _forward: Forward) -> Answer:
    """Begin to register an instance."""
    found, name = find_service(region, call.params["ServiceId"]), call.params["InstanceId"]
    attributes = dict(call.params.get("Attributes") or {})

    def finish(_operation: Operation) -> None:
        found.instances[name] = attributes

    targets = {"INSTANCE": name, "SERVICE": found.id}
    return {"OperationId": begin(region, "REGISTER_INSTANCE", targets, finish)}


@HANDLERS.handles(_SERVICE, "DeregisterInstance")
def deregister_instance(region: Region, call: Call, _forward: Forward) -> Answer:
    """Begin to take an instance out."""
    found, name = find_service(region, call.params["ServiceId"]), call.params["InstanceId"]
    _require(found, name)

    def finish(_operation: Operation) -> None:
        found.instances.pop(name, None)

    targets = {"INSTANCE": name, "SERVICE": found.id}
    return {"OperationId": begin(region, "DEREGISTER_INSTANCE", targets, finish)}


def _require(found: DiscoveryService, name: str) -> dict[str, str]:
    if name not in found.instances:
        raise AwsError("InstanceNotFound", f"Instance {name} not found.")
    return found.instances[name]


@HANDLERS.handles(_SERVICE, "GetInstance")
def get_instance(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return an instance."""
    attributes = _require(find_service(region, call.params["ServiceId"]), call.params["InstanceId"])
    return {"Instance": {"Id": call.params["InstanceId"], "Attributes": attributes}}


@HANDLERS.handles(_SERVICE, "ListInstances")
def list_instances(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return a service's instances."""
    instances = find_service(region, call.params["ServiceId"]).instances
    shown, more = page(call.params, [{"Id": name, "Attributes": given} for name, given in instances.items()])
    return {"Instances": shown, **more}


@HANDLERS.handles(_SERVICE, "UpdateInstanceCustomHealthStatus")
def update_instance_custom_health_status(region: Region, call: Call, _forward: Forward) -> Answer:
    """Set what a custom health check found."""
    found = find_service(region, call.params["ServiceId"])
    _require(found, call.params["InstanceId"])
    if "HealthCheckCustomConfig" not in found.members:
        raise AwsError("CustomHealthNotFound", "The service has no custom health check.")
    if call.params["Status"] == "UNHEALTHY":
        found.unhealthy.add(call.params["InstanceId"])
    else:
        found.unhealthy.discard(call.params["InstanceId"])
    return {}


@HANDLERS.handles(_SERVICE, "GetInstancesHealthStatus")
def get_instances_health_status(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the health of a service's instances."""
    found = find_service(region, call.params["ServiceId"])
    wanted = call.params.get("Instances") or list(found.instances)
    return {"Status": {name: _health(found, name) for name in wanted if name in found.instances}}


def _health(found: DiscoveryService, name: str) -> str:
    return "UNHEALTHY" if name in found.unhealthy else "HEALTHY"


@HANDLERS.handles(_SERVICE, "DiscoverInstances")
def discover_instances(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the healthy instances of a service by the names of its namespace and itself."""
    state = region.state(CloudMap)
    homes = {known.id for known in state.namespaces.values() if known.name == call.params["NamespaceName"]}
    if not homes:
        raise AwsError("NamespaceNotFound", f"Namespace {call.params['NamespaceName']} not found.")
    name = call.params["ServiceName"].lower()
    found = next((one for one in state.services.values() if one.namespace in homes and one.name.lower() == name), None)
    if found is None:
        raise AwsError("ServiceNotFound", f"Service {call.params['ServiceName']} not found.")
    wanted = call.params.get("HealthStatus", "HEALTHY_OR_ELSE_ALL")
    shown = [
        {
            "InstanceId": name,
            "NamespaceName": call.params["NamespaceName"],
            "ServiceName": found.name,
            "HealthStatus": _health(found, name),
            "Attributes": attributes,
        }
        for name, attributes in found.instances.items()
        if wanted in ("ALL", _health(found, name), "HEALTHY_OR_ELSE_ALL")
    ]
    return {"Instances": shown, "InstancesRevision": len(shown)}
