"""CloudWatch alarms: those that step scaling needs, and those that tell people that a service is in trouble."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.session import chunks
from fargatectl.aws.tags import as_dict, pairs
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import tags_shown
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Late, known as settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

ABOVE = "GreaterThanThreshold"
AT_LEAST = "GreaterThanOrEqualToThreshold"
BELOW = "LessThanThreshold"

_DESCRIBE_MAX = 100  # CloudWatch API Reference, DescribeAlarms: AlarmNames
_STATISTICS = frozenset({"Average", "Minimum", "Maximum", "SampleCount", "Sum"})
"""CloudWatch API Reference, PutMetricAlarm: Statistic; percentiles go into ExtendedStatistic."""


@dataclass(frozen=True, kw_only=True)
class Alarm(Spec):
    """An alarm on one metric; `period` in seconds, `periods` of which in a row must breach the threshold.

    `actions` are ARNs (a scaling policy, SNS topics) that the alarm calls, `ok_actions` those when it is over.
    `missing` says what a period without data counts as.
    """

    name: str = setting(immutable=True)
    description: str = ""
    namespace: str = ""
    metric: str = ""
    statistic: str = "Average"
    dimensions: Mapping[str, Late[str]] = field(default_factory=dict)
    period: int = 60
    periods: int = 1
    datapoints: int | None = setting(whole=True, default=None)
    comparison: str = ABOVE
    threshold: float = 0.0
    missing: str = "missing"
    actions: tuple[Late[str], ...] = ()
    ok_actions: tuple[Late[str], ...] = ()
    no_data_actions: tuple[Late[str], ...] = ()
    enabled: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", float(self.threshold))
        for name in ("actions", "ok_actions", "no_data_actions"):
            object.__setattr__(self, name, tuple(sorted(getattr(self, name), key=str)))
        if self.datapoints == self.periods:
            object.__setattr__(self, "datapoints", None)


@dataclass(frozen=True)
class AlarmOut:
    """An alarm."""

    name: str
    arn: str


AlarmLive = Live[Alarm, AlarmOut]


class Alarms(Reconciler[Alarm, AlarmOut]):
    """Reads and changes metric alarms.

    PutMetricAlarm makes and changes alike: nothing says "already exists", so that an alarm which somebody makes in the
    seconds between plan and call gets our settings (but not our tags).
    """

    kind = "alarms.alarm"
    noun = "alarm"
    tagged_as = "cloudwatch"

    def read(self, aws: Aws, specs: Sequence[Alarm]) -> Sequence[AlarmLive | None]:
        found = _described(aws, [spec.name for spec in specs])

        def live(spec: Alarm) -> AlarmLive | None:
            alarm = found.get(spec.name)
            return _live(alarm, _tags(aws, alarm["AlarmArn"], spec.tags)) if alarm else None

        return aws.each(live, specs)

    def create(self, aws: Aws, spec: Alarm) -> AlarmOut:
        aws.cloudwatch.put_metric_alarm(**_request(spec))
        identity = aws.identity()
        arn = f"arn:{identity.partition}:cloudwatch:{aws.region}:{identity.account}:alarm:{spec.name}"
        return AlarmOut(spec.name, arn)

    def update(self, aws: Aws, live: AlarmLive, spec: Alarm, delta: Delta) -> AlarmOut:
        if delta.touches("tags"):
            aws.cloudwatch.tag_resource(ResourceARN=live.out.arn, Tags=pairs(spec.tags))
        if any(not path.startswith("tags") for path in delta.paths):
            aws.cloudwatch.put_metric_alarm(**_request(spec))
        return live.out

    def delete(self, aws: Aws, live: AlarmLive) -> None:
        try:
            aws.cloudwatch.delete_alarms(AlarmNames=[live.out.name])
        except ClientError as error:
            if not (says(error, "ResourceNotFound") or says(error, "ResourceNotFoundException")):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[AlarmLive]:
        arns = {arn for arn in aws.tagged(owner.tags()) if arn.split(":")[2] == "cloudwatch" and ":alarm:" in arn}
        found = _described(aws, sorted(arn.partition(":alarm:")[2] for arn in arns - known))
        lives = aws.each(lambda alarm: _live(alarm, _tags(aws, alarm["AlarmArn"], {})), found.values())
        return [live for live in lives if owner.owns(live.spec.tags)]


def declare(stack: Stack, name: str, spec: Alarm, *, group: str) -> Declared[AlarmOut]:
    """Declare an alarm; `name` is its name in the address."""
    return stack.add(Alarms(), name, spec, group=group)


def _described(aws: Aws, names: Sequence[str]) -> dict[str, Any]:
    def page(batch: Sequence[str]) -> list[Any]:
        pages = aws.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNames=list(batch), AlarmTypes=["MetricAlarm"]
        )
        return [alarm for answer in pages for alarm in answer["MetricAlarms"]]

    pages = aws.each(page, chunks(sorted(set(names)), _DESCRIBE_MAX))
    return {alarm["AlarmName"]: alarm for alarms in pages for alarm in alarms}


def _live(found: Any, tags: Mapping[str, str]) -> AlarmLive:  # noqa: ANN401 - CloudWatch's metric alarm
    spec = Alarm(
        name=found["AlarmName"],
        description=found.get("AlarmDescription", ""),
        namespace=found.get("Namespace", ""),
        metric=found.get("MetricName", ""),
        statistic=found.get("Statistic") or found.get("ExtendedStatistic") or "",
        dimensions={one["Name"]: one["Value"] for one in found.get("Dimensions", [])},
        period=found.get("Period", 0),
        periods=found.get("EvaluationPeriods", 0),
        datapoints=found.get("DatapointsToAlarm"),
        comparison=found.get("ComparisonOperator", ""),
        threshold=found.get("Threshold", 0.0),
        missing=found.get("TreatMissingData") or "missing",
        actions=tuple(found.get("AlarmActions", ())),
        ok_actions=tuple(found.get("OKActions", ())),
        no_data_actions=tuple(found.get("InsufficientDataActions", ())),
        enabled=found.get("ActionsEnabled", True),
        tags=tags,
    )
    return Live(spec, AlarmOut(spec.name, found["AlarmArn"]), found["AlarmArn"])


def _tags(aws: Aws, arn: str, wanted: Mapping[str, str]) -> Mapping[str, str]:
    return tags_shown(
        aws, arn, wanted, lambda: as_dict(aws.cloudwatch.list_tags_for_resource(ResourceARN=arn).get("Tags"))
    )


def _request(spec: Alarm) -> dict[str, Any]:
    """Return all settings: PutMetricAlarm resets what it does not hold.

    Tags are ignored for an alarm that exists. They go along for one that is deleted at this moment: it is made anew.
    """
    statistic = "Statistic" if spec.statistic in _STATISTICS else "ExtendedStatistic"
    request: dict[str, Any] = {
        "AlarmName": spec.name,
        "AlarmDescription": spec.description,
        "Namespace": spec.namespace,
        "MetricName": spec.metric,
        statistic: spec.statistic,
        "Dimensions": [{"Name": name, "Value": settled(value)} for name, value in sorted(spec.dimensions.items())],
        "Period": spec.period,
        "EvaluationPeriods": spec.periods,
        "ComparisonOperator": spec.comparison,
        "Threshold": spec.threshold,
        "TreatMissingData": spec.missing,
        "ActionsEnabled": spec.enabled,
        "AlarmActions": [settled(arn) for arn in spec.actions],
        "OKActions": [settled(arn) for arn in spec.ok_actions],
        "InsufficientDataActions": [settled(arn) for arn in spec.no_data_actions],
        "Tags": pairs(spec.tags),
    }
    if spec.datapoints is not None:
        request["DatapointsToAlarm"] = spec.datapoints
    return request
