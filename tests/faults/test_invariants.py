"""Invariants of docs/invariants.md that no other test names."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fargatectl.errors import Refused
from fargatectl.model.events import StepEvent
from fargatectl.render import machine
from fargatectl.sandbox.faults import AwsError
from tests.faults.harness import attempt, start
from tests.faults.kinds import KINDS
from tests.faults.scheduler import Shuffled
from tests.faults.stacks import FLOWS, flow
from tests.faults.strip import strip

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call

ROOT = Path(__file__).parents[2]
ATTEMPTS = 6  # as `aws.session` tells botocore


def test_i5_what_is_not_ours_is_refused_with_all_names_and_nothing_is_written() -> None:
    wanted = flow("guide", "update")
    seam = start(wanted)
    assert seam.scene.oracles is not None
    assert len(strip(seam.local, seam.scene.oracles.owner)) >= 10
    with pytest.raises(Refused) as caught:
        seam.scene.planned(wanted)
    for kind in ("cluster", "service", "load balancer", "target group", "role", "log group", "namespace"):
        assert kind in caught.value.message
    assert seam.calls == []


@pytest.mark.parametrize("name", FLOWS)
def test_i15_what_the_plan_shows_is_what_is_done(name: str) -> None:
    wanted = flow("guide", name)
    scene = start(wanted).scene
    scene.events.clear()
    planning, outcome = scene.run(wanted)
    assert outcome.complete
    done = {str(event.address) for event in scene.events if isinstance(event, StepEvent) and event.state == "done"}
    assert done == {str(change.address) for change in planning.plan.changes}


@pytest.mark.parametrize("name", ["create", "update"])
def test_i19_the_same_file_and_account_give_the_same_plan_byte_for_byte(name: str) -> None:
    wanted = flow("guide", name)
    scene = start(wanted).scene
    plans = set()
    for seed in (None, 1, 2):
        scene.seed = seed
        plans.add(machine.dump(machine.plan(scene.planned(wanted).plan)))
    assert len(plans) == 1
    assert isinstance(scene.executor(), Shuffled)


def test_i21_a_storm_of_throttles_ends_within_the_budget() -> None:
    wanted = flow("minimal", "create")
    seam = start(wanted)
    asked: Counter[str] = Counter()

    def storm(call: Call, _: Callable[[], Response]) -> Response:
        asked[f"{call.service}:{call.operation}:{call.params}"] += 1
        raise AwsError("Throttling" if call.protocol == "query" else "ThrottlingException", "Rate exceeded")

    seam.fault = storm
    began = seam.local.clock.monotonic()
    assert "throttled" in attempt(seam.scene, wanted) or asked
    readers = 2  # a failure is not shared: the definition and the service both ask for the service
    assert max(asked.values()) <= readers * ATTEMPTS
    assert seam.local.clock.monotonic() - began < 30 * 60
    assert seam.calls == []


def test_i21_a_denial_is_not_asked_for_again() -> None:
    wanted = flow("minimal", "create")
    seam = start(wanted)
    seam.second, seam.then_at = KINDS["denied"], 8
    ended = attempt(seam.scene, wanted)
    assert "not authorized" in ended
    denied = [call for call in seam.local.calls if (call.error or "").startswith(("AccessDenied", "Unauthorized"))]
    assert denied
    asked = Counter(f"{call.operation}:{call.params}" for call in denied)
    assert set(asked.values()) == {1}


def test_every_proof_that_the_page_names_exists() -> None:
    page = (ROOT / "docs" / "invariants.md").read_text()
    assert {f"I{number}" for number in range(1, 25)} <= set(re.findall(r"^\| (I\d+) ", page, re.MULTILINE))
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) >= 20
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(), f"{path} has no {name}"
