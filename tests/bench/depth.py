"""An executor that counts round trips: everything runs at once and in order, and each piece of work knows its time.

Time is counted in round trips. Work begins when it was submitted and takes one for each call that it waits for; who
waits for several goes on when the first ends. So the count is that of a run with threads enough, and always the same.
"""

from __future__ import annotations

from concurrent.futures import Executor, Future
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Depth(Executor):
    """`now` is the time of the work that runs: add one for each call."""

    def __init__(self) -> None:
        self.now = 0
        self._running = 0
        self._asked_for: list[_Late[Any]] = []
        self._served = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: _Late[T] = _Late(self)
        began = self.now
        self._running += 1
        try:
            result = fn(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - as any executor: the caller gets it from the future
            future.hold(self.now, partial(future.set_exception, error))
        else:
            future.hold(self.now, partial(future.set_result, result))
        finally:
            self._running -= 1
        self.now = began
        return future

    def ask(self, future: _Late[Any]) -> None:
        """Somebody is about to wait for `future`, perhaps among others."""
        if self._served:
            self._asked_for.clear()
            self._served = False
        if all(one is not future for one in self._asked_for):
            self._asked_for.append(future)

    def serve(self) -> None:
        """Somebody waits: let the first of what was asked for end, unless that was done since they asked."""
        if not self._served and self._asked_for:
            self._served = True
            first = min(self._asked_for, key=lambda one: one.ends)
            first.let_go()


class _Late(Future[T]):
    """A future of `Depth`. `concurrent.futures.wait` takes the locks of all its futures before it looks at their
    states: the first says what is waited for, the second that nothing else is left to do."""

    def __init__(self, executor: Depth) -> None:
        self._executor = executor
        self._quiet = True
        self.ends = 0
        super().__init__()

    def hold(self, ends: int, end: Callable[[], None]) -> None:
        """Keep the outcome until somebody waits for it."""
        self.ends, self._end = ends, end
        self._quiet = False

    def let_go(self) -> None:
        """Have the outcome, at its time."""
        if not self._quiet:
            self._quiet = True
            self._executor.now = max(self._executor.now, self.ends)
            self._end()

    def __getattribute__(self, name: str) -> Any:
        if name in {"_condition", "_state"} and not super().__getattribute__("_quiet"):
            executor: Depth = super().__getattribute__("_executor")
            if name == "_condition":
                executor.ask(self)
            else:
                executor.serve()
        return super().__getattribute__(name)

    def result(self, timeout: float | None = None) -> T:
        self.let_go()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self.let_go()
        return super().exception(timeout)
