"""Plans in files: `diff --out` keeps one, `deploy --plan` does exactly that or says what has moved.

The file is the document of `diff --json` with one more member, `made`: from which file of the user, with which choices
on the command line. It holds no sensitive value; `docs/plan-files.md` tells users.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from fargatectl import __version__
from fargatectl.dataclass import dataclass
from fargatectl.errors import PlanChanged, UsageError
from fargatectl.render import machine
from fargatectl.render.plain import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fargatectl.cli.context import Target
    from fargatectl.cli.options import DeployOptions, DiffOptions
    from fargatectl.model.plan import Plan

_MAX_BYTES = 64 * 1024 * 1024
_TOLD = 5
_CHOICES = ("service", "image", "adopt")
"""Options that decide what is planned: said to `diff`, and kept with the plan."""
_HINT = "look at fargatectl diff, keep the new plan with --out, and deploy that"


@dataclass(frozen=True)
class KeptPlan:
    """A plan as its file has it. `choices` are the options of `diff` that it was made with."""

    name: str
    document: dict[str, Any]
    choices: dict[str, list[str]]

    def with_choices(self, options: DeployOptions) -> DeployOptions:
        """Return `options` with the choices of the plan. Raises UsageError where the command line has its own."""
        for name in _CHOICES:
            if getattr(options, name):
                message = f"--{name} and --plan exclude each other: {self.name} says what is deployed"
                raise UsageError(message, hint=f"give --{name} to fargatectl diff --out")
        chosen = self.choices
        return replace(options, service=chosen["service"], image=chosen["image"], adopt=chosen["adopt"])

    def require_same_file(self, there: Target) -> None:
        """Raise `PlanChanged` unless it was made for this app, environment and Region, from this file as it is now."""
        ours = {
            "app": there.stack.owner.app,
            "environment": there.stack.owner.environment,
            "region": there.aws.region,
        }
        moved = list(self._elsewhere(ours))
        if self.document["made"]["sha256"] != _digest(there):
            moved.append(f"{there.file} has changed")
        self._refuse(moved)

    def require_same(self, made: Plan) -> None:
        """Raise `PlanChanged` unless it says what `made` says."""
        now = json.loads(machine.dump(machine.plan(made)))
        self._refuse([*self._elsewhere({"account": now["account"]}), *_differences(self.document, now)])

    def _elsewhere(self, ours: dict[str, str | None]) -> Iterator[str]:
        for what, value in ours.items():
            if self.document[what] != value:
                yield f"it is for {_place(what, self.document[what])}, and this is {_place(what, value)}"

    def _refuse(self, moved: list[str]) -> None:
        if not moved:
            return
        more = f"; and {len(moved) - _TOLD} more" if len(moved) > _TOLD else ""
        message = f"the plan in {self.name} is not true any more: {'; '.join(moved[:_TOLD])}{more}"
        raise PlanChanged(message, hint=_HINT)


def keep(made: Plan, path: Path, there: Target, options: DiffOptions) -> None:
    """Write a plan for `deploy --plan`, for the eyes of its user only. Raises UsageError where that cannot be done."""
    document = {
        **machine.plan(made),
        "made": {
            "by": f"fargatectl {__version__}",
            "at": timestamp(there.aws.now()),
            "file": there.file,
            "sha256": _digest(there),
            **{name: list(getattr(options, name)) for name in _CHOICES},
        },
    }
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(machine.dump(document) + "\n")
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror or error}") from error


def read(path: Path) -> KeptPlan:
    """Return the plan in the file at `path`. Raises UsageError where there is none."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{path.name} is too large for a plan")
        kept = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the plan {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise _no_plan(path) from error
    if isinstance(kept, dict) and kept.get("version", machine.VERSION) != machine.VERSION:
        raise UsageError(f"{path.name} was written by another version of fargatectl")
    if not _is_plan(kept):
        raise _no_plan(path)
    return KeptPlan(path.name, kept, {name: kept["made"][name] for name in _CHOICES})


def _no_plan(path: Path) -> UsageError:
    return UsageError(f"{path.name} is no plan", hint="fargatectl diff --out FILE writes one")


def _is_plan(kept: Any) -> bool:  # noqa: ANN401 - whatever a file holds
    if not isinstance(kept, dict):
        return False
    changes, made = kept.get("changes"), kept.get("made")
    return (
        {"app", "environment", "account", "region"} <= kept.keys()
        and isinstance(changes, list)
        and all(isinstance(change, dict) and isinstance(change.get("address"), str) for change in changes)
        and all(isinstance(change.get("fields"), list) for change in changes)
        and all(isinstance(part, dict) and "path" in part for change in changes for part in change["fields"])
        and isinstance(made, dict)
        and isinstance(made.get("sha256"), str)
        and all(_is_texts(made.get(name)) for name in _CHOICES)
    )


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _digest(there: Target) -> str:
    return sha256(there.loaded.path.read_bytes()).hexdigest()


def _place(what: str, value: object) -> str:
    return f"the {what} {value}" if value is not None else f"no {what}"


def _differences(kept: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Say what is planned now and was not then, and the other way round."""
    then, today = ({change["address"]: change for change in plan["changes"]} for plan in (kept, now))
    for address in {**then, **today}:
        old, new = then.get(address), today.get(address)
        if old is None or new is None or old.get("action") != new.get("action"):
            yield f"{address} was {_intent(old)}, and is {_intent(new)} now"
        elif old != new:
            yield f"{address} has other settings{_settings(old, new)}"


def _intent(change: dict[str, Any] | None) -> str:
    return "to stay as it is" if change is None else f"to {change.get('action')}"


def _settings(old: dict[str, Any], new: dict[str, Any]) -> str:
    before, after = ({part["path"]: part for part in change["fields"]} for change in (old, new))
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    if not paths:
        return ""
    return f": {paths[0]}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
