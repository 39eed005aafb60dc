"""How long a rollout takes: batches by minimum and maximum percent, and what each part adds."""

from __future__ import annotations

import pytest

from fargatectl.model.rollout import Pace
from fargatectl.rollout.estimate import Stand, remaining, timeout_of

A_TASK = 60
LEAVING = 15  # as a container that heeds SIGTERM does


@pytest.mark.parametrize(
    ("low", "high", "desired", "seconds"),
    [
        (100, 200, 4, A_TASK + LEAVING),  # all at once beside the old ones
        (100, 150, 4, 2 * A_TASK + LEAVING),
        (100, 125, 4, 4 * A_TASK + LEAVING),
        (50, 100, 4, 2 * A_TASK),  # half of the old ones go first: the last of them leave while new ones start
        (0, 100, 4, A_TASK),
        (100, 133, 3, None),  # 3.99 is 3: no room
    ],
)
def test_batches(low: int, high: int, desired: int, seconds: float | None) -> None:
    pace = Pace(min_percent=low, max_percent=high)
    assert remaining(pace, Stand(desired, old=desired), A_TASK) == seconds


def test_a_first_deployment_has_nothing_that_leaves() -> None:
    assert remaining(Pace(drain=300), Stand(5), A_TASK) == A_TASK


def test_what_is_done_takes_no_time_again() -> None:
    pace = Pace(drain=30)
    assert remaining(pace, Stand(3, healthy=3, old=3), A_TASK) == 30 + LEAVING
    assert remaining(pace, Stand(3, healthy=3), A_TASK) == 0
    assert remaining(pace, Stand(3, healthy=2, starting=1), A_TASK) == A_TASK
    assert remaining(pace, Stand(3, healthy=2, starting=1, soon=10), A_TASK) == 10


def test_it_ends_for_every_service() -> None:
    for desired in (0, 1, 2, 3, 7, 5000):
        for low, high in ((0, 100), (50, 100), (99, 101), (100, 101), (100, 200), (100, 100)):
            left = remaining(Pace(min_percent=low, max_percent=high), Stand(desired, old=desired), A_TASK)
            assert left is None or left >= 0


def test_the_time_to_wait_is_twice_the_estimate_within_reason() -> None:
    assert timeout_of(Pace(), 1) == 900
    slow = Pace(grace=600, drain=300, stop=120)
    assert timeout_of(slow, 1) == 2 * (45 + 40 + 600 + 300 + 15 + 120)
    assert timeout_of(None, 1) == 1200
    assert timeout_of(Pace(min_percent=100, max_percent=100), 1) == 1200
