"""What is measured, in the order of an app's life: first deploy, nothing to do, a new image, the end."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.bench.files import services

if TYPE_CHECKING:
    from tests.bench.lab import Lab, Run
    from tests.bench.proxy import Network

FIRST, NOTHING, IMAGE, DESTROY = "first deploy", "nothing to do", "new image", "destroy"
PHASES = (FIRST, NOTHING, IMAGE, DESTROY)
_RELEASED_SECONDS = 3.0
"""A run that follows so soon upon another's end plans twice, for the clocks might differ."""
_FULL_SECONDS = 3.0
"""Then ECS's buckets of tokens are full again; runs cannot know what another has just taken of them."""
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
    """So many services, behind a network. `throttled`: ECS refuses what exceeds its documented rates."""

    services: int
    network: Network
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """An app's life under one setting. What can be repeated is, `runs` times. `looks` are networks behind which a run
    with nothing to do is measured besides. Without `ends` it is not destroyed: ECS takes two seconds for each service.
    """

    setting: Setting
    runs: int = 1
    looks: tuple[Network, ...] = ()
    ends: bool = True


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


def live(lab: Lab, life: Life) -> list[Measured]:
    """Deploy, look, change and destroy."""
    setting, number = life.setting, life.setting.services
    lab.reset(throttled=setting.throttled)
    lab.write(services(number))
    lab.run("diff")  # leaves copies of AWS's models, as every run but a machine's first finds them
    found = [Measured(setting, FIRST, _run(lab, setting, "deploy", "--yes"))]
    for network in (setting.network, *life.looks):
        looking = replace(setting, network=network)
        found.append(Measured(looking, NOTHING, _median([_run(lab, looking, "deploy", "--yes") for _ in range(3)])))
    changed = []
    for place in range(life.runs):
        lab.write(services(number, tag=f"v{place}"))
        time.sleep(_RELEASED_SECONDS)
        changed.append(_run(lab, setting, "deploy", "--yes"))
    found.append(Measured(setting, IMAGE, _median(changed)))
    if life.ends:
        time.sleep(_RELEASED_SECONDS)
        found.append(Measured(setting, DESTROY, _run(lab, setting, "destroy", "--yes")))
    return found


def _run(lab: Lab, setting: Setting, *arguments: str) -> Run:
    if setting.throttled:
        time.sleep(_FULL_SECONDS)
    return lab.run(*arguments, network=setting.network)


def _median(runs: list[Run]) -> Run:
    return sorted(runs, key=lambda run: run.wall)[len(runs) // 2]
