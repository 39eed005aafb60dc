"""What a command says, and where: data on stdout, prose on stderr, and nothing to people if a machine reads.

A reader who goes away (`fargatectl diff | head`) ends the telling, never the run.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from rich.text import Text

from fargatectl.render import machine
from fargatectl.render.console import is_gone, is_redrawable, make_console, show, waiting, width_of
from fargatectl.render.escape import escape, escape_text
from fargatectl.render.layout import joined, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.status import Status

    from fargatectl.cli.surroundings import Surroundings


class Voice:
    """Speaks to whoever reads: made once, when the command line has been read."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self.out = make_console(surroundings.stdout, surroundings.environ)
        self.err = make_console(surroundings.stderr, surroundings.environ)
        self.finished = False
        """Whether the last event was told."""
        self.lost: OSError | None = None
        """Why data could not be written, though somebody waits for it: a full disk."""
        self._deaf = False
        self._waiting: Status | None = None

    @property
    def redraws(self) -> bool:
        """Whether stderr is a screen that may be redrawn in place."""
        return is_redrawable(self.err, self._surroundings.environ)

    @property
    def deaf(self) -> bool:
        """Whether nobody can be told data any more: the reader went away, or there is no room for it."""
        return self._deaf or self.out.quiet

    def data(self, text: Text) -> None:
        """Print what the command was asked for."""
        self.stop_waiting()
        with self._writing(self._surroundings.stdout):
            show(self.out, text)

    def raw(self, text: str) -> None:
        """Print text that is data already: JSON, Markdown, TOML."""
        self.stop_waiting()
        stream = self._surroundings.stdout
        with self._writing(stream):
            stream.write(escape_text(text.removesuffix("\n")) + "\n")
            stream.flush()

    def document(self, document: dict[str, Any]) -> None:
        """Print the JSON document of this command."""
        self.raw(machine.dump(document))

    def event(self, document: dict[str, Any]) -> None:
        """Print one event, at once."""
        self.raw(machine.line(document))
        self.finished = self.finished or document.get("event") == "result"

    def prose(self, text: Text | str, style: str = "") -> None:
        """Tell people something."""
        self.stop_waiting()
        self._say(text, style)

    def aside(self, text: Text | str) -> None:
        """Tell people something in passing, which `--quiet` keeps back."""
        if not self._surroundings.quiet:
            self._say(text, "dim")

    def ask(self, question: str) -> str:
        """Ask somebody at the terminal, and return what was typed."""
        self.stop_waiting()
        with self._writing(self._surroundings.stderr):
            show(self.err, Text(f"\n{question}", "bold"), end="")
            self._surroundings.stderr.flush()
        return self._surroundings.stdin.readline().strip()

    def wait_for(self, what: str) -> None:
        """Show that something is being waited for until the next output: people on a terminal see that we live."""
        if self._waiting is not None:
            self._waiting.update(f"{escape(what)} …")
        elif not (self._surroundings.json or self._surroundings.quiet) and self.redraws:
            self._waiting = waiting(self.err, what)
            self._waiting.start()

    def stop_waiting(self) -> None:
        """Take the sign of waiting away."""
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

    def flush(self) -> None:
        """Bring out what is still in a buffer."""
        self.stop_waiting()
        for stream in (self._surroundings.stdout, self._surroundings.stderr):
            with self._writing(stream):
                stream.flush()

    @contextmanager
    def _writing(self, stream: TextIO) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._deaf = self._deaf or stream is self._surroundings.stdout
            if stream is self._surroundings.stdout and not is_gone(error):
                self.lost = self.lost or error
            _silence(stream)

    def _say(self, text: Text | str, style: str) -> None:
        if self._surroundings.json:
            return
        if isinstance(text, str):
            text = joined(Text(line, style) for line in wrap(escape(text), width_of(self.err)))
        with self._writing(self._surroundings.stderr):
            show(self.err, text)


def _silence(stream: TextIO) -> None:
    """Have `stream` lead nowhere: the interpreter flushes it again at its end, and must not complain."""
    with suppress(OSError):  # a stream that is none of the process's has nothing to be silenced
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
