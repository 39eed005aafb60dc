"""Scaling policies: which metric of a service is held at which value, or moves its count by which steps."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Late, known as settled
from fargatectl.reconcilers.scaling.requests import both, requests_of
from fargatectl.reconcilers.scaling.targets import BUSY, COUNT, ECS, GONE, describe, ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

TARGET_TRACKING = "TargetTrackingScaling"
STEP = "StepScaling"
STEP_COOLDOWN = 300
"""Application Auto Scaling API Reference, StepScalingPolicyConfiguration: the default, in seconds."""

# Application Auto Scaling API Reference, PutScalingPolicy: target and service-linked role are not yet seen everywhere.
_TARGET_NOT_SEEN = Transient(GONE)
_ROLE_NOT_READY = Transient("FailedResourceAccessException")

# Application Auto Scaling API Reference, CustomizedMetricSpecification: Statistic; others go into a query.
_STATISTICS = frozenset({"Average", "Minimum", "Maximum", "SampleCount", "Sum"})
# DescribeScalingPolicies shows ten policies a page, of one resource or of all: up to so many it is asked for each.
_ASK_EACH_MAX = 5


@dataclass(frozen=True, kw_only=True)
class CustomMetric:
    """A CloudWatch metric of one's own, for target tracking; with a percentile such as `p95` it is sent as a query."""

    namespace: str
    name: str
    statistic: str = "Average"
    dimensions: Mapping[str, Late[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """One step: by how much, in a distance from the alarm's threshold. An end that is None is open: 0 is not."""

    lower: float | None
    upper: float | None
    by: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "lower", None if self.lower is None else float(self.lower))
        object.__setattr__(self, "upper", None if self.upper is None else float(self.upper))


@dataclass(frozen=True, kw_only=True)
class Stepping:
    """How a step policy moves the count; `cooldown` in seconds. Adjustments are in the order of their lower ends."""

    adjust: str
    adjustments: tuple[Adjustment, ...]
    cooldown: int = STEP_COOLDOWN
    aggregation: str = "Average"

    def __post_init__(self) -> None:
        ordered = sorted(self.adjustments, key=lambda one: float("-inf") if one.lower is None else one.lower)
        object.__setattr__(self, "adjustments", tuple(ordered))


@dataclass(frozen=True, kw_only=True)
class ScalingPolicy(Spec):
    """A policy that tracks a target (a predefined `metric`, or a `custom` one), or goes by steps; times in seconds.

    `label` names load balancer and target group, for requests per target; `requests` load balancer and both groups
    where ECS shifts requests between two: AWS's own metric is not for these (ECS Developer Guide, "Target tracking").
    `target` and `after` are no settings: they have it wait for its scalable target and for the policy before it, as AWS
    takes one change of a target at a time.
    """

    identity: ClassVar[tuple[str, ...]] = ("resource_id", "name")

    name: str = setting(immutable=True)
    resource_id: str = setting(immutable=True)
    type: str = setting(immutable=True, default=TARGET_TRACKING)
    metric: str = ""
    label: tuple[Late[str], ...] | None = setting(whole=True, default=None)
    requests: tuple[Late[str], ...] | None = setting(whole=True, default=None)
    custom: CustomMetric | None = setting(whole=True, default=None)
    value: float = 0.0
    cooldown_out: int | None = None
    cooldown_in: int | None = None
    scale_in: bool = True
    step: Stepping | None = setting(whole=True, default=None)
    target: Late[str] = setting(wiring=True, default="")
    after: Late[str] = setting(wiring=True, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.value))


@dataclass(frozen=True)
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
        what = spec.custom.name if spec.custom else _NOUNS.get(spec.metric, spec.metric)
        what = "requests" if spec.requests else what
        return f"scaling of {service} by {what or spec.name}"


_NOUNS = {
    "ECSServiceAverageCPUUtilization": "CPU",
    "ECSServiceAverageMemoryUtilization": "memory",
    "ALBRequestCountPerTarget": "requests",
}


