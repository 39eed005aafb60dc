"""Plans as `diff` and `deploy` share them: made for a choice of services, kept in a file, compared with a kept one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fargatectl.engine.planner import Planning, plan
from fargatectl.errors import PlanChanged, UsageError
from fargatectl.model.values import Address
from fargatectl.render import machine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from fargatectl.cli.context import Target
    from fargatectl.engine.stack import Stack
    from fargatectl.model.plan import Plan

_KEPT_MAX_BYTES = 64 * 1024 * 1024


def make_plan(target: Target, *, services: Collection[str] = (), adopt: Iterable[str] = ()) -> Planning:
    """Plan for `services` and what they need, or for all. Raises what `engine.planner.plan` does, and UsageError."""
    for name in services:
        if name not in target.config.services:
            known = ", ".join(target.config.services) or "none"
            raise UsageError(f"{target.file} has no service {name}", hint=f"it has {known}")
    taken = frozenset(Address(address) for address in adopt)
    for address in sorted(taken - target.stack.resources.keys()):
        known = ", ".join(target.stack.resources)
        raise UsageError(f"--adopt {address}: the file declares nothing at this address", hint=f"it declares {known}")
    only = _needed(target, services) if services else None
    return plan(target.stack, target.aws, target.executor, adopt=taken, only=only)


def _needed(target: Target, services: Collection[str]) -> frozenset[Address]:
    """Return the resources of `services` (what hangs on them included) and all that these take a value from."""
    needs = target.stack.edges()
    all_services = {view.service for view in target.services}
    chosen = {view.service for view in target.services if view.name in services}
    users = _users(target.stack)
    wanted = _closure(chosen, {a: u - all_services for a, u in users.items()})
    return frozenset(_closure(wanted, {address: set(needed) for address, needed in needs.items()}))


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


def keep(made: Plan, path: Path) -> None:
    """Write a plan for `deploy --plan`. Raises UsageError where the file cannot be written."""
    write(path, machine.dump(machine.plan(made)))


def write(path: Path, text: str) -> None:
    """Write a file of ours. Raises UsageError where that cannot be done."""
    try:
        path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror or error}") from error


def require_same(made: Plan, path: Path) -> None:
    """Raise `PlanChanged` unless the plan in the file is this one."""
    kept = _read(path)
    now = json.loads(machine.dump(machine.plan(made)))
    if kept == now:
        return
    if any(kept.get(key) != now[key] for key in ("app", "environment", "account", "region")):
        raise PlanChanged(f"the plan in {path.name} is for another app, environment, account or Region")
    planned, found = ({change["address"]: change for change in plan["changes"]} for plan in (kept, now))
    differing = [address for address in {**planned, **found} if planned.get(address) != found.get(address)]
    what = ", ".join(differing[:5]) + (f" and {len(differing) - 5} more" if len(differing) > 5 else "")  # noqa: PLR2004 - a line's worth
    message = f"today's plan is not the one in {path.name}" + (f": {what} differ" if what else "")
    raise PlanChanged(message, hint="look at fargatectl diff, keep the new plan with --out, and deploy that")


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _KEPT_MAX_BYTES:
            raise UsageError(f"{path.name} is too large for a plan")
        kept = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the plan {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path.name} is no plan", hint="fargatectl diff --out FILE writes one") from error
    changes = kept.get("changes") if isinstance(kept, dict) else None
    if not isinstance(changes, list) or not all(isinstance(c, dict) and "address" in c for c in changes):
        raise UsageError(f"{path.name} is no plan", hint="fargatectl diff --out FILE writes one")
    if kept.get("version") != machine.VERSION:
        raise UsageError(f"{path.name} was written by another version of fargatectl")
    found: dict[str, Any] = kept
    return found
