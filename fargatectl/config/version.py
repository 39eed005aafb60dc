"""`requires_fargatectl`: which versions of this tool a file is for."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TERM = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9]{1,6}(?:\.[0-9]{1,6}){0,3})")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_WIDTH = 4
_OPERATORS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


def unmet(wanted: str, version: str) -> str | None:
    """Return the first term of `wanted` (such as `>=0.1,<2`) that `version` does not meet, None when it meets all.

    Raises ValueError when `wanted` cannot be read.
    """
    for term in wanted.split(","):
        found = _TERM.fullmatch(term.strip())
        if found is None:
            raise ValueError(f'expected versions such as ">=0.1" or ">=0.1,<2", got "{wanted}"')
        if not _OPERATORS[found[1]](_numbers(version), _numbers(found[2])):
            return term.strip()
    return None


def _numbers(version: str) -> tuple[int, ...]:
    """Return the release's numbers, of equal length for all versions; what follows them (`rc1`) does not count."""
    found = _NUMBERS.match(version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    return tuple((numbers + [0] * _WIDTH)[:_WIDTH])
