from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait

from fargatectl.engine.graph import walk
from tests.faults.scheduler import Shuffled

EDGES: dict[str, set[str]] = {"a": set(), "b": set(), "c": {"a"}, "d": {"b"}, "e": {"c", "d"}}


def order(seed: int) -> tuple[str, ...]:
    visited: list[str] = []
    walk(EDGES, visited.append, Shuffled(seed))
    return tuple(visited)


def test_the_same_seed_gives_the_same_order() -> None:
    assert order(7) == order(7)


def test_every_order_that_the_graph_allows_comes_up() -> None:
    orders = {order(seed) for seed in range(100)}
    assert all(found.index("c") > found.index("a") and found[-1] == "e" for found in orders)
    assert len(orders) == 6  # a before c, b before d, e last: 4! / 2! / 2!


def test_one_thing_is_run_for_each_wait() -> None:
    executor = Shuffled(1)
    futures = {executor.submit(str, number) for number in range(5)}
    assert len(wait(futures, return_when=FIRST_COMPLETED).done) == 1
    assert {future.result() for future in futures} == {"0", "1", "2", "3", "4"}
