"""Killed at every API call of every flow, in every way: the rerun ends as if nothing had happened (I1, I2, I6, I7).

A failure prints the command that replays it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.harness import Aim, drive
from tests.faults.kinds import CRASHES, KINDS
from tests.faults.stacks import FLOWS, STACKS, flow

if TYPE_CHECKING:
    from tests.faults.reports import Report


def failures(reports: list[Report]) -> str:
    return "\n".join(str(report) for report in reports if report.problems)


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("stack", STACKS)
def test_a_run_that_dies_at_any_call_converges_when_it_is_run_again(stack: str, name: str) -> None:
    reports = drive(flow(stack, name), CRASHES, Aim(every=STACKS[stack].every))
    assert {report.fault for report in reports} >= set(CRASHES)
    assert not failures(reports), failures(reports)


@pytest.mark.parametrize("name", FLOWS)
def test_lost_answers_and_denials_leave_nothing_twice_and_nothing_half(name: str) -> None:
    reports = drive(flow("guide", name), ("lost", "denied"))
    assert not failures(reports), failures(reports)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {*CRASHES, "lost", "denied"}])
def test_every_other_kind_of_fault_converges_at_a_sample_of_calls(kind: str) -> None:
    name = FLOWS[list(KINDS).index(kind) % len(FLOWS)]
    reports = drive(flow("guide", name), [kind], Aim(every=8))
    assert not failures(reports), failures(reports)


@pytest.mark.parametrize(
    ("first", "then"), [("crash-after", "crash-after"), ("lost", "denied"), ("crash-after", "stale-2")]
)
def test_a_fault_in_the_rerun_converges_too(first: str, then: str) -> None:
    reports = drive(flow("guide", "create"), [first], Aim(every=5, then=then, seed=1))
    assert not failures(reports), failures(reports)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_steps_may_come_in_any_order_that_their_needs_allow(seed: int) -> None:
    reports = [report for name in FLOWS for report in drive(flow("guide", name), (), Aim(seed=seed))]
    assert not failures(reports), failures(reports)
