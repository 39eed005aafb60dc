"""How long a rollout takes: batches of new tasks that get healthy, and old ones that leave.

ECS starts new tasks up to the maximum percent (rounded down) and stops old ones down to the minimum percent (rounded
up); a task that is on its way out counts for neither (ECS API Reference, DeploymentConfiguration).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from fargatectl.model.events import RolloutProgress
    from fargatectl.model.rollout import Pace

START_SECONDS = 45.0  # from PROVISIONING to RUNNING with an image of some hundred megabytes on Fargate
_STOP_SECONDS = 15.0  # SIGTERM to STOPPED for a container that heeds it, and the network interface's release
_LEAST_TIMEOUT_SECONDS = 900.0
TIMEOUT_WITHOUT_PACE_SECONDS = 1200.0


@dataclass(frozen=True)
class Stand:
    """Where a rollout stands: new tasks that are healthy or starting, and running old ones.

    `soon` is in how many seconds the starting ones are healthy; None for as long as any task takes.
    """

    desired: int
    healthy: int = 0
    starting: int = 0
    old: int = 0
    soon: float | None = None


def task_seconds(pace: Pace) -> float:
    """Return how long a new task takes from its start until it is healthy."""
    return START_SECONDS + pace.healthy_after


def remaining(pace: Pace, stand: Stand, a_task: float) -> float | None:
    """Return the seconds until the rollout is over, if nothing fails; None where its percentages leave no room.

    `a_task` is how long a new task takes until it is healthy. The time of `Pace.bake` is counted in full.
    """
    least = -(-stand.desired * pace.min_percent // 100)
    most = stand.desired * pace.max_percent // 100
    healthy, starting, old, soon = stand.healthy, stand.starting, stand.old, stand.soon
    seconds = gone = 0.0
    while healthy < stand.desired or old:
        started = max(0, min(stand.desired - healthy - starting, most - healthy - starting - old))
        if starting + started:
            seconds += a_task if started or soon is None else soon
        healthy, starting, soon = healthy + starting + started, 0, None
        stopped = min(old, max(0, healthy + old - least)) if healthy < stand.desired else old
        if not (started or stopped) and healthy < stand.desired:
            return None
        if stopped:
            old, gone = old - stopped, seconds + _leaving_seconds(pace)  # while the next ones start
    return max(seconds, gone) + pace.bake


def _leaving_seconds(pace: Pace) -> float:
    return pace.drain + _STOP_SECONDS


class Forecast:
    """How long one rollout will still take: made of its pace, of what was seen of it, and of when.

    `began` is when the rollout did, of the monotonic clock; that may be before somebody watched it.
    """

    def __init__(self, pace: Pace, began: float) -> None:
        self._pace = pace
        self._start = START_SECONDS  # until a task of this rollout shows how long it takes
        self._batch_at = began  # when the newest tasks were started
        self._ran_at: float | None = None  # when none of them was pending any more
        self._left_at: float | None = None  # when no old task ran any more
        self._shift_at: float | None = None  # when requests began to move
        self._stand = Stand(0)
        self._pending = False

    def see(self, seen: RolloutProgress, now: float, *, shifting: bool) -> None:
        """Take in how far the rollout is; `shifting` says that it moves requests, or has moved them and bakes."""
        before = self._stand
        started = seen.running + seen.pending
        if started > before.healthy + before.starting > 0:
            self._batch_at, self._ran_at = now, None
        if seen.pending:
            self._ran_at = None
        elif self._ran_at is None and seen.running:
            self._ran_at = now
            self._start = now - self._batch_at if self._pending else self._start
        self._pending = bool(seen.pending)
        if before.old and not seen.old_running:
            self._left_at = now
        if shifting and self._shift_at is None:
            self._shift_at = now
        healthy = seen.healthy
        if seen.targets is None and self._soon(now):
            healthy = min(before.healthy, healthy)  # ECS shows no checks but those of the load balancer
        self._stand = Stand(seen.desired, healthy, started - healthy, seen.old_running)

    def left(self, now: float) -> int | None:
        """Return the seconds to the end at `now`; None where that cannot be told, or all should be over."""
        stand = replace(self._stand, soon=self._soon(now))
        seconds = remaining(self._pace, stand, self._start + self._pace.healthy_after)
        if seconds is None:
            return None
        if self._shift_at is not None:
            seconds -= min(self._pace.bake, now - self._shift_at)
        if self._left_at is not None and not stand.old:
            seconds = max(seconds, self._left_at + _leaving_seconds(self._pace) - now)
        return round(seconds) or None

    def _soon(self, now: float) -> float:
        """Return in how many seconds the tasks that start now are healthy."""
        healthy_at = self._batch_at + self._start if self._ran_at is None else self._ran_at
        return max(0.0, healthy_at + self._pace.healthy_after - now)


def timeout_of(pace: Pace | None, desired: int) -> float:
    """Return for how many seconds to wait for a rollout: twice what it should take, grace included, and no less than
    a quarter of an hour: ECS itself needs minutes to give up."""
    if pace is None:
        return TIMEOUT_WITHOUT_PACE_SECONDS
    slow = task_seconds(pace) + pace.grace
    seconds = remaining(pace, Stand(desired, old=desired), slow)
    if seconds is None:
        return TIMEOUT_WITHOUT_PACE_SECONDS
    return max(_LEAST_TIMEOUT_SECONDS, 2 * (seconds + pace.stop))
