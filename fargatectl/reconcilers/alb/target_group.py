"""Target groups: where a load balancer finds the tasks of a service, and how it knows that they are well."""

from __future__ import annotations

from collections import Counter
from dataclasses import field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import same_owner, same_resource
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.errors import Refused
from fargatectl.model.change import Delta, FieldChange, diff
from fargatectl.model.ownership import ADDRESS
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.status import TargetCounts
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.alb import reading
from fargatectl.reconcilers.alb.exchange import Consumer, exchange, in_use, release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from types_boto3_elbv2.type_defs import TargetGroupTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership

GRPC = "GRPC"

# After the last listener or rule is gone ELB needs a moment to see it; the bound is other tools' experience.
_IN_USE = Transient("ResourceInUse", "in use", seconds=120)
_NOT_SEEN = Transient("TargetGroupNotFound", seconds=120)
_ASKED_AT_ONCE = "asked by the new health check at once: those that do not pass it are taken out, and replaced"
_EXCHANGE = "requests move once the tasks are healthy in the new one: one deployment more"


@dataclass(frozen=True)
class HealthCheck:
    """How targets are asked whether they are well. Times in seconds; `timeout` is always sent, for AWS's own pages
    disagree on its default. `codes` are HTTP codes, or gRPC codes where the protocol version is GRPC."""

    path: str = "/"
    codes: str = "200"
    interval: int = 10
    timeout: int = 5
    healthy: int = 2
    unhealthy: int = 3
    protocol: str = "HTTP"
    port: str = "traffic-port"


@dataclass(frozen=True)
class TargetGroupOut:
    """`arn` ends in a part that AWS made up."""

    arn: str
    name: str

    @property
    def suffix(self) -> str:
        """What CloudWatch calls it, the dimension `TargetGroup`: "targetgroup/NAME/ID"."""
        return self.arn.rpartition(":")[2]


@dataclass(frozen=True, kw_only=True)
class TargetGroup(Spec):
    """A target group of IP addresses behind HTTP, which is what tasks on Fargate need.

    `port` is only what targets get that are registered without one; ECS registers each with its container's. So another
    port is no reason for a new target group, though AWS cannot change it. `attributes` as in `LoadBalancer`.
    `load_balancer` is the name of the one it belongs to, `consumer` whose tasks it has; both serve its exchange.

    ECS shifts the requests of some services between two groups, and ends with either in use. `twin` is the name of the
    other group of the pair, `beside` its address: see `_own_of_pair`.
    """

    name: str = setting(immutable=True)
    vpc_id: Late[str] = setting(immutable=True)
    port: int = setting(create_only=True, default=80)
    protocol_version: str = setting(immutable=True, default="HTTP1")
    health_check: HealthCheck = field(default_factory=HealthCheck)
    attributes: Mapping[str, str] = setting(partial=True, default_factory=dict)
    load_balancer: str = setting(wiring=True, default="")
    consumer: Consumer | None = setting(wiring=True, default=None)
    twin: str = setting(wiring=True, default="")
    beside: str = setting(wiring=True, default="")

    @property
    def rolls(self) -> bool:
        """Tell whether one group is all that the service uses."""
        return self.consumer is None or self.consumer.rolling


