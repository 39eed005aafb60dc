"""Children of a test: a forked process goes on from where its parent stands, and says one line of JSON before it dies.

Whatever a child breaks dies with it, and what the parent has built up to the fork is not built again.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import traceback
import warnings
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 120
"""After so long a child counts as hanging, and the kernel ends it."""


@dataclass(frozen=True)
class Fork:
    """A child as its parent sees it."""

    pid: int
    pipe: int
    name: str


@dataclass
class Nursery:
    """Children that run at the same time, `most` of them. Their answers come in the order of their birth."""

    most: int
    running: deque[Fork] = field(default_factory=deque)
    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def fork(self, name: str) -> int | None:
        """Fork: the parent gets None, the child the pipe to write its answer to."""
        while len(self.running) >= self.most:
            self._reap()
        ours, theirs = os.pipe()
        with warnings.catch_warnings():
            # A test runner's own threads are not there in the child, and are not missed.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid:
            os.close(theirs)
            self.running.append(Fork(pid, ours, name))
            return None
        os.close(ours)
        gc.disable()  # a collection would copy every page that it looks at
        signal.alarm(PATIENCE_SECONDS)
        return theirs

    def wait(self) -> list[tuple[str, dict[str, Any]]]:
        """Wait for all children; return name and answer of each."""
        while self.running:
            self._reap()
        return self.answers

    def _reap(self) -> None:
        child = self.running.popleft()
        with os.fdopen(child.pipe, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child.pid, 0)
        try:
            answer = json.loads(said)
        except ValueError:
            answer = {"broken": f"it died without an answer (status {os.waitstatus_to_exitcode(status)})"}
        self.answers.append((child.name, answer))


def leave(pipe: int, tell: Callable[[], dict[str, Any]]) -> NoReturn:
    """End this child with what `tell` says; an exception is an answer too."""
    try:
        answer = tell()
    except BaseException:  # noqa: BLE001 - it must reach the parent, whatever it is
        answer = {"broken": traceback.format_exc()}
    with os.fdopen(pipe, "wb") as out:
        out.write(json.dumps(answer, default=str).encode())
    os._exit(0)


def apart(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what `work` says, done in a child: this process stays as it is."""
    nursery = Nursery(most=1)
    pipe = nursery.fork("apart")
    if pipe is not None:
        leave(pipe, work)
    ((_, answer),) = nursery.wait()
    return answer
