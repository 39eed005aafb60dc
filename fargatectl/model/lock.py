"""The lock of one app in one environment, as AWS keeps it: a row of generations, of which the highest counts."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime


class State(StrEnum):
    """What became of a generation. `WITHDRAWN` ones never had the lock: their run gave way to another one."""

    HELD = "held"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Process:
    """One process, told from every other that ever ran: equal in all fields only to itself.

    `namespace` is that of its process ids, for a container cannot see the processes of another one; `started` is its
    start in clock ticks since the boot, for process ids are used again.
    """

    machine: str
    boot: str
    namespace: str
    pid: int
    started: int


@dataclass(frozen=True)
class Holder:
    """Who has a generation: `who` ran `command` at `where` (a host, or a pipeline's job). `nonce` is this run's alone.

    `process` is None where the machine does not tell it.
    """

    who: str
    where: str
    command: str
    since: datetime
    nonce: str
    process: Process | None = None

    def __str__(self) -> str:
        pid = f", pid {self.process.pid}" if self.process else ""
        return f"{self.who} at {self.where} ({self.command}{pid}) since {self.since:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True)
class Generation:
    """One turn of somebody. `renewed_at` is by AWS's clock; `lease_seconds` is how long it stands without renewal."""

    number: int
    holder: Holder
    state: State
    lease_seconds: float
    renewed_at: datetime


@dataclass(frozen=True)
class Listing:
    """All generations, the lowest first, and the time on AWS's clock when they were listed."""

    generations: tuple[Generation, ...]
    at: datetime

    @property
    def latest(self) -> Generation | None:
        """The highest generation that had the lock."""
        return next((each for each in reversed(self.generations) if each.state is not State.WITHDRAWN), None)

    def find(self, number: int) -> Generation | None:
        """Return the generation with this number."""
        return next((each for each in self.generations if each.number == number), None)

    def above(self, number: int) -> list[Generation]:
        """Return the higher generations, the lowest first, but for those that gave way."""
        return [each for each in self.generations if each.number > number and each.state is not State.WITHDRAWN]

    def age(self, generation: Generation) -> float:
        """Return the seconds since `generation` was renewed."""
        return (self.at - generation.renewed_at).total_seconds()
