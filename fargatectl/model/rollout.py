"""How fast a service is rolled out, as far as its file decides that."""

from __future__ import annotations

from fargatectl.dataclass import dataclass

UNCHECKED_SECONDS = 40.0
"""So long a task without any check must run until ECS calls it healthy (ECS API Reference, DeploymentConfiguration)."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What the length of a rollout depends on: percentages are of the desired count, all else are seconds.

    `healthy_after` is what a running task needs until its checks call it healthy; `grace` is for how long failing
    checks of the load balancer are overlooked; `drain` is the deregistration delay; `stop` bounds how long a container
    takes to end; `bake` is the time that both versions stay after all traffic has moved.
    """

    min_percent: int = 100
    max_percent: int = 200
    healthy_after: float = UNCHECKED_SECONDS
    grace: float = 0
    drain: float = 0
    stop: float = 30
    bake: float = 0
