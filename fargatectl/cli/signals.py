"""Ctrl-C, SIGTERM and a terminal that goes away: the first asks for an orderly end, the second leaves at once.

Until something is written to AWS, the first ends the command where it stands. Within `deferred` it only sets a flag:
the engine starts nothing more, what runs ends, and the command says what was done and what was not.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from fargatectl.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}
_LOOK_SECONDS = 0.2
_LEFT = b"Left at once. "
_WHILE_READING = b"Nothing was changed."
_WHILE_WRITING = (
    b"What was under way in AWS goes on. This run's lock ends by itself within two minutes, on this machine at once: "
    b"run the same command again."
)
_CURSOR_BACK = b"\x1b[?25h"


class Interrupted(BaseException):
    """The user, or whoever manages processes here, asked us to end."""

    def __init__(self, exit_code: ExitCode) -> None:
        super().__init__(exit_code.name)
        self.exit_code = exit_code


class Signals:
    """What was asked of this process; `install` once, in the main thread."""

    def __init__(self, leave: Callable[[int], object] = os._exit) -> None:
        self.received: ExitCode | None = None
        self.writing = False
        """Whether this run has begun to change AWS: from then on nobody may say that nothing was changed."""
        self._leave = leave
        self._winding_up = False
        self._tell: Callable[[], None] | None = None

    def install(self) -> None:
        """Take over the signals, but for those that whoever started us has had ignored (`nohup`, `&`)."""
        for number in _CODES:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; leave at the second."""
        del frame
        if self.received is not None:
            self._say_that_we_leave()
            self._leave(int(_CODES[signal.Signals(number)]))
            return
        self.received = _CODES[signal.Signals(number)]
        if self._tell is None:
            raise Interrupted(self.received)
        self._tell()

    def _say_that_we_leave(self) -> None:
        text = _LEFT + (_WHILE_WRITING if self.writing else _WHILE_READING)
        with suppress(OSError):  # the terminal may be what went away
            os.write(2, b"\r\n" + _CURSOR_BACK + text + b"\r\n" if os.isatty(2) else b"\n" + text + b"\n")

    def stopped(self) -> bool:
        """Tell whether nothing new may be started."""
        return self.received is not None and not self._winding_up

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`, or until a signal comes."""
        until = time.monotonic() + seconds
        while not self.stopped() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))

    @contextmanager
    def winding_up(self, tell: Callable[[], None]) -> Iterator[None]:
        """As `deferred`, for a command whose orderly end takes calls and waits of its own: stopping what it started.

        It asks `received` itself.
        """
        self._winding_up = True
        try:
            with self.deferred(tell):
                yield
        finally:
            self._winding_up = False

    @contextmanager
    def deferred(self, tell: Callable[[], None]) -> Iterator[None]:
        """Within this, the first signal only sets the flag and calls the innermost `tell`, which must not block."""
        outer, self._tell = self._tell, tell
        try:
            yield
        finally:
            self._tell = outer
