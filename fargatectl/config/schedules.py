"""Schedules as EventBridge Scheduler takes them: "Schedule types in EventBridge Scheduler" of its user guide."""

from __future__ import annotations

import re
from datetime import datetime

from fargatectl.dataclass import dataclass

_RATE = re.compile(r"[1-9][0-9]* (minute|minutes|hour|hours|day|days)")
_MOMENT = "%Y-%m-%dT%H:%M:%S"
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class _Field:
    """One field of a cron expression. `special` is a regular expression for what only this field takes."""

    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()
    special: str = ""

    def takes(self, item: str) -> bool:
        """Tell whether `item`, one of a list, is a value, a range or a step of this field."""
        if self.special and re.fullmatch(self.special, item):
            return True
        span, slash, step = item.partition("/")
        if slash and not (step.isdecimal() and int(step) > 0):
            return False
        if span == "*":
            return True
        first, dash, last = span.partition("-")
        return self._is_value(first) and (not dash or self._is_value(last))

    def _is_value(self, text: str) -> bool:
        return text in self.words or (text.isdecimal() and self.least <= int(text) <= self.most)


_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4
_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("the day of the month", 1, 31, special=r"\?|L|L-\d{1,2}|LW|\d{1,2}W"),
    _Field("the month", 1, 12, _MONTHS),
    _Field("the day of the week", 1, 7, _DAYS, special=r"\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])"),
    _Field("the year", 1970, 2199),
)


def mistake(expression: str) -> str:
    """Return what is wrong with a schedule, "" if AWS will take it."""
    kind, _, content = expression.removesuffix(")").partition("(")
    if kind == "rate":
        return "" if _RATE.fullmatch(content) else 'a rate is a whole number and a unit, such as "rate(5 minutes)"'
    if kind == "at":
        return "" if _is_moment(content) else 'a moment is a date and a time, such as "at(2026-12-24T18:00:00)"'
    return _mistake_of_cron(content)


def _is_moment(text: str) -> bool:
    try:
        return datetime.strptime(text, _MOMENT).strftime(_MOMENT) == text  # noqa: DTZ007 - the zone is a key beside it
    except ValueError:
        return False


def _mistake_of_cron(content: str) -> str:
    fields = content.split()
    if len(fields) != len(_FIELDS):
        wanted = "minutes, hours, day of month, month, day of week, year"
        return f"cron has {len(fields)} fields where AWS wants six: {wanted}"
    for field, text in zip(_FIELDS, fields, strict=True):
        if not all(field.takes(item) for item in text.upper().split(",")):
            return f"`{text}` is nothing that {field.name} can be"
    if (fields[_DAY_OF_MONTH] == "?") == (fields[_DAY_OF_WEEK] == "?"):
        return "exactly one of day of month and day of week is `?`"
    return ""
