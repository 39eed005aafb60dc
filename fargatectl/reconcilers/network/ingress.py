"""What may come into a security group of ours: a resource of its own, so that groups may name each other.

Only rules that carry our description are ours. Others in the same group are never changed; one that says the same as a
rule of ours counts as that rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.ownership import APP, ENVIRONMENT
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Late, Ref, known
from fargatectl.reconcilers.network import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from types_boto3_ec2.type_defs import IpPermissionOutputTypeDef, SecurityGroupTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta

OURS = "fargatectl"
"""The description of our rules."""

# EC2 API Reference, "Eventual consistency": a new group is not seen everywhere at once, neither is one that is named.
_NOT_SEEN = Transient("InvalidGroup.NotFound", seconds=60)


@dataclass(frozen=True, slots=True)
class IngressRule:
    """Who may come in, at which ports. `source` is a CIDR, a security group "sg-…" or a prefix list "pl-…".

    A CIDR is kept as EC2 does, without host bits. Several sources stand for a rule each, once they are known.
    """

    source: Late[str] | Late[tuple[str, ...]]
    from_port: int
    to_port: int
    protocol: str = "tcp"

    def __post_init__(self) -> None:
        if isinstance(self.source, str) and "/" in self.source:
            object.__setattr__(self, "source", _canonical(self.source))


@dataclass(frozen=True, slots=True)
class IngressOut:
    """`others` are the rules in the group that are not ours."""

    group_id: str
    others: frozenset[IngressRule] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Ingress(Spec):
    """All of our rules in the security group `group_id`; `name` says whose group it is, to people.

    `leaving` are those of `rules` that stay for a while: where the group is full they go first.
    """

    identity: ClassVar[tuple[str, ...]] = ("group_id",)

    name: str = setting(wiring=True, default="")
    group_id: Late[str] = setting(immutable=True)
    rules: tuple[IngressRule, ...] = ()
    leaving: tuple[IngressRule, ...] = setting(wiring=True, default=())

    def __post_init__(self) -> None:
        for name in ("rules", "leaving"):
            rules = {one for rule in getattr(self, name) for one in _each(rule)}
            object.__setattr__(self, name, tuple(sorted(rules, key=_order)))


class Ingresses(Reconciler[Ingress, IngressOut]):
    """Reads and changes the ingress rules of security groups. They live and die with their group."""

    kind = "network.ingress"
    noun = "ingress rules"
    create_first = True
    taggable = False

    def read(self, aws: Aws, specs: Sequence[Ingress]) -> Sequence[Live[Ingress, IngressOut] | None]:
        groups = [reading.by_id(aws, known(spec.group_id)) for spec in specs]
        return [None if group is None else _live(group) for group in groups]

    def match(self, spec: Ingress, live: Live[Ingress, IngressOut]) -> Live[Ingress, IngressOut]:
        """Count foreign rules that say what `spec` wants."""
        shared = live.out.others.intersection(spec.rules)
        return replace(live, spec=replace(live.spec, rules=(*live.spec.rules, *shared)))

    def meanwhile(self, spec: Ingress, live: Live[Ingress, IngressOut]) -> Ingress:
        """Keep the ways in to the tasks of the old revision."""
        leaving = set(live.spec.rules) - set(spec.rules)
        return replace(spec, rules=(*spec.rules, *leaving), leaving=tuple(leaving))

    def create(self, aws: Aws, spec: Ingress) -> IngressOut:
        _authorize(aws, known(spec.group_id), spec.rules)
        return IngressOut(known(spec.group_id))

    def update(self, aws: Aws, live: Live[Ingress, IngressOut], spec: Ingress, delta: Delta) -> IngressOut:
        if delta.touches("rules"):
            missing = set(spec.rules) - set(live.spec.rules)
            surplus = set(live.spec.rules) - set(spec.rules)
            try:
                _authorize(aws, live.out.group_id, missing)
            except ClientError as error:
                # VPC User Guide, "Amazon VPC quotas": a prefix list counts as often as it may have entries.
                if not says(error, "RulesPerSecurityGroupLimitExceeded"):
                    raise
                _revoke(aws, live.out.group_id, surplus.union(spec.leaving))
                _authorize(aws, live.out.group_id, missing)
            _revoke(aws, live.out.group_id, surplus)
        return live.out

    def delete(self, aws: Aws, live: Live[Ingress, IngressOut]) -> None:
        _revoke(aws, live.out.group_id, set(live.spec.rules) - live.out.others)

    def summary(self, spec: Ingress) -> str:
        return f"ingress rules of {spec.name}" if spec.name else self.noun


def revoke_references(aws: Aws, group_id: str, own_tags: Mapping[str, str]) -> None:
    """Revoke our rules that name `group_id` in other groups of the owner that `own_tags` show."""
    whose = {key: own_tags.get(key) for key in (APP, ENVIRONMENT)}
    for group in reading.referring(aws, group_id):
        found = tags.as_dict(group.get("Tags"))
        if {key: found.get(key) for key in whose} == whose:
            rules = _live(group).spec.rules
            _revoke(aws, group["GroupId"], {rule for rule in rules if rule.source == group_id})


def _live(group: SecurityGroupTypeDef) -> Live[Ingress, IngressOut]:
    ours: set[IngressRule] = set()
    others: set[IngressRule] = set()
    for rule, description in _exploded(group.get("IpPermissions", ())):
        (ours if description == OURS else others).add(rule)
    spec = Ingress(group_id=group["GroupId"], rules=tuple(ours))
    return Live(spec, IngressOut(group["GroupId"], frozenset(others)), f"{group['GroupId']}/ingress")


def _exploded(permissions: Iterable[IpPermissionOutputTypeDef]) -> Iterable[tuple[IngressRule, str]]:
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
                rule = IngressRule(source[member], from_port, to_port, permission["IpProtocol"])
                yield rule, source.get("Description", "")


def _authorize(aws: Aws, group_id: str, rules: Iterable[IngressRule]) -> None:
    """Add rules in one call; where EC2 has one of them already it refuses them all, so then one by one."""

    def authorize(some: Sequence[IngressRule]) -> None:
        permissions = [_permission(rule) for rule in some]
        call = aws.ec2.authorize_security_group_ingress
        retrying(aws, lambda: call(GroupId=group_id, IpPermissions=permissions), _NOT_SEEN)

    _all_or_each(authorize, sorted(rules, key=_order), "InvalidPermission.Duplicate")


def _revoke(aws: Aws, group_id: str, rules: Iterable[IngressRule]) -> None:
    """Remove rules in one call; where one of them is gone, one by one. A group that is gone has none."""

    def revoke(some: Sequence[IngressRule]) -> None:
        permissions = [_permission(rule) for rule in some]
        aws.ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=permissions)

    _all_or_each(revoke, sorted(rules, key=_order), "InvalidPermission.NotFound", "InvalidGroup.NotFound")


def _all_or_each(change: Any, rules: list[IngressRule], *harmless: str) -> None:  # noqa: ANN401 - a local function
    if not rules:
        return
    try:
        change(rules)
    except ClientError as error:
        if not any(says(error, code) for code in harmless):
            raise
        if len(rules) > 1:
            for rule in rules:
                _all_or_each(change, [rule], *harmless)


def _permission(rule: IngressRule) -> Any:  # noqa: ANN401 - EC2's IpPermission
    assert isinstance(rule.source, str)  # noqa: S101 - known by now, and one of several
    source = rule.source
    said = {"Description": OURS}
    permission: dict[str, Any] = {"IpProtocol": rule.protocol}
    if rule.protocol != "-1":
        permission |= {"FromPort": rule.from_port, "ToPort": rule.to_port}
    if source.startswith("sg-"):
        return {**permission, "UserIdGroupPairs": [{"GroupId": source, **said}]}
    if source.startswith("pl-"):
        return {**permission, "PrefixListIds": [{"PrefixListId": source, **said}]}
    if ":" in source:
        return {**permission, "Ipv6Ranges": [{"CidrIpv6": source, **said}]}
    return {**permission, "IpRanges": [{"CidrIp": source, **said}]}


def _each(rule: IngressRule) -> list[IngressRule]:
    if isinstance(rule.source, tuple):
        return [replace(rule, source=source) for source in rule.source]
    return [rule]


def _canonical(cidr: str) -> str:
    try:
        return str(ip_network(cidr, strict=False))
    except ValueError:
        return cidr  # EC2 refuses it, with its own words


def _order(rule: IngressRule) -> tuple[str, int, int, str]:
    source = rule.source
    return (rule.protocol, rule.from_port, rule.to_port, source.source if isinstance(source, Ref) else str(source))
