"""`why`: diagnose the running deployment whose tasks fail, or the last one that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.cli.context import require_account, target
from fargatectl.errors import ExitCode
from fargatectl.render import machine, outcome
from fargatectl.render.console import width_of
from fargatectl.rollout.failure import diagnose, last_failed

if TYPE_CHECKING:
    from fargatectl.cli.context import Target
    from fargatectl.cli.options import WhyOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.model.diagnosis import Diagnosis
    from fargatectl.model.status import ServiceView


def run(options: WhyOptions, surroundings: Surroundings) -> ExitCode:
    """Say of each service why its last deployment failed, if one did."""
    with target(options, surroundings) as there:
        require_account(there)
        found = [(view, _diagnosis(view, there)) for view in there.views(options.service or ())]
        if surroundings.json:
            told = [diagnosis for _, diagnosis in found if diagnosis is not None]
            surroundings.voice.document(
                machine.why(told, app=there.stack.owner.app, environment=there.loaded.environment)
            )
        else:
            screen = outcome.why(
                [(view.name, diagnosis) for view, diagnosis in found],
                width=width_of(surroundings.voice.out),
                full=options.verbose,
            )
            surroundings.voice.data(screen)
    return ExitCode.DONE


def _diagnosis(view: ServiceView, there: Target) -> Diagnosis | None:
    spec = there.stack.resources[view.service].spec
    subject = last_failed(there.aws, view.name, spec.cluster, spec.name)
    return None if subject is None else diagnose(there.aws, subject, there.place)
