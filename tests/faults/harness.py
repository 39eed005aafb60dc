"""The harness: one undisturbed run that forks at every mutating call, once for each kind of fault.

The child has the fault, runs again without one, and looks whether all is as if nothing had happened. The parent goes on
undisturbed; the state that it ends in is what its children are compared with.
"""

from __future__ import annotations

import gc
import os
import random
import types
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import botocore.endpoint

from fargatectl.engine.executor import execute
from fargatectl.engine.planner import plan
from fargatectl.errors import FargatectlError
from fargatectl.rollout.context import RunContext
from fargatectl.rollout.follow import Follower
from fargatectl.rollout.jobs import Gate
from fargatectl.sandbox.clock import Timeline
from fargatectl.sandbox.inprocess import LocalAws
from tests.faults import canaries, limits
from tests.faults.account import look
from tests.faults.aim import Aim
from tests.faults.bystanders import plant
from tests.faults.forks import Nursery, leave
from tests.faults.kinds import KINDS, Crash
from tests.faults.oracles import Oracles
from tests.faults.past import Past
from tests.faults.reports import Report, compared, known
from tests.faults.scheduler import Shuffled
from tests.faults.stacks import STACKS
from tests.faults.strip import strip
from tests.inline import Inline
from tests.local import make_aws
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor

    from fargatectl.engine.executor import Outcome
    from fargatectl.engine.planner import Planning
    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from fargatectl.stack import Blueprint
    from tests.faults.kinds import Fault, Kind
    from tests.faults.stacks import Flow, Stack

A_WHILE = 3600.0  # seconds in which AWS finishes whatever it is about

AWS_SPEED = 10.0
"""AWS is that much faster than the clock that the tool waits on: fewer polls, the same states."""

CHILDREN = 1 if os.environ.get("PYTEST_XDIST_WORKER") else 2  # two workers make two children


class Haltable(Timeline):
    """A timeline that can be halted: the tool's clock goes on, and AWS finishes nothing of what it is about."""

    halted_at: float | None = None

    def seconds(self) -> float:
        return super().seconds() if self.halted_at is None else self.halted_at


@dataclass
class Scene(World):
    """A world in which the tool is run again and again; the file is read once."""

    seed: int | None = None
    stopped: bool = False
    oracles: Oracles | None = None
    planning: Planning | None = None
    _known: dict[str, Blueprint] = field(default_factory=dict)

    def judge(self, seconds: float, calls: int, errors: Iterable[FargatectlError]) -> None:
        """Judge a run by what it took and by all that it said; one without oracles is somebody else's."""
        if self.oracles is None:
            return
        self.oracles.violations += limits.exceeded(self.planning, seconds, calls)
        said = canaries.shown(self.planning, self.events, errors)
        self.oracles.violations += ["I16: a secret was shown" for text in said if canaries.sings(text)]
        self.events.clear()

    def blueprint(self, text: str) -> Blueprint:
        if text not in self._known:
            self._known[text] = super().blueprint(text)
        return self._known[text]

    def executor(self) -> Executor:
        """Return a new executor: what a dead run left in its own must not come to life again."""
        return Inline() if self.seed is None else Shuffled(self.seed)

    def planned(self, flow: Flow) -> Planning:
        self.aws.reads.clear()
        if self.oracles:
            self.oracles.reading = True
        try:
            stack = self.blueprint(flow.after).stack
            adopt = stack.resources.keys() if flow.adopt else frozenset()
            return plan(stack, self.aws, self.executor(), absent=flow.absent, adopt=adopt)
        finally:
            if self.oracles:
                self.oracles.reading = False

    def run(self, flow: Flow) -> tuple[Planning, Outcome]:
        self.planning = None
        self.aws.stopped = lambda: self.stopped
        planning = self.planning = self.planned(flow)
        blueprint = self.blueprint(flow.after)
        context = RunContext(self.aws, Inline(), self.events.append, stopped=lambda: self.stopped)
        follower, gate = Follower(context, blueprint.services), Gate(context, blueprint.jobs)
        outcome = execute(
            planning,
            self.aws,
            self.executor(),
            emit=self.events.append,
            settle=follower,
            prepare=gate,
            stopped=lambda: self.stopped,
        )
        return planning, outcome


