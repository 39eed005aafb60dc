"""Credentials of registries that come from this machine's environment: which variables the file names, and which lack.

Nothing here keeps a value. An empty variable counts as missing: that is what a pipeline without the secret sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.findings import Finding
from fargatectl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.load import Loaded
    from fargatectl.config.models import Config

PLACEHOLDER = "placeholder"
"""What stands for a missing value in the local AWS."""


def missing(config: Config, variables: Mapping[str, str]) -> dict[str, KeyPath]:
    """Return the variables that `config` takes credentials from and `variables` lack, with their places in the file."""
    return {name: path for name, path in _named(config) if not variables.get(name)}


def findings(config: Config, variables: Mapping[str, str], *, severity: str = "error") -> Iterator[Finding]:
    """Yield a finding for each variable that is missing."""
    for name, path in missing(config, variables).items():
        message = f"the environment variable {name} is not set, or empty"
        yield Finding(
            path, message, hint=f"export {name}; `deploy` and `diff` take the credentials from it", severity=severity
        )


def require(loaded: Loaded, variables: Mapping[str, str]) -> None:
    """Raise ConfigError with the place of every variable that is missing."""
    problems = [loaded.document.problem(finding) for finding in findings(loaded.config, variables)]
    if problems:
        what = ", ".join(missing(loaded.config, variables))
        raise ConfigError(f"{loaded.path.name} takes credentials from what is not set here: {what}.", problems)


def _named(config: Config) -> Iterator[tuple[str, KeyPath]]:
    for name, registry in config.registries.items():
        for key, found in (("username", registry.username), ("password", registry.password)):
            if found is not None:
                yield found.env, ("registries", name, key)
