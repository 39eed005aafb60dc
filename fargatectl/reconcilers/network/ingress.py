"""What may come into a security group of ours: a resource of its own, so that groups may name each other.

Only rules that carry our description are ours. Others in the same group are never changed; one that says the same as a
rule of ours counts as that rule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, says
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.ownership import APP, ENVIRONMENT
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.network import reading
from fargatectl.reconcilers.network.rules import OURS, Rule, authorize, each_source, exploded, order, revoke

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from types_boto3_ec2.type_defs import SecurityGroupTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta


@dataclass(frozen=True)
class IngressOut:
    """`others` are the rules in the group that are not ours."""

    group_id: str
    others: frozenset[Rule] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Ingress(Spec):
    """All of our rules in the security group `group_id`; `name` says whose group it is, to people.

    `leaving` are those of `rules` that stay for a while: where the group is full they go first.
    """

    identity: ClassVar[tuple[str, ...]] = ("group_id",)

    name: str = setting(wiring=True, default="")
    group_id: Late[str] = setting(immutable=True)
    rules: tuple[Rule, ...] = ()
    leaving: tuple[Rule, ...] = setting(wiring=True, default=())

    def __post_init__(self) -> None:
        for name in ("rules", "leaving"):
            rules = {one for rule in getattr(self, name) for one in each_source(rule)}
            object.__setattr__(self, name, tuple(sorted(rules, key=order)))


class Ingresses(Reconciler[Ingress, IngressOut]):
    """Reads and changes the ingress rules of security groups. They live and die with their group."""

    kind = "network.ingress"
    noun = "ingress rules"
    create_first = True
    taggable = False
    closes_last = True

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
        authorize(aws, known(spec.group_id), spec.rules)
        return IngressOut(known(spec.group_id))

    def update(self, aws: Aws, live: Live[Ingress, IngressOut], spec: Ingress, delta: Delta) -> IngressOut:
        if delta.touches("rules"):
            missing = set(spec.rules) - set(live.spec.rules)
            surplus = set(live.spec.rules) - set(spec.rules)
            try:
                authorize(aws, live.out.group_id, missing)
            except ClientError as error:
                # VPC User Guide, "Amazon VPC quotas": a prefix list counts as often as it may have entries.
                if not says(error, "RulesPerSecurityGroupLimitExceeded"):
                    raise
                revoke(aws, live.out.group_id, surplus.union(spec.leaving))
                authorize(aws, live.out.group_id, missing)
            revoke(aws, live.out.group_id, surplus)
        return live.out

    def delete(self, aws: Aws, live: Live[Ingress, IngressOut]) -> None:
        revoke(aws, live.out.group_id, set(live.spec.rules) - live.out.others)

    def is_empty(self, live: Live[Ingress, IngressOut]) -> bool:
        return not set(live.spec.rules) - live.out.others

    def summary(self, spec: Ingress) -> str:
        return f"ingress rules of {spec.name}" if spec.name else self.noun


def revoke_references(aws: Aws, group_id: str, own_tags: Mapping[str, str]) -> None:
    """Revoke our rules that name `group_id` in other groups of the owner that `own_tags` show."""
    whose = {key: own_tags.get(key) for key in (APP, ENVIRONMENT)}
    for group in reading.referring(aws, group_id):
        found = tags.as_dict(group.get("Tags"))
        if {key: found.get(key) for key in whose} == whose:
            rules = _live(group).spec.rules
            revoke(aws, group["GroupId"], {rule for rule in rules if rule.source == group_id})


def _live(group: SecurityGroupTypeDef) -> Live[Ingress, IngressOut]:
    ours: set[Rule] = set()
    others: set[Rule] = set()
    for rule, description in exploded(group.get("IpPermissions", ())):
        (ours if description == OURS else others).add(rule)
    spec = Ingress(group_id=group["GroupId"], rules=tuple(ours))
    return Live(spec, IngressOut(group["GroupId"], frozenset(others)), f"{group['GroupId']}/ingress")