@dataclass
class Seam:
    """Where the tool's requests leave: counts its mutating calls, has oracles judge them, and forks at each."""

    scene: Scene
    kinds: tuple[Kind, ...] = ()
    aim: Aim = field(default_factory=Aim)
    second: Kind | None = None
    then_at: int | None = None
    nursery: Nursery = field(default_factory=lambda: Nursery(CHILDREN))
    k: int = 0
    calls: list[str] = field(default_factory=list)
    struck: tuple[int, str, str] | None = None
    pipe: int | None = None
    fault: Fault | None = None
    applied_at: float | None = None
    known: list[str] = field(default_factory=list)
    states: Past = field(default_factory=Past)

    @property
    def stopped(self) -> bool:
        return self.scene.stopped

    @stopped.setter
    def stopped(self, value: bool) -> None:
        self.scene.stopped = value

    @property
    def halted(self) -> bool:
        return self.timeline.halted_at is not None

    @halted.setter
    def halted(self, value: bool) -> None:
        if value != self.halted:
            self.timeline.halted_at = self.timeline.seconds() if value else None

    @property
    def timeline(self) -> Haltable:
        timeline = self.scene.local.cloud.timeline
        assert isinstance(timeline, Haltable)
        return timeline

    @property
    def local(self) -> LocalAws:
        return self.scene.local

    def past(self, writes: int, call: Call) -> Response | None:
        return self.states.ask(self.k - writes + 1, call)

    def __call__(self, call: Call, apply: Callable[[], Response]) -> Response:
        oracles = self.scene.oracles
        judged = apply
        if oracles:
            oracles.secrets(call)
        if call.mutating:
            self.k += 1
            name = f"{call.service}:{call.operation}"
            self.calls.append(name)
            if oracles:
                oracles.before(call)

                def judged() -> Response:
                    answer = apply()
                    oracles.after(call)
                    self.applied_at = self.local.clock.monotonic()
                    return answer

            if self.struck is None and self.kinds:
                self._fork(call, name)
            elif self.k == self.then_at and self.second and self.second.applies(call):
                self.fault = self.second.strike(self)
        return self.fault(call, judged) if self.fault else judged()

    def _fork(self, call: Call, name: str) -> None:
        """Have a child meet each kind of fault at this call; the parent goes on."""
        if self.looks_back:
            self.states.remember(self.k, self.local)
        is_first = self.calls.count(name) == 1
        for kind in self.kinds:
            if not kind.hits(self.k) or not kind.applies(call):
                continue
            if kind.within is None and not self.aim.hits(self.k, name, is_first=is_first):
                continue
            if kind.name == "crash-before" and self._is_crash_after():
                self.known.append(f"{self.k} {kind.name} {name}")
                continue
            pipe = self.nursery.fork(f"{self.k} {kind.name} {name}")
            if pipe is not None:
                self.pipe = pipe
                self.struck = (self.k, kind.name, name)
                self.fault = kind.strike(self)
                return

    def _is_crash_after(self) -> bool:
        """Tell whether dying now leaves just what dying after the last write left: no time has passed since."""
        tried = self.aim.is_wide and any(kind.name == "crash-after" for kind in self.kinds)
        return tried and self.applied_at == self.local.clock.monotonic()

    @property
    def looks_back(self) -> bool:
        names = [kind.name for kind in self.kinds] + [self.aim.then or ""]
        return any(name.startswith("stale") for name in names)

    def quiet(self) -> None:
        """Let everything through from now on."""
        self.fault = None
        self.stopped = self.halted = False


def drive(flow: Flow, kinds: Iterable[str], aim: Aim | None = None, seam: Seam | None = None) -> list[Report]:
    """Try `kinds` at the mutating calls of `flow` that `aim` hits (all of them); return a report for each scenario.

    `seam` is where the flow starts, if that is built already.
    """
    seam = seam or start(flow)
    seam.kinds, seam.aim = tuple(KINDS[kind] for kind in kinds), aim or Aim()
    if seam.looks_back:
        seam.nursery.most = 1  # they share the processes that remember
    scene, aim = seam.scene, seam.aim
    scene.seed = aim.seed
    ended = attempt(scene, flow)
    if seam.pipe is not None and seam.struck is not None:
        leave(seam.pipe, lambda: _aftermath(seam, flow, ended))
    seam.kinds = ()
    found = judge_undisturbed(seam, flow, ended)
    reference = look(scene.local)
    replay = f"python -m tests.faults --flow {flow.name} --stack {flow.stack.name}{aim}"
    reports = [Report(replay, 0, "none", "", found, ended)] if found else []
    reports += compared(seam.nursery.wait(), reference, replay, aim.then)
    seam.states.close()
    return reports + known(seam.known, reports)


def attempt(scene: Scene, flow: Flow) -> str:
    """Run the tool once; return how it ended: "complete", "crash", or what it said."""
    clock, began, heard = scene.local.clock, scene.local.clock.monotonic(), len(scene.local.calls)
    errors: dict[str, FargatectlError] = {}
    try:
        _, outcome = scene.run(flow)
        errors |= {f"{address}: ": error for address, error in outcome.failed.items()}
        ended = "complete" if outcome.complete else "failed: " if errors else "stopped"
    except Crash:
        return "crash"
    except FargatectlError as error:
        errors, ended = {"": error}, f"{type(error).__name__}: "
    scene.judge(clock.monotonic() - began, len(scene.local.calls) - heard, errors.values())
    return ended + "; ".join(f"{address}{error.message}" for address, error in errors.items())


