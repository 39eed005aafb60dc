"""Walking a graph of steps: each after all that it needs, side by side where nothing forbids it."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import field
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Set as AbstractSet
    from concurrent.futures import Executor

N = TypeVar("N", bound="Hashable")


@dataclass
class Walk(Generic[N]):
    """What became of each node. `skipped` says which failed node is to blame; `unvisited` were never started."""

    done: dict[N, Any] = field(default_factory=dict)
    failed: dict[N, BaseException] = field(default_factory=dict)
    skipped: dict[N, N] = field(default_factory=dict)
    unvisited: list[N] = field(default_factory=list)


def walk(
    edges: Mapping[N, AbstractSet[N]],
    visit: Callable[[N], Any],
    executor: Executor,
    *,
    stopped: Callable[[], bool] = lambda: False,
    on_skip: Callable[[N, N], None] = lambda _node, _blame: None,
) -> Walk[N]:
    """Visit each node after all that it needs. A failure skips what depends on it, and nothing else.

    A visit that returns a `Future` is over when that future is: waiting for AWS takes no thread. When `stopped` says
    so, nothing new is started and what runs is waited for.
    """
    result: Walk[N] = Walk()
    order = TopologicalSorter(edges)
    order.prepare()
    running: dict[Future[Any], N] = {}
    ready: list[N] = []
    while order.is_active():
        ready += order.get_ready()
        if stopped():
            result.unvisited += ready
            ready.clear()
            if not running:
                break
        for node in ready:
            blame = next((need for need in edges[node] if need in result.failed or need in result.skipped), None)
            if blame is None:
                running[executor.submit(visit, node)] = node
            else:
                result.skipped[node] = result.skipped.get(blame, blame)
                on_skip(node, result.skipped[node])
                order.done(node)
        ready.clear()
        if running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                _take(future, running, result, order)
    seen = {*result.done, *result.failed, *result.skipped, *result.unvisited}
    result.unvisited += [node for node in edges if node not in seen]
    return result


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
