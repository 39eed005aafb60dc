"""The rates at which ECS takes calls, kept to by the client: who is throttled slows down everybody in the account.

ECS has a bucket of tokens for each family of actions, per account and Region, refilled at so many a second (ECS API
Reference, "Request throttling for the Amazon ECS API"). All threads of a run share one of their own for each.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Rate:
    """What a run takes of one bucket: `burst` calls at once, and `per_second` from then on."""

    burst: float
    per_second: float
    operations: tuple[str, ...]


# Of what changes things, half a burst is left to others: a pipeline may deploy to the same account at this moment. Of
# reads, a tenth: calls that were held up on the way arrive together with later ones.
RATES = (
    Rate(
        10,
        1,
        (
            "CreateCluster",
            "DeleteCluster",
            "UpdateCluster",
            "UpdateClusterSettings",
            "PutClusterCapacityProviders",
        ),
    ),
    Rate(45, 20, ("DescribeClusters", "ListClusters")),
    Rate(10, 1, ("RegisterTaskDefinition", "DeregisterTaskDefinition")),
    Rate(45, 20, ("DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies")),
    Rate(2, 1, ("DeleteTaskDefinitions",)),
    Rate(10, 10, ("TagResource", "UntagResource")),
    Rate(45, 20, ("ListTagsForResource",)),
    Rate(50, 40, ("RunTask", "StopTask", "ExecuteCommand")),
    Rate(90, 20, ("DescribeTasks", "ListTasks")),
    Rate(25, 5, ("CreateService", "UpdateService", "DeleteService")),
    Rate(90, 20, ("DescribeServices", "ListServices")),
    Rate(45, 20, ("DescribeServiceDeployments", "ListServiceDeployments")),
    Rate(45, 20, ("DescribeServiceRevisions",)),
)
_PRUDENCE = 0.95
"""How much of a rate is used: calls do not arrive as evenly as they are sent."""

_RATE = {operation: rate for rate in RATES for operation in rate.operations}


class Budget:
    """What is left of each bucket. `monotonic` gives seconds, `sleep` waits; both are injected."""

    def __init__(self, monotonic: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._left: dict[Rate, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, operation: str) -> None:
        """Take a token for an operation of ECS, and wait until it is there."""
        rate = _RATE.get(operation)
        if rate is None:
            return
        with self._lock:
            now, per_second = self._monotonic(), rate.per_second * _PRUDENCE
            left, since = self._left.get(rate, (rate.burst, now))
            left = min(rate.burst, left + (now - since) * per_second) - 1
            self._left[rate] = (left, now)
        if left < 0:
            self._sleep(-left / per_second)
