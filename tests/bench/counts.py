"""Calls and round trips of one run, counted in process: always the same, whatever the machine does besides.

`python -m tests.bench.counts` writes them down as the baseline that the suite holds.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fargatectl.engine.executor import execute
from fargatectl.engine.planner import plan
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.inprocess import LocalAws
from tests.bench.depth import Depth
from tests.bench.files import services
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call

BASELINE = Path(__file__).with_name("baseline.json")
NUMBERS = (1, 6)
_UPDATE = "ecs:UpdateService"


class Tally:
    """An app of so many services, run without following rollouts: what is polled for is not counted."""

    def __init__(self, number: int, directory: Path) -> None:
        self.world = World(LocalAws(), directory)
        self.number = number

    def run(self, tag: str, **options: Any) -> dict[str, Any]:
        """Plan and deploy; return calls by operation, round trips, and those up to the UpdateService."""
        world, depth, reached = self.world, Depth(), dict[str, int]()
        world.__dict__.pop("aws", None)  # each run is a process of its own, which knows nothing yet
        asked: Counter[str] = Counter()
        text = services(self.number, tag=tag)
        stack = world.blueprint(text).stack

        def count(call: Call, apply: Callable[[], Response]) -> Response:
            name = f"{call.service}:{call.operation}"
            try:
                answer = apply()
            except AwsError:
                if call.mutating:
                    raise  # what AWS is not ready for is tried again: that is waiting
                depth.now += 1
                asked[name] += 1
                raise
            depth.now += 1
            asked[name] += 1
            reached.setdefault(name, depth.now)
            return answer

        world.aws._pool = depth
        world.local.intercept(count)
        planning = plan(stack, world.aws, depth, **options)
        execute(planning, world.aws, depth, emit=world.events.append)
        world.local.intercept(None)
        taken = {"calls": asked.total(), "round_trips": depth.now, "to_update": reached.get(_UPDATE)}
        return {**taken, "by_operation": dict(sorted(asked.items()))}


def measure(number: int, directory: Path) -> dict[str, Any]:
    """Return what each phase of an app's life takes."""
    tally = Tally(number, directory)
    found = {"first deploy": tally.run("stable"), "nothing to do": tally.run("stable"), "new image": tally.run("next")}
    return found | {"destroy": tally.run("next", absent=True)}


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        found = {str(number): measure(number, Path(directory)) for number in NUMBERS}
    BASELINE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for number, phases in found.items():
        for phase, one in phases.items():
            sys.stdout.write(f"{number} {phase}: {one['calls']} calls, {one['round_trips']} round trips\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
