"""Finding the VPC: one round trip for the VPC, its subnets and routes, one more for endpoints where they matter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.aws import tags
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import FargatectlError, NotFoundError
from fargatectl.model.spec import Spec
from fargatectl.reconcilers.network.topology import Network, Subnet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_ec2.type_defs import (
        RouteTableTypeDef,
        RouteTypeDef,
        SubnetTypeDef,
        VpcEndpointTypeDef,
        VpcTypeDef,
    )

    from fargatectl.aws.session import Aws

Tags = Mapping[str, str]
DEFAULT = "default"
_SHOWN = 5
_GOING = frozenset({"disassociating", "disassociated", "failing", "failed"})
"""EC2 API Reference, SubnetCidrBlockState: an IPv6 CIDR that does not count any more."""


@dataclass(frozen=True, kw_only=True)
class VpcQuery(Spec):
    """Which VPC and which of its subnets are meant.

    vpc: "default", an id, or tags that only one VPC carries. public_subnets, private_subnets: ids or tags; None means
    those whose routes say so.
    """

    vpc: str | Tags = DEFAULT
    public_subnets: tuple[str, ...] | Tags | None = None
    private_subnets: tuple[str, ...] | Tags | None = None


class Vpcs(Lookup[VpcQuery, Network]):
    """Finds VPCs."""

    kind = "network.vpc"

    def read(self, aws: Aws, specs: Sequence[VpcQuery]) -> Sequence[Network | FargatectlError]:
        return [_answer(aws, spec) for spec in specs]


def _answer(aws: Aws, query: VpcQuery) -> Network | FargatectlError:
    try:
        return _look(aws, query)
    except NotFoundError as error:
        return error


def _look(aws: Aws, query: VpcQuery) -> Network:
    vpcs, subnets, tables = aws.together(
        lambda: _all(aws, "describe_vpcs", "Vpcs"),
        lambda: _all(aws, "describe_subnets", "Subnets", query.vpc),
        lambda: _all(aws, "describe_route_tables", "RouteTables", query.vpc),
    )
    vpc = _choose(vpcs, query.vpc, aws.region)
    vpc_id = vpc["VpcId"]
    tables = [table for table in tables if table["VpcId"] == vpc_id]
    mine = [subnet for subnet in subnets if subnet["VpcId"] == vpc_id]
    chosen = _selected(mine, tables, query, vpc_id, aws.region)
    endpoints: list[VpcEndpointTypeDef] = []
    if any(not (subnet.public or subnet.nat) for subnet in chosen):
        # Only what has no other way out depends on endpoints.
        endpoints = _all(aws, "describe_vpc_endpoints", "VpcEndpoints", vpc_id)
    gateways = _gateway_endpoints(endpoints, aws.region)
    return Network(
        vpc_id=vpc_id,
        region=aws.region,
        cidrs=tuple(block["CidrBlock"] for block in vpc.get("CidrBlockAssociationSet", ())) or (vpc["CidrBlock"],),
        ipv6_cidrs=_ipv6_blocks(vpc),
        subnets=tuple(
            replace(subnet, endpoints=gateways.get(_table_id(subnet.id, tables), frozenset())) for subnet in chosen
        ),
        endpoints=_interface_endpoints(endpoints, aws.region),
    )


def _all(aws: Aws, operation: Any, key: str, vpc: str | Tags = DEFAULT) -> list[Any]:  # noqa: ANN401 - a literal
    filters = [{"Name": "vpc-id", "Values": [vpc]}] if isinstance(vpc, str) and vpc != DEFAULT else []
    pages = aws.ec2.get_paginator(operation).paginate(Filters=filters)
    return [item for page in pages for item in page[key]]


def _choose(vpcs: Sequence[VpcTypeDef], wanted: str | Tags, region: str) -> VpcTypeDef:
    if wanted == DEFAULT:
        found, what = [vpc for vpc in vpcs if vpc.get("IsDefault")], "default VPC"
    elif isinstance(wanted, str):
        found, what = [vpc for vpc in vpcs if vpc["VpcId"] == wanted], f"VPC {wanted}"
    else:
        found, what = [vpc for vpc in vpcs if _carries(vpc.get("Tags"), wanted)], f"VPC with {_phrase(wanted)}"
    if len(found) == 1:
        return found[0]
    there = ", ".join(_title(vpc) for vpc in vpcs[:_SHOWN])
    if found:
        message = f"{len(found)} VPCs in {region} have {what.removeprefix('VPC with ')}"
        there = ", ".join(_title(vpc) for vpc in found[:_SHOWN])
        raise NotFoundError(message, path="network.vpc", hint=f'name one of them by id, vpc = "vpc-…": {there}')
    make = f"make it (`aws ec2 create-default-vpc --region {region}`)" if wanted == DEFAULT else "create one"
    other = f'name another one, vpc = "vpc-…" or tags; there are {there}' if there else "change `region`"
    hint = f"{make}, or {other}"
    raise NotFoundError(f"there is no {what} in {region}", path="network.vpc", hint=hint)


def _selected(
    subnets: Sequence[SubnetTypeDef],
    tables: Sequence[RouteTableTypeDef],
    query: VpcQuery,
    vpc_id: str,
    region: str,
) -> list[Subnet]:
    """Return the subnets that may be used, each with its role: as the file says, else as its routes say."""
    routed = {s["SubnetId"]: _routed(s, _table_of(s["SubnetId"], tables)) for s in subnets}
    usable = {s["SubnetId"] for s in subnets if _is_usable(s, region)}
    roles: dict[str, bool] = {}
    for public, selector in ((True, query.public_subnets), (False, query.private_subnets)):
        if selector is None:
            ids = {id_ for id_ in usable if routed[id_].public == public}
        else:
            path = f"network.{'public' if public else 'private'}_subnets"
            ids = _matching(subnets, selector, vpc_id, path)
        for id_ in ids:
            roles.setdefault(id_, public)
    return [replace(routed[id_], public=roles[id_]) for id_ in sorted(roles)]


def _matching(subnets: Sequence[SubnetTypeDef], selector: tuple[str, ...] | Tags, vpc_id: str, path: str) -> set[str]:
    if isinstance(selector, Mapping):
        found = {s["SubnetId"] for s in subnets if _carries(s.get("Tags"), selector)}
        lost = [] if found else [f"subnet with {_phrase(selector)}"]
    else:
        found = {s["SubnetId"] for s in subnets} & set(selector)
        lost = [f"subnet {id_}" for id_ in selector if id_ not in found]
    if lost:
        there = ", ".join(_title(s) for s in subnets[:_SHOWN])
        message = f"there is no {', no '.join(lost)} in {vpc_id}"
        raise NotFoundError(message, path=path, hint=f"there are {there}" if there else "the VPC has no subnets")
    return found


def _is_usable(subnet: SubnetTypeDef, region: str) -> bool:
    """Leave out what neither Fargate nor a load balancer of the Region takes without being asked: Local Zones,
    Outposts, subnets without IPv4."""
    return (
        subnet.get("State", "available") == "available"
        and re.fullmatch(f"{re.escape(region)}[a-z]", subnet["AvailabilityZone"]) is not None
        and not subnet.get("OutpostArn")
        and not subnet.get("Ipv6Native")
    )


def _table_of(subnet_id: str, tables: Sequence[RouteTableTypeDef]) -> RouteTableTypeDef | None:
    """Return the route table of a subnet: the one associated with it, else the VPC's main one."""
    main = None
    for table in tables:
        for association in table.get("Associations", ()):
            if association.get("SubnetId") == subnet_id:
                return table
            main = table if association.get("Main") else main
    return main


