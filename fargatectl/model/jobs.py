"""Jobs: where their parts stand on the stack, how one run of them went, and what `status` tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.dataclass import dataclass
from fargatectl.model.capacity import Capacity  # noqa: TC001 - a field's type, which `fill` replaces by
from fargatectl.model.logs import LogSource  # noqa: TC001 - as above

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fargatectl.model.values import Address, Late


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job on the stack: its definition, and where its task runs. Late values are those of its service.

    The container bears the job's name; `output` is where its lines go. `timeout` in seconds. `tags` are those of the
    task.
    """

    name: str
    service: str
    definition: Address
    definition_arn: Late[str]
    family: str
    cluster: str
    subnets: Late[tuple[str, ...]]
    security_groups: tuple[Late[str], ...]
    public_ip: Late[bool]
    output: LogSource
    tags: Mapping[str, str]
    capacity: tuple[Capacity, ...] = ()
    timeout: float | None = None
    schedule: str = ""
    timezone: str = ""


@dataclass(frozen=True)
class JobEnd:
    """How a task ended, as ECS shows it in `task`. `exit_code` is its container's, None if that never started."""

    task: Mapping[str, Any]
    exit_code: int | None
    seconds: float
    timed_out: bool = False
    interrupted: bool = False

    @property
    def id(self) -> str:
        """The task's id."""
        return str(self.task["taskArn"]).rpartition("/")[2]


@dataclass(frozen=True)
class JobRun:
    """A run that ECS still remembers. `exit_code` is None while it runs, and if its container never started."""

    task: str
    state: str
    started_at: datetime | None
    stopped_at: datetime | None
    exit_code: int | None
    reason: str = ""


@dataclass(frozen=True)
class JobStatus:
    """A job as it is now: its schedule, the tasks that run, and the last run, as long as ECS remembers it."""

    name: str
    service: str
    schedule: str = ""
    timezone: str = ""
    running: int = 0
    last: JobRun | None = None
