"""The harness is worth what it catches: bugs of the classic kinds, planted in a child, must all be found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.bugs import BUGS, Bug
from tests.faults.forks import apart
from tests.faults.harness import Aim, drive, warmed
from tests.faults.stacks import flow


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    hunted = flow("guide", bug.flow)

    def hunt() -> dict[str, Any]:
        bug.plant()
        return {
            "problems": [
                problem for report in drive(hunted, bug.kinds, Aim(on=bug.calls)) for problem in report.problems
            ]
        }

    warmed(hunted.stack)  # before the bug is planted, once for all
    found = apart(hunt)["problems"]
    assert any(bug.shows in problem for problem in found), found
