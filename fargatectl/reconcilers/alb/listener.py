"""Listeners: the ports of a load balancer, their certificates, and what they do with what no rule takes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import same_resource
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.change import Action
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.alb import reading
from fargatectl.reconcilers.alb.actions import Forward, ListenerAction, from_aws, to_aws

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from types_boto3_elbv2.type_defs import ListenerTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

HTTP, HTTPS = "HTTP", "HTTPS"

# ELB sees what was just made (a load balancer, a target group, a certificate in ACM) a little later; the bounds are
# other tools' experience.
_NOT_SEEN = (
    Transient("LoadBalancerNotFound", seconds=60),
    Transient("TargetGroupNotFound", seconds=60),
    Transient("ListenerNotFound", seconds=60),
    Transient("CertificateNotFound", seconds=300),
)


@dataclass(frozen=True)
class ListenerOut:
    """`port` stands beside the ARN for those who show it."""

    arn: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Listener(Spec):
    """A listener. `certificate` is the default one, `extra_certificates` are chosen by SNI; ARNs, for HTTPS only.

    `ssl_policy` is None for HTTP; AWS fills it in for HTTPS if it is not sent, with a default that has changed.
    """

    identity: ClassVar[tuple[str, ...]] = ("load_balancer_arn", "port")

    load_balancer_arn: Late[str] = setting(immutable=True)
    port: int
    protocol: str = HTTP
    ssl_policy: str | None = None
    certificate: Late[str] | None = None
    extra_certificates: Late[tuple[str, ...]] = ()
    default_action: ListenerAction

    def __post_init__(self) -> None:
        if isinstance(self.extra_certificates, tuple):
            object.__setattr__(self, "extra_certificates", tuple(sorted(set(self.extra_certificates))))


class Listeners(Reconciler[Listener, ListenerOut]):
    """Reads and changes listeners: one per load balancer and port."""

    kind = "alb.listener"
    noun = "listener"
    tagged_as = "elasticloadbalancing"
    create_first = True
    effects: ClassVar[Mapping[Action, Effect]] = {Action.DELETE: Effect.INTERRUPTION}

    def read(self, aws: Aws, specs: Sequence[Listener]) -> Sequence[Live[Listener, ListenerOut] | None]:
        wholes = {arn: reading.whole(aws, arn) for arn in {known(spec.load_balancer_arn) for spec in specs}}
        there = {(arn, one["Port"]): one for arn, whole in wholes.items() for one in whole.listeners}
        found = [(spec, there.get((known(spec.load_balancer_arn), spec.port))) for spec in specs]
        parts = ((wholes[one["LoadBalancerArn"]], one["ListenerArn"], spec.tags) for spec, one in found if one)
        seen = reading.sure_tags(aws, parts)
        return [_live(one, wholes[one["LoadBalancerArn"]], seen) if one else None for _, one in found]

    def create(self, aws: Aws, spec: Listener) -> ListenerOut:
        def ask() -> ListenerTypeDef:
            return aws.elb.create_listener(
                LoadBalancerArn=known(spec.load_balancer_arn),
                Port=spec.port,
                DefaultActions=to_aws(spec.default_action),
                Tags=tags.pairs(spec.tags),
                **_transport(spec),
            )["Listeners"][0]

        try:
            arn = retrying(aws, ask, *_NOT_SEEN)["ListenerArn"]
        except ClientError as error:
            # Its own earlier success, with other settings; whose it is, its tags say.
            live = self.read(aws, [spec])[0] if says(error, "DuplicateListener") else None
            if live is None or not same_resource(spec.tags, live.spec.tags):
                raise
            return self.update(aws, live, spec, self.compare(spec, live))
        # SNI certificates are calls of their own: after a crash in between, the next plan finds them missing.
        _add_certificates(aws, arn, _extra(spec))
        return ListenerOut(arn, spec.port)

    def update(self, aws: Aws, live: Live[Listener, ListenerOut], spec: Listener, delta: Delta) -> ListenerOut:
        arn = live.out.arn
        if delta.touches("tags"):
            aws.elb.add_tags(ResourceArns=[arn], Tags=tags.pairs(spec.tags))
        there, wanted = _extra(live.spec), _extra(spec)
        if delta.touches("extra_certificates"):
            _add_certificates(aws, arn, wanted - there)
        changed: dict[str, Any] = {}
        if delta.touches("protocol", "ssl_policy", "certificate"):
            changed |= _transport(spec)
        if delta.touches("default_action"):
            changed["DefaultActions"] = to_aws(spec.default_action)
        if changed:
            retrying(aws, lambda: aws.elb.modify_listener(ListenerArn=arn, **changed), *_NOT_SEEN)
        if delta.touches("extra_certificates"):
            for certificate in sorted(there - wanted):
                aws.elb.remove_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": certificate}])
        return live.out

    def meanwhile(self, spec: Listener, live: Live[Listener, ListenerOut]) -> Listener:
        """Keep a default action that sends requests to a service until the rule that takes its place is there."""
        was, shall = live.spec.default_action, spec.default_action
        if isinstance(was, Forward) and not isinstance(shall, Forward):
            return replace(spec, default_action=was)
        return spec

    def delete(self, aws: Aws, live: Live[Listener, ListenerOut]) -> None:
        """Delete it, which deletes its rules. Raises `Refused` for rules of others."""
        rules = {
            one["RuleArn"]: f"rule {one['Priority']}"
            for one in reading.rules_of(aws, live.out.arn)
            if not one["IsDefault"]
        }
        reading.require_none_of_others(aws, self.summary(live.spec), live.spec.tags, rules)
        try:
            aws.elb.delete_listener(ListenerArn=live.out.arn)
        except ClientError as error:
            if not says(error, "ListenerNotFound"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[Live[Listener, ListenerOut]]:
        for arn in reading.own_load_balancers(aws, owner, known):
            whole = reading.whole(aws, arn)
            likely = reading.marked(whole, owner, (one["ListenerArn"] for one in whole.listeners), known)
            seen = reading.tags_of(aws, likely)
            for listener in whole.listeners:
                if owner.owns(seen.get(listener["ListenerArn"], {})):
                    yield _live(listener, whole, seen)

    def summary(self, spec: Listener) -> str:
        name = reading.name_in(spec.tags, "").rpartition(":")[0]
        return f"listener on port {spec.port}" + (f" of {name}" if name else "")


def _live(
    one: ListenerTypeDef, whole: reading.Whole, seen: Mapping[str, Mapping[str, str]]
) -> Live[Listener, ListenerOut]:
    arn = one["ListenerArn"]
    certificates = one.get("Certificates", ())
    secure = one["Protocol"] == HTTPS
    spec = Listener(
        load_balancer_arn=one["LoadBalancerArn"],
        port=one["Port"],
        protocol=one["Protocol"],
        ssl_policy=one.get("SslPolicy") if secure else None,
        certificate=certificates[0]["CertificateArn"] if secure and certificates else None,
        extra_certificates=whole.certificates.get(arn, ()),
        default_action=from_aws(one["DefaultActions"]),
        tags=seen.get(arn, {}),
    )
    return Live(spec, ListenerOut(arn, one["Port"]), arn)


def _transport(spec: Listener) -> dict[str, Any]:
    """Return protocol, policy and default certificate, which belong together."""
    transport: dict[str, Any] = {"Protocol": spec.protocol}
    if spec.ssl_policy is not None:
        transport["SslPolicy"] = spec.ssl_policy
    if spec.certificate is not None:
        transport["Certificates"] = [{"CertificateArn": known(spec.certificate)}]
    return transport


def _extra(spec: Listener) -> set[str]:
    certificates: tuple[str, ...] = known(spec.extra_certificates)
    return set(certificates)


def _add_certificates(aws: Aws, arn: str, certificates: Iterable[str]) -> None:
    """Add SNI certificates; AWS takes one a call."""

    def add(certificate: str) -> object:
        return aws.elb.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": certificate}])

    for certificate in sorted(certificates):
        retrying(aws, partial(add, certificate), *_NOT_SEEN)
