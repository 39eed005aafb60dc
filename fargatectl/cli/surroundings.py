"""What is outside the process, as one value: streams, environment, clocks, signals. Tests hand in their own."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING, TextIO, cast

from fargatectl.cli.machine import Machine
from fargatectl.cli.signals import Signals
from fargatectl.dataclass import dataclass
from fargatectl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

    from boto3.session import Session

    from fargatectl.aws.http import Fetch, Reply
    from fargatectl.cli.options import OutputOptions
    from fargatectl.cli.voice import Voice


class Answer(StrEnum):
    """What `--json` makes a command print: one document, or events one a line."""

    DOCUMENT = "document"
    EVENTS = "events"


def _fetch(method: str, url: str, headers: Mapping[str, str]) -> Reply:
    from fargatectl.aws.http import fetch  # noqa: PLC0415 - most runs ask nobody but AWS

    return fetch(method, url, headers)


_DELIVERY = "what the command did stays done; make room, or send the output elsewhere"
_TELLS_EVENTS = frozenset({"abort", "continue", "deploy", "destroy", "logs", "restart", "rollback", "run", "scale"})


@dataclass
class Surroundings:
    """Everything a command may use of the world. `open_session` makes a boto3 session; None means the standard one.

    `fetch` asks servers that are not AWS's; None asks nobody.
    """

    environ: MutableMapping[str, str]
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    directory: Path
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    signals: Signals = field(default_factory=Signals)
    machine: Machine = field(default_factory=lambda: Machine(os.getpid()))
    random: Random = field(default_factory=SystemRandom)
    open_session: Callable[[str | None], Session] | None = None
    fetch: Fetch | None = None

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    answer: Answer = Answer.DOCUMENT

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
            stdin=sys.stdin or _nowhere("r"),  # a closed stream is None
            stdout=sys.stdout or _nowhere("w"),
            stderr=sys.stderr or _nowhere("w"),
            directory=Path.cwd(),
            clock=lambda: datetime.now(UTC),
            monotonic=time.monotonic,
            sleep=signals.sleep,
            fetch=_fetch,
            signals=signals,
        )

    @cached_property
    def voice(self) -> Voice:
        """What speaks to whoever reads."""
        from fargatectl.cli.voice import Voice  # noqa: PLC0415 - `--version` has no need of rich

        return Voice(self)

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

    def flush(self) -> None:
        """Bring out what was said, if anything was."""
        if "voice" in self.__dict__:
            self.voice.flush()

    def deliver(self) -> None:
        """Bring out what was said. Raises UsageError if data got lost that somebody waits for."""
        self.flush()
        lost = self.voice.lost if "voice" in self.__dict__ else None
        if lost is not None:
            raise UsageError(f"stdout could not be written: {lost.strerror or lost}", hint=_DELIVERY)

    def leave(self, code: int) -> None:
        """End the process. Nobody waits for threads that still sleep or talk to AWS: all has been told."""
        self.flush()
        if threading.active_count() > 1:
            os._exit(code)
        sys.exit(code)


def _nowhere(mode: str) -> TextIO:
    return cast("TextIO", Path(os.devnull).open(mode, encoding="utf-8"))
