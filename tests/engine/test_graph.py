"""The order in which steps are taken where more of them could be than are."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from fargatectl.engine.graph import walk
from tests.inline import Inline

SERVICES = {
    "balancer": set[str](),
    **{f"role {name}": set[str]() for name in "abc"},
    **{f"definition {name}": {f"role {name}"} for name in "abc"},
    **{f"service {name}": {f"definition {name}", "balancer"} for name in "abc"},
}


def visits(**how: Any) -> list[str]:
    visited: list[str] = []
    with ThreadPoolExecutor(1) as executor:
        walk(SERVICES, visited.append, executor, **how)
    return visited


def test_one_service_is_through_before_the_others_have_begun() -> None:
    assert visits(wide=1) == [
        "balancer",
        *(f"{step} {name}" for name in "abc" for step in ("role", "definition", "service")),
    ]


def test_all_is_visited_however_wide() -> None:
    for wide in (1, 2, 16, None):
        assert sorted(visits(wide=wide)) == sorted(SERVICES)


def test_waiting_for_what_a_visit_began_takes_nobodys_place() -> None:
    end: Future[None] = Future()
    edges = {"rollout": set[str](), "other": set[str](), "last": {"other"}}
    visited: list[str] = []

    def visit(step: str) -> Future[None] | None:
        visited.append(step)
        if step == "last":
            end.set_result(None)
        return end if step == "rollout" else None

    assert walk(edges, visit, Inline(), wide=1).done.keys() == edges.keys()
    assert visited == ["rollout", "other", "last"]


def test_what_was_not_begun_when_it_stopped_is_named() -> None:
    visited: list[str] = []
    walked = walk(SERVICES, visited.append, Inline(), wide=2, stopped=lambda: len(visited) >= 4)
    assert sorted([*visited, *walked.unvisited]) == sorted(SERVICES)
    assert walked.done.keys() == set(visited)


def test_what_needs_a_step_that_failed_is_skipped_and_nothing_else() -> None:
    def visit(step: str) -> None:
        if step == "role b":
            raise ValueError(step)

    walked = walk(SERVICES, visit, Inline(), wide=2)
    assert walked.skipped == {"definition b": "role b", "service b": "role b"}
    assert walked.failed.keys() == {"role b"}
    assert walked.done.keys() == SERVICES.keys() - {"role b", "definition b", "service b"}
