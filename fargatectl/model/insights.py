"""Queries of CloudWatch Logs Insights: the ready-made ones, and what a query found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ReadyQuery:
    """A query by name. `performance` ones are about what Container Insights records, the others about log lines.

    In `text`, `SERVICES` stands for a list of ECS services.
    """

    name: str
    says: str
    text: str
    performance: bool = False


@dataclass(frozen=True)
class QueryResult:
    """What a query found, or has found so far. Counts are of log events, `scanned_bytes` is what AWS bills."""

    status: str
    columns: tuple[str, ...] = ()
    rows: tuple[Mapping[str, str], ...] = ()
    matched: int = 0
    scanned: int = 0
    scanned_bytes: int = 0


READY = (
    ReadyQuery(
        "errors",
        "lines that speak of errors, the newest first",
        "fields @timestamp, @logStream, @message"
        " | filter @message like /(?i)(?:error|exception|fatal|panic|traceback)/"
        " | sort @timestamp desc",
    ),
    ReadyQuery(
        "slow",
        'lines that say how long something took ("took 1234 ms"), the slowest first',
        "fields @timestamp, @logStream, @message"
        " | parse @message /(?<ms>[0-9]+(?:[.][0-9]+)?) ?ms/"
        " | filter ispresent(ms)"
        " | display @timestamp, ms, @logStream, @message"
        " | sort ms desc",
    ),
    ReadyQuery(
        "requests",
        "requests in access logs of the usual form, by status, every five minutes",
        'parse @message /" (?<status>[1-5][0-9][0-9]) /'
        " | filter ispresent(status)"
        " | stats count(*) as requests by bin(5m) as time, status"
        " | sort time desc",
    ),
    ReadyQuery(
        "cpu",
        "CPU of the tasks in CPU units (1024 are one vCPU), every five minutes",
        'filter Type = "Task" and ServiceName in [SERVICES]'
        " | stats avg(CpuUtilized) as average, max(CpuUtilized) as peak, max(CpuReserved) as size"
        " by bin(5m) as time, ServiceName"
        " | sort time desc",
        performance=True,
    ),
    ReadyQuery(
        "memory",
        "memory of the tasks in MiB, every five minutes",
        'filter Type = "Task" and ServiceName in [SERVICES]'
        " | stats avg(MemoryUtilized) as average, max(MemoryUtilized) as peak, max(MemoryReserved) as size"
        " by bin(5m) as time, ServiceName"
        " | sort time desc",
        performance=True,
    ),
    ReadyQuery(
        "restarts",
        "how many tasks there were in each hour: more than were to run means that some were replaced",
        'filter Type = "Task" and ServiceName in [SERVICES]'
        " | stats count_distinct(TaskId) as tasks by bin(1h) as time, ServiceName"
        " | sort time desc",
        performance=True,
    ),
    ReadyQuery(
        "oom",
        "tasks by the most memory that they used, in MiB: near their size they are killed",
        'filter Type = "Task" and ServiceName in [SERVICES]'
        " | stats max(MemoryUtilized) as peak, max(MemoryReserved) as size by ServiceName, TaskId"
        " | sort peak desc",
        performance=True,
    ),
)
"""CloudWatch User Guide, "Container Insights performance log events for Amazon ECS": their fields."""
