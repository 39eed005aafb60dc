"""Lines of logs, and where the lines of a service or job are to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class LogSource:
    """Where the output of a service's containers goes.

    Their streams in `group` are `PREFIX/CONTAINER/TASK`, or are `routed`: named by a log router. `containers` are those
    of its tasks and of its jobs. `silent` says why there is nothing to be read; then the rest may be empty.
    """

    name: str
    group: str = ""
    prefix: str = ""
    containers: tuple[str, ...] = ()
    routed: bool = False
    silent: str = ""


@dataclass(frozen=True)
class LogLine:
    """One event of a log stream. `task` is the task's id, "" where the stream's name does not tell."""

    id: str
    at: datetime
    service: str
    container: str
    task: str
    message: str
