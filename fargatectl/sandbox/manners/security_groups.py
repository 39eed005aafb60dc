"""Security groups that are in use (AWS: EC2 API Reference, DeleteSecurityGroup)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import targets
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call


@HANDLERS.handles("ec2", "DeleteSecurityGroup")
def delete_security_group(region: Region, call: Call, forward: Forward) -> Answer:
    """Delete a group that no interface has and no other group's rule names."""
    group = call.params.get("GroupId")
    if group and (_on_an_interface(region, group) or _referenced(region, group)):
        raise AwsError("DependencyViolation", f"resource {group} has a dependent object")
    return forward()


@HANDLERS.handles(
    "ec2",
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
    "RevokeSecurityGroupEgress",
)
def let_checks_notice(region: Region, _call: Call, forward: Forward) -> Answer:
    """Change rules; health checks pass or fail by them from now on."""
    answer = forward()
    targets.recheck(region)
    return answer


def _on_an_interface(region: Region, group: str) -> bool:
    filters = [{"Name": "group-id", "Values": [group]}]
    return bool(region.moto("ec2", "DescribeNetworkInterfaces", Filters=filters)["NetworkInterfaces"])


def _referenced(region: Region, group: str) -> bool:
    return any(
        _names(other, group)
        for other in region.moto("ec2", "DescribeSecurityGroups")["SecurityGroups"]
        if other["GroupId"] != group
    )


def _names(other: dict[str, Any], group: str) -> bool:
    rules = [*other.get("IpPermissions", []), *other.get("IpPermissionsEgress", [])]
    return any(pair.get("GroupId") == group for rule in rules for pair in rule.get("UserIdGroupPairs", []))
