"""The two consoles of a process: data goes to stdout, prose to stderr. Made once, by the command line."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from fargatectl.render.escape import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.status import Status

UNSEEN_WIDTH = 100  # columns, where nobody's terminal says how many there are
_NARROWEST, _WIDEST = 60, 140


class _Console(Console):
    """A console that falls silent when its reader goes away: that ends the showing, never the run."""

    def on_broken_pipe(self) -> None:
        """Print nothing any more."""
        self.quiet = True


def make_console(stream: TextIO, environment: Mapping[str, str]) -> Console:
    """Return a console that shows text as it is: no markup, no emoji codes, no highlighting of what looks like code.

    `environment` decides about colour (NO_COLOR, TERM=dumb, FORCE_COLOR) and, with COLUMNS, about the width.
    """
    width = None if stream.isatty() or environment.get("COLUMNS", "").isdigit() else UNSEEN_WIDTH
    return _Console(
        file=stream,
        markup=False,
        emoji=False,
        highlight=False,
        width=width,
        soft_wrap=True,
        color_system=None if environment.get("NO_COLOR") else "auto",
        legacy_windows=False,
        _environ=environment,
    )


def is_redrawable(console: Console, environment: Mapping[str, str]) -> bool:
    """Tell whether a screen may be redrawn in place: on a terminal that knows how, and not in a CI system's log."""
    in_ci = environment.get("CI", "").lower() not in {"", "0", "false"}
    return console.is_terminal and not console.is_dumb_terminal and not in_ci and not environment.get("NO_COLOR")


def width_of(console: Console) -> int:
    """Return the columns to lay out for: those of the terminal, within what can be read well."""
    return max(_NARROWEST, min(_WIDEST, console.width))


def show(console: Console, text: Text, *, end: str = "\n") -> None:
    """Print `text` as it was laid out: lines are never folded here, for a folded line could begin with anything.

    A console that cannot write is silent from then on. Raises OSError for any other reason than a reader that went
    away.
    """
    try:
        console.print(_safe(text), end=end, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)
    except OSError as error:
        console.quiet = True
        if not is_gone(error):
            raise


def is_gone(error: OSError) -> bool:
    """Tell whether nobody reads what could not be written: a pipe is closed, or a terminal."""
    return error.errno in {errno.EPIPE, errno.EIO}


def waiting(console: Console, what: str) -> Status:
    """Return the sign that `what` is being waited for, to be started and stopped."""
    return console.status(_safe(Text(f"{what} …")), spinner="dots", spinner_style="dim")


class Redrawn:
    """A text that is redrawn in place and stays when it is closed; on a `screen` of its own it goes then."""

    def __init__(self, console: Console, *, screen: bool = False) -> None:
        from rich.live import Live  # noqa: PLC0415 - only on a terminal

        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop", screen=screen)

    def update(self, text: Text) -> None:
        """Draw `text` in the place of what was there."""
        self._live.update(_safe(text))
        if self._live.is_started:
            self._live.refresh()
        else:
            self._live.start(refresh=True)

    def close(self) -> None:
        """End the redrawing."""
        self._live.stop()


def _safe(text: Text) -> Text:
    """Return `text`, with every line escaped that a renderer should have escaped: the second of two locks."""
    if all(escape(line) == line for line in text.plain.split("\n")):
        return text
    return Text("\n").join(Text(escape(line.plain), line.style) for line in text.split("\n", allow_blank=True))
