"""Alarms (AWS: CloudWatch API Reference, PutMetricAlarm, PutCompositeAlarm, DescribeAlarms and DeleteAlarms)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.cloudwatch import rules, state
from fargatectl.sandbox.cloudwatch.state import NO_DATA, OK, STATES, Alarms, Members, Tags
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_SERVICE = "cloudwatch"
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_MOST_ACTIONS, _MOST_NAMES, _PAGE, _LONGEST_NAME = 5, 100, 50, 255
_DAY_SECONDS, _WEEK_SECONDS, _HOUR_SECONDS = 86_400, 604_800, 3600
_SHORT_PERIODS = (10, 20, 30)
_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"(p|tm|tc|ts|wm)\d{1,2}(\.\d{1,10})?|p100|IQM|(TM|TC|TS|WM|PR)\(.+\)")
_COMPARISONS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)
_MISSING = ("missing", "breaching", "notBreaching", "ignore")
_OF_METRIC = (
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "EvaluateLowSampleCountPercentile",
    "Metrics",
    "ThresholdMetricId",
)
_OF_COMPOSITE = ("AlarmRule", "ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def invalid(message: str) -> AwsError:
    """Return CloudWatch's refusal of a request."""
    return AwsError("ValidationError", message)


def _constraint(member: str, value: object, rule: str) -> AwsError:
    return invalid(
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
    )


def _enum(member: str, value: object, known: Iterable[str]) -> AwsError:
    return _constraint(member, value, f"satisfy enum value set: [{', '.join(known)}]")


def _absent(name: str = "") -> AwsError:
    return AwsError("ResourceNotFound", f"Unknown alarm {name}".strip(), status=404)


