"""The edge: what went wrong becomes words, a document, and an exit code. Nothing leaves here as a traceback."""

from __future__ import annotations

import os
import tempfile
import traceback
from typing import TYPE_CHECKING, Any

import typer

from fargatectl import __version__
from fargatectl.cli.exits import code_of, is_undeliverable, is_usage, outcome_of
from fargatectl.cli.signals import Interrupted
from fargatectl.cli.surroundings import Answer
from fargatectl.errors import ExitCode, FargatectlError, UsageError
from fargatectl.render import machine, problems
from fargatectl.render.console import width_of

if TYPE_CHECKING:
    from fargatectl.cli.surroundings import Surroundings


def tell(error: BaseException, surroundings: Surroundings, code: ExitCode | None = None) -> int:
    """Tell `error` to whoever reads, person or machine, and return the exit code: its own, unless `code` is given."""
    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if isinstance(error, SystemExit):  # completion ends so
        return error.code if isinstance(error.code, int) else int(ExitCode.DONE)
    error = _explained(error)
    code = code or code_of(error)
    shown = _as_ours(error, code, surroundings)
    if surroundings.json:
        _document(shown, code, surroundings)
    elif isinstance(error, Interrupted | KeyboardInterrupt):
        surroundings.voice.prose(shown.message)
    elif is_usage(error):
        _usage(error, surroundings)
    else:
        surroundings.voice.prose(problems.error(shown, code, width=width_of(surroundings.voice.err)))
    surroundings.voice.flush()
    return int(code)


def _explained(error: BaseException) -> BaseException:
    """Return what AWS refused, wherever that was, in our words: it is no bug of ours."""
    if type(error).__module__.partition(".")[0] != "botocore":
        return error
    from fargatectl.aws.errors import explain  # noqa: PLC0415 - only where boto3 is loaded already

    return explain(error)


def _as_ours(error: BaseException, code: ExitCode, surroundings: Surroundings) -> FargatectlError:
    if isinstance(error, FargatectlError):
        return error
    if is_usage(error):
        return UsageError(_usage_message(error))
    if isinstance(error, OSError) and is_undeliverable(error):
        return UsageError(f"the output could not be written: {error.strerror or error}")
    if code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}:
        done = "What was done stays done: run the same command again to go on."
        return _Interruption(f"Interrupted. {done if surroundings.signals.writing else 'Nothing was changed.'}")
    return _bug(error)


class _Interruption(FargatectlError):
    kind = "interrupted"


class _Bug(FargatectlError):
    exit_code = ExitCode.BUG
    kind = "bug"


def _bug(error: BaseException) -> FargatectlError:
    """Write what helps to find a bug of ours to a file that only the user can read, and name it.

    The report has the places in the code, never the values: a value may be a secret.
    """
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"fargatectl {__version__}", f"{type(error).__module__}.{type(error).__qualname__}", ""]
    lines += [f"{_within_package(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    cause = error.__cause__ or error.__context__
    if cause is not None:
        lines += ["", f"after {type(cause).__module__}.{type(cause).__qualname__}"]
        lines += [
            f"{_within_package(f.filename)}:{f.lineno} in {f.name}" for f in traceback.extract_tb(cause.__traceback__)
        ]
    message = f"this is a bug in fargatectl ({type(error).__name__})"
    try:
        handle, path = tempfile.mkstemp(prefix="fargatectl-report-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError:
        return _Bug(message, hint="no report could be written: the folder for temporary files is not writable")
    hint = f"{path} says where in the code; it holds no values. AWS may have been changed in part: run it again"
    return _Bug(message, hint=hint)


def _within_package(filename: str) -> str:
    for marker in ("/fargatectl/", "/site-packages/"):
        if marker in filename:
            return filename.rpartition(marker)[2]
    return filename.rpartition("/")[2]


def _document(shown: FargatectlError, code: ExitCode, surroundings: Surroundings) -> None:
    document: dict[str, Any] = {**machine.failure(shown), "exit_code": int(code)}
    if surroundings.answer is Answer.DOCUMENT:
        surroundings.voice.document(machine.error_document(document))
    elif not surroundings.voice.finished:
        surroundings.voice.event(machine.result(outcome_of(code), code, error=document))


def _usage(error: BaseException, surroundings: Surroundings) -> None:
    message = _usage_message(error)
    if not message:
        return  # no command was given, and the help was shown
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "fargatectl")
    surroundings.voice.prose(
        problems.error(
            UsageError(message, hint=f"`{path} --help` lists what there is"),
            ExitCode.USAGE,
            width=width_of(surroundings.voice.err),
        )
    )


def _usage_message(error: BaseException) -> str:
    return str(error.format_message())  # type: ignore[attr-defined]
