"""What CloudWatch refuses: alarms, dashboards and queries of logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.sandbox.refusals.row import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene

API = "CloudWatch API Reference"
LOGS = "CloudWatch Logs API Reference"
INVALID, BAD = "ValidationError", "InvalidParameterException"
METRIC = {
    "AlarmName": "a",
    "MetricName": "m",
    "Namespace": "n",
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def alarm(**settings: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.client("cloudwatch").put_metric_alarm(**{**METRIC, **settings})


def composite(rule: str, name: str = "all") -> Callable[[Scene], Any]:
    def act(scene: Scene) -> Any:
        alarm()(scene)
        cloudwatch = scene.client("cloudwatch")
        cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule)
        return cloudwatch

    return act


def dashboard(body: object) -> Callable[[Scene], Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return lambda scene: scene.client("cloudwatch").put_dashboard(DashboardName="d", DashboardBody=text)


def query(**settings: Any) -> Callable[[Scene], Any]:
    wish = {"logGroupName": "/c/web", "startTime": 0, "endTime": 60, "queryString": "fields @message"}
    return lambda scene: scene.client("logs").start_query(**{**wish, **settings})


def both_composites(scene: Scene) -> None:
    composite("ALARM(a)", "one")(scene)
    composite("ALARM(a)", "two")(scene).delete_alarms(AlarmNames=["one", "two"])


def measure(*ids: str, minutes: int = 5) -> Callable[[Scene], Any]:
    metric = {"Namespace": "ECS/ContainerInsights", "MetricName": "CpuUtilized"}
    queries = [{"Id": one, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}} for one in ids]
    return lambda scene: scene.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=0, EndTime=60 * minutes
    )


WATCHING = [
    Refusal("A metric's id begins with a small letter", f"{API}, GetMetricData", INVALID, measure("Cpu"), "pattern"),
    Refusal("Each metric has an id of its own", f"{API}, GetMetricData", INVALID, measure("a", "a"), "unique"),
    Refusal(
        "Five hundred metrics are asked for at most",
        f"{API}, GetMetricData",
        INVALID,
        measure(*(f"a{one}" for one in range(501))),
        "500",
    ),
    Refusal("Metrics are of some time", f"{API}, GetMetricData", INVALID, measure("a", minutes=0), "StartTime"),
    Refusal("An alarm's period is 10, 20, 30 or whole minutes", f"{API}, PutMetricAlarm", INVALID, alarm(Period=45)),
    Refusal("An alarm looks back a day", f"{API}, PutMetricAlarm", INVALID, alarm(EvaluationPeriods=1441)),
    Refusal("An alarm needs no more points than it has", f"{API}, PutMetricAlarm", INVALID, alarm(DatapointsToAlarm=2)),
    Refusal("An alarm calls at most five", f"{API}, PutMetricAlarm", INVALID, alarm(AlarmActions=["arn:aws:sns"] * 6)),
    Refusal("An alarm's actions are ARNs", f"{API}, PutMetricAlarm", INVALID, alarm(OKActions=["topic"])),
    Refusal(
        "Percentiles are extended statistics", f"{API}, PutMetricAlarm", INVALID, alarm(Statistic="p99"), "Average"
    ),
    Refusal(
        "An alarm has one statistic",
        f"{API}, PutMetricAlarm",
        "InvalidParameterCombination",
        alarm(ExtendedStatistic="p99"),
    ),
    Refusal("A composite alarm's rule can be read", f"{API}, PutCompositeAlarm", INVALID, composite("a or b")),
    Refusal(
        "A composite alarm looks at alarms that exist", f"{API}, PutCompositeAlarm", INVALID, composite("OK(b)"), "[b]"
    ),
    Refusal(
        "An alarm that a composite alarm looks at stays",
        f"{API}, DeleteAlarms",
        INVALID,
        lambda scene: composite("ALARM(a)")(scene).delete_alarms(AlarmNames=["a"]),
    ),
    Refusal("One composite alarm is deleted at once", f"{API}, DeleteAlarms", INVALID, both_composites),
    Refusal(
        "At most a hundred alarms are deleted at once",
        f"{API}, DeleteAlarms",
        INVALID,
        lambda scene: scene.client("cloudwatch").delete_alarms(AlarmNames=[f"a{one}" for one in range(101)]),
    ),
    Refusal(
        "At most a hundred alarms are described at once",
        f"{API}, DescribeAlarms",
        INVALID,
        lambda scene: scene.client("cloudwatch").describe_alarms(AlarmNames=[f"a{one}" for one in range(101)]),
    ),
    Refusal(
        "A state is set of an alarm that exists",
        f"{API}, SetAlarmState",
        "ResourceNotFound",
        lambda scene: scene.client("cloudwatch").set_alarm_state(AlarmName="no", StateValue="OK", StateReason="r"),
    ),
    Refusal(
        "What is gone has no tags in CloudWatch",
        f"{API}, TagResource",
        "ResourceNotFoundException",
        lambda scene: scene.client("cloudwatch").tag_resource(
            ResourceARN="arn:aws:cloudwatch:eu-central-1:123456789012:alarm:no", Tags=[{"Key": "a", "Value": "b"}]
        ),
    ),
    Refusal("A dashboard is JSON", f"{API}, PutDashboard", "InvalidParameterInput", dashboard("no")),
    Refusal("A dashboard has widgets", f"{API}, PutDashboard", "InvalidParameterInput", dashboard({})),
    Refusal(
        "A widget has a type and properties",
        f"{API}, PutDashboard",
        "InvalidParameterInput",
        dashboard({"widgets": [{"type": "pie"}]}),
    ),
    Refusal("A query can be read", f"{LOGS}, StartQuery", "MalformedQueryException", query(queryString="find it")),
    Refusal(
        "A query's log groups exist",
        f"{LOGS}, StartQuery",
        "ResourceNotFoundException",
        query(logGroupName="/no"),
        "/no",
    ),
    Refusal("A query ends after it starts", f"{LOGS}, StartQuery", BAD, query(startTime=90)),
    Refusal("A query has its log groups in one form", f"{LOGS}, StartQuery", BAD, query(logGroupNames=["/c/web"])),
    Refusal(
        "At most thirty queries run at once",
        "CloudWatch Logs user guide, Quotas",
        "LimitExceededException",
        lambda scene: [query()(scene) for _ in range(31)],
    ),
    Refusal(
        "A query's results are those of a query",
        f"{LOGS}, GetQueryResults",
        "ResourceNotFoundException",
        lambda scene: scene.client("logs").get_query_results(queryId="no"),
    ),
]
