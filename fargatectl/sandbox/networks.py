"""The VPC and subnets a file refers to, made as a careful person makes them: two zones, public and private."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import moto_adapter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fargatectl.sandbox.cloud import Region

_CIDR = "10.0.0.0/16"
_ZONES = 2


def provision(region: Region, vpc: Mapping[str, Any] | None, subnets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Create the VPC and the subnets that are referred to and missing; yields a sentence for each thing made."""
    vpc_id = find_vpc(region, vpc)
    if vpc_id is None and vpc is not None:
        vpc_id = _make_vpc(region, vpc)
        yield f"VPC {_title(vpc, vpc_id)} with two public and two private subnets, internet and NAT gateways"
    if vpc_id is None:
        return
    for wish in subnets:
        yield from _provide_subnets(region, vpc_id, wish)
    if vpc and vpc.get("ipv6"):
        yield from _provide_ipv6(region, vpc_id)


def _provide_ipv6(region: Region, vpc_id: str) -> Iterator[str]:
    """Give the VPC and all its subnets IPv6 addresses."""
    if not _ipv6_block(region, vpc_id):
        region.ask("ec2", "AssociateVpcCidrBlock", VpcId=vpc_id, AmazonProvidedIpv6CidrBlock=True)
        yield f"IPv6 addresses for {vpc_id} and its subnets"
    network = ipaddress.ip_network(_ipv6_block(region, vpc_id))
    listed = region.ask("ec2", "DescribeSubnets", Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["Subnets"]
    taken = {one["Ipv6CidrBlock"] for subnet in listed for one in subnet.get("Ipv6CidrBlockAssociationSet", [])}
    free = (str(block) for block in network.subnets(new_prefix=64) if str(block) not in taken)
    for subnet in listed:
        if not subnet.get("Ipv6CidrBlockAssociationSet"):
            region.ask("ec2", "AssociateSubnetCidrBlock", SubnetId=subnet["SubnetId"], Ipv6CidrBlock=next(free))


def _ipv6_block(region: Region, vpc_id: str) -> str:
    vpc = region.ask("ec2", "DescribeVpcs", VpcIds=[vpc_id])["Vpcs"][0]
    return next((str(one["Ipv6CidrBlock"]) for one in vpc.get("Ipv6CidrBlockAssociationSet", [])), "")


def public_subnets(region: Region, vpc: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the VPC that is referred to, and a public subnet of it for each of its zones."""
    vpc_id = find_vpc(region, vpc) or ""
    listed = region.ask("ec2", "DescribeSubnets", Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["Subnets"]
    found = {one["AvailabilityZone"]: one["SubnetId"] for one in listed if one["MapPublicIpOnLaunch"]}
    return vpc_id, list(found.values())


def find_vpc(region: Region, vpc: Mapping[str, Any] | None) -> str | None:
    """Return the VPC that is referred to, the default one where none is; None where there is none."""
    vpc = vpc or {}
    if "id" in vpc:
        filters = [{"Name": "vpc-id", "Values": [vpc["id"]]}]
    elif "tag" in vpc:
        filters = _tag_filters(vpc["tag"])
    else:
        filters = [{"Name": "is-default", "Values": ["true"]}]
    found = region.ask("ec2", "DescribeVpcs", Filters=filters).get("Vpcs", [])
    return str(found[0]["VpcId"]) if found else None


def _make_vpc(region: Region, vpc: Mapping[str, Any]) -> str:
    vpc_id: str = region.ask("ec2", "CreateVpc", CidrBlock=_CIDR)["Vpc"]["VpcId"]
    if "id" in vpc:
        moto_adapter.rename_vpc(region.backend("ec2"), vpc_id, vpc["id"])
        vpc_id = vpc["id"]
    region.ask("ec2", "ModifyVpcAttribute", VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    _tag(region, [vpc_id], vpc.get("tag", {}))
    gateway = region.ask("ec2", "CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    region.ask("ec2", "AttachInternetGateway", InternetGatewayId=gateway, VpcId=vpc_id)
    public = [_make_subnet(region, vpc_id, number, public=True) for number in range(_ZONES)]
    private = [_make_subnet(region, vpc_id, _ZONES + number, public=False) for number in range(_ZONES)]
    _route(region, vpc_id, public, GatewayId=gateway)
    address = region.ask("ec2", "AllocateAddress", Domain="vpc")["AllocationId"]
    nat = region.ask("ec2", "CreateNatGateway", SubnetId=public[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    _route(region, vpc_id, private, NatGatewayId=nat)
    return vpc_id


def _make_subnet(region: Region, vpc_id: str, number: int, *, public: bool) -> str:
    zones = region.ask("ec2", "DescribeAvailabilityZones")["AvailabilityZones"]
    subnet: str = region.ask(
        "ec2",
        "CreateSubnet",
        VpcId=vpc_id,
        CidrBlock=_free_block(region, vpc_id, number),
        AvailabilityZone=zones[number % _ZONES % len(zones)]["ZoneName"],
    )["Subnet"]["SubnetId"]
    if public:
        region.ask("ec2", "ModifySubnetAttribute", SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    _tag(region, [subnet], {"Name": "public" if public else "private"})
    return subnet


def _free_block(region: Region, vpc_id: str, number: int) -> str:
    vpc = region.ask("ec2", "DescribeVpcs", VpcIds=[vpc_id])["Vpcs"][0]
    prefix = ".".join(vpc["CidrBlock"].split(".")[:2])
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    taken = {subnet["CidrBlock"] for subnet in region.ask("ec2", "DescribeSubnets", Filters=filters)["Subnets"]}
    # /20 is what a default VPC uses as well, so that new blocks fall between, never across, the existing ones.
    blocks = (f"{prefix}.{third}.0/20" for third in [*range(number * 16, 256, 16), *range(0, 256, 16)])
    return next(block for block in blocks if block not in taken)


def _route(region: Region, vpc_id: str, subnets: Sequence[str], **target: str) -> None:
    table = region.ask("ec2", "CreateRouteTable", VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    region.ask("ec2", "CreateRoute", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
    for subnet in subnets:
        region.ask("ec2", "AssociateRouteTable", RouteTableId=table, SubnetId=subnet)


def _provide_subnets(region: Region, vpc_id: str, wish: Mapping[str, Any]) -> Iterator[str]:
    if "ids" in wish:
        yield from _provide_by_id(region, vpc_id, wish)
        return
    of_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
    if region.ask("ec2", "DescribeSubnets", Filters=[*of_vpc, *_tag_filters(wish["tag"])])["Subnets"]:
        return
    public = bool(wish.get("public", True))
    name = "public" if public else "private"
    named = [*of_vpc, *_tag_filters({"Name": name})]
    known = [subnet["SubnetId"] for subnet in region.ask("ec2", "DescribeSubnets", Filters=named)["Subnets"]]
    chosen = known or _make_pair(region, vpc_id, public=public)
    _tag(region, chosen, wish["tag"])
    yield f"{name} subnets tagged {_title(wish, '')}"


def _provide_by_id(region: Region, vpc_id: str, wish: Mapping[str, Any]) -> Iterator[str]:
    for number, identifier in enumerate(wish["ids"]):
        filters = [{"Name": "subnet-id", "Values": [identifier]}]
        if region.ask("ec2", "DescribeSubnets", Filters=filters)["Subnets"]:
            continue
        public = bool(wish.get("public", True))
        made = _make_subnet(region, vpc_id, number, public=public)
        moto_adapter.rename_subnet(region.backend("ec2"), made, identifier)
        _route_as(region, vpc_id, [identifier], public=public)
        yield f"subnet {identifier}"


def _make_pair(region: Region, vpc_id: str, *, public: bool) -> list[str]:
    made = [_make_subnet(region, vpc_id, number, public=public) for number in range(_ZONES)]
    _route_as(region, vpc_id, made, public=public)
    return made


def _route_as(region: Region, vpc_id: str, subnets: Sequence[str], *, public: bool) -> None:
    gateways = region.ask(
        "ec2", "DescribeInternetGateways", Filters=[{"Name": "attachment.vpc-id", "Values": [vpc_id]}]
    )["InternetGateways"]
    if public and gateways:
        _route(region, vpc_id, subnets, GatewayId=gateways[0]["InternetGatewayId"])
        return
    known = [{"Name": "vpc-id", "Values": [vpc_id]}]
    nats = region.ask("ec2", "DescribeNatGateways", Filter=known).get("NatGateways", [])
    if nats:
        _route(region, vpc_id, subnets, NatGatewayId=nats[0]["NatGatewayId"])
        return
    others = region.ask("ec2", "DescribeSubnets", Filters=known)["Subnets"]
    home = next(subnet["SubnetId"] for subnet in others if subnet["MapPublicIpOnLaunch"])
    address = region.ask("ec2", "AllocateAddress", Domain="vpc")["AllocationId"]
    nat = region.ask("ec2", "CreateNatGateway", SubnetId=home, AllocationId=address)["NatGateway"]["NatGatewayId"]
    _route(region, vpc_id, subnets, NatGatewayId=nat)


def _tag_filters(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]


def _tag(region: Region, resources: Sequence[str], tags: Mapping[str, str]) -> None:
    if tags:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        region.ask("ec2", "CreateTags", Resources=list(resources), Tags=pairs)


def _title(wish: Mapping[str, Any], identifier: str) -> str:
    return ", ".join(f"{key}={value}" for key, value in wish.get("tag", {}).items()) or identifier