class TargetGroups(Reconciler[TargetGroup, TargetGroupOut]):
    """Reads and changes target groups.

    A replacement is made beside the old one, under another name: the name ends in a digest of what cannot change, and
    of the load balancer, for a target group belongs to one (ELB User Guide, "Quotas"). Where requests go to another
    one of our address behind the same load balancer, that is the live one: see `exchange`.
    """

    kind = "alb.target_group"
    noun = "target group"
    tagged_as = "elasticloadbalancing"
    create_first = True

    def read(self, aws: Aws, specs: Sequence[TargetGroup]) -> Sequence[Live[TargetGroup, TargetGroupOut] | None]:
        found = reading.target_groups(aws, (spec.name for spec in specs))
        chosen = [_in_use_beside(aws, spec, found.get(spec.name)) or found.get(spec.name) for spec in specs]
        pairs = [(spec, one) for spec, one in zip(specs, chosen, strict=True) if one is not None]
        told = reading.hints(aws, (spec.tags for spec, _ in pairs))
        proven = {
            one["TargetGroupArn"]: told[one["TargetGroupArn"]]
            for spec, one in pairs
            if one["TargetGroupArn"] in told and spec.tags.items() <= told[one["TargetGroupArn"]].items()
        }
        lives = _lives(aws, [one for _, one in pairs], proven)
        return [
            None if one is None else _as_read(spec, lives.get(one["TargetGroupArn"]), found.get(spec.name))
            for spec, one in zip(specs, chosen, strict=True)
        ]

    def compare(self, spec: TargetGroup, live: Live[TargetGroup, TargetGroupOut]) -> Delta:
        """Return what differs. Raises `Refused` for a move to another VPC (the name would be the same), and for an
        exchange that ECS would not join in."""
        delta = diff(spec, live.spec)
        name = reading.name_in(spec.tags, spec.name)
        if delta.touches("vpc_id") and not delta.touches("name"):
            message = f"the target group of {name} lives in {live.spec.vpc_id}; it cannot move to {spec.vpc_id}"
            hint = "give its load balancer another name in [load_balancers]: then both are made anew"
            raise Refused(message, hint=hint)
        if delta.touches("name") and spec.consumer:
            if not spec.consumer.rolling:
                message = f"the target group of {name} cannot be exchanged: ECS itself shifts this service's traffic"
                raise Refused(message, hint=f'deploy with [services.{name}.deploy] strategy = "rolling" first')
            return Delta((*delta, FieldChange("exchange", before=None, after=_EXCHANGE, effect=Effect.REPLACEMENT)))
        if delta.touches("health_check.path", "health_check.codes"):
            return Delta((*delta, FieldChange("running_tasks", before=None, after=_ASKED_AT_ONCE)))
        return delta

    def replace(self, aws: Aws, live: Live[TargetGroup, TargetGroupOut], spec: TargetGroup) -> TargetGroupOut:
        made = self.create(aws, spec)
        exchange(aws, live.out.arn, made.arn, spec.tags, spec.consumer)
        return made

    def create(self, aws: Aws, spec: TargetGroup) -> TargetGroupOut:
        name = _free_name(aws, spec)
        try:
            made = aws.elb.create_target_group(
                Name=name,
                Protocol="HTTP",
                ProtocolVersion=spec.protocol_version,
                Port=spec.port,
                VpcId=known(spec.vpc_id),
                TargetType="ip",
                Tags=tags.pairs(spec.tags),
                **_health_check(spec),
            )["TargetGroups"][0]
        except ClientError as error:
            # Its own earlier success, with other settings; whose it is, its tags say.
            live = self.read(aws, [spec])[0] if says(error, "DuplicateTargetGroupName") else None
            if live is None or not same_resource(spec.tags, live.spec.tags):
                raise
            return self.update(aws, live, spec, self.compare(spec, live))
        # Attributes are a call of their own: after a crash in between, the next plan finds them missing.
        _set_attributes(aws, made["TargetGroupArn"], spec.attributes)
        return TargetGroupOut(made["TargetGroupArn"], name)

    def update(
        self, aws: Aws, live: Live[TargetGroup, TargetGroupOut], spec: TargetGroup, delta: Delta
    ) -> TargetGroupOut:
        arn = live.out.arn
        if delta.touches("tags"):
            aws.elb.add_tags(ResourceArns=[arn], Tags=tags.pairs(spec.tags))
        if delta.touches("health_check"):
            aws.elb.modify_target_group(TargetGroupArn=arn, **_health_check(spec))
        if delta.touches("attributes"):
            changed = {key: value for key, value in spec.attributes.items() if live.spec.attributes.get(key) != value}
            _set_attributes(aws, arn, changed)
        return live.out

    def delete(self, aws: Aws, live: Live[TargetGroup, TargetGroupOut]) -> None:
        arn = live.out.arn

        def delete() -> None:
            try:
                aws.elb.delete_target_group(TargetGroupArn=arn)
            except ClientError as error:
                if says(error, "ResourceInUse"):
                    release(aws, arn, live.spec.tags)
                raise

        try:
            retrying(aws, delete, _IN_USE)
        except ClientError as error:
            if not says(error, "TargetGroupNotFound"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[Live[TargetGroup, TargetGroupOut]]:
        arns = {arn for arn in aws.tagged(owner.tags()) if reading.TARGET_GROUP in arn} - known
        lives = _lives(aws, reading.target_groups_at(aws, arns), {}).values() if arns else ()
        return [live for live in lives if owner.owns(live.spec.tags)]

    def health(self, aws: Aws, lives: Sequence[Live[TargetGroup, TargetGroupOut]]) -> Sequence[TargetCounts]:
        """Return the targets by health, counted."""
        return aws.each(lambda live: _counts(aws, live.out.arn), lives)

    def summary(self, spec: TargetGroup) -> str:
        return f"target group for {reading.name_in(spec.tags, spec.name)}"

    def detail(self, out: TargetGroupOut) -> str:
        return out.name


def _in_use_beside(aws: Aws, spec: TargetGroup, wanted: TargetGroupTypeDef | None) -> TargetGroupTypeDef | None:
    """Return the target group of the same address that has the requests `spec` is to get, behind its load balancer.

    Of a pair each half is known by its address, whichever of the two names it has; a service that rolls uses the half
    that has the requests.
    """
    if not spec.load_balancer:
        return None
    arns = reading.candidates(aws, spec.tags, reading.TARGET_GROUP)
    if spec.twin and spec.rolls:
        arns += reading.candidates(aws, {**spec.tags, ADDRESS: spec.beside}, reading.TARGET_GROUP)
    others = [arn for arn in arns if wanted is None or arn != wanted["TargetGroupArn"]]
    for one in reading.target_groups_at(aws, others):
        if not spec.rolls:
            if one["TargetGroupName"] == spec.twin:
                return one
            continue
        for balancer in one.get("LoadBalancerArns", ()):
            behind = balancer.split("/")[-2] == spec.load_balancer
            if behind and one["TargetGroupArn"] in in_use(aws, balancer, spec.tags):
                return one
    return None


def _as_read(
    spec: TargetGroup, live: Live[TargetGroup, TargetGroupOut] | None, wanted: TargetGroupTypeDef | None
) -> Live[TargetGroup, TargetGroupOut] | None:
    """Have the old half of an exchange speak for the new one, too; either name of a pair is as good as the other."""
    if live is None:
        return None
    if spec.twin and live.spec.name in {spec.name, spec.twin}:
        other_half = live.spec.tags.get(ADDRESS) == spec.beside and same_owner(spec.tags, live.spec.tags)
        return None if other_half and not spec.rolls else replace(live, spec=replace(live.spec, name=spec.name))
    if wanted is None or wanted["TargetGroupArn"] == live.id:
        return live
    return replace(live, beside=frozenset({wanted["TargetGroupArn"]}))


def _free_name(aws: Aws, spec: TargetGroup) -> str:
    """Return the name for a new group: the other one of its pair where the other half has taken the first."""
    if not spec.twin or spec.rolls:
        return spec.name
    taken = reading.target_groups(aws, [spec.name]).get(spec.name)
    if taken is None:
        return spec.name
    seen = reading.tags_of(aws, [taken["TargetGroupArn"]]).get(taken["TargetGroupArn"], {})
    is_other_half = seen.get(ADDRESS) == spec.beside and same_owner(spec.tags, seen)
    return spec.twin if is_other_half else spec.name


def _lives(
    aws: Aws, found: Sequence[TargetGroupTypeDef], proven: reading.Hints
) -> dict[str, Live[TargetGroup, TargetGroupOut]]:
    """Return lives by ARN, with attributes and tags (those that are not `proven`) asked for side by side.

    What is gone by now is left out.
    """
    arns = [one["TargetGroupArn"] for one in found]
    if not arns:
        return {}
    tag_asks = reading.tag_asks(aws, [arn for arn in arns if arn not in proven])
    answers = aws.together(*(partial(_attributes, aws, arn) for arn in arns), *tag_asks)
    attributes, seen = answers[: len(arns)], {**proven, **reading.merged(answers[len(arns) :])}
    return {
        one["TargetGroupArn"]: _live(one, some, seen[one["TargetGroupArn"]])
        for one, some in zip(found, attributes, strict=True)
        if one["TargetGroupArn"] in seen
    }


def _live(
    one: TargetGroupTypeDef, attributes: Mapping[str, str], seen: Mapping[str, str]
) -> Live[TargetGroup, TargetGroupOut]:
    matcher = one.get("Matcher", {})
    spec = TargetGroup(
        name=one["TargetGroupName"],
        vpc_id=one.get("VpcId", ""),
        port=one.get("Port", 0),
        protocol_version=one.get("ProtocolVersion", "HTTP1"),
        health_check=HealthCheck(
            path=one.get("HealthCheckPath", ""),
            codes=matcher.get("GrpcCode") or matcher.get("HttpCode") or "",
            interval=one["HealthCheckIntervalSeconds"],
            timeout=one["HealthCheckTimeoutSeconds"],
            healthy=one["HealthyThresholdCount"],
            unhealthy=one["UnhealthyThresholdCount"],
            protocol=one.get("HealthCheckProtocol", "HTTP"),
            port=one.get("HealthCheckPort", "traffic-port"),
        ),
        attributes=attributes,
        tags=seen,
    )
    return Live(spec, TargetGroupOut(one["TargetGroupArn"], one["TargetGroupName"]), one["TargetGroupArn"])


def _attributes(aws: Aws, arn: str) -> dict[str, str]:
    try:
        listed = aws.elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    except ClientError as error:
        if says(error, "TargetGroupNotFound"):
            return {}
        raise
    return {attribute["Key"]: attribute["Value"] for attribute in listed}


def _health_check(spec: TargetGroup) -> dict[str, Any]:
    check = spec.health_check
    return {
        "HealthCheckProtocol": check.protocol,
        "HealthCheckPort": check.port,
        "HealthCheckPath": check.path,
        "HealthCheckIntervalSeconds": check.interval,
        "HealthCheckTimeoutSeconds": check.timeout,
        "HealthyThresholdCount": check.healthy,
        "UnhealthyThresholdCount": check.unhealthy,
        "Matcher": {"GrpcCode" if spec.protocol_version == GRPC else "HttpCode": check.codes},
    }


def _set_attributes(aws: Aws, arn: str, attributes: Mapping[str, str]) -> None:
    if attributes:
        pairs = tags.pairs(attributes)
        call = aws.elb.modify_target_group_attributes
        retrying(aws, lambda: call(TargetGroupArn=arn, Attributes=pairs), _NOT_SEEN)


def _counts(aws: Aws, arn: str) -> TargetCounts:
    listed = aws.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    # "unhealthy.draining" is a target that leaves while unwell; "unused" ones take no part.
    by_state = Counter(one["TargetHealth"]["State"].partition(".")[0] for one in listed)
    return TargetCounts(
        healthy=by_state["healthy"],
        unhealthy=by_state["unhealthy"] + by_state["unavailable"],
        initial=by_state["initial"],
        draining=by_state["draining"],
    )
