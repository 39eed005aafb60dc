"""`status`: the services as they are now; with `--watch` again and again."""

from __future__ import annotations

from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

from fargatectl.cli.context import target
from fargatectl.cli.signals import Interrupted
from fargatectl.dataclass import dataclass
from fargatectl.errors import ExitCode
from fargatectl.render import machine, status as status_screen
from fargatectl.render.console import Redrawn, is_redrawable, width_of
from fargatectl.rollout.jobs import job_statuses
from fargatectl.rollout.status import statuses
from fargatectl.rollout.usage import UsageReader

if TYPE_CHECKING:
    from rich.text import Text

    from fargatectl.cli.context import Target
    from fargatectl.cli.options import StatusOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.model.jobs import JobStatus
    from fargatectl.model.status import ServiceStatus, Usage

_WATCH_SECONDS = 3.0


def run(options: StatusOptions, surroundings: Surroundings) -> ExitCode:
    """Print the services once, or until Ctrl-C."""
    with target(options, surroundings) as there:
        if options.watch:
            return _watch(there, surroundings)
        found = _look(there)
        if surroundings.json:
            surroundings.voice.document(_document(found, there))
        else:
            surroundings.voice.data(_screen(found, there, surroundings))
    return ExitCode.DONE


@dataclass(frozen=True)
class _Seen:
    """The app at one moment."""

    services: tuple[ServiceStatus, ...]
    jobs: tuple[JobStatus, ...]
    usage: Usage | None = None


def _look(there: Target, usage: UsageReader | None = None) -> _Seen:
    there.aws.reads.clear()
    services = statuses(there.services, there.stack, there.aws, there.executor)
    return _Seen(services, job_statuses(there.aws, there.jobs), usage.look() if usage else None)


def _watch(there: Target, surroundings: Surroundings) -> ExitCode:
    """Show it again every few seconds. Ctrl-C is the way to end this, and no failure."""
    redrawn = not surroundings.json and is_redrawable(surroundings.voice.out, surroundings.environ)
    # A screen's curves: a document a few seconds apart is a curve already.
    usage = None if surroundings.json else UsageReader(there.aws, there.stack, there.services)
    found = _look(there, usage)
    surroundings.voice.stop_waiting()
    live = Redrawn(surroundings.voice.out, screen=True) if redrawn else None
    try:
        with closing(live) if live is not None else nullcontext():
            while True:
                if surroundings.json:
                    surroundings.voice.event(_document(found, there))
                elif live is not None:
                    live.update(_screen(found, there, surroundings))
                else:
                    surroundings.voice.data(_screen(found, there, surroundings))
                there.aws.sleep(_WATCH_SECONDS)
                found = _look(there, usage)
    except Interrupted as asked:
        if live is not None:
            surroundings.voice.data(_screen(found, there, surroundings))
        return asked.exit_code


def _document(found: _Seen, there: Target) -> dict[str, object]:
    owner = there.stack.owner
    return machine.status(
        found.services,
        app=owner.app,
        environment=owner.environment,
        account=there.aws.identity().account,
        region=there.aws.region,
        jobs=found.jobs,
    )


def _screen(found: _Seen, there: Target, surroundings: Surroundings) -> Text:
    owner = there.stack.owner
    return status_screen.screen(
        found.services,
        app=owner.app,
        environment=owner.environment,
        where=f"{there.aws.identity().account} {there.aws.region}",
        now=there.aws.now(),
        width=width_of(surroundings.voice.out),
        jobs=found.jobs,
        usage=found.usage,
    )
