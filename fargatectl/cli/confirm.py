"""Consent: what is written to AWS was shown before, and somebody said yes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.errors import Refused
from fargatectl.render.escape import escape

if TYPE_CHECKING:
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.model.plan import Plan

_GRAVE = frozenset({"service.service", "alb.load_balancer", "cloudmap.namespace", "registry.secret", "secrets.secret"})
"""Kinds whose loss is felt by others: a deploy that deletes one asks for the app's name."""


def confirm_deploy(plan: Plan, surroundings: Surroundings, *, yes: bool, max_deletes: int | None) -> None:
    """Return if `plan` may be carried out, raise `Refused` if not."""
    deletes = len(plan.deletes)
    if max_deletes is not None and deletes > max_deletes:
        message = f"the plan deletes {deletes} things, and --max-deletes allows {max_deletes}"
        raise Refused(message, hint="look at what goes; raise the number if it shall go")
    if not plan or yes:
        return
    _require_somebody(surroundings)
    grave = [change for change in plan.deletes if change.address.partition("/")[0] in _GRAVE]
    if grave:
        what = ", ".join(escape(change.summary) for change in grave)
        _ask_for_name(plan.app, f"This deletes {what}.", surroundings)
        return
    answer = surroundings.voice.ask("Go on? [y/N] ").lower()
    if answer not in {"y", "yes"}:
        raise Refused("not confirmed; nothing was changed")


def confirm_destroy(plan: Plan, surroundings: Surroundings, *, yes: bool) -> None:
    """Return if everything of `plan` may be deleted, raise `Refused` if not."""
    if plan and not yes:
        _require_somebody(surroundings)
        _ask_for_name(plan.app, "", surroundings)


def _require_somebody(surroundings: Surroundings) -> None:
    if not surroundings.is_interactive:
        raise Refused("nobody is there to confirm this; nothing was changed", hint="use --yes to go on without asking")


def _ask_for_name(app: str, warning: str, surroundings: Surroundings) -> None:
    if warning:
        surroundings.voice.prose(warning, "bold red")
    answer = surroundings.voice.ask("Type the app's name to go on: ")
    if answer != app:
        raise Refused("not confirmed; nothing was changed", hint=f"the name is {app}")
