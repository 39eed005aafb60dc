"""A process that may be signalled: known by its pid and by when it started, so that a reused pid is somebody else."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """One process of this machine. `started` is comparable only with itself; its form depends on the platform."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """Return the process that has this pid now, or None if none lives."""
        started = _started(pid)
        return cls(pid, started) if started else None

    def alive(self) -> bool:
        """Tell whether this very process still runs."""
        return _started(self.pid) == self.started

    def signal(self, number: int) -> None:
        """Send a signal if it still runs."""
        if self.alive():
            os.kill(self.pid, number)


def _started(pid: int) -> str:
    """Return when a process started, or "" if it does not run (a zombie does not)."""
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        try:
            # The command in parentheses may hold anything: count from the last one (Linux manual, proc_pid_stat).
            fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    answer = subprocess.run(  # noqa: S603 - fixed arguments
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()
