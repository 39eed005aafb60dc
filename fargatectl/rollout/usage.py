"""How busy the tasks of services are: what Container Insights counts, of all services in one question.

CloudWatch User Guide, "Amazon ECS Container Insights metrics": once a minute, for services with running tasks.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import BotoCoreError, ClientError, explain
from fargatectl.aws.session import chunks
from fargatectl.model.status import Load, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Stack
    from fargatectl.model.status import ServiceView

_NAMESPACE = "ECS/ContainerInsights"
_METRICS = ("CpuUtilized", "CpuReserved", "MemoryUtilized", "MemoryReserved")
_MOST_SERVICES = 500 // len(_METRICS)  # CloudWatch API Reference, GetMetricData: 500 queries
_PERIOD_SECONDS = 60
_MINUTES = 10


class UsageReader:
    """Reads the usage of services again and again, at CloudWatch's own pace: it has new values once a minute, and
    charges for every metric that is asked for."""

    def __init__(self, aws: Aws, stack: Stack, views: Sequence[ServiceView]) -> None:
        self._aws = aws
        self._specs: list[tuple[str, Any]] = [(view.name, stack.resources[view.service].spec) for view in views]
        self._usage = Usage()
        self._due = aws.monotonic()

    def look(self) -> Usage:
        """Return the usage, asked anew every minute. What AWS refuses here ends no watch: its words stand instead."""
        if self._specs and self._aws.monotonic() >= self._due:
            self._due = self._aws.monotonic() + _PERIOD_SECONDS
            try:
                self._usage = self._ask()
            except (ClientError, BotoCoreError) as error:
                self._usage = Usage(missing=explain(error).message)
        return self._usage

    def _ask(self) -> Usage:
        cluster = self._specs[0][1].cluster
        found = self._aws.ecs.describe_clusters(clusters=[cluster], include=["SETTINGS"])["clusters"]
        settings = {item["name"]: item["value"] for one in found for item in one.get("settings") or ()}
        if settings.get("containerInsights", "disabled") == "disabled":
            return Usage(missing=f"Container Insights is disabled on the cluster {cluster}")
        parts = self._aws.each(self._measure, chunks(self._specs, _MOST_SERVICES))
        return Usage({name: load for part in parts for name, load in part.items()})

    def _measure(self, specs: Sequence[tuple[str, Any]]) -> dict[str, Load]:
        until = self._aws.now().replace(second=0, microsecond=0)
        queries = [query for place, (_, spec) in enumerate(specs) for query in _queries(place, spec)]
        pages = self._aws.cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=until - timedelta(minutes=_MINUTES),
            EndTime=until,
            ScanBy="TimestampAscending",
        )
        curves: dict[str, dict[datetime, float]] = {}
        for page in pages:
            for one in page["MetricDataResults"]:
                curves.setdefault(one["Id"], {}).update(zip(one["Timestamps"], one["Values"], strict=True))
        return {name: _load(place, curves) for place, (name, _) in enumerate(specs)}


def _id(place: int, metric: str) -> str:
    return f"{metric[0].lower()}{metric[1:]}{place}"


def _queries(place: int, spec: Any) -> list[Any]:  # noqa: ANN401 - the service's spec
    dimensions = [{"Name": "ClusterName", "Value": spec.cluster}, {"Name": "ServiceName", "Value": spec.name}]
    return [
        {
            "Id": _id(place, metric),
            "MetricStat": {
                "Metric": {"Namespace": _NAMESPACE, "MetricName": metric, "Dimensions": dimensions},
                "Period": _PERIOD_SECONDS,
                "Stat": "Average",
            },
        }
        for metric in _METRICS
    ]


def _load(place: int, curves: Mapping[str, Mapping[datetime, float]]) -> Load:
    used_cpu, cpu, used_memory, memory = (curves.get(_id(place, metric), {}) for metric in _METRICS)
    return Load(_percents(used_cpu, cpu), _percents(used_memory, memory))


def _percents(used: Mapping[datetime, float], reserved: Mapping[datetime, float]) -> tuple[float, ...]:
    """Return the shares in the order of time; minutes in which either is missing are left out."""
    return tuple(100 * used[at] / reserved[at] for at in sorted(used) if reserved.get(at))
