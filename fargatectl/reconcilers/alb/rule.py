"""Listener rules: which hosts and paths lead to which service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import same_resource
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.errors import AwsFailure
from fargatectl.model.change import Action, diff
from fargatectl.model.ownership import APP, ENVIRONMENT, owner_of
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.alb import reading
from fargatectl.reconcilers.alb.actions import ListenerAction, Shifted, from_aws, to_aws, weights_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from types_boto3_elbv2.type_defs import RuleTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

EVERYTHING = "/*"
"""The path of a rule that stands in for the default action: ECS shifts the requests of rules alone."""
PRIORITY_MAX = 50_000  # ELB API Reference, CreateRule

# ELB sees a listener or a target group that was just made a little later; the bounds are other tools' experience.
_NOT_SEEN = (Transient("ListenerNotFound", seconds=60), Transient("TargetGroupNotFound", seconds=60))
_HOST, _PATH = "host-header", "path-pattern"


@dataclass(frozen=True)
class RuleOut:
    """`priority` is what was there when it was read or made, `groups` the target groups that it forwards to."""

    arn: str
    priority: int
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Rule(Spec):
    """A rule: requests to one of `hosts` and one of `paths` (empty: any) go where `action` says, lowest priority first.

    At most five values in all (ELB User Guide, "Quotas"). Hosts are compared without regard to case. `others` are
    conditions of other kinds that somebody added; ours have none. `redirected_from` is the ARN of a load balancer that
    redirects what comes in elsewhere to the rule's listener.
    """

    identity: ClassVar[tuple[str, ...]] = ("listener_arn",)

    listener_arn: Late[str] = setting(immutable=True)
    priority: Late[int]
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    action: ListenerAction
    others: tuple[str, ...] = ()
    redirected_from: Late[str] = setting(wiring=True, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "hosts", tuple(sorted({host.lower() for host in self.hosts})))
        object.__setattr__(self, "paths", tuple(sorted(set(self.paths))))


class Rules(Reconciler[Rule, RuleOut]):
    """Reads and changes rules. AWS gives them no name: ours are known by the address in their tags."""

    kind = "alb.rule"
    noun = "rule"
    tagged_as = "elasticloadbalancing"
    create_first = True
    effects: ClassVar[Mapping[Action, Effect]] = {Action.DELETE: Effect.INTERRUPTION}

    def read(self, aws: Aws, specs: Sequence[Rule]) -> Sequence[Live[Rule, RuleOut] | None]:
        found: list[tuple[reading.Whole, RuleTypeDef] | None] = []
        for spec in specs:
            listener = known(spec.listener_arn)
            whole = reading.whole(aws, _load_balancer_of(listener))
            rules = whole.rules.get(listener, ())
            mine = (rule for rule in rules if same_resource(spec.tags, whole.tags.get(rule["RuleArn"], {})))
            found.append(next(((whole, rule) for rule in mine), None))
        pairs = list(zip(specs, found, strict=True))
        seen = reading.sure_tags(aws, ((one[0], one[1]["RuleArn"], spec.tags) for spec, one in pairs if one))
        return [_live(one[1], known(spec.listener_arn), seen) if one else None for spec, one in pairs]

    def compare(self, spec: Rule, live: Live[Rule, RuleOut]) -> Delta:
        """Return what differs. Between the two groups of a service the weights are ECS's, and never compared."""
        if isinstance(spec.action, Shifted) and spec.action.is_pair(live.out.groups):
            spec = replace(spec, action=live.spec.action)
        return diff(spec, live.spec)

    def create(self, aws: Aws, spec: Rule) -> RuleOut:
        def ask() -> RuleTypeDef:
            return aws.elb.create_rule(
                ListenerArn=known(spec.listener_arn),
                Priority=known(spec.priority),
                Conditions=_conditions(spec),
                Actions=to_aws(spec.action),
                Tags=tags.pairs(spec.tags),
            )["Rules"][0]

        try:
            made = retrying(aws, ask, *_NOT_SEEN)
        except ClientError as error:
            if not says(error, "PriorityInUse"):
                raise
            # CreateRule is not idempotent: a repeated call meets its own earlier success here.
            (live,) = self.read(aws, [spec])
            if live is not None:
                return self.update(aws, live, spec, self.compare(spec, live))
            _make_room(aws, spec)
            made = ask()
        return RuleOut(made["RuleArn"], known(spec.priority))

    def update(self, aws: Aws, live: Live[Rule, RuleOut], spec: Rule, delta: Delta) -> RuleOut:
        arn = live.out.arn
        if delta.touches("tags"):
            aws.elb.add_tags(ResourceArns=[arn], Tags=tags.pairs(spec.tags))
        changed: dict[str, Any] = {}
        if delta.touches("hosts", "paths", "others"):
            changed["Conditions"] = _conditions(spec)
        if delta.touches("action"):
            changed["Actions"] = to_aws(spec.action)
        if changed:
            retrying(aws, lambda: aws.elb.modify_rule(RuleArn=arn, **changed), *_NOT_SEEN)
        if delta.touches("priority"):
            try:
                _move(aws, arn, known(spec.priority))
            except ClientError as error:
                if not says(error, "PriorityInUse"):
                    raise
                _make_room(aws, spec)
                _move(aws, arn, known(spec.priority))
        return RuleOut(arn, known(spec.priority))

    def delete(self, aws: Aws, live: Live[Rule, RuleOut]) -> None:
        try:
            aws.elb.delete_rule(RuleArn=live.out.arn)
        except ClientError as error:
            if not says(error, "RuleNotFound"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[Live[Rule, RuleOut]]:
        for arn in reading.own_load_balancers(aws, owner, known):
            whole = reading.whole(aws, arn)
            on_it = [(listener, rule) for listener, rules in whole.rules.items() for rule in rules]
            likely = reading.marked(whole, owner, (rule["RuleArn"] for _, rule in on_it), known)
            seen = reading.tags_of(aws, likely)
            for listener, rule in on_it:
                if owner.owns(seen.get(rule["RuleArn"], {})):
                    yield _live(rule, listener, seen)

    def loss(self, live: Live[Rule, RuleOut], successor: Rule | None) -> Effect:
        """What a rule for all requests takes, the listener's default action takes after it; what takes requests at
        another port of the same load balancer is found by a redirect."""
        everything = live.spec.paths == (EVERYTHING,) and not live.spec.hosts
        stays = successor is not None and successor.redirected_from == _load_balancer_of(known(live.spec.listener_arn))
        return Effect.NONE if everything or stays else super().loss(live, successor)

    def summary(self, spec: Rule) -> str:
        matches = ", ".join([*spec.hosts, *spec.paths])
        return f"rule for {reading.name_in(spec.tags, 'requests')}" + (f" ({matches})" if matches else "")


def _load_balancer_of(listener_arn: str) -> str:
    """Return the ARN of the load balancer that a listener's ARN is made from."""
    return listener_arn.replace(":listener/", ":loadbalancer/").rpartition("/")[0]


def _live(rule: RuleTypeDef, listener: str, seen: Mapping[str, Mapping[str, str]]) -> Live[Rule, RuleOut]:
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    others = []
    for condition in rule.get("Conditions", ()):
        # `Values` repeats what the config of the field says; a regular expression is never ours.
        values = condition.get("HostHeaderConfig") or condition.get("PathPatternConfig") or {}
        if condition["Field"] == _HOST and "Values" in values:
            hosts += tuple(values["Values"])
        elif condition["Field"] == _PATH and "Values" in values:
            paths += tuple(values["Values"])
        else:
            others.append(condition["Field"])
    spec = Rule(
        listener_arn=listener,
        priority=int(rule["Priority"]),
        hosts=hosts,
        paths=paths,
        action=from_aws(rule["Actions"]),
        others=tuple(sorted(others)),
        tags=seen.get(rule["RuleArn"], {}),
    )
    out = RuleOut(rule["RuleArn"], int(rule["Priority"]), frozenset(weights_of(rule["Actions"])))
    return Live(spec, out, rule["RuleArn"])


def _conditions(spec: Rule) -> list[Any]:
    conditions: list[Any] = []
    if spec.hosts:
        conditions.append({"Field": _HOST, "HostHeaderConfig": {"Values": list(spec.hosts)}})
    if spec.paths:
        conditions.append({"Field": _PATH, "PathPatternConfig": {"Values": list(spec.paths)}})
    return conditions


def _move(aws: Aws, arn: str, priority: int) -> None:
    aws.elb.set_rule_priorities(RulePriorities=[{"RuleArn": arn, "Priority": priority}])


def _make_room(aws: Aws, spec: Rule) -> None:
    """Free the priority that `spec` wants, held by another rule of ours that is about to move or to go.

    It is put behind all others until then. Raises `AwsFailure` where a rule of somebody else holds it.
    """
    rules = [rule for rule in reading.rules_of(aws, known(spec.listener_arn)) if not rule.get("IsDefault")]
    held = {int(rule["Priority"]): rule["RuleArn"] for rule in rules}
    arn = held.get(known(spec.priority))
    if arn is None:
        return  # freed by now
    seen = reading.tags_of(aws, [arn]).get(arn, {})
    if any(seen.get(key) != spec.tags.get(key) for key in (APP, ENVIRONMENT)):
        message = f"priority {spec.priority} is taken by a rule of {owner_of(seen)} ({arn})"
        hint = "set another `priority` under [services.….http], or remove that rule"
        raise AwsFailure(message, operation="elbv2:CreateRule", code="PriorityInUse", hint=hint)
    _move(aws, arn, next(free for free in range(PRIORITY_MAX, 0, -1) if free not in held))
