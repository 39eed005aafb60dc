"""What a subnet can reach: its route table and the VPC endpoints beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.sandbox.cloud import Region


def _subnet(region: Region, subnet: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = region.moto("ec2", "DescribeSubnets", SubnetIds=[subnet])["Subnets"]
    return found[0]


def _table(region: Region, subnet: str) -> dict[str, Any]:
    """Return the route table of a subnet: its own, else the VPC's main one."""
    vpc = _subnet(region, subnet)["VpcId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    tables: list[dict[str, Any]] = region.moto("ec2", "DescribeRouteTables", Filters=filters)["RouteTables"]
    main = tables[0]
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("SubnetId") == subnet:
                return table
            if association.get("Main"):
                main = table
    return main


def reaches_internet(region: Region, subnet: str, *, public_address: bool) -> bool:
    """Tell whether a task in a subnet reaches the internet: by NAT, or by a public address and an internet gateway."""
    for route in _table(region, subnet).get("Routes", []):
        if route.get("DestinationCidrBlock") != "0.0.0.0/0" or route.get("State") == "blackhole":
            continue
        gateway = route.get("GatewayId", "")
        if gateway.startswith("igw-"):
            return public_address
        return any(route.get(key) for key in ("NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId"))
    return False


def reaches_services(region: Region, subnet: str, services: Sequence[str]) -> bool:
    """Tell whether the VPC of a subnet has endpoints for all these services ("ecr.api")."""
    vpc = _subnet(region, subnet)["VpcId"]
    endpoints = region.moto("ec2", "DescribeVpcEndpoints", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    names = {endpoint["ServiceName"] for endpoint in endpoints.get("VpcEndpoints", [])}
    return all(f"com.amazonaws.{region.name}.{service}" in names for service in services)
