"""Carrying a plan out, as `deploy` and `destroy` share it: watched, interruptible, and with an honest end."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.aws.session import WORKERS
from fargatectl.cli.exits import code_of, outcome_of, worst
from fargatectl.cli.viewers import viewer
from fargatectl.dataclass import dataclass
from fargatectl.engine.executor import Outcome, execute
from fargatectl.errors import ExitCode, FargatectlError, RolloutFailed, StillInProgress
from fargatectl.model.change import Action
from fargatectl.model.events import LogEvent
from fargatectl.render import machine
from fargatectl.render.outcome import Ending
from fargatectl.render.words import stack_name
from fargatectl.rollout.context import RunContext
from fargatectl.rollout.follow import Follower
from fargatectl.rollout.jobs import Gate
from fargatectl.rollout.status import after, statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from fargatectl.cli.context import Target
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.cli.viewers import Viewer
    from fargatectl.engine.executor import Settle
    from fargatectl.engine.planner import Planning
    from fargatectl.model.events import Event
    from fargatectl.model.plan import Plan
    from fargatectl.model.status import ServiceStatus

_MADE_ALL_THE_SAME = (RolloutFailed, StillInProgress)
"""Failures of what follows a change: the change itself was made."""
_INTERRUPTED = "interrupted: nothing new begins, what runs ends; Ctrl-C again leaves at once"


@dataclass(frozen=True)
class Run:
    """What became of a plan: `events` are what was told on the way, `began` is when."""

    ending: Ending
    outcome: Outcome
    began: datetime
    events: Sequence[Event] = ()

    def result(
        self, *, kept: Sequence[str] | None = None, remaining: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Return the last event of the run."""
        ending, outcome = self.ending, self.outcome
        failed = [(a, e) for a, e in outcome.failed.items() if not isinstance(e, StillInProgress)]
        skipped = [(str(address), str(because)) for address, because in outcome.skipped.items()]
        skipped += [(str(address), "interrupted") for address in outcome.left]
        return machine.result(
            self._name(),
            ending.exit_code,
            applied=outcome.applied,
            failed=failed,
            skipped=skipped,
            services=ending.services,
            stuck=[e.diagnosis for e in outcome.failed.values() if isinstance(e, StillInProgress) and e.diagnosis],
            kept=kept,
            remaining=remaining,
        )

    def _name(self) -> str:
        if self.ending.exit_code == ExitCode.DONE:
            if self.ending.handed_over or self.ending.postponed:
                return "detached"
            moved = self.outcome.applied or self.ending.plan or self.ending.attached
            return "succeeded" if moved else "unchanged"
        return outcome_of(self.ending.exit_code)


def carry_out(  # noqa: PLR0913 - what a run is given
    planning: Planning,
    there: Target,
    surroundings: Surroundings,
    *,
    timeouts: Mapping[str, float | None] | None = None,
    hand_over: bool = False,
    follower: Callable[..., Settle] = Follower,
) -> Run:
    """Execute `planning`, follow what it sets going, and look at what serves in the end.

    `timeouts` bounds the wait for each service's rollout, in seconds; None where nothing is to be followed. With
    `hand_over` nobody waits, and what must not go before a rollout's end is left to the next run. `follower` makes what
    follows, from the parameters of `Follower`.
    """
    plan = planning.plan
    began, since = there.aws.monotonic(), there.aws.now()
    with watched(plan, there, surroundings) as watching:
        context = context_of(there, surroundings, watching)
        settle: Settle | None = None
        if timeouts is not None and not hand_over:
            settle = follower(context, there.services, timeouts)
        outcome = execute(
            planning,
            there.aws,
            there.executor,
            emit=watching.emit,
            settle=settle,
            prepare=Gate(context, there.jobs),
            stopped=context.stopped,
            wide=WORKERS,
        )
    seconds = there.aws.monotonic() - began
    services = () if surroundings.signals.stopped() else _services(planning, outcome, there)
    ending = ending_of(plan, outcome, surroundings, seconds=seconds)
    ending = replace(ending, services=services, handed_over=hand_over and _sets_going(planning))
    return Run(ending, outcome, since, watching.told)


@contextmanager
def watched(plan: Plan, there: Target, surroundings: Surroundings) -> Iterator[Viewer]:
    """Show events to whoever reads; within this, the first Ctrl-C asks for an orderly end."""
    surroundings.voice.stop_waiting()
    title = f"{stack_name(plan.app, plan.environment)} · {plan.account} {plan.region}"
    with viewer(surroundings, title, len(plan.changes)) as watching:

        def tell() -> None:
            watching.emit(LogEvent(_INTERRUPTED, there.aws.now(), "warning"))

        with surroundings.signals.deferred(tell):
            yield watching


def context_of(there: Target, surroundings: Surroundings, watching: Viewer) -> RunContext:
    """Return what follows things in AWS is given of a run."""
    return RunContext(
        there.aws,
        there.executor,
        watching.emit,
        stopped=surroundings.signals.stopped,
        place=there.place,
        jitter=surroundings.random.random,
    )


def ending_of(plan: Plan, outcome: Outcome, surroundings: Surroundings, *, seconds: float) -> Ending:
    """Return the end of a run as people are told of it."""
    signals = surroundings.signals
    interrupted = [signals.received] if signals.received is not None else []
    undone = [*outcome.failed, *outcome.skipped, *outcome.left]
    return Ending(
        plan=plan,
        exit_code=worst([*interrupted, *map(code_of, outcome.failed.values())]),
        seconds=seconds,
        failed={str(address): error for address, error in outcome.failed.items()},
        undone=[address for address in undone if not isinstance(outcome.failed.get(address), _MADE_ALL_THE_SAME)],
        postponed=len(outcome.postponed),
    )


def _sets_going(planning: Planning) -> bool:
    """Tell whether a change of the plan begins something that goes on in AWS: a rollout."""
    return any(
        planned.change.action not in {Action.NOOP, Action.DELETE}
        and planning.stack.resources[address].reconciler.settles
        for address, planned in planning.planned.items()
    )


def _services(planning: Planning, outcome: Outcome, there: Target) -> tuple[ServiceStatus, ...]:
    """Return what serves now. That it cannot be told is no failure of the run."""
    try:
        if outcome.complete and planning.stack is there.stack:
            return after(there.services, planning, outcome, there.aws)
        there.aws.reads.clear()
        return statuses(there.services, there.stack, there.aws, there.executor)
    except FargatectlError:
        return ()
