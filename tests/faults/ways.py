"""Other ways to the same end: runs beside the undisturbed one, which must leave what it leaves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.faults.account import look
from tests.faults.forks import leave
from tests.faults.harness import attempt, judge_undisturbed, start
from tests.faults.kinds import denial
from tests.faults.reports import Report, problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.faults.harness import Seam
    from tests.faults.stacks import Flow


def reordered(flow: Flow, seeds: Iterable[int]) -> list[Report]:
    """Run `flow` undisturbed in the order that each of `seeds` decides; all must end where the declared order does."""

    def shuffled(seed: int) -> Callable[[Seam], str]:
        def run(seam: Seam) -> str:
            seam.scene.seed = seed
            return attempt(seam.scene, flow)

        return run

    return _beside(flow, {f"--seed {seed}": shuffled(seed) for seed in seeds})


def granted(flow: Flow) -> list[Report]:
    """Run `flow` with a role that may write nothing, and again with what the last run was denied, until it ends."""

    def run(seam: Seam) -> str:
        may: set[str] = set()
        while True:
            denied: set[str] = set()
            seam.fault = denial(may, denied)
            ended = attempt(seam.scene, flow)
            seam.quiet()
            if not denied:
                return ended
            if "not authorized" not in ended:
                return f"it was denied {', '.join(sorted(denied))}, but: {ended}"
            may |= denied

    return _beside(flow, {"# permission by permission": run})


def _beside(flow: Flow, ways: Mapping[str, Callable[[Seam], str]]) -> list[Report]:
    """Run `flow` undisturbed, and in each of `ways` beside; each must end complete, and where the undisturbed run does.

    A way is named as it is told from others in the command that replays it, and returns how it ended.
    """
    seam = start(flow)
    for name, way in ways.items():
        pipe = seam.nursery.fork(name)
        if pipe is not None:
            leave(pipe, partial(_seen_after, seam, flow, way))
    own = _seen_after(seam, flow, lambda seam: attempt(seam.scene, flow))
    reference = look(seam.local)
    replay = f"python -m tests.faults --flow {flow.name} --stack {flow.stack.name}"
    answers = [("", own), *seam.nursery.wait()]
    return [
        Report(f"{replay} {name}", 0, "none", "", problems(answer, reference), answer.get("ended", ""))
        for name, answer in answers
    ]


def _seen_after(seam: Seam, flow: Flow, way: Callable[[Seam], str]) -> dict[str, Any]:
    ended = way(seam)
    found = judge_undisturbed(seam, flow, ended)
    return {"ended": ended, "problems": found, "account": look(seam.local).to_json()}
