"""Reports of deploys: kept in the user's state directory after ECS has forgotten, and written where `--report` says."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from fargatectl.cli.planning import write
from fargatectl.errors import UsageError
from fargatectl.render import machine, markdown, outcome, report
from fargatectl.render.words import stack_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.cli.converge import Run
    from fargatectl.cli.surroundings import Surroundings

KINDS = frozenset({".md", ".json", ".html"})
_KEPT = 20  # of an app in an environment
_UNSAFE = re.compile(r"[^A-Za-z0-9-]")


def check(path: Path | None) -> None:
    """Raise UsageError for a report of no kind that there is."""
    if path is not None and path.suffix not in KINDS:
        raise UsageError(f"--report {path}: a report is a .html, a .md or a .json file")


def keep(done: Run, path: Path | None, surroundings: Surroundings) -> Path | None:
    """Write the report of a run to `path`, and keep it where reports are; return where.

    A run that found nothing to do has none. That a report cannot be kept is told, and is no failure of the run.
    Raises UsageError where `path` cannot be written.
    """
    ending = done.ending
    made = report.document(ending.plan, done.events, done.result(), began=done.began, ended=surroundings.clock())
    if path is not None:
        write(surroundings.directory / path, _text(done, made, path.suffix))
    if not (ending.plan or ending.attached or ending.failed):
        return None
    directory = _directory(surroundings.environ) / _named(ending.plan.app, ending.plan.environment)
    try:
        return _keep(made, directory, f"{done.began:%Y%m%dT%H%M%SZ}")
    except OSError as error:
        surroundings.voice.aside(f"the report of this run could not be kept in {directory}: {error.strerror or error}")
        return None


def _text(done: Run, made: dict[str, Any], suffix: str) -> str:
    if suffix == ".json":
        return machine.dump(made)
    if suffix == ".html":
        return report.page(made)
    ending = done.ending
    failures = [f"{address}: {error.message}" for address, error in ending.failed.items()]
    return markdown.run(ending.plan, sentence=outcome.summary(ending), services=ending.services, failures=failures)


def _directory(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("XDG_STATE_HOME", ""))
    return (home / "fargatectl" if home.is_absolute() else platformdirs.user_state_path("fargatectl")) / "reports"


def _named(app: str, environment: str | None) -> str:
    return _UNSAFE.sub("-", stack_name(app, environment).replace(" · ", "-"))


def _keep(made: dict[str, Any], directory: Path, name: str) -> Path:
    """Write both forms, for the user's eyes only: names of resources and lines of logs are nobody else's business."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for suffix, text in ((".json", machine.dump(made)), (".html", report.page(made))):
        path = directory / f"{name}{suffix}"
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    names = sorted({path.stem for path in directory.glob("*.json")}, reverse=True)
    for old in names[_KEPT:]:
        for suffix in (".json", ".html"):
            (directory / f"{old}{suffix}").unlink(missing_ok=True)
    return directory / f"{name}.html"


def shown(path: Path, environ: Mapping[str, str]) -> str:
    """Return a path as its user writes it."""
    home = environ.get("HOME", "")
    return f"~{os.sep}{path.relative_to(home)}" if home and path.is_relative_to(home) else str(path)
