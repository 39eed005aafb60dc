"""`deploy --attach`: follow the rollouts that run already; nothing is planned and nothing is written."""

from __future__ import annotations

from concurrent.futures import wait
from dataclasses import replace
from typing import TYPE_CHECKING

from fargatectl.aws.errors import explain
from fargatectl.cli.context import target
from fargatectl.cli.converge import Run, context_of, ending_of, watched
from fargatectl.engine.executor import Outcome
from fargatectl.errors import UsageError
from fargatectl.model.plan import Plan
from fargatectl.rollout.attach import going_on
from fargatectl.rollout.follow import Follower
from fargatectl.rollout.status import statuses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.cli.context import Target
    from fargatectl.cli.options import DeployOptions
    from fargatectl.cli.surroundings import Surroundings


def run(options: DeployOptions, surroundings: Surroundings, timeout: int | None) -> Run:
    """Follow what goes on to its end. Raises UsageError for options that belong to a deploy that changes something."""
    _check(options)
    with target(options, surroundings) as there:
        timeouts = {name: timeout or service.deploy.timeout for name, service in there.config.services.items()}
        return _follow(there, options, surroundings, timeouts)


def _check(options: DeployOptions) -> None:
    changing = {
        "--plan": options.plan,
        "--adopt": options.adopt,
        "--image": options.image,
        "--no-wait": options.no_wait,
        "--max-deletes": options.max_deletes,
    }
    for name, value in changing.items():
        if value not in (None, [], False):
            raise UsageError(f"--attach and {name} exclude each other: --attach changes nothing")


def _follow(
    there: Target, options: DeployOptions, surroundings: Surroundings, timeouts: Mapping[str, float | None]
) -> Run:
    views = there.views(options.service)
    going, shown = going_on(views, there.stack, there.aws, there.executor)
    owner = there.stack.owner
    plan = Plan(owner.app, owner.environment, there.aws.identity().account, there.aws.region, (), 0)
    began, since = there.aws.monotonic(), there.aws.now()
    outcome, told = Outcome(), []
    if going:
        with watched(plan, there, surroundings) as watching:
            follower = Follower(context_of(there, surroundings, watching), views, timeouts)
            ends = [follower.follow(one.view, one.out, one.balancer, mine=False) for one in going]
            wait(ends)
        told = watching.told
        failed = {one.view.service: end.exception() for one, end in zip(going, ends, strict=True)}
        outcome.failed = {address: explain(error, address) for address, error in failed.items() if error is not None}
        shown = () if surroundings.signals.received else statuses(views, there.stack, there.aws, there.executor)
    ending = ending_of(plan, outcome, surroundings, seconds=there.aws.monotonic() - began)
    return Run(replace(ending, services=shown, attached=len(going)), outcome, since, told)
