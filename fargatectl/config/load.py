"""Finding and loading the user's file: read, overlay, replace `${…}`, validate, check; all problems at once."""

from __future__ import annotations

import re
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fargatectl import __version__
from fargatectl.config.findings import Finding, dotted
from fargatectl.config.interpolate import Scope, interpolate
from fargatectl.config.overlay import origin, overlaid
from fargatectl.config.pending import PENDING, Pending, refused
from fargatectl.config.places import places
from fargatectl.config.source import FILE_NAME, read
from fargatectl.config.version import unmet
from fargatectl.dataclass import dataclass
from fargatectl.errors import ConfigError, Problem, UsageError
from fargatectl.model.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config

_ENVIRONMENT = re.compile(r"[a-z0-9-]{1,32}")


@dataclass(frozen=True)
class Document:
    """The file as it was written: where each key of the merged data stands."""

    path: Path
    text: str = field(repr=False)
    data: dict[str, Any] = field(repr=False)
    environment: str | None = None

    @cached_property
    def _places(self) -> dict[KeyPath, int]:
        return places(self.text)

    @cached_property
    def overlay(self) -> dict[str, Any]:
        """The table of the chosen environment."""
        environments = self.data.get("environments")
        found = environments.get(self.environment) if isinstance(environments, dict) and self.environment else None
        return found if isinstance(found, dict) else {}

    def place(self, path: KeyPath) -> tuple[KeyPath, int | None]:
        """Return the path under which the key of the merged data is written, and its line.

        Of a key that is not there the line is that of the table where it would be.
        """
        shared, closed = origin(path, self.overlay)
        base = self._known(path)
        prefix: KeyPath = ("environments", self.environment) if self.environment else ()
        if closed or len(shared) > len(base):
            return (*prefix, *path), self._line((*prefix, *path))
        return path, self._line(path)

    def _known(self, path: KeyPath) -> KeyPath:
        return next((path[:size] for size in range(len(path), 0, -1) if path[:size] in self._places), ())

    def _line(self, path: KeyPath) -> int | None:
        return self._places.get(self._known(path), 1)

    def problem(self, finding: Finding) -> Problem:
        """Return what was found, with its place."""
        path, line = self.place(finding.path)
        while path and isinstance(path[-1], int) and path not in self._places:
            path = path[:-1]  # the only element of a list may be written without the list
        return Problem(finding.message, dotted(path), finding.hint, str(self.path), line, finding.severity)


@dataclass(frozen=True)
class Loaded:
    """A valid file: the config of the chosen environment, and what is worth a warning."""

    config: Config
    path: Path
    environment: str | None
    warnings: tuple[Problem, ...]
    document: Document = field(repr=False, compare=False)

    def line(self, *path: str | int) -> int | None:
        """Return the line of a key, or of the table it would be in: `loaded.line("services", "web", "secrets")`."""
        return self.document.place(path)[1]


