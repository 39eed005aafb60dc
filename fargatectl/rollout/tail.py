"""Reading the lines of containers as one stream in the order of time, and going on as new ones come.

FilterLogEvents finds them by the prefix of the stream's name, across all tasks at once (CloudWatch Logs API Reference,
FilterLogEvents). Lines come late: a container's driver sends them in batches, each from its own task. So every look
begins a while before the newest line that was seen, and what was seen is known by its event id.
"""

from __future__ import annotations

import heapq
import re
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, explain, says
from fargatectl.dataclass import dataclass
from fargatectl.model.logs import LogLine
from fargatectl.rollout.diagnosis import stopped_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.model.logs import LogSource

LATE = timedelta(seconds=60)
"""So late may a line come, after one that is newer."""

_LOOKS_A_SECOND = 2.5  # CloudWatch Logs quotas: 10 FilterLogEvents a second, which others use too
_LEAST_SECONDS = 2.0
_REMEMBERED = 20_000  # event ids; beyond this the old ones are forgotten
_FIRELENS = re.compile(r"(?P<container>.+)-firelens-(?P<task>[0-9a-f]{32})")
"""Fluent Bit's tag of a container, which its output to CloudWatch Logs makes the stream's name of."""


@dataclass(frozen=True)
class Selection:
    """Lines of one source: those of one container, and of tasks whose ids begin with `task`, where these are given."""

    source: LogSource
    container: str = ""
    task: str = ""

    @classmethod
    def of(cls, source: LogSource, container: str = "", task: str = "") -> list[Selection]:
        """Return what reads least: of one task, a look for each of the containers that it may have."""
        containers = source.containers if task and not container and not source.routed else (container,)
        return [cls(source, one, task) for one in containers]

    @property
    def prefix(self) -> str:
        """What the names of the streams begin with."""
        known = self.container and not self.source.routed
        return f"{self.source.prefix}/{self.container}/{self.task}" if known else f"{self.source.prefix}/"

    def takes(self, line: LogLine) -> bool:
        """Tell whether a line of these streams is wanted."""
        return line.task.startswith(self.task) and self.container in {"", line.container}


@dataclass
class Tail:
    """The lines of some selections since a moment. `missing` are log groups that do not exist (yet)."""

    aws: Aws
    selections: Sequence[Selection]
    since: datetime
    missing: set[str] = field(default_factory=set)
    _seen: dict[str, datetime] = field(default_factory=dict)
    _newest: datetime | None = None

    @property
    def interval(self) -> float:
        """How many seconds to wait between two looks, so that AWS does not throttle them."""
        return max(_LEAST_SECONDS, len(self.selections) / _LOOKS_A_SECOND)

    def lines(self) -> Iterator[LogLine]:
        """Yield what has not been yielded yet, in the order of time. Raises AwsFailure."""
        start = self.since if self._newest is None else max(self.since, self._newest - LATE)
        found = heapq.merge(*(self._select(one, start) for one in self.selections), key=lambda line: line.at)
        for line in found:
            if line.id not in self._seen:
                self._remember(line)
                yield line

    def _remember(self, line: LogLine) -> None:
        self._seen[line.id] = line.at
        self._newest = line.at if self._newest is None else max(self._newest, line.at)
        if len(self._seen) > _REMEMBERED:
            horizon = self._newest - LATE
            self._seen = {known: at for known, at in self._seen.items() if at >= horizon}

    def _select(self, selection: Selection, start: datetime) -> Iterator[LogLine]:
        group = selection.source.group
        request: dict[str, Any] = {
            "logGroupName": group,
            "logStreamNamePrefix": selection.prefix,
            "startTime": int(start.timestamp() * 1000),
        }
        while True:
            try:
                page = self.aws.logs.filter_log_events(**request)
            except ClientError as error:
                if not says(error, "ResourceNotFoundException"):
                    raise explain(error) from error
                self.missing.add(group)
                return
            self.missing.discard(group)
            lines = sorted((_line(event, selection.source) for event in page["events"]), key=lambda line: line.at)
            yield from filter(selection.takes, lines)
            if not page.get("nextToken"):
                return
            request["nextToken"] = page["nextToken"]


def last_stopped(aws: Aws, cluster: str, service: str) -> str | None:
    """Return the id of the task of a service that ended last, None if ECS remembers none. Raises AwsFailure."""
    try:
        stopped = stopped_tasks(aws, cluster, service)
    except ClientError as error:
        if says(error, "ClusterNotFoundException") or says(error, "ServiceNotFoundException"):
            return None
        raise explain(error) from error
    ended = [task for task in stopped if "stoppingAt" in task or "stoppedAt" in task]
    newest = max(ended, key=lambda task: task.get("stoppedAt") or task["stoppingAt"], default=None)
    return None if newest is None else str(newest["taskArn"]).rpartition("/")[2]


def _line(event: Any, source: LogSource) -> LogLine:  # noqa: ANN401 - CloudWatch Logs' event
    rest = event["logStreamName"].removeprefix(f"{source.prefix}/")
    routed = _FIRELENS.fullmatch(rest)
    container, _, task = rest.rpartition("/")
    return LogLine(
        id=event["eventId"],
        at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
        service=source.name,
        container=routed["container"] if routed else container or rest,
        task=routed["task"] if routed else task if container else "",
        message=event["message"],
    )
