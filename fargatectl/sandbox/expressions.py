"""Schedules as AWS writes them: `at(…)`, `rate(…)`, `cron(…)` with six fields, and the time zones that they are in.

AWS: EventBridge Scheduler user guide, "Schedule types"; Application Auto Scaling API Reference, PutScheduledAction.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EXPRESSION = re.compile(r"(at|rate|cron)\((.+)\)")
_RATE = re.compile(r"([1-9]\d*) (minutes?|hours?|days?)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ANY = "?"
# minute, hour, day of the month, month, day of the week, year: least, most, names that count up from the least
_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (1, 7, _DAYS),
    (1970, 2199, ()),
)
_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4
_SPECIAL = {
    _DAY_OF_MONTH: re.compile(r"L|LW|L-\d+|\d+W"),
    _DAY_OF_WEEK: re.compile(r"L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])"),
}


def is_schedule(expression: str) -> bool:
    """Tell whether AWS takes an expression as a schedule."""
    found = _EXPRESSION.fullmatch(expression)
    if found is None:
        return False
    kind, content = found.groups()
    return {"at": _is_at, "rate": _is_rate, "cron": _is_cron}[kind](content)


def is_timezone(name: str) -> bool:
    """Tell whether a time zone of this name exists in the IANA database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_at(content: str) -> bool:
    try:
        return datetime.fromisoformat(content).tzinfo is None and len(content) == len("2026-01-01T00:00:00")
    except ValueError:
        return False


def _is_rate(content: str) -> bool:
    return _RATE.fullmatch(content) is not None


def _is_cron(content: str) -> bool:
    fields = content.split()
    if len(fields) != len(_FIELDS):
        return False
    if (fields[_DAY_OF_MONTH] == _ANY) == (fields[_DAY_OF_WEEK] == _ANY):
        return False  # AWS: exactly one of the two days is left open
    return all(_is_field(index, text) for index, text in enumerate(fields))


def _is_field(index: int, text: str) -> bool:
    if text == _ANY:
        return index in _SPECIAL
    return all(_is_item(index, item.upper()) for item in text.split(","))


def _is_item(index: int, item: str) -> bool:
    if index in _SPECIAL and _SPECIAL[index].fullmatch(item):
        return True
    span, slash, step = item.partition("/")
    if slash and not (step.isdigit() and int(step) > 0):
        return False
    if span == "*":
        return True
    return all(_is_value(index, end) for end in span.split("-", 1))


def _is_value(index: int, text: str) -> bool:
    least, most, names = _FIELDS[index]
    return text in names or (text.isdigit() and least <= int(text) <= most)