def ready(flow: Flow) -> Seam:
    """Return where `flow` starts, built once for all that start there: copies of this process may go on from it."""
    begin = (flow.stack.name, flow.before, flow.adopt)
    if begin not in _READY:
        seam = start(flow)
        _READY[begin] = seam
    return _READY[begin]


def start(flow: Flow) -> Seam:
    """Build the state that the flow starts from, and put the seam in between."""
    warm = warmed(flow.stack)
    scene = Scene(warm.local, warm.directory, variables={**flow.stack.variables})
    scene.__dict__["aws"] = warm.aws
    # botocore naps between its retries by the module `time`; here the virtual clock moves instead.
    naps = types.SimpleNamespace(sleep=scene.local.clock.sleep, time=scene.local.clock.monotonic)
    setattr(botocore.endpoint, "time", naps)  # noqa: B010 - mypy knows no `time` there
    owner = scene.blueprint(flow.after).stack.owner
    canaries.release(scene.local)
    if flow.before is not None:
        scene.deploy(flow.before)
    plant(scene.local, owner.app)
    scene.local.clock.sleep(A_WHILE)
    oracles = Oracles(scene.local, owner)
    if flow.adopt:
        oracles.taken = strip(scene.local, owner)
    scene.oracles = oracles
    seam = Seam(scene)
    scene.local.intercept(seam)
    return seam


def _aftermath(seam: Seam, flow: Flow, ended: str) -> dict[str, Any]:
    """Run again without the fault, and say what is not as it should be."""
    scene = seam.scene
    assert seam.struck is not None
    kind = KINDS[seam.struck[1]]
    seam.quiet()
    found = []
    if kind.survived and ended != "complete":
        found.append(f"the run should have survived {kind.name}, but: {ended}")
    if seam.aim.second:
        ended = f"{ended}, then {_second_fault(seam, seam.aim.second, flow)}"
    if ended != "complete" or kind.unseen:
        again = attempt(scene, flow)
        if again != "complete":
            found.append(f"I1: the rerun did not converge: {again}")
    found += [problem for problem in _settled(seam, flow) if not problem.startswith(kind.excuses)]
    return {"ended": ended, "problems": found, "account": look(scene.local).to_json()}


def _second_fault(seam: Seam, kind: Kind, flow: Flow) -> str:
    """Run again into another fault: at one of the next calls, or at once where reads are to be stale."""
    if kind.name.startswith("stale"):
        seam.fault = kind.strike(seam)
    else:
        chance = random.Random(f"{seam.aim.seed} {seam.k}")  # noqa: S311 - a place, not a secret
        seam.second, seam.then_at = kind, seam.k + chance.randint(1, 12)
    ended = attempt(seam.scene, flow)
    seam.quiet()
    seam.then_at = None
    return ended


def judge_undisturbed(seam: Seam, flow: Flow, ended: str) -> list[str]:
    """Return what is not as it should be after a run that nothing disturbs any more."""
    found = [] if ended == "complete" else [f"it should have ended complete: {ended}"]
    return found + _settled(seam, flow)


def _settled(seam: Seam, flow: Flow) -> list[str]:
    """Let a while pass; another plan must be empty then, and planning must write nothing (I2)."""
    scene, made = seam.scene, seam.k
    scene.local.clock.sleep(A_WHILE)
    found = []
    try:
        changes = scene.planned(flow).plan.changes
    except FargatectlError as error:
        found.append(f"I2: the next plan failed: {error.message}")
    else:
        shown = [f"{change.action} {change.address} {', '.join(change.fields.paths)}" for change in changes]
        found += [f"I2: the next plan is not empty: {line}" for line in shown]
    if seam.k != made:
        found.append("I14: planning wrote")
    assert scene.oracles is not None
    return found + list(dict.fromkeys(scene.oracles.violations))


_READY: dict[tuple[str, str | None, bool], Seam] = {}
"""What `ready` has built, until something else is built in the one world that there is."""


@cache
def _world() -> World:
    local = LocalAws(speed=AWS_SPEED)
    local.cloud.timeline = Haltable(local.clock, AWS_SPEED)
    world = World(local, Path(mkdtemp(prefix="fargatectl-faults-")))
    world.__dict__["aws"] = make_aws(local, secret=canaries.CANARY)
    return world


@cache
def _lived(name: str) -> None:
    world, stack = _world(), STACKS[name]
    world.variables = {**stack.variables}
    world.deploy(stack.text)
    look(world.local)
    world.destroy(stack.text)
    # What lives on from here is seen as living for good: a collection that looked at it would have it copied, by the
    # kernel, for every child.
    gc.collect()
    gc.freeze()


def warmed(stack: Stack) -> World:
    """Return a world in which `stack` has lived once: clients, models and parsers are made before anything forks."""
    world = _world()
    _READY.clear()
    world.local.intercept(None)
    world.local.reset()
    _lived(stack.name)
    world.local.reset()
    return world
