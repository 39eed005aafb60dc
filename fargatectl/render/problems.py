"""What went wrong, on a screen: mistakes in the file with their places, and refusals with what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.errors import AwsFailure, ConfigError, FargatectlError, NotFoundError
from fargatectl.render.escape import escape, escape_lines
from fargatectl.render.layout import joined, pad, spread, wrap
from fargatectl.render.words import count, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.errors import ExitCode, Problem


def problems(found: Sequence[Problem], *, width: int) -> list[Text]:
    """Return the mistakes one below the other: line and key, then what is wrong, then what to do."""
    places = [f"line {each.line}" if each.line is not None else "" for each in found]
    margin = max((len(place) for place in places), default=0)
    indent = " " * (margin + 4 if margin else 2)
    lines: list[Text] = []
    for each, place in zip(found, places, strict=True):
        warns = each.severity != "error"
        head = Text("  ")
        if margin:
            head.append_text(pad(Text(place, "dim"), margin)).append("  ")
        head.append(escape(each.path) or "(the whole file)", "bold yellow" if warns else "bold red")
        if warns:
            head.append("  warning", "yellow")
        lines.append(head)
        lines += [Text(line) for line in _paragraph(each.message, width, indent)]
        lines += [Text(line, "dim") for line in _paragraph(each.hint, width, indent)]
    return lines


def error(failure: FargatectlError, exit_code: ExitCode, *, width: int, file: str = "") -> Text:
    """Return the last thing on the screen of a command that failed: what, where, what to do, and the exit code."""
    lines = [Text(line, "bold") for line in _paragraph(sentence(failure.message) or failure.kind, width)]
    if isinstance(failure, ConfigError):
        lines += [Text(), *problems(failure.problems, width=width)]
    if isinstance(failure, NotFoundError) and failure.path:
        place = f"{file}  {failure.path}" if file else failure.path
        lines += [Text(), Text(f"  {escape(place)}", "bold red")]
    if isinstance(failure, AwsFailure) and (failure.address or failure.operation):
        facts = [part for part in (failure.address, failure.operation, failure.code) if part]
        lines += [Text(), Text("  " + escape(" · ".join(facts)), "dim")]
    if failure.hint:
        lines += [Text(), *(Text(line) for line in _paragraph(sentence(failure.hint), width, "  "))]
    return joined(with_exit(lines, exit_code, width))


def with_exit(lines: list[Text], exit_code: ExitCode, width: int) -> list[Text]:
    """Return `lines` with the exit code at the right of the last one, or of one more where there is no room."""
    told = Text(f"exit {int(exit_code)}", "dim")
    last = spread(lines[-1], told, width)
    if last.plain != lines[-1].plain:
        return [*lines[:-1], last]
    return [*lines, spread(Text(), told, width)]


def warnings(found: Sequence[Problem], *, file: str, width: int) -> Text:
    """Return what is worth a warning."""
    title = Text(f"{escape(file)} has {count(len(found), 'warning')}.", "yellow")
    return joined([title, Text(), *problems(found, width=width)])


def _paragraph(text: str, width: int, indent: str = "") -> list[str]:
    return [part for line in escape_lines(text) for part in wrap(line, width, indent=indent)] if text else []
