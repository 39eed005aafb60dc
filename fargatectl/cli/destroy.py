"""`destroy`: delete all that this app owns in this environment, in safe order, and prove that nothing is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fargatectl.cli.confirm import confirm_destroy
from fargatectl.cli.context import target
from fargatectl.cli.converge import carry_out
from fargatectl.cli.exits import worst
from fargatectl.cli.locking import forget, locked, patience
from fargatectl.cli.planning import plan_absence, shared
from fargatectl.errors import AwsFailure, ExitCode, FargatectlError, Refused
from fargatectl.model.change import Action
from fargatectl.render import machine, outcome
from fargatectl.render.console import width_of
from fargatectl.render.words import count, stack_name
from fargatectl.rollout.jobs import job_statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fargatectl.cli.context import Target
    from fargatectl.cli.converge import Run
    from fargatectl.cli.options import DestroyOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.planner import Planning

_LOOKS = 5
_LOOK_SECONDS = 3.0  # listings of AWS may show for some seconds what is gone


def run(options: DestroyOptions, surroundings: Surroundings) -> ExitCode:
    """Delete everything of ours, or what only some services use."""
    patience(options)
    with target(options, surroundings) as there:
        _require_unprotected(there)

        def look() -> Planning:
            return plan_absence(there, services=options.service)

        planning = look()
        _show(planning, there, options, surroundings)
        confirm_destroy(planning.plan, surroundings, yes=options.yes)
        with locked(planning.plan, there, options, surroundings, "destroy") as turn:
            planning = turn.still_true(planning, there, look)
            done = carry_out(planning, there, surroundings)
            after = _look_again(look, there, done)
            done = _interrupted(done, surroundings)
            remaining = _remaining(done, planning, after)
            turn.gone = done.ending.exit_code == ExitCode.DONE and not remaining and not options.service
        if not planning.plan and not options.service:
            forget(there, options, surroundings)
        if done.ending.exit_code == ExitCode.DONE and remaining:
            done = replace(done, ending=replace(done.ending, exit_code=ExitCode.AWS))
        _tell(done, planning.kept if after is None else after.kept, remaining, _subject(there, options), surroundings)
        if options.service and done.ending.exit_code == ExitCode.DONE:
            surroundings.voice.aside(f"{there.file} still has {', '.join(options.service)}: a deploy makes it again")
        return done.ending.exit_code


def _require_unprotected(there: Target) -> None:
    if there.config.protect:
        name = stack_name(there.stack.owner.app, there.loaded.environment)
        hint = f"take protect = true out of {there.file} first, if it shall go"
        raise Refused(f"the app {name} is protected: {there.file} has protect = true; nothing was changed", hint=hint)


def _subject(there: Target, options: DestroyOptions) -> str:
    """Return what is destroyed, in words: "shop · staging", or "web of shop · staging"."""
    app = stack_name(there.stack.owner.app, there.loaded.environment)
    return f"{', '.join(options.service)} of {app}" if options.service else app


def _show(planning: Planning, there: Target, options: DestroyOptions, surroundings: Surroundings) -> None:
    made = planning.plan
    if surroundings.json:
        surroundings.voice.event(machine.plan_event(made))
        return
    if not made:
        return
    nouns = {kind.kind: kind.noun for kind in there.stack.kinds}
    foreign = [_of_others(address) for address in there.stack.sources if not address.startswith("sts.")]
    width = width_of(surroundings.voice.err)
    in_use = [planning.planned[address].change.summary for address in shared(there, options.service)]
    stays = {"kept": planning.kept, "in use": in_use if options.service else (), "not ours": foreign}
    subject = _subject(there, options)
    surroundings.voice.prose(
        outcome.farewell(made, subject=subject, nouns=nouns, tasks=_running(planning, there), stays=stays, width=width)
    )


def _running(planning: Planning, there: Target) -> dict[str, int]:
    """Return how many tasks of services and of jobs run that a destroy stops, by the kind that stops them."""
    going = {a: planned for a, planned in planning.planned.items() if planned.change.action is Action.DELETE}
    outs = [planned.live.out for planned in going.values() if planned.live is not None]
    try:
        jobs = job_statuses(there.aws, [view for view in there.jobs if view.definition in going])
    except FargatectlError:
        jobs = ()  # a number in a sentence is not worth a failure
    return {
        "service.service": sum(out.health.running for out in outs if hasattr(out, "health")),
        "jobs.task_definition": sum(job.running for job in jobs),
    }


def _of_others(address: str) -> str:
    """Return a look-up in words: `secrets.secret/shop/db` is "secret shop/db"."""
    kind, _, name = address.partition("/")
    noun = kind.rpartition(".")[2].replace("_", " ")
    return noun if name == noun else f"{noun} {name}"


def _look_again(look: Callable[[], Planning], there: Target, done: Run) -> Planning | None:
    """Plan again, a few times over: what AWS still lists may be gone already. None if a failed run cannot do that."""
    if there.aws.stopped():
        return None
    if done.ending.exit_code != ExitCode.DONE:
        try:
            return look()
        except FargatectlError:
            return None
    after = look()
    for _ in range(_LOOKS if done.outcome.applied else 0):
        if not after.plan or there.aws.stopped():
            break
        there.aws.sleep(_LOOK_SECONDS)
        after = look()
    return after


def _remaining(done: Run, planning: Planning, after: Planning | None) -> dict[str, str]:
    """Return what is left, by its address, and why. What could not be looked at again counts: the proof is missing."""
    outcome, planned = done.outcome, {str(change.address) for change in planning.plan.changes}
    why = dict.fromkeys(planned, "AWS took its deletion, and still shows it")
    why |= {str(address): f"its deletion failed: {_cause(error)}" for address, error in outcome.failed.items()}
    why |= {str(address): f"{needed} goes before it, and has not gone" for address, needed in outcome.skipped.items()}
    why |= {str(address): "the run was interrupted before its turn" for address in outcome.left}
    found = [str(change.address) for change in after.plan.changes] if after else list(done.ending.undone)
    return {address: why.get(address, "it was made while this run went on") for address in found}


def _cause(error: FargatectlError) -> str:
    return (error.code if isinstance(error, AwsFailure) else "") or error.message


def _interrupted(done: Run, surroundings: Surroundings) -> Run:
    """Return `done` as it ends if the user asked for an end while we looked at what is left."""
    asked = surroundings.signals.received
    if asked is None:
        return done
    return replace(done, ending=replace(done.ending, exit_code=worst([asked, done.ending.exit_code])))


def _tell(
    done: Run, kept: Sequence[str], remaining: Mapping[str, str], subject: str, surroundings: Surroundings
) -> None:
    width = width_of(surroundings.voice.err)
    if surroundings.json:
        surroundings.voice.event(done.result(kept=kept, remaining=remaining))
    elif done.ending.exit_code == ExitCode.DONE:
        surroundings.voice.prose(outcome.gone(subject, kept, width=width))
    elif done.outcome.complete and done.ending.exit_code == ExitCode.AWS:
        surroundings.voice.prose(outcome.left(remaining, width=width))
        raise AwsFailure(
            f"{count(len(remaining), 'thing')} could not be proven gone",
            hint="run the same command again; what AWS still uses cannot go yet",
        )
    else:
        if remaining:
            surroundings.voice.prose(outcome.left(remaining, width=width))
        surroundings.voice.prose(outcome.bad(done.ending, width=width))
