"""Carrying a plan out, as `deploy` and `destroy` share it: watched, interruptible, and with an honest end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fargatectl.cli.exits import code_of, outcome_of, worst
from fargatectl.cli.viewers import viewer
from fargatectl.engine.executor import Outcome, execute
from fargatectl.errors import ExitCode, FargatectlError, RolloutFailed, StillInProgress
from fargatectl.model.change import Action
from fargatectl.model.events import LogEvent
from fargatectl.render import machine
from fargatectl.render.outcome import Ending
from fargatectl.render.words import stack_name
from fargatectl.rollout.follow import Follower
from fargatectl.rollout.status import after, statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fargatectl.cli.context import Target
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.executor import Settle
    from fargatectl.engine.planner import Planning
    from fargatectl.model.status import ServiceStatus

_MADE_ALL_THE_SAME = (RolloutFailed, StillInProgress)
"""Failures of what follows a change: the change itself was made."""
_INTERRUPTED = "interrupted: nothing new begins, what runs ends; Ctrl-C again leaves at once"


@dataclass(frozen=True)
class Run:
    """What became of a plan."""

    ending: Ending
    outcome: Outcome

    def result(self, *, kept: Sequence[str] | None = None, remaining: Sequence[str] | None = None) -> dict[str, Any]:
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
            kept=kept,
            remaining=remaining,
        )

    def _name(self) -> str:
        if self.ending.exit_code == ExitCode.DONE:
            if self.ending.handed_over or self.ending.postponed:
                return "detached"
            return "succeeded" if self.outcome.applied or self.ending.plan else "unchanged"
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
    began = there.aws.monotonic()
    signals = surroundings.signals
    surroundings.voice.stop_waiting()
    with viewer(surroundings, _title(planning)) as watching:

        def tell() -> None:
            watching.emit(LogEvent(_INTERRUPTED, there.aws.now(), "warning"))

        with signals.deferred(tell):
            settle: Settle | None = None
            if timeouts is not None and not hand_over:
                settle = follower(
                    there.aws,
                    there.services,
                    there.executor,
                    emit=watching.emit,
                    timeouts=timeouts,
                    stopped=signals.stopped,
                    place=there.place,
                )
            outcome = execute(
                planning, there.aws, there.executor, emit=watching.emit, settle=settle, stopped=signals.stopped
            )
    interrupted = [signals.received] if signals.received is not None else []
    undone = [*outcome.failed, *outcome.skipped, *outcome.left]
    ending = Ending(
        plan=plan,
        exit_code=worst([*interrupted, *map(code_of, outcome.failed.values())]),
        seconds=there.aws.monotonic() - began,
        failed={str(address): error for address, error in outcome.failed.items()},
        undone=[address for address in undone if not isinstance(outcome.failed.get(address), _MADE_ALL_THE_SAME)],
        services=() if interrupted else _services(planning, outcome, there),
        handed_over=hand_over and _sets_going(planning),
        postponed=len(outcome.postponed),
    )
    return Run(ending, outcome)


def _title(planning: Planning) -> str:
    plan = planning.plan
    return f"{stack_name(plan.app, plan.environment)} · {plan.account} {plan.region}"


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
