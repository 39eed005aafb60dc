"""Who holds a lock: this process as its record names it, and whether another one on this machine is dead."""

from __future__ import annotations

import platform
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from random import Random

    from fargatectl.model.lock import Holder, Process

_STARTED = 19  # proc(5): field 22 of /proc/PID/stat, counted from behind the command's closing parenthesis
_JOBS = (  # what pipelines call the page of the running job
    "CI_JOB_URL",  # GitLab
    "BUILD_URL",  # Jenkins
    "BUILDKITE_BUILD_URL",
    "CIRCLE_BUILD_URL",
    "CODEBUILD_BUILD_URL",
)
_PEOPLE = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILDKITE_BUILD_CREATOR", "CIRCLE_USERNAME", "USER", "LOGNAME")


@dataclass(frozen=True)
class Machine:
    """The machine that we run on, as far as it tells: `root` has its `/proc` and `/etc`, `host` is its name."""

    pid: int
    root: Path = Path("/")
    host: str = field(default_factory=platform.node)

    def process(self, pid: int | None = None) -> Process | None:
        """Return this process or another one; None where there is none, or where the machine does not tell."""
        from fargatectl.model.lock import Process  # noqa: PLC0415 - `--help` has no need of it

        number = self.pid if pid is None else pid
        try:
            machine = (self.root / "etc/machine-id").read_text().strip()
            boot = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
            namespace = (self.root / "proc/self/ns/pid").readlink().name
            stat = (self.root / f"proc/{number}/stat").read_text()
            started = int(stat.rpartition(")")[2].split()[_STARTED])
        except (OSError, ValueError, IndexError):
            return None
        return Process(machine, boot, namespace, number, started)

    def is_dead(self, holder: Holder) -> bool:
        """Tell whether `holder` certainly runs no more: it ran here, since this boot, where we would see it."""
        ours, theirs = self.process(), holder.process
        if ours is None or theirs is None:
            return False
        here = (ours.machine, ours.boot, ours.namespace) == (theirs.machine, theirs.boot, theirs.namespace)
        return here and self.process(theirs.pid) != theirs

    def holder(self, command: str, environ: Mapping[str, str], now: datetime, random: Random) -> Holder:
        """Return this run as a holder; a pipeline's job outranks the host that it happens to run on."""
        from fargatectl.model.lock import Holder  # noqa: PLC0415 - as above

        who = next((environ[name] for name in _PEOPLE if environ.get(name)), "somebody")
        where = next((environ[name] for name in _JOBS if environ.get(name)), "") or _github(environ) or self.host
        nonce = f"{random.getrandbits(64):016x}"
        return Holder(who, where or "an unnamed host", f"fargatectl {command}", now, nonce, self.process())


def _github(environ: Mapping[str, str]) -> str:
    parts = [environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    return "{}/{}/actions/runs/{}".format(*parts) if all(parts) else ""
