"""What is outside the process, as one value: streams, environment, clocks, signals. Tests hand in their own."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from fargatectl.cli.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

    from boto3.session import Session
    from rich.console import Console
    from rich.status import Status
    from rich.text import Text

    from fargatectl.cli.options import OutputOptions


class Answer(StrEnum):
    """What `--json` makes a command print: one document, or events one a line."""

    DOCUMENT = "document"
    EVENTS = "events"


_TELLS_EVENTS = frozenset({"deploy", "destroy"})


@dataclass
class Surroundings:
    """Everything a command may use of the world. `open_session` makes a boto3 session; None means the standard one."""

    environ: MutableMapping[str, str]
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    directory: Path
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    signals: Signals = field(default_factory=Signals)
    open_session: Callable[[str | None], Session] | None = None

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    answer: Answer = Answer.DOCUMENT
    finished: bool = False
    """Whether the last event was told."""
    _waiting: Status | None = None

    @classmethod
    def of_process(cls) -> Surroundings:
        """Return those of this process; signals are ours from now on, and no output can fail for its encoding."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        signals = Signals()
        signals.install()
        return cls(
            environ=os.environ,
            stdin=sys.stdin,
            stdout=sys.stdout,
            stderr=sys.stderr,
            directory=Path.cwd(),
            clock=lambda: datetime.now(UTC),
            monotonic=time.monotonic,
            sleep=time.sleep,
            signals=signals,
        )

    @cached_property
    def out(self) -> Console:
        """The console of data."""
        from fargatectl.render.console import make_console  # noqa: PLC0415 - `--version` has no need of rich

        return make_console(self.stdout, self.environ)

    @cached_property
    def err(self) -> Console:
        """The console of prose."""
        from fargatectl.render.console import make_console  # noqa: PLC0415 - as in `out`

        return make_console(self.stderr, self.environ)

    @property
    def is_interactive(self) -> bool:
        """Whether somebody is there who can be asked."""
        return not self.json and self.stdin.isatty() and self.stderr.isatty()

    def expect(self, arguments: Sequence[str]) -> None:
        """Take from the command line what is needed to tell that it is wrong."""
        self.json = "--json" in arguments
        command = next((word for word in arguments if not word.startswith("-")), "")
        self.answer = Answer.EVENTS if command in _TELLS_EVENTS else Answer.DOCUMENT

    def begin(self, chosen: OutputOptions, answer: Answer) -> None:
        """Take how the user wants to be answered."""
        self.json, self.quiet, self.verbose = chosen.json, chosen.quiet, chosen.verbose
        self.answer = answer

    def wait_for(self, what: str) -> None:
        """Show that something is being waited for until the next output: on a terminal, people see that we live."""
        from fargatectl.render.console import is_redrawable  # noqa: PLC0415 - `--version` has no need of rich

        if not (self.json or self.quiet) and is_redrawable(self.err, self.environ):
            self._waiting = self.err.status(f"{what} …", spinner="dots", spinner_style="dim")
            self._waiting.start()

    def stop_waiting(self) -> None:
        """Take the sign of waiting away."""
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

    def data(self, text: Text) -> None:
        """Print what the command was asked for."""
        self.stop_waiting()
        from fargatectl.render.console import show  # noqa: PLC0415 - as in `out`

        show(self.out, text)

    def raw(self, text: str) -> None:
        """Print text that is data already: JSON, Markdown, TOML."""
        self.stop_waiting()
        self._write(text if text.endswith("\n") else text + "\n")

    def prose(self, text: Text | str, style: str = "") -> None:
        """Tell people something. Machines that asked for JSON are spared it."""
        self.stop_waiting()
        self._say(text, style)

    def aside(self, text: Text | str) -> None:
        """Tell people something in passing, which `--quiet` keeps back."""
        if not self.quiet:
            self._say(text, "dim")

    def _say(self, text: Text | str, style: str) -> None:
        if self.json:
            return
        from rich.text import Text as RichText  # noqa: PLC0415 - as in `out`

        from fargatectl.render.console import show  # noqa: PLC0415 - as in `out`

        show(self.err, RichText(text, style) if isinstance(text, str) else text)

    def document(self, document: dict[str, Any]) -> None:
        """Print the JSON document of this command."""
        from fargatectl.render import machine  # noqa: PLC0415 - as in `out`

        self.raw(machine.dump(document))

    def event(self, document: dict[str, Any]) -> None:
        """Print one event, at once."""
        from fargatectl.render import machine  # noqa: PLC0415 - as in `out`

        self._write(machine.line(document) + "\n")
        self.finished = self.finished or document.get("event") == "result"

    def flush(self) -> None:
        """Bring out what is still in a buffer."""
        self.stop_waiting()
        for stream in (self.stdout, self.stderr):
            try:
                stream.flush()
            except BrokenPipeError:
                _silence(stream)

    def _write(self, text: str) -> None:
        """Write data. A reader who goes away ends the telling, never the run."""
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except BrokenPipeError:
            _silence(self.stdout)

    def leave(self, code: int) -> None:
        """End the process. Nobody waits for threads that still sleep or talk to AWS: all has been told."""
        self.flush()
        if threading.active_count() > 1:
            os._exit(code)
        sys.exit(code)


def _silence(stream: TextIO) -> None:
    """Have `stream` lead nowhere: the interpreter flushes it again at its end, and must not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
