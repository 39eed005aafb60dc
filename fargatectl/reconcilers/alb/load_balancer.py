"""Application Load Balancers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, polling, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import same_resource
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.errors import AwsFailure, Refused
from fargatectl.model.change import Action, Delta, diff
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.alb import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from types_boto3_elbv2.type_defs import LoadBalancerTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership

DUALSTACK = "dualstack"
PROTECTION = "deletion_protection.enabled"

# EC2 API Reference, "Eventual consistency": a security group that was just made.
_GROUP_NOT_SEEN = Transient("InvalidSecurityGroup", seconds=60)
# ELB shows a new load balancer to its other calls a little later; the bound is other tools' experience.
_NOT_SEEN = Transient("LoadBalancerNotFound", seconds=120)
_GONE_SECONDS = 300
_ACTIVE_SECONDS = 600


@dataclass(frozen=True)
class LoadBalancerOut:
    """`dns_name` and `zone_id` are what an alias record needs."""

    arn: str
    name: str
    dns_name: str
    zone_id: str

    @property
    def suffix(self) -> str:
        """What CloudWatch calls it, the dimension `LoadBalancer`: "app/NAME/ID"."""
        return self.arn.partition(":loadbalancer/")[2]


@dataclass(frozen=True, kw_only=True)
class LoadBalancer(Spec):
    """An Application Load Balancer.

    `attributes` are those that we set, by AWS's keys and with values as AWS spells them (ELB API Reference,
    LoadBalancerAttribute); all others are left alone.
    """

    name: str = setting(immutable=True)
    scheme: str = setting(immutable=True, default="internet-facing")
    vpc_id: Late[str] = setting(immutable=True)
    subnets: Late[tuple[str, ...]]
    security_groups: tuple[Late[str], ...]
    ip_address_type: str = "ipv4"
    attributes: Mapping[str, str] = setting(partial=True, default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("subnets", "security_groups"):
            value = getattr(self, name)
            if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
                object.__setattr__(self, name, tuple(sorted(value)))


class LoadBalancers(Reconciler[LoadBalancer, LoadBalancerOut]):
    """Reads and changes load balancers.

    A replacement is made beside the old one, under another name: the name ends in a digest of what cannot change. Where
    that name is not found, what carries our address is the old half.
    """

    kind = "alb.load_balancer"
    noun = "load balancer"
    tagged_as = "elasticloadbalancing"
    create_first = True
    effects: ClassVar[Mapping[Action, Effect]] = {
        Action.DELETE: Effect.INTERRUPTION,
        # The new one has another DNS name: whoever uses the old one finds nothing any more.
        Action.REPLACE: Effect.INTERRUPTION,
    }

    def read(self, aws: Aws, specs: Sequence[LoadBalancer]) -> Sequence[Live[LoadBalancer, LoadBalancerOut] | None]:
        found = reading.load_balancers(aws, (spec.name for spec in specs))
        chosen = [found.get(spec.name) or self._old_half(aws, spec) for spec in specs]
        arns = [one["LoadBalancerArn"] for one in chosen if one is not None]
        wholes = reading.wholes(aws, arns, [spec.tags for spec in specs]) if arns else {}
        pairs = list(zip(specs, chosen, strict=True))
        parts = ((wholes[one["LoadBalancerArn"]], one["LoadBalancerArn"], spec.tags) for spec, one in pairs if one)
        seen = reading.sure_tags(aws, parts)
        return [_live(one, wholes[one["LoadBalancerArn"]], seen) if one else None for one in chosen]

    def _old_half(self, aws: Aws, spec: LoadBalancer) -> LoadBalancerTypeDef | None:
        arns = reading.candidates(aws, spec.tags, reading.LOAD_BALANCER)
        return next(iter(reading.load_balancers_at(aws, arns)), None)

    def compare(self, spec: LoadBalancer, live: Live[LoadBalancer, LoadBalancerOut]) -> Delta:
        """Return what differs. Raises `Refused` for a move to another VPC: the name would be the same."""
        delta = diff(spec, live.spec)
        if delta.touches("vpc_id") and not delta.touches("name"):
            name = reading.name_in(spec.tags, spec.name)
            message = f"load balancer {name} lives in {live.spec.vpc_id}; it cannot move to {spec.vpc_id}"
            hint = "give it another name in [load_balancers]: then a new one is made there, and this one goes"
            raise Refused(message, hint=hint)
        return delta

    def create(self, aws: Aws, spec: LoadBalancer) -> LoadBalancerOut:
        subnets: tuple[str, ...] = known(spec.subnets)
        request: dict[str, Any] = {
            "Name": spec.name,
            "Subnets": list(subnets),
            "SecurityGroups": [known(group) for group in spec.security_groups],
            "Scheme": spec.scheme,
            "Type": "application",
            "IpAddressType": spec.ip_address_type,
            "Tags": tags.pairs(spec.tags),
        }
        try:
            made = retrying(aws, lambda: aws.elb.create_load_balancer(**request), _GROUP_NOT_SEEN)["LoadBalancers"][0]
        except ClientError as error:
            # Its own earlier success, with other settings; whose it is, its tags say.
            live = self.read(aws, [spec])[0] if says(error, "DuplicateLoadBalancerName") else None
            if live is None or not same_resource(spec.tags, live.spec.tags):
                raise
            return self.update(aws, live, spec, self.compare(spec, live))
        # Attributes are a call of their own: after a crash in between, the next plan finds them missing.
        _set_attributes(aws, made["LoadBalancerArn"], spec.attributes)
        return _out(made)

    def update(
        self, aws: Aws, live: Live[LoadBalancer, LoadBalancerOut], spec: LoadBalancer, delta: Delta
    ) -> LoadBalancerOut:
        arn = live.out.arn
        if delta.touches("tags"):
            aws.elb.add_tags(ResourceArns=[arn], Tags=tags.pairs(spec.tags))
        if delta.touches("security_groups"):
            groups = [known(group) for group in spec.security_groups]
            aws.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=groups)
        # Dual stack wants subnets with IPv6: they come before it, and others after it.
        calls = [
            partial(_set_subnets, aws, arn, spec) if delta.touches("subnets") else None,
            partial(_set_addresses, aws, arn, spec) if delta.touches("ip_address_type") else None,
        ]
        for call in filter(None, calls if spec.ip_address_type == DUALSTACK else reversed(calls)):
            call()
        if delta.touches("attributes"):
            changed = {key: value for key, value in spec.attributes.items() if live.spec.attributes.get(key) != value}
            _set_attributes(aws, arn, changed)
        return live.out

    def delete(self, aws: Aws, live: Live[LoadBalancer, LoadBalancerOut]) -> None:
        """Delete it with its listeners, and wait until it is gone.

        Raises `Refused` where deletion protection is on, and for listeners of others.

        Its network interfaces stay for some minutes; whoever needs them gone waits for that.
        """
        if live.spec.attributes.get(PROTECTION) == "true":
            raise _protected(live)
        listeners = {
            one["ListenerArn"]: f"listener on port {one['Port']}" for one in reading.listeners_of(aws, live.out.arn)
        }
        reading.require_none_of_others(aws, self.summary(live.spec), live.spec.tags, listeners)
        try:
            aws.elb.delete_load_balancer(LoadBalancerArn=live.out.arn)
        except ClientError as error:
            if says(error, "OperationNotPermitted"):
                raise _protected(live) from error
            if not says(error, "LoadBalancerNotFound"):
                raise
        polling(
            aws,
            f"load balancer {live.out.name} is gone",
            lambda: None if reading.load_balancers_at(aws, [live.out.arn]) else True,
            seconds=_GONE_SECONDS,
        )

    def owned(
        self, aws: Aws, owner: Ownership, known: AbstractSet[str]
    ) -> Iterable[Live[LoadBalancer, LoadBalancerOut]]:
        arns = {arn for arn in aws.tagged(owner.tags()) if reading.LOAD_BALANCER in arn} - known
        found = reading.load_balancers_at(aws, arns)
        seen = reading.tags_of(aws, [one["LoadBalancerArn"] for one in found])
        lives = [_live(one, reading.whole(aws, one["LoadBalancerArn"]), seen) for one in found]
        return [live for live in lives if owner.owns(live.spec.tags)]

    def summary(self, spec: LoadBalancer) -> str:
        return f"load balancer {reading.name_in(spec.tags, spec.name)}"

    def detail(self, out: LoadBalancerOut) -> str:
        return out.dns_name


def until_active(aws: Aws, arns: Sequence[str]) -> None:
    """Wait until load balancers route traffic, ten minutes at most.

    Raises `AwsFailure` with AWS's reason where one has failed. "active_impaired" routes traffic too (ELB API Reference,
    LoadBalancerState).
    """

    def look() -> bool | None:
        found = reading.load_balancers_at(aws, arns)
        for one in found:
            state = one.get("State", {})
            if state.get("Code") == "failed":
                message = (
                    f"load balancer {one['LoadBalancerName']} failed: {state.get('Reason') or 'AWS gives no reason'}"
                )
                raise AwsFailure(message, operation="elbv2:DescribeLoadBalancers", code="failed")
        ready = [one for one in found if one.get("State", {}).get("Code") in {"active", "active_impaired"}]
        return True if len(ready) == len(set(arns)) else None

    polling(aws, "load balancers are active", look, seconds=_ACTIVE_SECONDS, interval=3)


def _live(
    one: LoadBalancerTypeDef, whole: reading.Whole, seen: Mapping[str, Mapping[str, str]]
) -> Live[LoadBalancer, LoadBalancerOut]:
    spec = LoadBalancer(
        name=one["LoadBalancerName"],
        scheme=one.get("Scheme", "internet-facing"),
        vpc_id=one["VpcId"],
        subnets=tuple(zone["SubnetId"] for zone in one["AvailabilityZones"]),
        security_groups=tuple(one.get("SecurityGroups", ())),
        ip_address_type=one.get("IpAddressType", "ipv4"),
        attributes=whole.attributes,
        tags=seen.get(one["LoadBalancerArn"], {}),
    )
    return Live(spec, _out(one), one["LoadBalancerArn"])


def _out(one: LoadBalancerTypeDef) -> LoadBalancerOut:
    return LoadBalancerOut(
        arn=one["LoadBalancerArn"],
        name=one["LoadBalancerName"],
        dns_name=one["DNSName"],
        zone_id=one["CanonicalHostedZoneId"],
    )


def _set_subnets(aws: Aws, arn: str, spec: LoadBalancer) -> None:
    subnets: tuple[str, ...] = known(spec.subnets)
    aws.elb.set_subnets(LoadBalancerArn=arn, Subnets=list(subnets))


def _set_addresses(aws: Aws, arn: str, spec: LoadBalancer) -> None:
    kind: Any = spec.ip_address_type
    aws.elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=kind)


def _set_attributes(aws: Aws, arn: str, attributes: Mapping[str, str]) -> None:
    if attributes:
        pairs = tags.pairs(attributes)
        call = aws.elb.modify_load_balancer_attributes
        retrying(aws, lambda: call(LoadBalancerArn=arn, Attributes=pairs), _NOT_SEEN)


def _protected(live: Live[LoadBalancer, LoadBalancerOut]) -> Refused:
    name = reading.name_in(live.spec.tags, live.out.name)
    message = f"load balancer {name} ({live.out.name}) is protected against deletion"
    return Refused(message, hint="set `deletion_protection = false` and deploy, then run the same command again")
