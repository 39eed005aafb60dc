"""How long commands wait, as users say it."""

from __future__ import annotations

from fargatectl.config.scalars import Seconds
from fargatectl.errors import UsageError

_TIMEOUT = Seconds(1, 86400)


def timeout_of(text: str | None) -> int | None:
    """Return the seconds of a `--timeout`, None for none. Raises UsageError."""
    if text is None:
        return None
    try:
        return _TIMEOUT.parse(int(text) if text.isdecimal() else text)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error
