"""What `status` tells of a service: counts, revision, rollout, targets, scaling, address."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fargatectl.model.rollout import Pace
    from fargatectl.model.values import Address


class ServiceState(StrEnum):
    """The state of a service in one word."""

    STEADY = "steady"
    DEPLOYING = "deploying"
    ROLLING_BACK = "rolling_back"
    FAILED = "failed"
    DRAINING = "draining"
    MISSING = "missing"


@dataclass(frozen=True)
class DeploymentStatus:
    """The service's newest deployment. `state` is ECS's rolloutState; `reason` ECS's own words."""

    id: str
    state: str
    failed_tasks: int
    started_at: datetime | None
    reason: str = ""


@dataclass(frozen=True)
class TargetCounts:
    """Targets of a service's target groups by health (Elastic Load Balancing API Reference, TargetHealth)."""

    healthy: int = 0
    unhealthy: int = 0
    initial: int = 0
    draining: int = 0


@dataclass(frozen=True)
class ScalingBounds:
    """The bounds between which the autoscaler moves the desired count."""

    min: int
    max: int


@dataclass(frozen=True)
class ServiceEvent:
    """One message of ECS about a service."""

    at: datetime
    message: str


@dataclass(frozen=True)
class ServiceStatus:
    """One service as it is now. Absent parts are None: no load balancer, no scaling, no discovery."""

    name: str
    state: ServiceState
    desired: int = 0
    running: int = 0
    pending: int = 0
    task_definition: str = ""
    image: str = ""
    url: str | None = None
    deployment: DeploymentStatus | None = None
    targets: TargetCounts | None = None
    scaling: ScalingBounds | None = None
    discovery: str | None = None
    events: tuple[ServiceEvent, ...] = ()


@dataclass(frozen=True)
class Load:
    """What the tasks of a service used of what is reserved for them, in percent: a value a minute, the newest last."""

    cpu: tuple[float, ...] = ()
    memory: tuple[float, ...] = ()


@dataclass(frozen=True)
class Usage:
    """The load of services by name; `missing` says why there is none at all."""

    loads: Mapping[str, Load] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True)
class ServiceView:
    """Where on the stack the parts of one service stand, and what the file says of its address on the network.

    `host` is None for a service that its load balancer's own name reaches; `discovery` is its name with the port.
    `stop_early` says that a deployment which cannot heal is to be stopped before ECS gives up. `min_tasks` is the count
    below which the autoscaler does not go; 0 where there is none, or where schedules move its bounds. `alternate` is
    the other target group, where ECS shifts requests between two.
    """

    name: str
    service: Address
    task_definition: Address
    load_balancer: Address | None = None
    target_group: Address | None = None
    alternate: Address | None = None
    scaling: Address | None = None
    host: str | None = None
    path: str = ""
    https: bool = False
    discovery: str | None = None
    pace: Pace | None = None
    stop_early: bool = False
    min_tasks: int = 0
