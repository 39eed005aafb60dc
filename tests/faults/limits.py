"""What a run may take at most: of time, as its plan implies, and of calls (I20, I21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.aws.session import ATTEMPT_SECONDS
from fargatectl.rollout.estimate import TIMEOUT_WITHOUT_PACE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.engine.planner import Planning

ATTEMPTS = 6  # as `aws.session` tells botocore
BACKOFF_SECONDS = 20.0  # botocore's longest, in its mode "standard"
CALL_SECONDS = ATTEMPTS * (ATTEMPT_SECONDS + BACKOFF_SECONDS)

LONGEST_SECONDS = {
    # What one step of a kind may wait for at most; of all others, for an answer that passes by itself.
    "service.service": 3000.0,  # its deletion is taken (20 minutes), its tasks have stopped (30)
    "alb.target_group": 2280.0,  # an exchange (30 minutes), a target group that is in use (2), one not seen yet (6)
    "cluster.cluster": 1200.0,
    "alb.load_balancer": 1080.0,
    "alb.listener": 480.0,
    "network.security_group": 660.0,
    "dns.record": 720.0,
    "cloudmap.namespace": 480.0,
    "cloudmap.service": 780.0,
}
OTHERS_SECONDS = 360.0

CALLS_PER_RESOURCE = 40
"""Reads for the plan, the writes of a step, and a fresh proof before each."""

SECONDS_PER_POLL = 0.9


def exceeded(planning: Planning | None, seconds: float, calls: int) -> Iterator[str]:
    """Yield what a run of `seconds` (of the tool's clock) and `calls` was too much of."""
    resources = list(planning.stack.resources.values()) if planning else []
    changes = [change.address.partition("/")[0] for change in planning.plan.changes] if planning else []
    settling = sum(resource.reconciler.settles for resource in resources)
    waits = sum(LONGEST_SECONDS.get(kind, OTHERS_SECONDS) for kind in changes)
    most = waits + settling * TIMEOUT_WITHOUT_PACE_SECONDS + CALL_SECONDS
    if seconds > most:
        yield f"I20: it took {seconds:.0f} s, and its plan implies {most:.0f} s at most"
    budget = (len(resources) + len(changes) + ATTEMPTS) * CALLS_PER_RESOURCE + seconds / SECONDS_PER_POLL
    if calls > budget:
        yield f"I21: it made {calls} calls, and {budget:.0f} are enough"
