"""`history`: the deployments of services, as ECS remembers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.cli.context import require_account, target
from fargatectl.errors import ExitCode
from fargatectl.render import history as history_screen, machine
from fargatectl.render.console import width_of
from fargatectl.rollout.history import history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.cli.context import Target
    from fargatectl.cli.options import HistoryOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.model.history import PastDeployment
    from fargatectl.model.status import ServiceView


def run(options: HistoryOptions, surroundings: Surroundings) -> ExitCode:
    """Print the deployments of the services named, or of all."""
    with target(options, surroundings) as there:
        views = there.views(options.service or ())
        require_account(there)
        found = [(view.name, _history(view, there, options.limit)) for view in views]
        if surroundings.json:
            everything = [one for _, deployments in found for one in deployments]
            owner = there.stack.owner
            surroundings.voice.document(
                machine.history(everything, app=owner.app, environment=there.loaded.environment)
            )
        else:
            width = width_of(surroundings.voice.out)
            surroundings.voice.data(history_screen.screen(found, width=width, verbose=options.verbose))
    return ExitCode.DONE


def _history(view: ServiceView, there: Target, most: int) -> Sequence[PastDeployment]:
    spec = there.stack.resources[view.service].spec
    return history(there.aws, view.name, spec.cluster, spec.name, most=most)
