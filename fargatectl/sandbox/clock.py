"""Time of the local AWS: a clock that can be the machine's or a test's, and a timeline that runs faster than it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """Return the time in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        time.sleep(seconds)


class VirtualClock:
    """A clock that moves only when somebody sleeps on it; safe to share between threads."""

    def __init__(self, start: datetime | None = None) -> None:
        # moto stamps with the machine's time: starting there keeps its dates and ours comparable.
        self._start = start or datetime.now(UTC).replace(microsecond=0)
        self._elapsed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time in UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Return the seconds slept so far."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds` at once."""
        with self._lock:
            self._elapsed += max(0.0, seconds)


class Timeline:
    """Seconds as AWS would spend them: `speed` of them pass for each second of the clock.

    Durations shrink, dates do not: a moment of the timeline is stamped with the clock's time at which it happened, so
    that `--since 1h` and "two minutes ago" mean the same to the local AWS and to its user.
    """

    def __init__(self, clock: Clock, speed: float = 1.0) -> None:
        if speed <= 0:
            message = f"speed must be above zero, not {speed}"
            raise ValueError(message)
        self.clock = clock
        self.speed = speed
        self._start = clock.monotonic()
        self._date = clock.now()

    def seconds(self) -> float:
        """Return the AWS seconds since the start."""
        return (self.clock.monotonic() - self._start) * self.speed

    def stamp(self, seconds: float) -> datetime:
        """Return the date in UTC of a moment, to the millisecond as AWS shows it."""
        moment = self._date + timedelta(seconds=seconds / self.speed)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
