"""Killed at every API call of every flow, in every way: the rerun ends as if nothing had happened (I1, I2, I6, I7).

A failure prints the command that replays it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.harness import drive
from tests.faults.kinds import CRASHES
from tests.faults.stacks import FLOWS, STACKS, flow

if TYPE_CHECKING:
    from tests.faults.harness import Report


def failures(reports: list[Report]) -> str:
    return "\n".join(str(report) for report in reports if report.problems)


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("stack", STACKS)
def test_a_run_that_dies_at_any_call_converges_when_it_is_run_again(stack: str, name: str) -> None:
    reports = drive(flow(stack, name), CRASHES)
    assert {report.fault for report in reports} >= set(CRASHES)
    assert not failures(reports), failures(reports)


@pytest.mark.parametrize("name", FLOWS)
def test_lost_answers_and_denials_leave_nothing_twice_and_nothing_half(name: str) -> None:
    reports = drive(flow("guide", name), ("lost", "denied"))
    assert not failures(reports), failures(reports)
