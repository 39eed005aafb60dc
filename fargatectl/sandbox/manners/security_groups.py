"""Security groups: their names and rules, and which are in use (AWS: EC2 API Reference, CreateSecurityGroup and on)."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import targets
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_TEXT = re.compile(r"[a-zA-Z0-9. _:/()#,@\[\]+=&;{}!$*-]{0,255}")
_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp"}
_RULES = 60
_SCOPE = ("IpProtocol", "FromPort", "ToPort")
_PEERS = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


@HANDLERS.handles("ec2", "CreateSecurityGroup")
def create_security_group(_region: Region, call: Call, forward: Forward) -> Answer:
    """Create a group; names and descriptions have few characters to choose from."""
    name = call.params.get("GroupName", "")
    if name.startswith("sg-"):
        raise _invalid("Invalid group name. The name must not begin with sg-")
    for kind, text in (("GroupName", name), ("GroupDescription", call.params.get("Description", ""))):
        _check_text(kind, text)
    return forward()


def _check_text(kind: str, text: str) -> None:
    if not _TEXT.fullmatch(text):
        allowed = "a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*"
        raise _invalid(f"Value ({text}) for parameter {kind} is invalid. Character sets: {allowed}")


@HANDLERS.handles("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def authorize(region: Region, call: Call, forward: Forward) -> Answer:
    """Add rules, in EC2's own form; health checks pass by them from now on."""
    permissions = [_canonical(permission) for permission in call.params.get("IpPermissions") or []]
    for permission in permissions:
        _check(permission)
    _check_pairs(region, call.params.get("GroupId", ""), permissions)
    known = list(_rules(region, call))
    if len(known) + sum(len(permission.get(key) or []) for permission in permissions for key in _PEERS) > _RULES:
        message = "The maximum number of rules per security group has been reached."
        raise AwsError("RulesPerSecurityGroupLimitExceeded", message)
    answer = forward({**call.params, "IpPermissions": permissions} if permissions else None)
    targets.recheck(region)
    return answer


def _check_pairs(region: Region, group: str, permissions: Sequence[Mapping[str, Any]]) -> None:
    """Refuse groups of another VPC: none is peered here."""
    others = [pair["GroupId"] for one in permissions for pair in one.get("UserIdGroupPairs") or [] if "GroupId" in pair]
    if others:
        found = region.moto("ec2", "DescribeSecurityGroups", GroupIds=list({group, *others}))["SecurityGroups"]
        if len({one["VpcId"] for one in found}) > 1:
            message = "You have specified two resources that belong to different networks."
            raise AwsError("InvalidGroup.NotFound", message)


def _rules(region: Region, call: Call) -> Iterator[Mapping[str, Any]]:
    filters = [{"Name": "group-id", "Values": [call.params.get("GroupId", "")]}]
    for rule in region.moto("ec2", "DescribeSecurityGroupRules", Filters=filters).get("SecurityGroupRules", []):
        if rule["IsEgress"] == call.operation.endswith("Egress"):
            yield rule


def _canonical(permission: Mapping[str, Any]) -> dict[str, Any]:
    """Return a permission with its protocol by name and its ranges without host bits."""
    shown = dict(permission)
    shown["IpProtocol"] = _PROTOCOLS.get(str(shown.get("IpProtocol")), shown.get("IpProtocol"))
    for key, member in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
        if shown.get(key):
            shown[key] = [{**one, member: _block(one[member])} for one in shown[key]]
    return shown


def _block(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise _invalid(f"CIDR block {text} is malformed") from error


def _check(permission: Mapping[str, Any]) -> None:
    protocol, first, last = permission["IpProtocol"], permission.get("FromPort"), permission.get("ToPort")
    if protocol in ("tcp", "udp"):
        if first is None or last is None:
            raise AwsError("MissingParameter", f"The request must contain the parameter ports for protocol {protocol}")
        if not 0 <= int(first) <= int(last) <= 65535:  # noqa: PLR2004 - the range of ports
            raise _invalid(f"Invalid {protocol.upper()} port range ({first}:{last})")
    for key in _PEERS:
        for peer in permission.get(key) or []:
            _check_text("Description", peer.get("Description", ""))


@HANDLERS.handles("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress")
def revoke(region: Region, call: Call, forward: Forward) -> Answer:
    """Take rules away, whatever their descriptions are; health checks may fail from now on."""
    held = _held(region, call)
    permissions = [_as_held(_canonical(permission), held) for permission in call.params.get("IpPermissions") or []]
    answer = forward({**call.params, "IpPermissions": permissions} if permissions else None)
    targets.recheck(region)
    return answer


def _held(region: Region, call: Call) -> list[Mapping[str, Any]]:
    filters = [{"Name": "group-id", "Values": [call.params.get("GroupId", "")]}]
    groups = region.moto("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    key = "IpPermissionsEgress" if call.operation.endswith("Egress") else "IpPermissions"
    return [permission for group in groups for permission in group.get(key, [])]


def _as_held(permission: dict[str, Any], held: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a permission with the descriptions that its rules have: EC2 does not ask for them, moto does."""
    alike = [one for one in held if all(one.get(key) == permission.get(key) for key in _SCOPE)]
    for key in _PEERS:
        known = {_peer(peer): peer.get("Description") for one in alike for peer in one.get(key, [])}
        if permission.get(key):
            permission[key] = [_described(peer, known.get(_peer(peer))) for peer in permission[key]]
    return permission


def _peer(peer: Mapping[str, Any]) -> str:
    return str(next((peer[key] for key in ("CidrIp", "CidrIpv6", "GroupId", "PrefixListId") if peer.get(key)), ""))


def _described(peer: Mapping[str, Any], description: str | None) -> dict[str, Any]:
    plain = {name: value for name, value in peer.items() if name != "Description"}
    return {**plain, "Description": description} if description else plain


@HANDLERS.handles("ec2", "DeleteSecurityGroup")
def delete_security_group(region: Region, call: Call, forward: Forward) -> Answer:
    """Delete a group that no interface has and no other group's rule names."""
    group = call.params.get("GroupId")
    if group and (_on_an_interface(region, group) or _referenced(region, group)):
        raise AwsError("DependencyViolation", f"resource {group} has a dependent object")
    if group and _name(region, group) == "default":
        message = f'the specified group: "{group}" name: "default" cannot be deleted by a user'
        raise AwsError("CannotDelete", message)
    return forward()


def _name(region: Region, group: str) -> str:
    try:
        return str(region.moto("ec2", "DescribeSecurityGroups", GroupIds=[group])["SecurityGroups"][0]["GroupName"])
    except AwsError:
        return ""


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
