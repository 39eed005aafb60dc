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
    """Keeps what is submitted until somebody waits; then runs one thing, chosen by the seed.

    So the same seed makes the same calls in the same order, and over all seeds every order that threads could take
    between two steps comes up.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - an order, not a secret
        self._waiting: list[tuple[_Late[Any], Callable[[], Any]]] = []
        self._unseen: set[int] = set()
        self._busy = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: _Late[T] = _Late(self)
        self._waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def look(self, future: _Late[Any], *, finished: bool) -> None:
        """Somebody asks whether `future` is over: run one thing, unless one is over that nobody has seen yet."""
        if finished:
            self._unseen.discard(id(future))
        elif not self._unseen and not self._busy and self._waiting:
            self._run(self._waiting.pop(self._random.randrange(len(self._waiting))))

    def finish(self, future: _Late[Any]) -> None:
        """Run things until `future` is over."""
        while any(waiting is future for waiting, _ in self._waiting):
            self._run(self._waiting.pop(self._random.randrange(len(self._waiting))))

    def _run(self, chosen: tuple[_Late[Any], Callable[[], Any]]) -> None:
        future, work = chosen
        busy, self._busy = self._busy, True
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - as any executor: the caller gets it from the future
            future.set_exception(error)
        else:
            future.set_result(result)
        finally:
            self._busy = busy
        self._unseen.add(id(future))


class _Late(Future[T]):
    """A future of `Shuffled`: looking at its state lets the executor go on, as time passing would."""

    def __init__(self, executor: Shuffled) -> None:
        self._executor = executor
        super().__init__()

    def __getattribute__(self, name: str) -> Any:
        if name == "_state":
            state = super().__getattribute__("_state")
            executor = super().__getattribute__("_executor")
            executor.look(self, finished=state == "FINISHED")
        return super().__getattribute__(name)

    def result(self, timeout: float | None = None) -> T:
        self._executor.finish(self)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._executor.finish(self)
        return super().exception(timeout)
