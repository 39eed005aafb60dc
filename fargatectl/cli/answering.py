"""`continue` and `abort`: the answers to a deployment that pauses at a hook."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fargatectl.cli.context import require_account, target
from fargatectl.cli.operation import Act, Operation, live_of, operate, plan_acts
from fargatectl.errors import Refused
from fargatectl.reconcilers.service import Answers
from fargatectl.reconcilers.service.operations import CONTINUE, ROLLBACK
from fargatectl.rollout.follow import Follower
from fargatectl.rollout.pause import paused_now
from fargatectl.rollout.settling import Reversal

if TYPE_CHECKING:
    from fargatectl.cli.options import AnswerOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.planner import Planning
    from fargatectl.errors import ExitCode


def go_on(options: AnswerOptions, surroundings: Surroundings) -> ExitCode:
    """Let the deployment go on, and follow it."""
    return _answer(options, surroundings, CONTINUE)


def abort(options: AnswerOptions, surroundings: Surroundings) -> ExitCode:
    """Have the deployment rolled back, and follow that."""
    return _answer(options, surroundings, ROLLBACK)


def _answer(options: AnswerOptions, surroundings: Surroundings, action: str) -> ExitCode:
    goes_on = action == CONTINUE
    with target(options, surroundings) as there:
        (view,) = there.views([options.service])
        require_account(there)
        spec = there.stack.resources[view.service].spec
        pause = paused_now(there.aws, spec.cluster, spec.name)
        if pause is None:
            message = f"no deployment of {view.name} waits for an answer"
            raise Refused(message, hint="`fargatectl rollback` stops one that is under way")

        def look() -> Planning:
            there.aws.reads.clear()
            answers = Answers(pause.deployment, pause.hook, pause.stage, action)
            return plan_acts(there, {view.service: Act(answers, live_of(there, view.service).spec)})

        operation = Operation(
            "continue" if goes_on else "abort",
            look,
            done=f"The deployment of {view.name} {'is through' if goes_on else 'is rolled back'}",
            follower=Follower if goes_on else partial(Reversal, deployment=pause.deployment),
        )
        return operate(operation, [view], there, options, surroundings)
