"""A job as it runs: its lines, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.errors import ExitCode
from fargatectl.render.escape import escape, escape_lines
from fargatectl.render.layout import joined
from fargatectl.render.outcome import diagnosis as diagnosis_lines
from fargatectl.render.problems import with_exit
from fargatectl.render.words import duration

if TYPE_CHECKING:
    from fargatectl.model.diagnosis import Diagnosis
    from fargatectl.model.logs import LogLine


def output(line: LogLine) -> Text:
    """Return what a container said, as it said it."""
    return joined(Text(one) for one in escape_lines(line.message.rstrip("\n")))


def ended(name: str, how: str, seconds: float, *, good: bool) -> Text:
    """Return the last line of a job that ran."""
    return Text(f"{escape(name)} {escape(how)} after {duration(seconds)}.", "green" if good else "red")


def not_started(message: str, found: Diagnosis, *, width: int) -> Text:
    """Return why a job never started."""
    return joined(with_exit(diagnosis_lines(message, found, width=width), ExitCode.NOT_STARTED, width))
