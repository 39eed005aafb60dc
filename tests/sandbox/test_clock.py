from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fargatectl.sandbox.clock import Timeline, VirtualClock

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_virtual_clock_moves_only_when_somebody_sleeps() -> None:
    clock = VirtualClock(START)
    assert (clock.now(), clock.monotonic()) == (START, 0.0)
    clock.sleep(90)
    clock.sleep(-5)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=90), 90.0)


def test_durations_shrink_and_dates_do_not() -> None:
    clock = VirtualClock(START)
    timeline = Timeline(clock, speed=10)
    clock.sleep(6)
    assert timeline.seconds() == 60
    assert timeline.stamp(timeline.seconds()) == clock.now()
    assert timeline.stamp(30) == START + timedelta(seconds=3)


def test_time_must_pass() -> None:
    with pytest.raises(ValueError, match="above zero"):
        Timeline(VirtualClock(), speed=0)
