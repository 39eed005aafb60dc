"""How long commands wait, and how far they look back, as users say it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fargatectl.config.scalars import Seconds
from fargatectl.errors import UsageError

_TIMEOUT = Seconds(1, 86400)
_PAST = Seconds(1, 3650 * 86_400)


def timeout_of(text: str | None) -> int | None:
    """Return the seconds of a `--timeout`, None for none. Raises UsageError."""
    if text is None:
        return None
    try:
        return _TIMEOUT.parse(int(text) if text.isdecimal() else text)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error


def since_of(text: str, now: datetime) -> datetime:
    """Return the moment of a `--since`: so long ago, or a date and time, in UTC unless they say otherwise.

    Raises UsageError.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return now - timedelta(seconds=_PAST.parse(text))
    except ValueError as error:
        hint = 'write how long ago ("10m", "2h", "1d"), or a time such as 2026-01-31T12:00:00Z'
        raise UsageError(f"--since {text}: {error}", hint=hint) from error
