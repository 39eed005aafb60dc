from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.engine.stack import Stack
from fargatectl.errors import NotFoundError
from fargatectl.reconcilers import alarms

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ops"


def topic(owner: Ownership, arn: str = TOPIC) -> Stack:
    stack = Stack(owner, kinds=[])
    found = alarms.declare_topic(stack, arn, path="alarms.notify[0]")
    stack.note(found.ref(lambda out: out.warning))
    return stack


def test_a_missing_topic_is_told_for_cloudwatch_takes_any(aws: Aws, converger: Converger, owner: Ownership) -> None:
    with pytest.raises(NotFoundError) as missing:
        converger.plan(topic(owner))
    assert (missing.value.path, TOPIC in missing.value.message) == ("alarms.notify[0]", True)

    aws.sns.create_topic(Name="ops")
    assert converger.plan(topic(owner)).plan.notes == ()


def test_a_topic_elsewhere_is_refused_and_one_of_others_is_believed(
    converger: Converger, local: LocalAws, owner: Ownership
) -> None:
    with pytest.raises(NotFoundError, match="us-east-1"):
        converger.plan(topic(owner, TOPIC.replace("eu-central-1", "us-east-1")))

    converger.plan(topic(owner, TOPIC.replace("123456789012", "210987654321")))
    assert "GetTopicAttributes" not in {call.operation for call in local.calls}


def test_a_topic_that_cloudwatch_cannot_publish_to_is_told(aws: Aws, converger: Converger, owner: Ownership) -> None:
    aws.sns.create_topic(Name="ops", Attributes={"KmsMasterKeyId": "alias/aws/sns"})

    (note,) = converger.plan(topic(owner)).plan.notes

    assert "alias/aws/sns" in note


def test_alarms_of_either_type_are_found_and_missing_ones_are_told(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    aws.cloudwatch.put_metric_alarm(
        AlarmName="shop-5xx",
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    aws.cloudwatch.put_composite_alarm(AlarmName="shop-any", AlarmRule='ALARM("shop-5xx")')
    stack = Stack(owner, kinds=[])
    for name in ("shop-5xx", "shop-any", "shop-latency"):
        alarms.declare_existing(stack, name, path="services.web.deploy.alarms")

    with pytest.raises(NotFoundError) as missing:
        converger.plan(stack)

    assert "shop-latency" in missing.value.message
    assert missing.value.path == "services.web.deploy.alarms"
