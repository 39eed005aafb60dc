"""Lines of containers: for a person at a terminal short and in colours, for a pipe with all that tells them apart."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.dataclass import dataclass
from fargatectl.render.escape import escape, escape_lines
from fargatectl.render.layout import joined
from fargatectl.render.plain import timestamp

if TYPE_CHECKING:
    import re
    from datetime import datetime

    from fargatectl.model.logs import LogLine

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green", "bright_magenta")
_DAY_SECONDS = 86_400
_TASK_DIGITS = 6


@dataclass
class LogPrinter:
    """Makes lines, a colour for each container.

    `brief` leaves out what a person does not need: the date of the last day, most of a task's id. `pattern` is made
    visible where it is found.
    """

    now: datetime
    brief: bool = True
    pattern: re.Pattern[str] | None = None
    _colours: dict[str, str] = field(default_factory=dict)
    _widest: int = 0

    def line(self, said: LogLine) -> Text:
        """Return what a container said, with when and who."""
        name = said.container if said.container == said.service else f"{said.service}/{said.container}"
        label = escape(f"{name} {said.task[:_TASK_DIGITS] if self.brief else said.task}".rstrip())
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        self._widest = max(self._widest, len(label)) if self.brief else len(label)
        head = Text.assemble((self._when(said.at), "dim"), " ", (label.ljust(self._widest), colour), "  ")
        lines = []
        for place, text in enumerate(escape_lines(said.message.rstrip("\n"))):
            body = Text(text)
            if self.pattern is not None:
                body.highlight_regex(self.pattern, "bold reverse")
            lines.append((head if place == 0 else Text(" " * head.cell_len)) + body)
        return joined(lines)

    def _when(self, at: datetime) -> str:
        if not self.brief:
            return timestamp(at)
        local = at.astimezone()
        return local.strftime("%H:%M:%S" if (self.now - at).total_seconds() < _DAY_SECONDS else "%m-%d %H:%M:%S")
