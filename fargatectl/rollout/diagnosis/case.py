"""What is known of one failed deployment: AWS's answers, as they came, and how to read them.

A case is a value: the same case gives the same diagnosis, whether AWS was asked a second ago or it comes from a file.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import field
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NORMAL = re.compile(r"scaling activity initiated by|scaling activity|availability zone rebalanc", re.IGNORECASE)
_ROUTINE = re.compile(
    r"steady state|deployment completed|has started \d+ tasks|(?:de)?registered \d+ (?:targets|instances)|"
    r"has stopped \d+ (?:running|pending) tasks|has begun draining|rolling back to deployment",
    re.IGNORECASE,
)
_UNHEALTHY = re.compile(r"ELB health checks|is unhealthy in|not healthy in target-group", re.IGNORECASE)
_IDS = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{16,}\b|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", re.IGNORECASE
)
_EVENT_LEEWAY = timedelta(seconds=5)  # a deployment and its first event are dated by different machines


class Source(Enum):
    """Where a signal comes from, the most direct witness first."""

    TASK = "task"
    HEALTH = "health"
    EVENT = "event"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True)
class Signal:
    """Something that AWS said: equal things said several times are one signal with a count.

    `container` is the one that it is about; `lived` how many seconds it ran, where that is known.
    """

    source: Source
    text: str
    count: int = 1
    stop_code: str = ""
    container: str = ""
    exit_code: int | None = None
    lived: float | None = None
    logs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One failed deployment of the service that the file calls `name`.

    `deployment` is its id; `service`, `service_deployment`, `tasks` (the stopped ones), `targets`, `definition` and
    `previous` (the task definition that served before) are answers of the ECS and ELB APIs; `logs` maps task ids and
    container names ("TASK/CONTAINER") to their last lines; `account` holds facts by name (see `facts`); `unread` says
    what could not be asked. `table` is the table of the file that describes the task, where it is not the service's.
    """

    name: str
    deployment: str
    service: Mapping[str, Any] | None = None
    service_deployment: Mapping[str, Any] | None = None
    tasks: Sequence[Mapping[str, Any]] = ()
    targets: Sequence[Mapping[str, Any]] = ()
    definition: Mapping[str, Any] | None = None
    previous: Mapping[str, Any] | None = None
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    unread: Sequence[str] = ()
    table: str = ""

    @property
    def of_deployment(self) -> list[Mapping[str, Any]]:
        """The stopped tasks of this deployment; those of another one prove nothing about it."""
        return [task for task in self.tasks if task.get("startedBy", self.deployment) == self.deployment]

    @cached_property
    def began(self) -> datetime | None:
        """When the deployment was made, as far as ECS still says so."""
        mine = (d for d in (self.service or {}).get("deployments", ()) if d.get("id") == self.deployment)
        made = next((d.get("createdAt") for d in mine), None) or (self.service_deployment or {}).get("createdAt")
        return made if isinstance(made, datetime) else None

    @cached_property
    def events(self) -> list[str]:
        """ECS's messages about the service since the deployment began, the newest first."""
        found = (self.service or {}).get("events", ())
        began = self.began
        return [e["message"] for e in found if began is None or e.get("createdAt", began) >= began - _EVENT_LEEWAY]

    @cached_property
    def signals(self) -> list[Signal]:
        """Everything that was said, the most direct and most frequent first."""
        return [*self._tasks(), *self._health(), *self._events(), *self._deployment()]

    def container(self, name: str) -> Mapping[str, Any]:
        """Return the definition of a container, or of the main one where no name is known."""
        return definition_of(self.definition, name or self.name)

    def _tasks(self) -> Iterator[Signal]:
        seen: Counter[tuple[Any, ...]] = Counter()
        first: dict[tuple[Any, ...], Signal] = {}
        for task in self.of_deployment:
            signal = self.signal(task)
            if signal is None:
                continue
            key = (signal.stop_code, generic(signal.text), signal.exit_code)
            seen[key] += 1
            first.setdefault(key, signal)
        for key, count in seen.most_common():
            one = first[key]
            yield Signal(one.source, one.text, count, one.stop_code, one.container, one.exit_code, one.lived, one.logs)

    def signal(self, task: Mapping[str, Any]) -> Signal | None:
        """Return what one stopped task says; None where it was stopped in the normal course, or says nothing."""
        reason, stop_code = task.get("stoppedReason", ""), task.get("stopCode", "")
        failed = self._failed_container(task)
        said = [reason, *(one.get("reason", "") for one in task.get("containers", ()))]
        if _NORMAL.search(reason) or _UNHEALTHY.search(reason):
            return None  # a normal scale-in, or told by `_health`
        text = "\n".join(dict.fromkeys(part for part in said if part))
        name = failed.get("name", "")
        logs = tuple(self.logs.get(f"{task.get('taskArn', '').rpartition('/')[2]}/{name}", ()))
        if not text and failed.get("exitCode") is None:
            return None
        return Signal(Source.TASK, text, 1, stop_code, name, failed.get("exitCode"), _lived(task), logs)

    def _failed_container(self, task: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the container that ended the task: an essential one that failed, before one that was only stopped."""
        containers: Sequence[Mapping[str, Any]] = task.get("containers", ())

        def rank(one: Mapping[str, Any]) -> tuple[bool, bool, bool, bool]:
            essential = definition_of(self.definition, one.get("name", "")).get("essential", True)
            stopped = one.get("exitCode") in (None, 0, 143)
            return (not essential, stopped and not one.get("reason"), stopped, one.get("name") != self.name)

        return min(containers, key=rank, default={})

    def _health(self) -> Iterator[Signal]:
        failed = [t["stoppedReason"] for t in self.of_deployment if _UNHEALTHY.search(t.get("stoppedReason", ""))]
        told = [event for event in self.events if _UNHEALTHY.search(event)]
        targets = [
            f"target {health['State']} ({health.get('Reason', 'no reason')}): {health.get('Description', '')}"
            for health in (target.get("TargetHealth", {}) for target in self.targets)
            if health.get("State") in {"unhealthy", "unused", "unavailable"}
        ]
        if failed or told or targets:
            logs = next((tuple(lines) for lines in self.logs.values() if lines), ())
            text = "\n".join(dict.fromkeys([*targets, *failed, *told]))
            yield Signal(Source.HEALTH, text, max(len(failed), 1), container=self.name, logs=logs)

    def _events(self) -> Iterator[Signal]:
        for message in dict.fromkeys(self.events):
            if not any(one.search(message) for one in (_NORMAL, _ROUTINE, _UNHEALTHY)):
                yield Signal(Source.EVENT, message)

    def _deployment(self) -> Iterator[Signal]:
        mine = (d for d in (self.service or {}).get("deployments", ()) if d.get("id") == self.deployment)
        said = [(self.service_deployment or {}).get("statusReason"), *(d.get("rolloutStateReason") for d in mine)]
        for text in dict.fromkeys(said):
            if text:
                yield Signal(Source.DEPLOYMENT, text)


def definition_of(definition: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    """Return the definition of the container `name`, or nothing."""
    found: Sequence[Mapping[str, Any]] = (definition or {}).get("containerDefinitions", ())
    return next((one for one in found if one.get("name") == name), {})


def generic(text: str) -> str:
    """Return a message of AWS without what differs from task to task: ids, digests, addresses."""
    return _IDS.sub("…", text)


def _lived(task: Mapping[str, Any]) -> float | None:
    """Return for how many seconds the containers ran; None where they never did."""
    start = task.get("startedAt")
    end = task.get("executionStoppedAt") or task.get("stoppingAt") or task.get("stoppedAt")
    return (end - start).total_seconds() if isinstance(start, datetime) and isinstance(end, datetime) else None
