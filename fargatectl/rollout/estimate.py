"""How long a rollout takes: batches of new tasks that get healthy, and old ones that leave.

ECS starts new tasks up to the maximum percent (rounded down) and stops old ones down to the minimum percent (rounded
up); a task that is on its way out counts for neither (ECS API Reference, DeploymentConfiguration).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from fargatectl.model.rollout import Pace

START_SECONDS = 45.0  # from PROVISIONING to RUNNING with an image of some hundred megabytes on Fargate
_STOP_SECONDS = 15.0  # SIGTERM to STOPPED for a container that heeds it, and the network interface's release
_LEAST_TIMEOUT_SECONDS = 900.0
TIMEOUT_WITHOUT_PACE_SECONDS = 1200.0


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a rollout stands: new tasks that are healthy or starting, and running old ones."""

    desired: int
    healthy: int = 0
    starting: int = 0
    old: int = 0


def task_seconds(pace: Pace) -> float:
    """Return how long a new task takes from its start until it is healthy."""
    return START_SECONDS + pace.healthy_after


def remaining(pace: Pace, stand: Stand, a_task: float) -> float | None:
    """Return the seconds until the rollout is over, if nothing fails; None where its percentages leave no room.

    `a_task` is how long a new task takes until it is healthy.
    """
    least = -(-stand.desired * pace.min_percent // 100)
    most = stand.desired * pace.max_percent // 100
    healthy, starting, old = stand.healthy, stand.starting, stand.old
    seconds = 0.0
    leaving = False
    while healthy < stand.desired or old:
        started = max(0, min(stand.desired - healthy - starting, most - healthy - starting - old))
        if starting + started:
            seconds += a_task
        healthy, starting = healthy + starting + started, 0
        stopped = min(old, max(0, healthy + old - least)) if healthy < stand.desired else old
        if not (started or stopped) and healthy < stand.desired:
            return None
        old, leaving = old - stopped, leaving or stopped > 0
    return seconds + (pace.drain + _STOP_SECONDS if leaving else 0) + pace.bake


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
