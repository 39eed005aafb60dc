"""What is measured, in the order of an app's life: first deploy, nothing to do, a new image, the end."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.files import services

if TYPE_CHECKING:
    from tests.bench.lab import Lab, Run

FIRST, NOTHING, IMAGE, DESTROY = "first deploy", "nothing to do", "new image", "destroy"
PHASES = (FIRST, NOTHING, IMAGE, DESTROY)
_RELEASED_SECONDS = 3.0
"""A run that follows so soon upon another's end plans twice, for the clocks might differ."""
_EMPTY_APP = """
import typer
app = typer.Typer(rich_markup_mode="rich")
@app.command()
def one(name: str = "x") -> None: "Nothing."
@app.command()
def two(name: str = "x") -> None: "Nothing."
app()
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """So many services, behind a proxy that takes `latency` for a call and `per_connection` for a new connection, in
    seconds. `throttled`: ECS refuses what exceeds its documented rates."""

    services: int
    latency: float
    per_connection: float = 0.0
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """One phase under one setting: the run with the median wall time."""

    setting: Setting
    phase: str
    run: Run


@dataclass(frozen=True, slots=True)
class Start:
    """How long a command takes that asks AWS for nothing: medians, in seconds and MiB."""

    name: str
    wall: float
    cpu: float
    peak_mib: float


def start_up(lab: Lab, *, runs: int) -> list[Start]:
    """Measure what comes before the first call."""
    lab.write(services(1))
    command = lab.command
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "help of an empty typer app": [sys.executable, "-c", _EMPTY_APP, "--help"],
        "fargatectl --version": [command, "--version"],
        "fargatectl --help": [command, "--help"],
        "fargatectl deploy --help": [command, "deploy", "--help"],
        "fargatectl validate": [command, "validate"],
    }
    found = []
    for name, arguments in commands.items():
        lab.measure(arguments)  # the first writes byte code
        measured = [lab.measure(arguments) for _ in range(runs)]
        medians = (statistics.median(getattr(run, what) for run in measured) for what in ("wall", "cpu", "peak_mib"))
        found.append(Start(name, *medians))
    return found


def deployments(lab: Lab, setting: Setting, *, runs: int) -> list[Measured]:
    """Deploy, look, change and destroy so many services; the phases that can be repeated are, `runs` times."""
    lab.reset(throttled=setting.throttled)
    lab.write(services(setting.services))
    lab.run("diff")  # leaves copies of AWS's models, as every run but a machine's first finds them
    first = _run(lab, setting, "deploy", "--yes")
    nothing = [_run(lab, setting, "deploy", "--yes") for _ in range(runs)]
    changed = []
    for number in range(1 if setting.throttled else runs):
        lab.write(services(setting.services, tag=f"v{number}"))
        time.sleep(_RELEASED_SECONDS)
        changed.append(_run(lab, setting, "deploy", "--yes"))
    time.sleep(_RELEASED_SECONDS)
    gone = _run(lab, setting, "destroy", "--yes")
    phases = {FIRST: first, NOTHING: _median(nothing), IMAGE: _median(changed), DESTROY: gone}
    return [Measured(setting, phase, run) for phase, run in phases.items()]


def _run(lab: Lab, setting: Setting, *arguments: str) -> Run:
    return lab.run(*arguments, latency=setting.latency, per_connection=setting.per_connection)


def _median(runs: list[Run]) -> Run:
    return sorted(runs, key=lambda run: run.wall)[len(runs) // 2]
