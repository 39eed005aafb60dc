"""`deploy`: plan, confirm, converge, follow the rollout to its end, tell the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.cli import attach, planfile, reports
from fargatectl.cli.confirm import confirm_deploy
from fargatectl.cli.context import target
from fargatectl.cli.converge import Run, carry_out
from fargatectl.cli.locking import locked, patience
from fargatectl.cli.planning import make_plan, warn
from fargatectl.cli.timeouts import timeout_of
from fargatectl.errors import ExitCode
from fargatectl.render import machine, outcome, plan as plan_screen
from fargatectl.render.console import width_of

if TYPE_CHECKING:
    from fargatectl.cli.context import Target
    from fargatectl.cli.options import DeployOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.planner import Planning


def run(options: DeployOptions, surroundings: Surroundings) -> ExitCode:
    """Bring AWS to what the file says."""
    timeout = _check(options)
    if options.attach:
        done = attach.run(options, surroundings, timeout)
        return _finish(done, options, surroundings)
    kept = planfile.read(surroundings.directory / options.plan) if options.plan else None
    if kept is not None:
        options = kept.with_choices(options)
    with target(options, surroundings, images=options.image, converges=True) as there:

        def look() -> Planning:
            return make_plan(there, services=options.service, adopt=options.adopt)

        if kept is not None:
            kept.require_same_file(there)
        planning = look()
        if kept is not None:
            kept.require_same(planning.plan)
        _show(planning, there, options, surroundings)
        confirm_deploy(planning.plan, surroundings, yes=options.yes, max_deletes=options.max_deletes)
        timeouts = {name: timeout or service.deploy.timeout for name, service in there.config.services.items()}
        with locked(planning.plan, there, options, surroundings, "deploy") as turn:
            planning = turn.still_true(planning, there, look)
            done = carry_out(planning, there, surroundings, timeouts=timeouts, hand_over=options.no_wait)
        return _finish(done, options, surroundings)


def _check(options: DeployOptions) -> int | None:
    """Check what typer cannot; return the timeout in seconds."""
    reports.check(options.report)
    patience(options)
    return timeout_of(options.timeout)


def _show(planning: Planning, there: Target, options: DeployOptions, surroundings: Surroundings) -> None:
    made = planning.plan
    warn(there, made, surroundings)
    if surroundings.json:
        surroundings.voice.event(machine.plan_event(made))
    elif made and not (options.quiet and options.yes):
        width = width_of(surroundings.voice.err)
        surroundings.voice.prose(plan_screen.screen(made, file=there.file, width=width, verbose=options.verbose))


def _finish(done: Run, options: DeployOptions, surroundings: Surroundings) -> ExitCode:
    kept = reports.keep(done, options.report, surroundings)
    if kept is not None and done.ending.exit_code != ExitCode.DONE:
        surroundings.voice.aside(f"Report: {reports.shown(kept, surroundings.environ)}")
    _tell(done, surroundings)
    return done.ending.exit_code


def _tell(done: Run, surroundings: Surroundings) -> None:
    if surroundings.json:
        surroundings.voice.event(done.result())
        return
    if done.ending.exit_code != ExitCode.DONE:
        surroundings.voice.prose(outcome.bad(done.ending, width=width_of(surroundings.voice.err)))
        return
    sentence, table = outcome.good(done.ending, width=width_of(surroundings.voice.out))
    surroundings.voice.prose(sentence)
    if table:
        surroundings.voice.flush()
        surroundings.voice.data(table)
