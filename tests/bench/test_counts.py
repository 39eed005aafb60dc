"""What a run asks AWS for, held to the baseline. `python -m tests.bench.counts` writes that anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.bench.counts import BASELINE, NUMBERS, measure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("number", NUMBERS)
def test_a_run_takes_the_calls_and_round_trips_of_the_baseline(number: int, tmp_path: Path) -> None:
    baseline: dict[str, Any] = json.loads(BASELINE.read_text(encoding="utf-8"))
    assert measure(number, tmp_path) == baseline[str(number)]


def test_the_baseline_is_within_what_was_promised() -> None:
    one, six = (json.loads(BASELINE.read_text(encoding="utf-8"))[str(number)] for number in NUMBERS)
    assert one["first deploy"]["calls"] <= 35
    assert one["first deploy"]["round_trips"] <= 10
    assert one["nothing to do"]["calls"] <= 24
    assert one["nothing to do"]["round_trips"] <= 4
    assert one["new image"]["to_update"] <= 4
    writes = [name for name in one["new image"]["by_operation"] if not name.split(":")[1].startswith(("Desc", "Get"))]
    assert writes == ["ecs:RegisterTaskDefinition", "ecs:UpdateService"]
    # Each further service adds two reads; what the others are read by holds ten or more of them.
    assert six["nothing to do"]["calls"] - one["nothing to do"]["calls"] <= 2 * 5
    assert six["nothing to do"]["round_trips"] == one["nothing to do"]["round_trips"]
