"""Killed at every API call of every flow, in every way: the rerun ends as if nothing had happened (I1, I2, I6, I7).

A failure prints the command that replays it. The guide dies at every call; what is tried of the rest here is a sample,
and everything by `python -m tests.faults`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.aim import Aim
from tests.faults.harness import drive
from tests.faults.kinds import CRASHES, KINDS
from tests.faults.stacks import FLOWS, STACKS, flow
from tests.faults.ways import granted, reordered

if TYPE_CHECKING:
    from tests.faults.reports import Report

# Each other kind of fault in a flow that it hits hard.
OTHERS = {
    "create": ("throttled-3", "transients", "stale-1", "halted"),
    "update": ("throttled-many", "transients", "stale-2"),
    "replace": ("stale-3", "transients", "transient-3"),
    "adopt": ("error-after", "vanished"),
    "destroy": ("throttled-1", "transients", "transient-1", "signal"),
}


def failures(reports: list[Report]) -> str:
    return "\n".join(str(report) for report in reports if report.problems)


@pytest.mark.parametrize("name", FLOWS)
def test_a_run_that_dies_at_any_call_converges_when_it_is_run_again(name: str) -> None:
    reports = drive(flow("guide", name), CRASHES)
    assert {report.fault for report in reports} >= set(CRASHES)
    assert not failures(reports), failures(reports)


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "guide"])
def test_so_it_is_at_a_sample_of_calls_and_at_each_operation_that_the_guide_has_not(stack: str) -> None:
    every, left = STACKS[stack].every, set(STACKS[stack].own)
    for name in FLOWS:
        reports = drive(flow(stack, name), CRASHES, Aim(every=every, first=left.__contains__))
        assert not failures(reports), failures(reports)
        left -= {report.call for report in reports}
    assert not left


@pytest.mark.parametrize("name", FLOWS)
def test_lost_answers_and_denials_leave_nothing_twice_and_nothing_half(name: str) -> None:
    reports = drive(flow("guide", name), ("lost-thirds", "denied"), Aim(every=9))
    assert {report.fault for report in reports} == {"lost-thirds", "denied"}
    assert not failures(reports), failures(reports)


@pytest.mark.parametrize("name", FLOWS)
def test_a_role_may_be_given_its_permissions_one_by_one(name: str) -> None:
    reports = granted(flow("guide", name))
    assert not failures(reports), failures(reports)


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_kind_of_fault_converges_at_a_sample_of_calls(name: str) -> None:
    reports = drive(flow("guide", name), OTHERS[name], Aim(every=8))
    assert {report.fault for report in reports} == set(OTHERS[name])
    assert not failures(reports), failures(reports)


def test_every_kind_of_fault_is_tried() -> None:
    # `lost` is what `lost-thirds` does to one call.
    assert {*CRASHES, "lost", "lost-thirds", "denied", *sum(OTHERS.values(), ())} == set(KINDS)


@pytest.mark.parametrize(
    ("first", "then"), [("crash-after", "crash-after"), ("lost", "denied"), ("crash-after", "stale-2")]
)
def test_a_fault_in_the_rerun_converges_too(first: str, then: str) -> None:
    reports = drive(flow("guide", "create"), [first], Aim(every=6, then=then, seed=1))
    assert not failures(reports), failures(reports)


@pytest.mark.parametrize("name", FLOWS)
def test_steps_may_come_in_any_order_that_their_needs_allow(name: str) -> None:
    reports = reordered(flow("guide", name), seeds=(1, 2))
    assert not failures(reports), failures(reports)
