"""Ctrl-C and SIGTERM: the first asks for an orderly end, the second leaves at once.

Until something is written to AWS, the first ends the command where it stands. Within `deferred` it only sets a flag:
the engine starts nothing more, what runs ends, and the command says what was done and what was not.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fargatectl.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
_LEAVING = b"\r\n\x1b[?25hLeft at once. What was under way in AWS goes on; run the same command again.\r\n"
_LEAVING_PLAIN = b"\nLeft at once. What was under way in AWS goes on; run the same command again.\n"


class Interrupted(BaseException):
    """The user, or whoever manages processes here, asked us to end."""

    def __init__(self, exit_code: ExitCode) -> None:
        super().__init__(exit_code.name)
        self.exit_code = exit_code


class Signals:
    """What was asked of this process; `install` once, in the main thread."""

    def __init__(self, leave: Callable[[int], object] = os._exit) -> None:
        self.received: ExitCode | None = None
        self._leave = leave
        self._tell: Callable[[], None] | None = None

    def install(self) -> None:
        """Take over SIGINT and SIGTERM."""
        for number in _CODES:
            signal.signal(number, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; leave at the second."""
        del frame
        if self.received is not None:
            os.write(2, _LEAVING if os.isatty(2) else _LEAVING_PLAIN)
            self._leave(int(_CODES[signal.Signals(number)]))
            return
        self.received = _CODES[signal.Signals(number)]
        if self._tell is None:
            raise Interrupted(self.received)
        self._tell()

    def stopped(self) -> bool:
        """Tell whether nothing new may be started."""
        return self.received is not None

    @contextmanager
    def deferred(self, tell: Callable[[], None]) -> Iterator[None]:
        """Within this, the first signal only sets the flag and calls `tell`, which must not block."""
        self._tell = tell
        try:
            yield
        finally:
            self._tell = None
