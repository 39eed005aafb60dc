"""`restart`: new tasks of the same revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.cli.context import target
from fargatectl.cli.operation import Act, Operation, live_of, operate, plan_acts
from fargatectl.reconcilers.service import Restarts

if TYPE_CHECKING:
    from fargatectl.cli.options import RestartOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.planner import Planning
    from fargatectl.errors import ExitCode


def run(options: RestartOptions, surroundings: Surroundings) -> ExitCode:
    """Replace the tasks of the services named, or of all."""
    with target(options, surroundings) as there:
        views = there.views(options.service or ())

        def look() -> Planning:
            there.aws.reads.clear()
            acts = {view.service: Act(Restarts(), live_of(there, view.service).spec) for view in views}
            return plan_acts(there, acts)

        names = ", ".join(view.name for view in views)
        operation = Operation("restart", look, done=f"{names} restarted", unchanged="The file has no services.")
        return operate(operation, views, there, options, surroundings)
