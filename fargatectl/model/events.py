"""What a run tells its viewers, once, as values: a step began or ended, a deployment moved, a line to log."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, TypeAlias, Union

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from fargatectl.errors import FargatectlError
    from fargatectl.model.status import ServiceStatus, TargetCounts
    from fargatectl.model.values import Address

StepVerb: TypeAlias = Literal["create", "update", "delete", "adopt", "run"]
StepState: TypeAlias = Literal["began", "done", "failed", "skipped"]


@dataclass(frozen=True)
class StepEvent:
    """A change of one resource began or ended. `detail` is a short result ("shop-web:8"); `because` names the failed
    resource on which a skipped one depends."""

    address: Address
    verb: StepVerb
    state: StepState
    at: datetime
    summary: str = ""
    detail: str = ""
    error: FargatectlError | None = None
    because: Address | None = None


@dataclass(frozen=True)
class DeploymentEvent:
    """The rollout of a service moved: its status now, and how many tasks of the new and the old revision there are.

    `began` is when the rollout did, where that is known: before the first event of it.
    """

    service: ServiceStatus
    at: datetime
    rollout: RolloutProgress
    began: datetime | None = None


@dataclass(frozen=True)
class RolloutProgress:
    """How far a rollout is. `stage` is a phrase of people's words; counts are tasks.

    `running` tasks include the `healthy` ones; `failed` counts those that ECS saw fail in a row. `targets` are those of
    the load balancer, of both revisions. `over` says that nothing more happens. `left` estimates the seconds to the
    end, where that can be told.
    """

    stage: str
    revision: str
    desired: int
    running: int
    pending: int
    healthy: int
    failed: int
    old_revision: str = ""
    old_running: int = 0
    old_pending: int = 0
    targets: TargetCounts | None = None
    over: bool = False
    left: int | None = field(default=None, compare=False)  # moves with the clock: no news in itself


@dataclass(frozen=True)
class LogEvent:
    """A sentence worth telling that belongs to no step."""

    message: str
    at: datetime
    level: Literal["info", "warning"] = "info"


Event: TypeAlias = Union[StepEvent, DeploymentEvent, LogEvent]
Emit: TypeAlias = "Callable[[Event], None]"
