"""Load balancers (AWS: ELB v2 API Reference, CreateLoadBalancer and its neighbours)."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.manners.attributes import refuse_more_than_twenty
from fargatectl.sandbox.manners.paging import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

PROVISION_SECONDS = 90.0
RELEASE_SECONDS = 30.0
_LONGEST_NAME = 32
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_DUAL = ("dualstack", "dualstack-without-public-ipv4")
_LEAST_ADDRESSES = 8


@dataclass(slots=True)
class Balancers:
    """What moto does not keep, by load balancer ARN: the request that made it, when it is active, its interfaces."""

    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    active_at: dict[str, float] = field(default_factory=dict)
    interfaces: dict[str, dict[str, str]] = field(default_factory=dict)


@HANDLERS.handles("elbv2", "CreateLoadBalancer")
def create_load_balancer(region: Region, call: Call, forward: Forward) -> Answer:
    """Create a load balancer; equal settings return the one that exists, others of that name are refused."""
    params, state = call.params, region.state(Balancers)
    request = {key: value for key, value in params.items() if key != "Tags"}
    for known in _all(region):
        if known["LoadBalancerName"] == params["Name"]:
            if state.requests.get(known["LoadBalancerArn"]) == request:
                return {"LoadBalancers": [_show(region, known)]}
            message = f"A load balancer with the same name '{params['Name']}' exists, but with different settings"
            raise AwsError("DuplicateLoadBalancerName", message)
    _check_name(params["Name"])
    subnets = _subnets(region, params)
    _check_addresses(subnets, params.get("IpAddressType"))
    groups = params.get("SecurityGroups") or _default_group(region, subnets[0]["VpcId"])
    _check_groups(region, groups)
    _check_gateway(region, params, subnets[0]["VpcId"])
    made = forward({**params, "SecurityGroups": groups, "Scheme": params.get("Scheme") or "internet-facing"})
    balancer = made["LoadBalancers"][0]
    arn = balancer["LoadBalancerArn"]
    state.requests[arn] = request
    state.active_at[arn] = region.now + PROVISION_SECONDS
    _place(region, arn, [subnet["SubnetId"] for subnet in subnets], groups)
    return {"LoadBalancers": [_show(region, balancer)]}


def _all(region: Region) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = region.moto("elbv2", "DescribeLoadBalancers", PageSize=ALL).get("LoadBalancers", [])
    return found


def _check_name(name: str) -> None:
    if len(name) > _LONGEST_NAME:
        raise AwsError("ValidationError", f"The load balancer name '{name}' cannot be longer than '32' characters")
    if name.startswith("internal-"):
        raise AwsError("ValidationError", f"The load balancer name '{name}' cannot begin with 'internal-'")
    if not _NAME.fullmatch(name):
        message = f"The load balancer name '{name}' can only contain characters that are alphanumeric characters and "
        raise AwsError("ValidationError", f"{message}hyphens(-), and cannot begin or end with a hyphen")


def _subnets(region: Region, params: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    wanted = params.get("Subnets") or [one["SubnetId"] for one in params.get("SubnetMappings") or []]
    try:
        found: list[dict[str, Any]] = region.moto("ec2", "DescribeSubnets", SubnetIds=wanted)["Subnets"]
    except AwsError as error:
        raise AwsError("SubnetNotFound", error.message) from error
    zones = [subnet["AvailabilityZone"] for subnet in found]
    if params.get("Type", "application") == "application" and len(set(zones)) < 2:  # noqa: PLR2004 - AWS: two zones
        raise AwsError("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    full = [one["SubnetId"] for one in found if one.get("AvailableIpAddressCount", 99) < _LEAST_ADDRESSES]
    if full:
        message = (
            f"Not enough IP space available in {full[0]}. ELB requires at least 8 free IP addresses in each subnet."
        )
        raise AwsError("InvalidSubnet", message)
    if len(set(zones)) < len(zones):
        message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
        raise AwsError("InvalidConfigurationRequest", message)
    return found


def _check_addresses(subnets: Sequence[Mapping[str, Any]], kind: str | None) -> None:
    """Refuse dual stack where a subnet has no IPv6 addresses."""
    if kind in _DUAL and not all(subnet.get("Ipv6CidrBlockAssociationSet") for subnet in subnets):
        raise AwsError("ValidationError", "You must specify subnets with an associated IPv6 CIDR block.")


def _check_gateway(region: Region, params: Mapping[str, Any], vpc: str) -> None:
    if (params.get("Scheme") or "internet-facing") != "internet-facing":
        return
    filters = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    if not region.moto("ec2", "DescribeInternetGateways", Filters=filters)["InternetGateways"]:
        raise AwsError("InvalidSubnet", f"VPC {vpc} has no internet gateway")


def _default_group(region: Region, vpc: str) -> list[str]:
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    return [
        group["GroupId"] for group in region.moto("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    ]


def _check_groups(region: Region, groups: Sequence[str]) -> None:
    try:
        region.moto("ec2", "DescribeSecurityGroups", GroupIds=list(groups))
    except AwsError as error:
        raise AwsError("InvalidSecurityGroup", error.message) from error


def _place(region: Region, arn: str, subnets: Sequence[str], groups: Sequence[str]) -> None:
    """Have one interface in each subnet, with these security groups: they are what keeps groups in use."""
    held = region.state(Balancers).interfaces.setdefault(arn, {})
    path = arn.partition(":loadbalancer/")[2]
    for subnet in set(held) - set(subnets):
        _release(region, held.pop(subnet))
    for subnet in subnets:
        if subnet not in held:
            made = region.moto(
                "ec2", "CreateNetworkInterface", SubnetId=subnet, Groups=list(groups), Description=f"ELB {path}"
            )
            held[subnet] = made["NetworkInterface"]["NetworkInterfaceId"]
        else:
            region.moto("ec2", "ModifyNetworkInterfaceAttribute", NetworkInterfaceId=held[subnet], Groups=list(groups))


def _release(region: Region, interface: str) -> None:
    with suppress(AwsError):  # somebody may have deleted it
        region.moto("ec2", "DeleteNetworkInterface", NetworkInterfaceId=interface)


def _show(region: Region, balancer: Mapping[str, Any]) -> dict[str, Any]:
    active = region.now >= region.state(Balancers).active_at.get(balancer["LoadBalancerArn"], 0.0)
    return {**balancer, "State": {"Code": "active" if active else "provisioning"}}


@HANDLERS.handles("elbv2", "DescribeLoadBalancers")
def describe_load_balancers(region: Region, call: Call, forward: Forward) -> Answer:
    """Return load balancers; a new one is provisioning for a while."""
    refuse_more_than_twenty("loadBalancerArns", call.params.get("LoadBalancerArns") or [])
    answer = forward()
    return {**answer, "LoadBalancers": [_show(region, one) for one in answer.get("LoadBalancers", [])]}


@HANDLERS.handles("elbv2", "DeleteLoadBalancer")
def delete_load_balancer(region: Region, call: Call, forward: Forward) -> Answer:
    """Delete a load balancer with its listeners; its interfaces go a little later, and hold their groups till then."""
    arn = call.params["LoadBalancerArn"]
    _refuse_if_protected(region, arn)
    answer = forward()
    state = region.state(Balancers)
    state.requests.pop(arn, None)
    interfaces = list(state.interfaces.pop(arn, {}).values())

    def release() -> None:
        for interface in interfaces:
            _release(region, interface)

    region.later(RELEASE_SECONDS, release)
    return answer


def _refuse_if_protected(region: Region, arn: str) -> None:
    try:
        attributes = region.moto("elbv2", "DescribeLoadBalancerAttributes", LoadBalancerArn=arn)["Attributes"]
    except AwsError:
        return  # gone already, which is a success
    if {"Key": "deletion_protection.enabled", "Value": "true"} in attributes:
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise AwsError("OperationNotPermitted", message)


@HANDLERS.handles("elbv2", "SetSecurityGroups")
def set_security_groups(region: Region, call: Call, forward: Forward) -> Answer:
    """Replace the security groups."""
    if not call.params["SecurityGroups"]:
        raise AwsError("ValidationError", "At least one security group must be specified")
    _check_groups(region, call.params["SecurityGroups"])
    answer = forward()
    arn = call.params["LoadBalancerArn"]
    _place(region, arn, list(region.state(Balancers).interfaces.get(arn, {})), call.params["SecurityGroups"])
    return answer


@HANDLERS.handles("elbv2", "SetSubnets")
def set_subnets(region: Region, call: Call, forward: Forward) -> Answer:
    """Replace the subnets."""
    subnets = _subnets(region, {**call.params, "Type": "application"})
    arn = call.params["LoadBalancerArn"]
    balancer = region.moto("elbv2", "DescribeLoadBalancers", LoadBalancerArns=[arn])["LoadBalancers"][0]
    _check_addresses(subnets, call.params.get("IpAddressType") or balancer.get("IpAddressType"))
    answer = forward()
    _place(region, arn, [subnet["SubnetId"] for subnet in subnets], balancer.get("SecurityGroups", []))
    return answer


@HANDLERS.handles("elbv2", "SetIpAddressType")
def set_ip_address_type(region: Region, call: Call, forward: Forward) -> Answer:
    """Change the kinds of addresses."""
    arn = call.params["LoadBalancerArn"]
    for balancer in region.moto("elbv2", "DescribeLoadBalancers", LoadBalancerArns=[arn])["LoadBalancers"]:
        wanted = [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]
        subnets = region.moto("ec2", "DescribeSubnets", SubnetIds=wanted)["Subnets"]
        _check_addresses(subnets, call.params["IpAddressType"])
    return forward()
