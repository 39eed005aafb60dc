"""Who gets through to whom: the security groups of both decide.

AWS: VPC user guide, "Security groups"; Application Load Balancer guide, "Security groups for your Application Load
Balancer".
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import targets
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.targets import PASSES, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fargatectl.sandbox.cloud import Region

_TIMEOUT = Verdict("Target.Timeout", "Request timed out")
_ANY, _TCP = "-1", ("tcp", "6")


def verdict(region: Region, arn: str, address: str, groups: Sequence[str], port: int) -> Verdict:
    """Return what health checks of an address with these security groups find: nothing wrong, or no way to it.

    `port` is the target's own; the group's health checks may go to another.
    """
    check = targets.group(region, arn).get("HealthCheckPort", "traffic-port")
    wanted = int(check) if str(check).isdigit() else port
    for balancer in _balancers(region, arn):
        sources = balancer.get("SecurityGroups") or []
        out = _rules(region, sources, "IpPermissionsEgress")
        into = _rules(region, groups, "IpPermissions")
        nodes = list(_blocks(region, balancer))
        leaves = any(_covers(rule, wanted) and _meets(rule, groups, [f"{address}/32"]) for rule in out)
        if not leaves or not any(_covers(rule, wanted) and _meets(rule, sources, nodes) for rule in into):
            return _TIMEOUT
    return PASSES


def admits(region: Region, caller: tuple[Sequence[str], str], called: tuple[Sequence[str], str], port: int) -> bool:
    """Tell whether one address reaches another on a TCP port; each comes with its security groups."""
    out, into = _rules(region, caller[0], "IpPermissionsEgress"), _rules(region, called[0], "IpPermissions")
    leaves = any(_covers(rule, port) and _meets(rule, called[0], [f"{called[1]}/32"]) for rule in out)
    return leaves and any(_covers(rule, port) and _meets(rule, caller[0], [f"{caller[1]}/32"]) for rule in into)


def _balancers(region: Region, arn: str) -> list[dict[str, Any]]:
    arns = targets.load_balancers_of(region, arn)
    if not arns:
        return []
    found: list[dict[str, Any]] = region.moto("elbv2", "DescribeLoadBalancers", LoadBalancerArns=arns)["LoadBalancers"]
    return found


def _rules(region: Region, groups: Sequence[str], direction: str) -> Iterator[Mapping[str, Any]]:
    for group in groups:
        try:
            found = region.moto("ec2", "DescribeSecurityGroups", GroupIds=[group])["SecurityGroups"]
        except AwsError:
            continue  # a group that is gone lets nothing through
        yield from found[0].get(direction, [])


def _blocks(region: Region, balancer: Mapping[str, Any]) -> Iterator[str]:
    subnets = [zone["SubnetId"] for zone in balancer.get("AvailabilityZones", [])]
    for subnet in region.moto("ec2", "DescribeSubnets", SubnetIds=subnets)["Subnets"]:
        yield subnet["CidrBlock"]


def _covers(rule: Mapping[str, Any], port: int) -> bool:
    if rule["IpProtocol"] == _ANY:
        return True
    return rule["IpProtocol"] in _TCP and int(rule["FromPort"]) <= port <= int(rule["ToPort"])


def _meets(rule: Mapping[str, Any], groups: Iterable[str], blocks: Iterable[str]) -> bool:
    """Tell whether a rule's other side includes one of the groups, or all of the blocks."""
    if {pair.get("GroupId") for pair in rule.get("UserIdGroupPairs", [])} & set(groups):
        return True
    ranges = [ipaddress.ip_network(one["CidrIp"], strict=False) for one in rule.get("IpRanges", [])]
    inner = [ipaddress.ip_network(block) for block in blocks]
    return bool(inner) and all(any(_within(block, outer) for outer in ranges) for block in inner)


def _within(inner: ipaddress.IPv4Network | ipaddress.IPv6Network, outer: object) -> bool:
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    return False
