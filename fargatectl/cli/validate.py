"""`validate`: everything that can be checked without AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.cli.context import read_file
from fargatectl.config import credentials, sdk
from fargatectl.config.expand import expanded
from fargatectl.errors import ConfigError, ExitCode
from fargatectl.render import machine, problems
from fargatectl.render.console import width_of
from fargatectl.render.escape import escape
from fargatectl.render.words import count

if TYPE_CHECKING:
    from fargatectl.cli.options import ValidateOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.config.load import Loaded


def run(options: ValidateOptions, surroundings: Surroundings) -> ExitCode:
    """Check the file, and say so or print it with its defaults."""
    try:
        loaded = read_file(options, surroundings)
        _check_sdk(loaded)
    except ConfigError as error:
        if not surroundings.json:
            raise
        surroundings.voice.document(machine.validation(error.problems))
        return error.exit_code
    missing = credentials.findings(loaded.config, surroundings.environ, severity="warning")
    warnings = (*loaded.warnings, *(loaded.document.problem(finding) for finding in missing))
    if surroundings.json:
        document = machine.validation(warnings)
        if options.expanded:
            document["expanded"] = expanded(loaded.config)
        surroundings.voice.document(document)
    elif options.expanded:
        surroundings.voice.raw(expanded(loaded.config))
    else:
        if warnings:
            width = width_of(surroundings.voice.err)
            surroundings.voice.aside(problems.warnings(warnings, file=loaded.path.name, width=width))
        services = count(len(loaded.config.services), "service")
        surroundings.voice.data(Text(f"{escape(loaded.path.name)} is valid: {services}."))
    return ExitCode.DONE


def _check_sdk(loaded: Loaded) -> None:
    """Raise ConfigError for keys that the installed AWS SDK is too old for."""
    if next(sdk.needs(loaded.config), None) is None:
        return
    from fargatectl.aws.sdk import knows, version  # noqa: PLC0415 - the SDK is slow to load, and few files need the look

    found = [loaded.document.problem(finding) for finding in sdk.findings(loaded.config, knows, version)]
    if found:
        raise ConfigError(f"{loaded.path.name} needs a newer AWS SDK than the one that is installed.", found)
