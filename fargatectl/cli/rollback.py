"""`rollback`: back to the last deployment that succeeded, or to a revision of one's choice."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fargatectl.cli.context import require_account, target
from fargatectl.cli.operation import Act, Operation, live_of, operate, plan_acts
from fargatectl.errors import UsageError
from fargatectl.reconcilers.service import Rollbacks, as_of
from fargatectl.rollout.follow import Follower
from fargatectl.rollout.rollback import way_back
from fargatectl.rollout.settling import Reversal

if TYPE_CHECKING:
    from fargatectl.cli.context import Target
    from fargatectl.cli.options import RollbackOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.planner import Planning
    from fargatectl.errors import ExitCode
    from fargatectl.model.status import ServiceView
    from fargatectl.rollout.rollback import WayBack


def run(options: RollbackOptions, surroundings: Surroundings) -> ExitCode:
    """Take one service back, and follow it as a deploy."""
    with target(options, surroundings) as there:
        view = _chosen(there, options)
        require_account(there)
        way = _way(view, there, options)

        def look() -> Planning:
            there.aws.reads.clear()
            now = _way(view, there, options)
            live = live_of(there, view.service)
            spec = live.spec if now.running else as_of(now.revision, live.spec)
            cause = f"back to {now.name}" + (f", deployed {_when(now)}" if now.deployed else "")
            act = Act(Rollbacks(now.running), spec, shown=now.tasks, cause=cause)
            return plan_acts(there, {view.service: act})

        operation = Operation(
            "rollback",
            look,
            done=f"{view.name} is back on {way.name}",
            unchanged=f"{view.name} runs {way.name} already, its last successful deployment.",
            after=f"{there.file} is as it was: `fargatectl diff` shows what the next deploy would change back.",
            asks=True,
            follower=partial(Reversal, deployment=way.running) if way.running else Follower,
        )
        return operate(operation, [view], there, options, surroundings)


def _chosen(there: Target, options: RollbackOptions) -> ServiceView:
    views = there.views([options.service] if options.service else ())
    if len(views) != 1:
        known = ", ".join(view.name for view in views) or "none"
        raise UsageError("which service is to go back?", hint=f"name one of {known}: fargatectl rollback SERVICE")
    return views[0]


def _way(view: ServiceView, there: Target, options: RollbackOptions) -> WayBack:
    spec = there.stack.resources[view.service].spec
    return way_back(there.aws, view.name, spec.cluster, spec.name, to=options.to)


def _when(way: WayBack) -> str:
    assert way.deployed is not None  # noqa: S101 - asked for before
    return way.deployed.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
