"""Topics that hear of alarms, and alarms of others that fail deployments: looked up, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.session import chunks
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import NotFoundError
from fargatectl.model.spec import Spec, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError

_DESCRIBE_MAX = 100  # CloudWatch API Reference, DescribeAlarms: AlarmNames
_AWSS_OWN_KEY = "alias/aws/sns"


@dataclass(frozen=True, kw_only=True)
class TopicQuery(Spec):
    """A topic by ARN; `path` is where the file names it."""

    arn: str
    path: str = setting(wiring=True, default="")


@dataclass(frozen=True)
class TopicOut:
    """A topic; `warning` says why it would never hear of an alarm, "" where nothing is known against it."""

    arn: str
    warning: str = ""


class Topics(Lookup[TopicQuery, TopicOut]):
    """Finds topics. CloudWatch takes any ARN for an alarm: what is missing would be found out in trouble only."""

    kind = "alarms.topic"

    def read(self, aws: Aws, specs: Sequence[TopicQuery]) -> Sequence[TopicOut | FargatectlError]:
        """Return the topics; `NotFoundError` for what is missing or in another Region.

        A topic of another account cannot be asked for; it is taken as the file gives it.
        """
        return answer_each(aws, lambda spec: _topic(aws, spec), specs)


@dataclass(frozen=True, kw_only=True)
class AlarmQuery(Spec):
    """An alarm by name; `path` is where the file names it."""

    name: str
    path: str = setting(wiring=True, default="")


class ExistingAlarms(Lookup[AlarmQuery, str]):
    """Finds alarms of either type, a hundred a call."""

    kind = "alarms.existing"

    def read(self, aws: Aws, specs: Sequence[AlarmQuery]) -> Sequence[str | FargatectlError]:
        """Return their names; `NotFoundError` for what is missing."""
        pages = aws.each(lambda names: _names(aws, names), chunks(sorted({s.name for s in specs}), _DESCRIBE_MAX))
        found = {name for page in pages for name in page}
        return [spec.name if spec.name in found else _missing_alarm(aws, spec) for spec in specs]


def declare_topic(stack: Stack, arn: str, *, path: str) -> Declared[TopicOut]:
    """Declare that a topic exists, named by the file at `path`."""
    return stack.find(Topics(), arn, TopicQuery(arn=arn, path=path))


def declare_existing(stack: Stack, name: str, *, path: str) -> Declared[str]:
    """Declare that an alarm exists, named by the file at `path`."""
    return stack.find(ExistingAlarms(), name, AlarmQuery(name=name, path=path))


def _topic(aws: Aws, spec: TopicQuery) -> TopicOut:
    region, account = spec.arn.split(":")[3:5]
    if region != aws.region:
        message = f"the topic {spec.arn} is in {region}; alarms in {aws.region} cannot notify it"
        raise NotFoundError(message, path=spec.path, hint=f"name one in {aws.region}")
    if account != aws.identity().account:
        return TopicOut(spec.arn)
    try:
        attributes = aws.sns.get_topic_attributes(TopicArn=spec.arn)["Attributes"]
    except ClientError as error:
        if not says(error, "NotFound"):
            raise
        message = f"the topic {spec.arn} does not exist"
        hint = f"create it (`aws sns create-topic --name {spec.arn.rpartition(':')[2]}`), or correct the ARN"
        raise NotFoundError(message, path=spec.path, hint=hint) from error
    if str(attributes.get("KmsMasterKeyId", "")).endswith(_AWSS_OWN_KEY):
        # CloudWatch User Guide, "Notifying users on alarm changes": the policy of AWS's own key lets no service in.
        return TopicOut(spec.arn, f"the topic {spec.arn} is encrypted with {_AWSS_OWN_KEY}: CloudWatch cannot publish")
    return TopicOut(spec.arn)


def _names(aws: Aws, names: Sequence[str]) -> list[str]:
    pages = aws.cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    found: list[str] = []
    for page in pages:
        found += [alarm["AlarmName"] for alarm in page.get("MetricAlarms", ())]
        found += [alarm["AlarmName"] for alarm in page.get("CompositeAlarms", ())]
    return found


def _missing_alarm(aws: Aws, spec: AlarmQuery) -> NotFoundError:
    message = f"the alarm {spec.name} does not exist in {aws.region}"
    return NotFoundError(message, path=spec.path, hint="correct the name, or create it first")
