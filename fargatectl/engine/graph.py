"""Walking a graph of steps: each after all that it needs, side by side where nothing forbids it."""

from __future__ import annotations

import heapq
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import field
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Set as AbstractSet
    from concurrent.futures import Executor

N = TypeVar("N", bound="Hashable")


@dataclass
class Walk(Generic[N]):
    """What became of each node. `skipped` says which failed node is to blame; `unvisited` were never started."""

    done: dict[N, Any] = field(default_factory=dict)
    failed: dict[N, BaseException] = field(default_factory=dict)
    skipped: dict[N, N] = field(default_factory=dict)
    unvisited: list[N] = field(default_factory=list)


def walk(  # noqa: PLR0913 - what a walk is told
    edges: Mapping[N, AbstractSet[N]],
    visit: Callable[[N], Any],
    executor: Executor,
    *,
    wide: int | None = None,
    stopped: Callable[[], bool] = lambda: False,
    on_skip: Callable[[N, N], None] = lambda _node, _blame: None,
) -> Walk[N]:
    """Visit each node after all that it needs. A failure skips what depends on it, and nothing else.

    At most `wide` are visited at the same time (all that can be, without it). Where more could be, those go first that
    have most behind them: so one service is through before all others have begun.

    A visit that returns a `Future` is over when that future is: waiting for AWS takes no thread. When `stopped` says
    so, nothing new is started and what runs is waited for.
    """
    result: Walk[N] = Walk()
    order = TopologicalSorter(edges)
    order.prepare()
    running: dict[Future[Any], N] = {}
    visited: set[Future[Any]] = set()
    ready: _Ready[N] = _Ready(edges, deepest_first=wide is not None)
    while order.is_active():
        ready.add(order.get_ready())
        if stopped():
            result.unvisited += ready.rest()
            if not running:
                break
        while ready and (wide is None or len(visited) < wide):
            node = ready.next()
            blame = next((need for need in edges[node] if need in result.failed or need in result.skipped), None)
            if blame is None:
                future = executor.submit(visit, node)
                running[future] = node
                visited.add(future)
            else:
                result.skipped[node] = result.skipped.get(blame, blame)
                on_skip(node, result.skipped[node])
                order.done(node)
        if running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                visited.discard(future)
                _take(future, running, result, order)
    seen = {*result.done, *result.failed, *result.skipped, *result.unvisited}
    result.unvisited += [node for node in edges if node not in seen]
    return result


class _Ready(Generic[N]):
    """What can be visited now, in the order of its coming; with `deepest_first`, what has most behind it first."""

    def __init__(self, edges: Mapping[N, AbstractSet[N]], *, deepest_first: bool) -> None:
        self._edges = edges
        self._deepest_first = deepest_first
        self._depths: dict[N, int] = {}
        self._heap: list[tuple[int, int, N]] = []

    def __bool__(self) -> bool:
        return bool(self._heap)

    def add(self, nodes: Iterable[N]) -> None:
        for node in nodes:
            depth = 1 + max((self._depths[need] for need in self._edges[node]), default=0)
            self._depths[node] = depth
            heapq.heappush(self._heap, (-depth if self._deepest_first else 0, len(self._depths), node))

    def next(self) -> N:
        return heapq.heappop(self._heap)[2]

    def rest(self) -> list[N]:
        """Return what was never visited, and forget it."""
        rest = [node for _, _, node in sorted(self._heap)]
        self._heap.clear()
        return rest


def _take(future: Future[Any], running: dict[Future[Any], N], result: Walk[N], order: TopologicalSorter[N]) -> None:
    node = running.pop(future)
    try:
        value = future.result()
    except Exception as error:  # noqa: BLE001 - kept per node
        result.failed[node] = error
    else:
        if isinstance(value, Future):
            running[value] = node
            return
        result.done[node] = value
    order.done(node)
