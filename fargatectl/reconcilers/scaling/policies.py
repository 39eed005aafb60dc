"""Scaling policies: which metric of a service is held at which value (target tracking)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Late, known as settled
from fargatectl.reconcilers.scaling.targets import BUSY, COUNT, ECS, GONE, ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

TARGET_TRACKING = "TargetTrackingScaling"

# Application Auto Scaling API Reference, PutScalingPolicy: target and service-linked role are not yet seen everywhere.
_TARGET_NOT_SEEN = Transient(GONE)
_ROLE_NOT_READY = Transient("FailedResourceAccessException")

# DescribeScalingPolicies shows ten policies a page, of one resource or of all: up to so many it is asked for each.
_ASK_EACH_MAX = 5


@dataclass(frozen=True, kw_only=True)
class ScalingPolicy(Spec):
    """A target-tracking policy on a predefined metric; cooldowns in seconds.

    `label` names load balancer and target group, for requests per target. `target` and `after` are no settings: they
    have it wait for its scalable target and for the policy before it, as AWS takes one change of a target at a time.
    """

    identity: ClassVar[tuple[str, ...]] = ("resource_id", "name")

    name: str = setting(immutable=True)
    resource_id: str = setting(immutable=True)
    type: str = setting(immutable=True, default=TARGET_TRACKING)
    metric: str = ""
    label: tuple[Late[str], Late[str]] | None = setting(whole=True, default=None)
    value: float = 0.0
    cooldown_out: int | None = None
    cooldown_in: int | None = None
    scale_in: bool = True
    target: Late[str] = setting(wiring=True, default="")
    after: Late[str] = setting(wiring=True, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.value))


@dataclass(frozen=True, slots=True)
class PolicyOut:
    """A scaling policy."""

    arn: str


PolicyLive = Live[ScalingPolicy, PolicyOut]


class Policies(Reconciler[ScalingPolicy, PolicyOut]):
    """Reads and changes scaling policies.

    They take no tags: every policy on a target of ours is ours, and one that the file does not name goes. The alarms of
    a target-tracking policy are AWS's, which makes, changes and deletes them.
    """

    kind = "scaling.policy"
    noun = "scaling policy"
    taggable = False

    def read(self, aws: Aws, specs: Sequence[ScalingPolicy]) -> Sequence[PolicyLive | None]:
        found = {(live.spec.resource_id, live.spec.name): live for live in _on(aws, {s.resource_id for s in specs})}
        return [found.get((spec.resource_id, spec.name)) for spec in specs]

    def create(self, aws: Aws, spec: ScalingPolicy) -> PolicyOut:
        answer = retrying(
            aws,
            lambda: aws.autoscaling.put_scaling_policy(**_request(spec)),
            _TARGET_NOT_SEEN,
            _ROLE_NOT_READY,
            BUSY,
        )
        return PolicyOut(answer["PolicyARN"])

    def update(self, aws: Aws, live: PolicyLive, spec: ScalingPolicy, delta: Delta) -> PolicyOut:
        del live, delta
        return self.create(aws, spec)  # PutScalingPolicy takes the whole policy, new or not

    def delete(self, aws: Aws, live: PolicyLive) -> None:
        try:
            retrying(
                aws,
                lambda: aws.autoscaling.delete_scaling_policy(
                    ServiceNamespace=ECS,
                    ScalableDimension=COUNT,
                    ResourceId=live.spec.resource_id,
                    PolicyName=live.spec.name,
                ),
                _ROLE_NOT_READY,
                BUSY,
            )
        except ClientError as error:
            if not says(error, GONE):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[PolicyLive]:
        # Policies on a target that goes itself go with it.
        return [live for live in _on(aws, set(ours(aws, owner, known))) if live.id not in known]

    def summary(self, spec: ScalingPolicy) -> str:
        service = spec.resource_id.rpartition("/")[2]
        return f"scaling of {service} by {_NOUNS.get(spec.metric, spec.metric) or spec.name}"


_NOUNS = {
    "ECSServiceAverageCPUUtilization": "CPU",
    "ECSServiceAverageMemoryUtilization": "memory",
    "ALBRequestCountPerTarget": "requests",
}


def _on(aws: Aws, resources: AbstractSet[str]) -> list[PolicyLive]:
    """Return all policies on `resources`: asked for each while they are few, picked from all of ECS's when many."""
    asked: list[str | None] = [*sorted(resources)] if len(resources) <= _ASK_EACH_MAX else [None]
    pages = aws.each(lambda resource: _listed(aws, resource), asked)
    return [_live(policy) for page in pages for policy in page if policy["ResourceId"] in resources]


def _listed(aws: Aws, resource: str | None) -> list[Any]:
    def ask() -> list[Any]:
        limits = {"ResourceId": resource, "ScalableDimension": COUNT} if resource else {}
        pages = aws.autoscaling.get_paginator("describe_scaling_policies").paginate(
            ServiceNamespace=ECS,
            **limits,  # type: ignore[arg-type]
        )
        return [policy for page in pages for policy in page["ScalingPolicies"]]

    return aws.reads.once(("scaling policies", resource), ask)


def _live(found: Any) -> PolicyLive:  # noqa: ANN401 - AWS's scaling policy
    config = found.get("TargetTrackingScalingPolicyConfiguration") or {}
    metric = config.get("PredefinedMetricSpecification") or {}
    spec = ScalingPolicy(
        name=found["PolicyName"],
        resource_id=found["ResourceId"],
        type=found["PolicyType"],
        metric=metric.get("PredefinedMetricType", ""),
        label=_split(metric.get("ResourceLabel")),
        value=config.get("TargetValue", 0.0),
        cooldown_out=config.get("ScaleOutCooldown"),
        cooldown_in=config.get("ScaleInCooldown"),
        scale_in=not config.get("DisableScaleIn", False),
    )
    return Live(spec, PolicyOut(found["PolicyARN"]), found["PolicyARN"])


def _split(label: str | None) -> tuple[str, str] | None:
    """Take `app/NAME/ID/targetgroup/NAME/ID` apart into load balancer and target group."""
    if not label:
        return None
    balancer, part, group = label.partition("/targetgroup/")
    return balancer, f"{part}{group}".removeprefix("/")


def _request(spec: ScalingPolicy) -> dict[str, Any]:
    metric = {"PredefinedMetricType": spec.metric}
    if spec.label is not None:
        metric["ResourceLabel"] = "/".join(settled(part) for part in spec.label)
    config: dict[str, Any] = {
        "TargetValue": spec.value,
        "PredefinedMetricSpecification": metric,
        "DisableScaleIn": not spec.scale_in,
    }
    if spec.cooldown_out is not None:
        config["ScaleOutCooldown"] = spec.cooldown_out
    if spec.cooldown_in is not None:
        config["ScaleInCooldown"] = spec.cooldown_in
    return {
        "PolicyName": spec.name,
        "ServiceNamespace": ECS,
        "ResourceId": spec.resource_id,
        "ScalableDimension": COUNT,
        "PolicyType": spec.type,
        "TargetTrackingScalingPolicyConfiguration": config,
    }
