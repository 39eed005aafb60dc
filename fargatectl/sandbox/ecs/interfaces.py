"""The elastic network interfaces of tasks: one each, with a private address of its subnet."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.ecs.state import Ecs, Interface, Members
from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fargatectl.sandbox.cloud import Region

_FIRST = 10  # AWS keeps the first four addresses of a subnet; the rest of the gap leaves room for load balancers


def plan(region: Region, network: Mapping[str, Any], neighbours: Iterable[Interface]) -> Interface:
    """Return the interface that a new task will get: in the subnet with the fewest neighbours, as ECS spreads zones."""
    settings = network["awsvpcConfiguration"]
    taken = [neighbour.subnet for neighbour in neighbours]
    subnet: str = min(settings["subnets"], key=lambda one: (taken.count(one), settings["subnets"].index(one)))
    found = region.moto("ec2", "DescribeSubnets", SubnetIds=[subnet])["Subnets"][0]
    return Interface(
        attachment=region.uuid(),
        subnet=subnet,
        zone=found["AvailabilityZone"],
        groups=list(settings.get("securityGroups") or []) or _default_group(region, found["VpcId"]),
        public=settings.get("assignPublicIp") == "ENABLED",
    )


def _default_group(region: Region, vpc: str) -> list[str]:
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    groups = region.moto("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    return [group["GroupId"] for group in groups]


def provision(region: Region, interface: Interface) -> None:
    """Create the interface in EC2. Raises AwsError if its subnet or a security group is gone."""
    made = region.moto(
        "ec2",
        "CreateNetworkInterface",
        SubnetId=interface.subnet,
        Groups=interface.groups,
        PrivateIpAddress=_next_address(region, interface.subnet),
        Description=region.arn("ecs", f"attachment/{interface.attachment}"),
    )["NetworkInterface"]
    interface.id, interface.mac = made["NetworkInterfaceId"], made.get("MacAddress", "")
    interface.address = made["PrivateIpAddress"]
    interface.status = "ATTACHED"


def _next_address(region: Region, subnet: str) -> str:
    block = ipaddress.ip_network(region.moto("ec2", "DescribeSubnets", SubnetIds=[subnet])["Subnets"][0]["CidrBlock"])
    addresses = region.state(Ecs).addresses
    room = block.num_addresses - _FIRST - 1
    number = addresses.get(subnet, 0)
    addresses[subnet] = number + 1
    return str(block[_FIRST + number % max(1, room)])


def release(region: Region, interface: Interface) -> None:
    """Delete the interface from EC2; its security groups and subnet are free from now on."""
    if interface.id:
        with suppress(AwsError):  # somebody may have deleted it
            region.moto("ec2", "DeleteNetworkInterface", NetworkInterfaceId=interface.id)
    interface.status = "DELETED"


def show(interface: Interface) -> Members:
    """Return the interface as the attachment that DescribeTasks shows."""
    details = {
        "subnetId": interface.subnet,
        "networkInterfaceId": interface.id,
        "macAddress": interface.mac,
        "privateDnsName": f"ip-{interface.address.replace('.', '-')}.ec2.internal" if interface.address else "",
        "privateIPv4Address": interface.address,
    }
    return {
        "id": interface.attachment,
        "type": "ElasticNetworkInterface",
        "status": interface.status,
        "details": [{"name": name, "value": value} for name, value in details.items() if value],
    }