def find(start: Path) -> Path:
    """Return the file in `start` or in the nearest parent, up to the root of the repository. Raises UsageError."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        if (folder / ".git").exists():
            break
    raise UsageError(
        f"There is no {FILE_NAME} in {start} or in a folder above it.",
        hint="Go to the project's folder, or name a file with --config.",
    )


def load(  # noqa: PLR0913 - what is outside the file is handed in, by name
    path: Path,
    *,
    environment: str | None,
    variables: Mapping[str, str],
    git_sha: Callable[[], str | None],
    pending: tuple[Pending, ...] = PENDING,
    version: str = __version__,
) -> Loaded:
    """Load the file for `environment` (None: the base alone).

    `variables` are the process's environment variables; `git_sha` returns the commit, and is called only if the file
    asks for it. Raises ConfigError with all problems.
    """
    text, data = read(path)
    document = Document(path, text, data, environment)
    _fail_on(document, _version_findings(data, version))
    _fail_on(document, _environment_findings(data, environment))
    merged = overlaid({key: value for key, value in data.items() if key != "environments"}, document.overlay)
    config, findings = _checked(merged, Scope(variables, environment, git_sha), pending)
    problems = _problems(document, [*findings, *_other_overlays(document)])
    if config is None or any(problem.severity == "error" for problem in problems):
        raise _error(path, problems)
    return Loaded(config, path, environment, problems, document)


def _checked(
    merged: Mapping[str, Any], scope: Scope, pending: tuple[Pending, ...]
) -> tuple[Config | None, list[Finding]]:
    from fargatectl.config.checks import check  # noqa: PLC0415 - pydantic is slow to import; --help has no need of it
    from fargatectl.config.complete import complete  # noqa: PLC0415 - as above
    from fargatectl.config.validate import related, validate  # noqa: PLC0415 - as above

    data, findings = interpolate(merged, scope)
    findings += refused(data, pending)
    config, wrong, left_out = validate(data, {finding.path for finding in findings})
    findings += wrong
    if config is None:
        return None, findings
    config = complete(config, scope.environment)
    for finding in check(config, scope.environment):
        if not any(related(path, left_out) for path in (finding.path, *finding.about)):
            findings.append(finding)
    return config, findings


def _version_findings(data: Mapping[str, Any], version: str) -> list[Finding]:
    """Look at this key before all others: a newer file has keys that this version cannot know."""
    wanted = data.get("requires_fargatectl")
    path = ("requires_fargatectl",)
    if not isinstance(wanted, str):
        return []
    try:
        missed = unmet(wanted, version)
    except ValueError as error:
        return [Finding(path, str(error))]
    if missed is None:
        return []
    return [Finding(path, f"this file is for fargatectl {missed}; this is {version}", hint="install that version")]


def _environment_findings(data: Mapping[str, Any], environment: str | None) -> list[Finding]:
    environments = data.get("environments", {})
    if not isinstance(environments, dict):
        return [Finding(("environments",), "expected a table of environments")]
    findings = []
    for name, overlay in environments.items():
        if not _ENVIRONMENT.fullmatch(name):
            message = "expected a name of lower-case letters, digits and hyphens, of at most 32"
            findings.append(Finding(("environments", name), message))
        if not isinstance(overlay, dict):
            findings.append(Finding(("environments", name), "expected a table"))
    known = ", ".join(sorted(environments))
    if environment is not None and environment not in environments:
        close = nearest(environment, environments)
        hint = f"did you mean {close}? known are {known}" if close else f"known are {known}"
        message = f"there is no environment `{environment}`"
        findings.append(Finding(("environments",), message, hint=hint if known else "the file has no [environments]"))
    elif environment is None and data.get("require_environment") is True:
        message = "an environment must be chosen"
        findings.append(Finding(("require_environment",), message, hint=f"-e NAME, with one of {known or 'none'}"))
    return findings


def _other_overlays(document: Document) -> Iterable[Finding]:
    """Find unknown keys in the overlays that were not chosen, so that a typo is not found in production first."""
    from fargatectl.config.validate import unknown_keys  # noqa: PLC0415 - pydantic is slow to import

    base = {key: value for key, value in document.data.items() if key != "environments"}
    for name, overlay in document.data.get("environments", {}).items():
        if name == document.environment:
            continue
        for finding in unknown_keys(_tuples(overlaid(base, overlay))):
            if origin(finding.path, overlay)[0] == finding.path:
                yield Finding(("environments", name, *finding.path), finding.message, finding.hint)


def _tuples(value: Any) -> Any:  # noqa: ANN401 - a TOML value
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _problems(document: Document, findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """Return each problem once, in the order of the file."""
    problems = dict.fromkeys(document.problem(finding) for finding in findings)
    return tuple(sorted(problems, key=lambda problem: problem.line or 0))


def _fail_on(document: Document, findings: Iterable[Finding]) -> None:
    problems = _problems(document, findings)
    if problems:
        raise _error(document.path, problems)


def _error(path: Path, problems: tuple[Problem, ...]) -> ConfigError:
    count = sum(problem.severity == "error" for problem in problems)
    return ConfigError(f"{path.name} has {count} problem{'s' if count != 1 else ''}.", problems)
