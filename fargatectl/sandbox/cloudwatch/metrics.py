"""Metrics: what Container Insights counts of services (AWS: CloudWatch API Reference, GetMetricData; CloudWatch user
guide, "Amazon ECS Container Insights metrics"). Nothing runs here, so that the numbers are made up, plausibly."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zlib import crc32

from fargatectl.sandbox.cloudwatch.alarms import invalid
from fargatectl.sandbox.ecs.state import Ecs
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.state import Service, Task
    from fargatectl.sandbox.wire import Call

_NAMESPACE = "ECS/ContainerInsights"
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_MOST_QUERIES = 500
_MINUTE = timedelta(minutes=1)
_OF = {
    "CpuUtilized": ("cpu", 0.3, 0.18, 420),
    "CpuReserved": ("cpu", 1.0, 0.0, 1),
    "MemoryUtilized": ("memory", 0.45, 0.06, 1500),
    "MemoryReserved": ("memory", 1.0, 0.0, 1),
}
"""Metric → the size that it is a share of, that share, by how much it swings and in how many seconds."""


@HANDLERS.handles("cloudwatch", "GetMetricData")
def get_metric_data(region: Region, call: Call, forward: Forward) -> Answer:
    """Return the values of services in clusters with Container Insights; moto knows what clients have put."""
    params, queries = call.params, call.params["MetricDataQueries"]
    start, end = _moment(params["StartTime"]), _moment(params["EndTime"])
    _check(queries, start, end)
    ours = [query for query in queries if _metric(query).get("Namespace") == _NAMESPACE]
    others = [query for query in queries if query not in ours]
    answer: Answer = forward({**params, "MetricDataQueries": others}) if others else {"MetricDataResults": []}
    told = {one["Id"]: one for one in answer["MetricDataResults"]}
    for query in ours:
        points = list(_points(region, _metric(query), start, end))
        if params.get("ScanBy") != "TimestampAscending":
            points.reverse()
        told[query["Id"]] = _result(query, points)
    return {**answer, "MetricDataResults": [told[query["Id"]] for query in queries if query["Id"] in told]}


def _moment(value: float | str) -> datetime:
    """Return a date of a request, which has the form of the client's protocol."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return datetime.fromtimestamp(value, UTC)


def _metric(query: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (query.get("MetricStat") or {}).get("Metric") or {}
    return found


def _check(queries: list[Any], start: datetime, end: datetime) -> None:
    if len(queries) > _MOST_QUERIES:
        raise invalid(f"The collection MetricDataQueries must not have a size greater than {_MOST_QUERIES}.")
    if start >= end:
        raise invalid("The parameter StartTime must be less than the parameter EndTime.")
    ids = [query["Id"] for query in queries]
    for one in ids:
        if not _ID.fullmatch(one):
            raise invalid(f"The value {one} for parameter Id does not match the pattern ^[a-z][a-zA-Z0-9_]*$.")
        if ids.count(one) > 1:
            raise invalid(f"The values for parameter Id in MetricDataQueries are not unique: {one}.")


def _result(query: Mapping[str, Any], points: list[tuple[datetime, float]]) -> Answer:
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or _metric(query)["MetricName"],
        "Timestamps": [at for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }


def _points(
    region: Region, metric: Mapping[str, Any], start: datetime, end: datetime
) -> Iterator[tuple[datetime, float]]:
    service = _service(region, {item["Name"]: item["Value"] for item in metric.get("Dimensions") or ()})
    if service is None or metric["MetricName"] not in _OF:
        return
    size, share, swing, seconds = _OF[metric["MetricName"]]
    phase = crc32(f"{service.name} {size}".encode())
    at = start.replace(second=0, microsecond=0)
    # The minute that goes on has not been counted yet.
    while at < min(end, region.date() - _MINUTE):
        running = [task for task in service.tasks if _ran(task, at)]
        if running:
            reserved = sum(int(task.definition.content[size]) for task in running) / len(running)
            wave = math.sin((at.timestamp() + phase) * math.tau / seconds)
            yield at, round(reserved * (share + swing * wave), 3)
        at += _MINUTE


def _service(region: Region, where: Mapping[str, str]) -> Service | None:
    cluster = region.state(Ecs).clusters.get(where.get("ClusterName", ""))
    if cluster is None or cluster.settings.get("containerInsights", "disabled") == "disabled":
        return None
    return cluster.services.get(where.get("ServiceName", ""))


def _ran(task: Task, at: datetime) -> bool:
    """Tell whether a task ran in the minute from `at` on."""
    started, stopped = task.dates.get("startedAt"), task.dates.get("stoppedAt")
    return started is not None and started < at + _MINUTE and (stopped is None or stopped > at)