def _routed(subnet: SubnetTypeDef, table: RouteTableTypeDef | None) -> Subnet:
    routes = [] if table is None else [route for route in table.get("Routes", ()) if _is_default(route)]
    public = any(route.get("GatewayId", "").startswith("igw-") for route in routes)
    return Subnet(
        id=subnet["SubnetId"],
        zone=subnet["AvailabilityZone"],
        cidr=subnet.get("CidrBlock", ""),
        public=public,
        # Wherever else a default route leads (NAT, transit gateway, firewall): somebody made it to be a way out.
        nat=bool(routes) and not public,
        free_addresses=subnet.get("AvailableIpAddressCount", 0),
        ipv6=bool(_ipv6_blocks(subnet)),
    )


def _ipv6_blocks(thing: VpcTypeDef | SubnetTypeDef) -> tuple[str, ...]:
    """Return the IPv6 CIDRs of a VPC or subnet; those that are about to go are still shown."""
    listed: Any = thing.get("Ipv6CidrBlockAssociationSet", ())
    return tuple(one["Ipv6CidrBlock"] for one in listed if one["Ipv6CidrBlockState"]["State"] not in _GOING)


def _is_default(route: RouteTypeDef) -> bool:
    """Tell whether it is a default route that works: the target of a "blackhole" is gone."""
    return route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State", "active") == "active"


def _gateway_endpoints(endpoints: Sequence[VpcEndpointTypeDef], region: str) -> dict[str, frozenset[str]]:
    """Return, per route table, the services that it leads to through gateway endpoints."""
    found: dict[str, frozenset[str]] = {}
    for endpoint in endpoints:
        if endpoint.get("VpcEndpointType") == "Gateway" and _is_available(endpoint):
            for table in endpoint.get("RouteTableIds", ()):
                found[table] = found.get(table, frozenset()) | {_short(endpoint["ServiceName"], region)}
    return found


def _interface_endpoints(endpoints: Sequence[VpcEndpointTypeDef], region: str) -> frozenset[str]:
    """Return the services that answer inside the VPC under AWS's own names.

    Not S3: image layers need its gateway endpoint (ECS Developer Guide, "Amazon ECR interface VPC endpoints").
    """
    return frozenset(
        _short(endpoint["ServiceName"], region)
        for endpoint in endpoints
        if endpoint.get("VpcEndpointType") == "Interface"
        and endpoint.get("PrivateDnsEnabled")
        and _is_available(endpoint)
    ) - {"s3"}


def _is_available(endpoint: VpcEndpointTypeDef) -> bool:
    return str(endpoint.get("State", "available")).lower() == "available"


def _short(service_name: str, region: str) -> str:
    """Return "ecr.api" for "com.amazonaws.eu-central-1.ecr.api"."""
    return service_name.partition(f".{region}.")[2] or service_name


def _table_id(subnet_id: str, tables: Sequence[RouteTableTypeDef]) -> str:
    table = _table_of(subnet_id, tables)
    return table["RouteTableId"] if table else ""


def _carries(listed: Any, wanted: Tags) -> bool:  # noqa: ANN401 - AWS's list of tags
    return wanted.items() <= tags.as_dict(listed).items()


def _phrase(wanted: Tags) -> str:
    return "the tags " + ", ".join(f"{key}={value}" for key, value in sorted(wanted.items()))


def _title(thing: Any) -> str:  # noqa: ANN401 - a VPC or a subnet
    name = tags.as_dict(thing.get("Tags")).get("Name")
    parts = [part for part in (name, thing.get("CidrBlock")) if part]
    return f"{thing.get('SubnetId') or thing['VpcId']} ({', '.join(parts)})"
