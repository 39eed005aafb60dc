"""`diff`: what `deploy` would do. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.cli.context import target
from fargatectl.cli.options import Format
from fargatectl.cli.planfile import keep
from fargatectl.cli.planning import make_plan, warn
from fargatectl.errors import ExitCode
from fargatectl.render import machine, markdown, plan as plan_screen
from fargatectl.render.console import width_of

if TYPE_CHECKING:
    from fargatectl.cli.options import DiffOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.model.plan import Plan


def run(options: DiffOptions, surroundings: Surroundings) -> ExitCode:
    """Print the plan, and keep it if asked to."""
    # `--format json` is `--json`, for errors too.
    surroundings.json = options.json or options.format is Format.JSON
    with target(options, surroundings, images=options.image, converges=True) as there:
        made = make_plan(there, services=options.service, adopt=options.adopt).plan
        if options.out is not None:
            keep(made, surroundings.directory / options.out, there, options)
        warn(there, made, surroundings)
        _print(made, there.file, options, surroundings)
    return ExitCode.CHANGES if made and options.exit_code else ExitCode.DONE


def _print(made: Plan, file: str, options: DiffOptions, surroundings: Surroundings) -> None:
    if surroundings.json:
        surroundings.voice.document(machine.plan(made))
    elif options.format is Format.MARKDOWN:
        surroundings.voice.raw(markdown.plan(made))
    else:
        width = width_of(surroundings.voice.out)
        surroundings.voice.data(plan_screen.screen(made, file=file, width=width, verbose=options.verbose))
