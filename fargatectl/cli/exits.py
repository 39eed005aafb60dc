"""From what went wrong to the process's answer; `docs/exit-codes.md` tells users."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from fargatectl.cli.signals import Interrupted
from fargatectl.errors import ExitCode, FargatectlError

if TYPE_CHECKING:
    from collections.abc import Iterable

_ORDER = (
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.BUG,
    ExitCode.FAILED,
    ExitCode.AWS,
    ExitCode.REFUSED,
    ExitCode.IN_PROGRESS,
    ExitCode.USAGE,
    ExitCode.CHANGES,
    ExitCode.DONE,
)
"""Of several answers the first of these is given."""

_UNDELIVERABLE = frozenset({errno.EPIPE, errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

OUTCOMES = {
    ExitCode.DONE: "succeeded",
    ExitCode.REFUSED: "refused",
    ExitCode.IN_PROGRESS: "detached",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "interrupted",
}
"""What `result` calls the end of a run; all other ends are `failed`."""


def code_of(error: BaseException) -> ExitCode:
    """Return the exit code of one error; what nobody foresaw is a bug of ours."""
    if isinstance(error, Interrupted | FargatectlError):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if is_usage(error) or is_undeliverable(error):
        return ExitCode.USAGE
    return ExitCode.BUG


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the one answer to several ends."""
    return min(codes, key=_ORDER.index, default=ExitCode.DONE)


def outcome_of(code: ExitCode) -> str:
    """Return what `result` calls an end with `code`."""
    return OUTCOMES.get(code, "failed")


def is_usage(error: BaseException) -> bool:
    """Tell whether the command line could not be read: typer's errors know how to say why."""
    return callable(getattr(error, "format_message", None))


def is_undeliverable(error: BaseException) -> bool:
    """Tell whether output could not be written: no reader, no room."""
    return isinstance(error, OSError) and error.errno in _UNDELIVERABLE
