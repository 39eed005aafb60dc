"""An executor that runs what is submitted in an order that a seed decides: one at a time, but any that is ready."""

from __future__ import annotations

import random
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Shuffled(Executor):
    """Keeps what is submitted until somebody waits for it; then runs one of the things waited for, chosen by the seed.

    So the same seed makes the same calls in the same order, and over all seeds every order comes up that threads could
    take from step to step.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - an order, not a secret
        self._waiting: list[tuple[_Late[Any], Callable[[], Any]]] = []
        self._asked_for: set[int] = set()
        self._served = False
        self._busy = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: _Late[T] = _Late(self)
        self._waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def ask(self, future: _Late[Any]) -> None:
        """Somebody is about to wait for `future`, perhaps among others."""
        if not self._busy:
            if self._served:
                self._asked_for.clear()
                self._served = False
            self._asked_for.add(id(future))

    def serve(self) -> None:
        """Somebody waits: run one of the things asked for, unless that was done since they asked."""
        if not self._busy and not self._served:
            candidates = [one for one in self._waiting if id(one[0]) in self._asked_for]
            if candidates:
                self._run(self._random.choice(candidates))
                self._served = True

    def finish(self, future: _Late[Any]) -> None:
        """Run what `future` is to hold, if nobody has."""
        for one in self._waiting:
            if one[0] is future:
                self._run(one)
                return

    def _run(self, chosen: tuple[_Late[Any], Callable[[], Any]]) -> None:
        future, work = chosen
        self._waiting = [one for one in self._waiting if one[0] is not future]
        busy, self._busy = self._busy, True
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - as any executor: the caller gets it from the future
            future.set_exception(error)
        else:
            future.set_result(result)
        finally:
            self._busy = busy


class _Late(Future[T]):
    """A future of `Shuffled`. `concurrent.futures.wait` takes the locks of all its futures before it looks at their
    states: the first says what is waited for, the second that nothing else is left to do."""

    def __init__(self, executor: Shuffled) -> None:
        self._executor = executor
        super().__init__()

    def __getattribute__(self, name: str) -> Any:
        if name == "_condition":
            self._executor.ask(self)
        elif name == "_state" and super().__getattribute__("_state") == "PENDING":
            self._executor.serve()
        return super().__getattribute__(name)

    def result(self, timeout: float | None = None) -> T:
        self._executor.finish(self)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._executor.finish(self)
        return super().exception(timeout)