@HANDLERS.handles(_SERVICE, "PutMetricAlarm")
def put_metric_alarm(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create an alarm that knows nothing yet, or replace all settings of one: its state and tags stay."""
    params, alarms = call.params, region.state(Alarms)
    _check_common(params)
    _check_metric(params)
    known = alarms.metric.get(params["AlarmName"])
    dimensions = {"Dimensions": params.get("Dimensions") or []}
    settings = {key: params[key] for key in _OF_METRIC if params.get(key) is not None}
    missing = {"TreatMissingData": params.get("TreatMissingData") or _MISSING[0]}
    made = alarms.metric[params["AlarmName"]] = {**_common(region, params, known), **dimensions, **settings, **missing}
    if known is None and made["TreatMissingData"] == "notBreaching":
        # CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data".
        region.later(float(params.get("Period") or 60), lambda: _no_data_is_good(region, made))
    return {}


def _no_data_is_good(region: Region, alarm: Members) -> None:
    if alarm["StateValue"] == NO_DATA and region.state(Alarms).metric.get(alarm["AlarmName"]) is alarm:
        reason = "Threshold Crossed: no datapoints were received and missing datapoints were treated as [NonBreaching]."
        state.change(region, alarm, OK, reason)


def _check_common(params: Mapping[str, Any]) -> None:
    name = params.get("AlarmName") or ""
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise _constraint("alarmName", name, "have length between 1 and 255")
    for kind in _ACTIONS:
        arns = params.get(kind) or []
        if len(arns) > _MOST_ACTIONS:
            raise _constraint(kind[0].lower() + kind[1:], arns, "have length less than or equal to 5")
        for arn in arns:
            if not arn.startswith("arn:"):
                raise invalid(f"Invalid arn syntax: {arn}")


def _check_metric(params: Mapping[str, Any]) -> None:
    if params.get("ComparisonOperator") not in _COMPARISONS:
        raise _enum("comparisonOperator", params.get("ComparisonOperator"), _COMPARISONS)
    if (params.get("TreatMissingData") or "missing") not in _MISSING:
        raise invalid(f"Option {params['TreatMissingData']} for parameter TreatMissingData is invalid.")
    periods, points = params.get("EvaluationPeriods") or 0, params.get("DatapointsToAlarm")
    if periods < 1:
        raise invalid("EvaluationPeriods must be at least 1.")
    if points is not None and not 1 <= points <= periods:
        raise invalid("The number of datapoints to alarm must not exceed the number of evaluation periods.")
    if not params.get("Metrics"):
        _check_statistic(params)
        _check_period(int(params.get("Period") or 0), periods)
    elif params.get("MetricName"):
        raise invalid("The parameter Metrics cannot be used with MetricName, Namespace, Period or a statistic.")


def _check_statistic(params: Mapping[str, Any]) -> None:
    if not (params.get("MetricName") and params.get("Namespace")):
        raise invalid("Either MetricName and Namespace or Metrics must be specified.")
    if params.get("Threshold") is None:
        raise invalid("The parameter Threshold is required.")
    plain, percentile = params.get("Statistic"), params.get("ExtendedStatistic")
    if bool(plain) == bool(percentile):
        raise AwsError(
            "InvalidParameterCombination", "Exactly one of Statistic and ExtendedStatistic must be specified."
        )
    if plain and plain not in _STATISTICS:
        raise _enum("statistic", plain, _STATISTICS)
    if percentile and not _PERCENTILE.fullmatch(percentile):
        raise invalid(f"The value {percentile} for parameter ExtendedStatistic is not supported.")


def _check_period(period: int, periods: int) -> None:
    if period not in _SHORT_PERIODS and (period < 1 or period % 60):
        raise invalid(f"Period must be 10, 20, 30 or a multiple of 60: {period}")
    longest = _WEEK_SECONDS if period >= _HOUR_SECONDS else _DAY_SECONDS
    if period * periods > longest:
        raise invalid("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).")


def _common(region: Region, params: Mapping[str, Any], known: Members | None) -> Members:
    arn = region.arn(_SERVICE, f"alarm:{params['AlarmName']}")
    if known is None:
        region.state(Tags)[arn] = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or []}
    described = {"AlarmDescription": params["AlarmDescription"]} if params.get("AlarmDescription") else {}
    kept = ("StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp", "StateTransitionedTimestamp")
    initial = {"StateValue": NO_DATA, "StateReason": state.INITIALLY, "StateUpdatedTimestamp": region.date()}
    initial["StateTransitionedTimestamp"] = region.date()
    return {
        "AlarmName": params["AlarmName"],
        "AlarmArn": arn,
        **described,
        "AlarmConfigurationUpdatedTimestamp": region.date(),
        "ActionsEnabled": params.get("ActionsEnabled", True),
        **{kind: list(params.get(kind) or []) for kind in _ACTIONS},
        **({key: known[key] for key in kept if key in known} if known else initial),
    }


@HANDLERS.handles(_SERVICE, "PutCompositeAlarm")
def put_composite_alarm(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create or replace an alarm that looks at others; its rule is evaluated at once."""
    params, alarms = call.params, region.state(Alarms)
    _check_common(params)
    try:
        children = rules.names(params.get("AlarmRule") or "")
        rules.holds(params["AlarmRule"], lambda _: OK)
    except rules.BadRule:
        raise invalid(f"Error in AlarmRule: {params.get('AlarmRule')!r} cannot be parsed.") from None
    lacking = [name for name in children if alarms.find(name) is None]
    if lacking:
        raise invalid(
            f"Could not save the composite alarm as alarms [{', '.join(lacking)}] in the alarm rule do not exist"
        )
    known = alarms.composite.get(params["AlarmName"])
    settings = {key: params[key] for key in _OF_COMPOSITE if params.get(key) is not None}
    made = alarms.composite[params["AlarmName"]] = {**_common(region, params, known), **settings}
    state.evaluate(region, made)
    return {}


@HANDLERS.handles(_SERVICE, "DescribeAlarms")
def describe_alarms(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return alarms, metric alarms alone unless other types are asked for, fifty a page."""
    params = call.params
    if params.get("AlarmNames") and params.get("AlarmNamePrefix"):
        raise AwsError("InvalidParameterCombination", "AlarmNames and AlarmNamePrefix cannot be used together.")
    if len(params.get("AlarmNames") or []) > _MOST_NAMES:
        raise _constraint("alarmNames", params["AlarmNames"], "have length less than or equal to 100")
    size = params.get("MaxRecords") or max(_PAGE, len(params.get("AlarmNames") or []))
    if not 1 <= size <= _MOST_NAMES:
        raise _constraint("maxRecords", size, "have value between 1 and 100")
    found = sorted(_asked_for(region, params), key=lambda alarm: str(alarm["AlarmName"]))
    token = params.get("NextToken") or "0"
    if not token.isdigit():
        raise AwsError("InvalidNextToken", "Invalid nextToken")
    start = int(token)
    shown = found[start : start + size]
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    metric = [alarm for alarm in shown if "AlarmRule" not in alarm]
    return {"MetricAlarms": metric, "CompositeAlarms": [one for one in shown if "AlarmRule" in one], **more}


def _asked_for(region: Region, params: Mapping[str, Any]) -> Iterator[Members]:
    alarms = region.state(Alarms)
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix") or ""
    types = params.get("AlarmTypes") or ["MetricAlarm"]
    action = params.get("ActionPrefix") or ""
    for alarm in alarms:
        if ("CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm") not in types:
            continue
        if (names and alarm["AlarmName"] not in names) or not alarm["AlarmName"].startswith(prefix):
            continue
        if params.get("StateValue") not in (None, alarm["StateValue"]):
            continue
        if action and not any(arn.startswith(action) for kind in _ACTIONS for arn in alarm[kind]):
            continue
        yield alarm


@HANDLERS.handles(_SERVICE, "DeleteAlarms")
def delete_alarms(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete alarms; names that do not exist harm nobody."""
    params, alarms = call.params, region.state(Alarms)
    names = params.get("AlarmNames") or []
    if len(names) > _MOST_NAMES:
        raise _constraint("alarmNames", params["AlarmNames"], "have length less than or equal to 100")
    if sum(name in alarms.composite for name in names) > 1:
        raise invalid("Only one composite alarm can be deleted per operation.")
    for name in names:
        parents = [parent for parent in alarms.parents(name) if parent not in names]
        if parents:
            raise invalid(f"Cannot delete {name} as there are composite alarm(s) depending on it: {', '.join(parents)}")
    for name in names:
        alarms.metric.pop(name, None)
        alarms.composite.pop(name, None)
        region.state(Tags).pop(region.arn(_SERVICE, f"alarm:{name}"), None)
    return {}


@HANDLERS.handles(_SERVICE, "SetAlarmState")
def set_alarm_state(region: Region, call: Call, _forward: Forward) -> Answer:
    """Bring an alarm to a state. Here it stays so; on AWS until the next evaluation."""
    params = call.params
    if params.get("StateValue") not in STATES:
        raise _enum("stateValue", params.get("StateValue"), STATES)
    alarm = region.state(Alarms).find(params["AlarmName"])
    if alarm is None:
        raise _absent(params["AlarmName"])
    state.change(region, alarm, params["StateValue"], params["StateReason"], params.get("StateReasonData") or "")
    return {}


@HANDLERS.handles(_SERVICE, "EnableAlarmActions", "DisableAlarmActions")
def switch_actions(region: Region, call: Call, _forward: Forward) -> Answer:
    """Let alarms call their actions, or not."""
    for name in call.params.get("AlarmNames") or []:
        alarm = region.state(Alarms).find(name)
        if alarm is not None:
            alarm["ActionsEnabled"] = call.operation.startswith("Enable")
    return {}
