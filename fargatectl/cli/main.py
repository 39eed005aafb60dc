"""The edge of the process: arguments in, an exit code out."""

from __future__ import annotations

import gc
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from fargatectl.cli.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GARBAGE = 200_000
"""Objects between two looks for unreachable cycles. Start-up makes many objects that stay: looking at them all, again
and again, as Python's default of 700 does, is a tenth of a short command's time."""


_COMPLETING = "_FARGATECTL_COMPLETE"
"""Set by shells that ask how a line could go on."""


def _command(arguments: Sequence[str], environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - types of typer
    """Return the commands; the options of those alone that a command line may be about."""
    # Imported here, for typer makes most of the garbage that `main` has Python not look for.
    from fargatectl.cli.commands import NAMES  # noqa: PLC0415

    return _made(NAMES if _COMPLETING in environ else NAMES.intersection(arguments))


@cache
def _made(wanted: frozenset[str]) -> Any:  # noqa: ANN401 - as above
    import typer  # noqa: PLC0415 - as above

    from fargatectl.cli.commands import application  # noqa: PLC0415 - as above

    return typer.main.get_command(application(wanted))


def run(arguments: Sequence[str], surroundings: Surroundings) -> int:
    """Run one command and return the exit code. Raises nothing: what goes wrong is told, and has a code."""
    try:
        command = _command(arguments, surroundings.environ)
        surroundings.expect(arguments)
        answer = command.main(args=list(arguments), prog_name="fargatectl", standalone_mode=False, obj=surroundings)
        surroundings.deliver()
    except BaseException as error:  # noqa: BLE001 - the edge: everything becomes words and a code
        from fargatectl.cli.failures import tell  # noqa: PLC0415 - nothing but failures needs it

        return tell(error, surroundings)
    return answer if isinstance(answer, int) else 0


def main() -> None:
    """Run fargatectl on this process's arguments, streams and environment."""
    gc.set_threshold(_GARBAGE)
    surroundings = Surroundings.of_process()
    # Looking for plugins reads the metadata of every package that is installed; none is wanted here.
    surroundings.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    code = run(sys.argv[1:], surroundings)
    surroundings.leave(code)
