"""The rules of security groups: one peer each, as people think of them; EC2 keeps many under the same ports."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.dataclass import dataclass
from fargatectl.model.values import Late, Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from types_boto3_ec2.type_defs import IpPermissionOutputTypeDef

    from fargatectl.aws.session import Aws

OURS = "fargatectl"
"""The description of our rules."""
ALL = "-1"
"""The protocol that stands for all traffic."""

# EC2 API Reference, "Eventual consistency": a new group is not seen everywhere at once, neither is one that is named.
_NOT_SEEN = Transient("InvalidGroup.NotFound", seconds=60)
# What EC2 answers where a rule or the group is gone; the last one for IPv6 in a VPC without it.
_GONE = (
    ("InvalidPermission.NotFound", ""),
    ("InvalidGroup.NotFound", ""),
    ("InvalidParameterValue", "remote-ipv6-range"),
)


@dataclass(frozen=True)
class Rule:
    """Who may come in (or, of egress, be reached), at which ports. `source` is a CIDR, a security group "sg-…" or a
    prefix list "pl-…".

    A CIDR is kept as EC2 does, without host bits. Several sources stand for a rule each, once they are known.
    """

    source: Late[str] | Late[tuple[str, ...]]
    from_port: int
    to_port: int
    protocol: str = "tcp"

    def __post_init__(self) -> None:
        if isinstance(self.source, str):
            object.__setattr__(self, "source", canonical(self.source))


def exploded(permissions: Iterable[IpPermissionOutputTypeDef]) -> Iterable[tuple[Rule, str]]:
    """Yield one rule per source, with its description: EC2 answers with many sources under the same ports."""
    for permission in permissions:
        from_port, to_port = permission.get("FromPort", -1), permission.get("ToPort", -1)
        members: list[tuple[str, Any]] = [
            ("CidrIp", permission.get("IpRanges", ())),
            ("CidrIpv6", permission.get("Ipv6Ranges", ())),
            ("PrefixListId", permission.get("PrefixListIds", ())),
            ("GroupId", permission.get("UserIdGroupPairs", ())),
        ]
        for member, sources in members:
            for source in sources:
                rule = Rule(source[member], from_port, to_port, permission["IpProtocol"])
                yield rule, source.get("Description", "")


def authorize(aws: Aws, group_id: str, rules: Iterable[Rule], *, egress: bool = False) -> None:
    """Add rules in one call; where EC2 has one of them already it refuses them all, so then one by one."""
    ways: tuple[Any, ...] = (aws.ec2.authorize_security_group_ingress, aws.ec2.authorize_security_group_egress)

    def add(some: Sequence[Rule]) -> None:
        permissions = [{**_scope(rule), **_peer(rule, {"Description": OURS})} for rule in some]
        retrying(aws, lambda: ways[egress](GroupId=group_id, IpPermissions=permissions), _NOT_SEEN)

    _all_or_each(add, sorted(rules, key=order), ("InvalidPermission.Duplicate", ""))


def revoke(aws: Aws, group_id: str, rules: Iterable[Rule], *, egress: bool = False) -> None:
    """Remove rules in one call; where one of them is gone, one by one. A group that is gone has none."""
    ways: tuple[Any, ...] = (aws.ec2.revoke_security_group_ingress, aws.ec2.revoke_security_group_egress)

    def remove(some: Sequence[Rule]) -> None:
        ways[egress](GroupId=group_id, IpPermissions=[{**_scope(rule), **_peer(rule, {})} for rule in some])

    _all_or_each(remove, sorted(rules, key=order), *_GONE)


def _all_or_each(change: Callable[[list[Rule]], None], rules: list[Rule], *harmless: tuple[str, str]) -> None:
    if not rules:
        return
    try:
        change(rules)
    except ClientError as error:
        if not any(says(error, code, words) for code, words in harmless):
            raise
        if len(rules) > 1:
            for rule in rules:
                _all_or_each(change, [rule], *harmless)


def _scope(rule: Rule) -> dict[str, Any]:
    """Return which traffic a rule is about, as EC2's IpPermission has it."""
    if rule.protocol == ALL:
        return {"IpProtocol": ALL}
    return {"IpProtocol": rule.protocol, "FromPort": rule.from_port, "ToPort": rule.to_port}


def _peer(rule: Rule, said: Mapping[str, str]) -> dict[str, Any]:
    """Return the other side of a rule, as EC2's IpPermission has it, with what is `said` about it."""
    assert isinstance(rule.source, str)  # noqa: S101 - known by now, and one of several
    if rule.source.startswith("sg-"):
        return {"UserIdGroupPairs": [{"GroupId": rule.source, **said}]}
    if rule.source.startswith("pl-"):
        return {"PrefixListIds": [{"PrefixListId": rule.source, **said}]}
    if ":" in rule.source:
        return {"Ipv6Ranges": [{"CidrIpv6": rule.source, **said}]}
    return {"IpRanges": [{"CidrIp": rule.source, **said}]}


def each_source(rule: Rule) -> list[Rule]:
    """Return a rule for each source."""
    if isinstance(rule.source, tuple):
        return [replace(rule, source=source) for source in rule.source]
    return [rule]


def canonical(cidr: str) -> str:
    """Return a CIDR as EC2 keeps it, without host bits; what is no CIDR stays as it is."""
    if "/" not in cidr:
        return cidr
    try:
        return str(ip_network(cidr, strict=False))
    except ValueError:
        return cidr  # EC2 refuses it, with its own words


def order(rule: Rule) -> tuple[str, int, int, str]:
    """Return what rules are sorted by."""
    source = rule.source
    return (rule.protocol, rule.from_port, rule.to_port, source.source if isinstance(source, Ref) else str(source))