def _on(aws: Aws, resources: AbstractSet[str]) -> list[PolicyLive]:
    """Return all policies on `resources`: asked for each while they are few, picked from all of ECS's when many.

    Without a target there is none: AWS deletes them along with it.
    """
    resources = describe(aws, resources).keys()
    if not resources:
        return []
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
    requests = requests_of(config.get("CustomizedMetricSpecification"))
    spec = ScalingPolicy(
        name=found["PolicyName"],
        resource_id=found["ResourceId"],
        type=found["PolicyType"],
        metric=metric.get("PredefinedMetricType", ""),
        label=_split(metric.get("ResourceLabel")),
        custom=None if requests else _custom(config.get("CustomizedMetricSpecification")),
        requests=requests,
        value=config.get("TargetValue", 0.0),
        cooldown_out=config.get("ScaleOutCooldown"),
        cooldown_in=config.get("ScaleInCooldown"),
        scale_in=not config.get("DisableScaleIn", False),
        step=_stepping(found.get("StepScalingPolicyConfiguration")),
    )
    return Live(spec, PolicyOut(found["PolicyARN"]), found["PolicyARN"])


def _split(label: str | None) -> tuple[str, str] | None:
    """Take `app/NAME/ID/targetgroup/NAME/ID` apart into load balancer and target group."""
    if not label:
        return None
    balancer, part, group = label.partition("/targetgroup/")
    return balancer, f"{part}{group}".removeprefix("/")


def _custom(found: Any) -> CustomMetric | None:  # noqa: ANN401 - AWS's CustomizedMetricSpecification
    if not found:
        return None
    queries = found.get("Metrics") or []
    if len(queries) == 1 and "MetricStat" in queries[0]:
        found = {**queries[0]["MetricStat"]["Metric"], "Statistic": queries[0]["MetricStat"]["Stat"]}
    return CustomMetric(
        namespace=found.get("Namespace", ""),
        name=found.get("MetricName", ""),
        statistic=found.get("Statistic", ""),
        dimensions={one["Name"]: one["Value"] for one in found.get("Dimensions", [])},
    )


def _stepping(found: Any) -> Stepping | None:  # noqa: ANN401 - AWS's StepScalingPolicyConfiguration
    if not found:
        return None
    return Stepping(
        adjust=found.get("AdjustmentType", ""),
        adjustments=tuple(
            Adjustment(
                lower=one.get("MetricIntervalLowerBound"),
                upper=one.get("MetricIntervalUpperBound"),
                by=one["ScalingAdjustment"],
            )
            for one in found.get("StepAdjustments", [])
        ),
        cooldown=found.get("Cooldown", STEP_COOLDOWN),
        aggregation=found.get("MetricAggregationType", "Average"),
    )


def _request(spec: ScalingPolicy) -> dict[str, Any]:
    request: dict[str, Any] = {
        "PolicyName": spec.name,
        "ServiceNamespace": ECS,
        "ResourceId": spec.resource_id,
        "ScalableDimension": COUNT,
        "PolicyType": spec.type,
    }
    if spec.step is not None:
        return {**request, "StepScalingPolicyConfiguration": _steps(spec.step)}
    return {**request, "TargetTrackingScalingPolicyConfiguration": _tracking(spec)}


def _tracking(spec: ScalingPolicy) -> dict[str, Any]:
    config: dict[str, Any] = {"TargetValue": spec.value, "DisableScaleIn": not spec.scale_in}
    if spec.requests is not None:
        balancer, *groups = (settled(part) for part in spec.requests)
        config["CustomizedMetricSpecification"] = both(balancer, groups)
    elif spec.custom is not None:
        config["CustomizedMetricSpecification"] = _specification(spec.custom)
    else:
        metric = {"PredefinedMetricType": spec.metric}
        if spec.label is not None:
            metric["ResourceLabel"] = "/".join(settled(part) for part in spec.label)
        config["PredefinedMetricSpecification"] = metric
    if spec.cooldown_out is not None:
        config["ScaleOutCooldown"] = spec.cooldown_out
    if spec.cooldown_in is not None:
        config["ScaleInCooldown"] = spec.cooldown_in
    return config


def _specification(metric: CustomMetric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": settled(value)} for name, value in sorted(metric.dimensions.items())]
    named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    if metric.statistic in _STATISTICS:
        return {**named, "Statistic": metric.statistic}
    return {"Metrics": [{"Id": "m1", "MetricStat": {"Metric": named, "Stat": metric.statistic}, "ReturnData": True}]}


def _steps(step: Stepping) -> dict[str, Any]:
    adjustments = []
    for one in step.adjustments:
        ends = {"MetricIntervalLowerBound": one.lower, "MetricIntervalUpperBound": one.upper}
        adjustments.append(
            {**{name: end for name, end in ends.items() if end is not None}, "ScalingAdjustment": one.by}
        )
    return {
        "AdjustmentType": step.adjust,
        "StepAdjustments": adjustments,
        "Cooldown": step.cooldown,
        "MetricAggregationType": step.aggregation,
    }
