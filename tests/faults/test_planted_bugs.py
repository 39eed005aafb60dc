"""The harness is worth what it catches: bugs of the classic kinds, planted in a child, must all be found."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest

from tests.faults.aim import Aim
from tests.faults.bugs import BUGS, Bug
from tests.faults.forks import apart
from tests.faults.harness import drive, ready
from tests.faults.stacks import flow


@pytest.mark.parametrize("bug", [pytest.param(bug, id=bug.name) for bug in sorted(BUGS, key=attrgetter("flow"))])
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    hunted = flow("guide", bug.flow)
    seam = ready(hunted)  # without the bug, and once for all

    def hunt() -> dict[str, Any]:
        bug.plant()
        reports = drive(hunted, bug.kinds, Aim(on=bug.calls), seam)
        return {"problems": [problem for report in reports for problem in report.problems]}

    found = apart(hunt)["problems"]
    assert any(bug.shows in problem for problem in found), found
