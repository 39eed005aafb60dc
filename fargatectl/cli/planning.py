"""Plans as `diff` and `deploy` share them: made for a choice of services."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fargatectl.engine.planner import Planning, plan
from fargatectl.errors import UsageError
from fargatectl.model.change import Action
from fargatectl.model.values import Address
from fargatectl.render.words import count

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from fargatectl.cli.context import Target
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.stack import Stack
    from fargatectl.model.change import Change
    from fargatectl.model.plan import Plan

_LISTED = 5


def make_plan(target: Target, *, services: Collection[str] = (), adopt: Iterable[str] = ()) -> Planning:
    """Plan for `services` and what they need, or for all. Raises what `engine.planner.plan` does, and UsageError."""
    target.views(services)
    taken = frozenset(Address(address) for address in adopt)
    for address in sorted(taken - target.stack.resources.keys()):
        known = ", ".join(target.stack.resources)
        raise UsageError(f"--adopt {address}: the file declares nothing at this address", hint=f"it declares {known}")
    only = _needed(target, services) if services else None
    made = plan(target.stack, target.aws, target.executor, adopt=taken, only=only)
    made.plan = replace(made.plan, notes=(*made.plan.notes, *_first_deployments(target, made)))
    return made


def _first_deployments(target: Target, made: Planning) -> list[str]:
    """Say of which services there is no version yet that a deployment could go back to."""
    new = [
        view.name
        for view in target.services
        if view.service in made.planned and made.planned[view.service].change.action is Action.CREATE
    ]
    if not new:
        return []
    if len(new) == 1:
        return [f"the first deployment of {new[0]}: if it fails, there is no version to go back to"]
    shown = f"{', '.join(new[:_LISTED])}{f' and {len(new) - _LISTED} more' if len(new) > _LISTED else ''}"
    return [f"the first deployments of {shown}: where one fails, there is no version to go back to"]


def plan_absence(target: Target, *, services: Collection[str] = ()) -> Planning:
    """Plan that nothing be left: of all, or of what only `services` use. Raises as `make_plan` does."""
    target.views(services)
    target.aws.reads.clear()
    only = _used_only_by(target, services) if services else None
    return plan(target.stack, target.aws, target.executor, absent=True, only=only)


def warn(target: Target, made: Plan, surroundings: Surroundings) -> None:
    """Say that the file has warnings, where `made` does more than to bring a new image: then they were read already."""
    found = len(target.loaded.warnings)
    if found and not all(_is_routine(change) for change in made.changes):
        surroundings.voice.aside(f"{target.file} has {count(found, 'warning')}: fargatectl validate shows more")


def _is_routine(change: Change) -> bool:
    settings = {path.rpartition(".")[2] for path in change.fields.paths}
    return change.action is Action.UPDATE and settings <= {"image", "task_definition"}


def shared(target: Target, services: Collection[str]) -> list[Address]:
    """Return what `services` use and others do, too."""
    used, own = _needed(target, services), _used_only_by(target, services)
    return [address for address in target.stack.resources if address in used and address not in own]


def _needed(target: Target, services: Collection[str]) -> frozenset[Address]:
    """Return the resources of `services` (what hangs on them included) and all that these take a value from."""
    needs = target.stack.edges()
    all_services = {view.service for view in target.services}
    chosen = {view.service for view in target.services if view.name in services}
    users = _users(target.stack)
    wanted = _closure(chosen, {a: u - all_services for a, u in users.items()})
    return frozenset(_closure(wanted, {address: set(needed) for address, needed in needs.items()}))


def _used_only_by(target: Target, services: Collection[str]) -> frozenset[Address]:
    """Return what nothing needs but `services`, and what hangs on that.

    What takes no tags goes with what it belongs to: the rules of a group that another service's rules name stay.
    """
    others = [view.name for view in target.services if view.name not in services]
    kept = _needed(target, others) if others else frozenset()
    own = _closure(_needed(target, services) - kept, _users(target.stack)) - kept
    resources = target.stack.resources
    return frozenset(a for a in own if resources[a].reconciler.taggable or resources[a].spec.parents() <= own)


def _users(stack: Stack) -> dict[Address, set[Address]]:
    users: dict[Address, set[Address]] = {address: set() for address in stack.resources}
    for user, needed in stack.edges().items():
        for address in needed:
            users[address].add(user)
    return users


def _closure(start: Iterable[Address], leads_to: dict[Address, set[Address]]) -> set[Address]:
    found: set[Address] = set()
    todo = list(start)
    while todo:
        address = todo.pop()
        if address not in found:
            found.add(address)
            todo += leads_to.get(address, ())
    return found


def write(path: Path, text: str) -> None:
    """Write a file of ours. Raises UsageError where that cannot be done."""
    try:
        path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror or error}") from error
