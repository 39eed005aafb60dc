"""`destroy`: delete all that this app owns in this environment, in safe order, and prove that nothing is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fargatectl.cli.confirm import confirm_destroy
from fargatectl.cli.context import target
from fargatectl.cli.converge import carry_out
from fargatectl.cli.locking import forget, locked, patience
from fargatectl.engine.planner import plan
from fargatectl.errors import AwsFailure, ExitCode, FargatectlError, Refused
from fargatectl.render import machine, outcome
from fargatectl.render.console import width_of
from fargatectl.render.words import stack_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.cli.context import Target
    from fargatectl.cli.converge import Run
    from fargatectl.cli.options import DestroyOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.planner import Planning

_LOOKS = 5
_LOOK_SECONDS = 3.0  # listings of AWS may show for some seconds what is gone


def run(options: DestroyOptions, surroundings: Surroundings) -> ExitCode:
    """Delete everything of ours."""
    patience(options)
    with target(options, surroundings) as there:
        if there.config.protect:
            name = stack_name(there.stack.owner.app, there.loaded.environment)
            raise Refused(f"{name} is protected", hint=f"take protect = true out of {there.file} first")
        planning = _plan(there)
        _show(planning, there, surroundings)
        confirm_destroy(planning.plan, surroundings, yes=options.yes)
        with locked(planning.plan, there, options, surroundings, "destroy") as turn:
            planning = turn.still_true(planning, there, lambda: _plan(there))
            done = carry_out(planning, there, surroundings)
            after = _look_again(there, done)
            # What could not be looked at again is told as left: the proof is missing.
            remaining = [str(change.address) for change in after.plan.changes] if after else list(done.ending.undone)
            turn.gone = done.ending.exit_code == ExitCode.DONE and not remaining
        if not planning.plan:
            forget(there, options, surroundings)
        if done.ending.exit_code == ExitCode.DONE and remaining:
            done = replace(done, ending=replace(done.ending, exit_code=ExitCode.AWS))
        _tell(done, planning.kept if after is None else after.kept, remaining, surroundings)
        return done.ending.exit_code


def _plan(there: Target) -> Planning:
    there.aws.reads.clear()
    return plan(there.stack, there.aws, there.executor, absent=True)


def _show(planning: Planning, there: Target, surroundings: Surroundings) -> None:
    made = planning.plan
    if surroundings.json:
        surroundings.voice.event(machine.plan_event(made))
        return
    if not made:
        return
    nouns = {kind.kind: kind.noun for kind in there.stack.kinds}
    foreign = [_of_others(address) for address in there.stack.sources if not address.startswith("sts.")]
    width = width_of(surroundings.voice.err)
    surroundings.voice.prose(
        outcome.farewell(made, nouns=nouns, tasks=_running(planning), kept=planning.kept, foreign=foreign, width=width)
    )


def _running(planning: Planning) -> int:
    """Return how many tasks run that a destroy stops."""
    outs = [planned.live.out for planned in planning.planned.values() if planned.live is not None]
    return sum(out.health.running for out in outs if hasattr(out, "health"))


def _of_others(address: str) -> str:
    """Return a look-up in words: `secrets.secret/shop/db` is "secret shop/db"."""
    kind, _, name = address.partition("/")
    noun = kind.rpartition(".")[2].replace("_", " ")
    return noun if name == noun else f"{noun} {name}"


def _look_again(there: Target, done: Run) -> Planning | None:
    """Plan again, a few times over: what AWS still lists may be gone already. None if a failed run cannot do that."""
    if done.ending.exit_code != ExitCode.DONE:
        try:
            return _plan(there)
        except FargatectlError:
            return None
    after = _plan(there)
    for _ in range(_LOOKS if done.outcome.applied else 0):
        if not after.plan:
            break
        there.aws.sleep(_LOOK_SECONDS)
        after = _plan(there)
    return after


def _tell(done: Run, kept: Sequence[str], remaining: list[str], surroundings: Surroundings) -> None:
    width = width_of(surroundings.voice.err)
    if surroundings.json:
        surroundings.voice.event(done.result(kept=kept, remaining=remaining))
    elif done.ending.exit_code == ExitCode.DONE:
        surroundings.voice.prose(outcome.gone(done.ending.plan, kept, width=width))
    elif done.outcome.complete:
        raise AwsFailure(
            f"{len(remaining)} things are still there: {outcome.names(remaining)}",
            hint="run the same command again; what AWS still uses cannot go yet",
        )
    else:
        surroundings.voice.prose(outcome.bad(done.ending, width=width))
