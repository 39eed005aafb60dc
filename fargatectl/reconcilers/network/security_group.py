"""Security groups of load balancers and tasks. What may come in is another kind, `ingress`: groups may name each other.

Where traffic may go is a setting of the group itself. EC2 makes a group with everything allowed; that rule counts as
ours. Rules of others are never changed, and one that says the same as ours counts as that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, code_of, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import require_ours, same_owner, same_resource
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.errors import AwsFailure
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.network import reading
from fargatectl.reconcilers.network.ingress import revoke_references
from fargatectl.reconcilers.network.rules import ALL, OURS, Rule, authorize, canonical, exploded, revoke

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set as AbstractSet

    from types_boto3_ec2.type_defs import SecurityGroupTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

# The interfaces of a deleted load balancer and of stopped tasks go some minutes later (EC2 API Reference,
# DeleteSecurityGroup; ELB User Guide, "Delete an Application Load Balancer").
_IN_USE = (Transient("DependencyViolation", seconds=600), Transient("InvalidGroup.InUse", seconds=600))
_SHOWN = 5
EVERYWHERE, _EVERYWHERE_IPV6 = "0.0.0.0/0", "::/0"


@dataclass(frozen=True)
class SecurityGroupOut:
    """`id` is "sg-…". `others` are destinations that somebody else allows."""

    id: str
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class SecurityGroup(Spec):
    """A security group. Its name is unique in its VPC; name, VPC and description never change (EC2 API Reference,
    CreateSecurityGroup), and another wording of ours is no reason to make a new one.

    `egress` are the destinations that may be reached, at all ports: CIDRs, security groups and prefix lists; None
    leaves them to others.
    """

    identity: ClassVar[tuple[str, ...]] = ("name", "vpc_id")

    name: str = setting(immutable=True)
    vpc_id: Late[str] = setting(immutable=True)
    description: str = setting(create_only=True, default="made by fargatectl")
    egress: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.egress is not None:
            object.__setattr__(self, "egress", tuple(sorted({canonical(one) for one in self.egress})))


class SecurityGroups(Reconciler[SecurityGroup, SecurityGroupOut]):
    """Reads and changes security groups."""

    kind = "network.security_group"
    noun = "security group"
    tagged_as = "ec2:security-group"
    create_first = True

    def read(self, aws: Aws, specs: Sequence[SecurityGroup]) -> Sequence[Live[SecurityGroup, SecurityGroupOut] | None]:
        wanted = [(known(spec.vpc_id), spec.name) for spec in specs]
        groups = reading.describe(
            aws, {"group-name": {name for _, name in wanted}, "vpc-id": {vpc for vpc, _ in wanted}}
        )
        found = {(group["VpcId"], group["GroupName"]): group for group in groups}
        return [_live(found[key]) if key in found else None for key in wanted]

    def match(
        self, spec: SecurityGroup, live: Live[SecurityGroup, SecurityGroupOut]
    ) -> Live[SecurityGroup, SecurityGroupOut]:
        """Count destinations of others that `spec` wants, too. The rule for IPv6 that EC2 makes in a VPC with IPv6
        stays beside the one for IPv4."""
        wanted, has = set(spec.egress or ()), set(live.spec.egress or ())
        has |= live.out.others & wanted
        if EVERYWHERE in wanted:
            has -= {_EVERYWHERE_IPV6} - wanted
        return replace(live, spec=replace(live.spec, egress=tuple(has)))

    def meanwhile(self, spec: SecurityGroup, live: Live[SecurityGroup, SecurityGroupOut]) -> SecurityGroup:
        """Keep the ways out of the tasks of the old revision."""
        if spec.egress is None:
            return spec
        return replace(spec, egress=(*spec.egress, *(live.spec.egress or ())))

    def create(self, aws: Aws, spec: SecurityGroup) -> SecurityGroupOut:
        try:
            made = aws.ec2.create_security_group(
                GroupName=spec.name,
                Description=spec.description,
                VpcId=known(spec.vpc_id),
                TagSpecifications=[{"ResourceType": "security-group", "Tags": tags.pairs(spec.tags)}],
            )
        except ClientError as error:
            # A repeated call may meet its own earlier success.
            live = self.read(aws, [spec])[0] if says(error, "InvalidGroup.Duplicate") else None
            if live is None:
                raise
            require_ours(self.summary(spec), spec.tags, live.spec.tags)
            if not same_resource(spec.tags, live.spec.tags):
                raise
            live = self.match(spec, live)
            return self.update(aws, live, spec, self.compare(spec, live))
        if spec.egress is not None:
            # In a VPC with IPv6 EC2 has allowed that, too; what is not there is not missed.
            made_by_ec2 = {EVERYWHERE, *(() if EVERYWHERE in spec.egress else (_EVERYWHERE_IPV6,))}
            _change_egress(aws, made["GroupId"], made_by_ec2, set(spec.egress))
        return SecurityGroupOut(made["GroupId"])

    def update(
        self, aws: Aws, live: Live[SecurityGroup, SecurityGroupOut], spec: SecurityGroup, delta: Delta
    ) -> SecurityGroupOut:
        if delta.touches("tags"):
            aws.ec2.create_tags(Resources=[live.out.id], Tags=tags.pairs(spec.tags))
        if delta.touches("egress"):
            _change_egress(aws, live.out.id, set(live.spec.egress or ()), set(spec.egress or ()))
        return live.out

    def delete(self, aws: Aws, live: Live[SecurityGroup, SecurityGroupOut]) -> None:
        """Delete the group once nothing uses it; rules of ours in other groups of the same app that name it go first.

        Raises `AwsFailure` naming the interfaces that still hold it after ten minutes.
        """
        group_id = live.out.id
        try:
            try:
                aws.ec2.delete_security_group(GroupId=group_id)
            except ClientError as error:
                if not any(transient.matches(error) for transient in _IN_USE):
                    raise
                revoke_references(aws, group_id, live.spec.tags)
                if _named_by_others(aws, live):
                    raise
                retrying(aws, lambda: aws.ec2.delete_security_group(GroupId=group_id), *_IN_USE)
        except ClientError as error:
            if any(transient.matches(error) for transient in _IN_USE):
                raise _still_used(aws, live.spec.name, group_id, error) from error
            if not says(error, "InvalidGroup.NotFound"):
                raise

    def owned(
        self, aws: Aws, owner: Ownership, known: AbstractSet[str]
    ) -> Iterable[Live[SecurityGroup, SecurityGroupOut]]:
        arns = [arn for arn in aws.tagged(owner.tags()) if ":security-group/" in arn]
        ids = {arn.rpartition("/")[2] for arn in arns} - known
        found = [_live(group) for group in reading.describe(aws, {"group-id": ids})] if ids else []
        return [live for live in found if owner.owns(live.spec.tags)]

    def summary(self, spec: SecurityGroup) -> str:
        return f"security group {spec.name}"

    def detail(self, out: SecurityGroupOut) -> str:
        return out.id


def _live(group: SecurityGroupTypeDef) -> Live[SecurityGroup, SecurityGroupOut]:
    ours: set[str] = set()
    others: set[str] = set()
    for rule, description in exploded(group.get("IpPermissionsEgress", ())):
        by_ec2 = not description and rule.source in {EVERYWHERE, _EVERYWHERE_IPV6}
        if rule.protocol == ALL:
            (ours if description == OURS or by_ec2 else others).add(str(rule.source))
    spec = SecurityGroup(
        name=group["GroupName"],
        vpc_id=group["VpcId"],
        description=group["Description"],
        egress=tuple(ours),
        tags=tags.as_dict(group.get("Tags")),
    )
    return Live(spec, SecurityGroupOut(group["GroupId"], frozenset(others)), group["GroupId"])


def _change_egress(aws: Aws, group_id: str, has: set[str], wanted: set[str]) -> None:
    """Allow what is wanted before anything is taken away."""
    authorize(aws, group_id, _ways_out(wanted - has), egress=True)
    revoke(aws, group_id, _ways_out(has - wanted), egress=True)


def _ways_out(destinations: Iterable[str]) -> list[Rule]:
    return [Rule(destination, -1, -1, ALL) for destination in destinations]


def _named_by_others(aws: Aws, live: Live[SecurityGroup, SecurityGroupOut]) -> bool:
    """Tell whether groups of another owner have rules that name it: no wait takes these away."""
    return any(
        not same_owner(live.spec.tags, tags.as_dict(group.get("Tags"))) for group in reading.referring(aws, live.out.id)
    )


def _still_used(aws: Aws, name: str, group_id: str, error: ClientError) -> AwsFailure:
    filters = [{"Name": "group-id", "Values": [group_id]}]
    interfaces = aws.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]  # type: ignore[arg-type]
    users = [f"{i['NetworkInterfaceId']} ({i.get('Description') or 'no description'})" for i in interfaces[:_SHOWN]]
    users += [f"a rule of {group['GroupId']}" for group in reading.referring(aws, group_id)]
    by = ", ".join(users) or "something that AWS does not name"
    message = f"security group {name} ({group_id}) is still used by {by}"
    hint = "remove it from there, or wait until AWS has, then run the same command again"
    return AwsFailure(message, operation="ec2:DeleteSecurityGroup", code=code_of(error), hint=hint)
