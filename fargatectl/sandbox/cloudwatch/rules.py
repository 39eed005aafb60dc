"""The rules of composite alarms (AWS: CloudWatch API Reference, PutCompositeAlarm: AlarmRule).

rule  = term (OR term)*        term = factor (AND factor)*
factor = NOT factor | ( rule ) | TRUE | FALSE | ALARM(name) | OK(name) | INSUFFICIENT_DATA(name)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_WORD = re.compile(
    r'\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|([^()"\s][^()"]*?))\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))',
    re.IGNORECASE,
)


class BadRule(Exception):
    """A rule that cannot be read."""


def names(rule: str) -> list[str]:
    """Return the alarms that a rule names, ARNs by their names. Raises BadRule."""
    return [name for _, name in _words(rule) if name]


def holds(rule: str, state_of: Callable[[str], str]) -> bool:
    """Tell whether a rule holds, given the states of alarms by name. Raises BadRule."""
    parser = _Parser(_words(rule), state_of)
    found = parser.rule()
    if parser.left:
        raise BadRule(rule)
    return found


def _words(rule: str) -> list[tuple[str, str]]:
    words, at = [], 0
    text = rule.rstrip()
    while at < len(text):
        found = _WORD.match(text, at)
        if not found:
            raise BadRule(rule)
        state, quoted, bare, word, mark = found.groups()
        name = quoted or bare or ""
        words.append(((state or word or mark).upper(), name.partition(":alarm:")[2] or name))
        at = found.end()
    return words


class _Parser:
    """Works through the words of a rule from left to right."""

    def __init__(self, words: list[tuple[str, str]], state_of: Callable[[str], str]) -> None:
        self.left = words
        self._state_of = state_of

    def _next(self) -> tuple[str, str]:
        if not self.left:
            raise BadRule
        word, *self.left = self.left
        return word

    def _takes(self, word: str) -> bool:
        if not self.left or self.left[0][0] != word:
            return False
        self._next()
        return True

    def rule(self) -> bool:
        found = self._term()
        while self._takes("OR"):
            found = self._term() or found
        return found

    def _term(self) -> bool:
        found = self._factor()
        while self._takes("AND"):
            found = self._factor() and found
        return found

    def _factor(self) -> bool:
        word, name = self._next()
        if name:
            return self._state_of(name) == word
        if word == "NOT":
            return not self._factor()
        if word == "(":
            found = self.rule()
            if not self._takes(")"):
                raise BadRule
            return found
        if word in ("TRUE", "FALSE"):
            return word == "TRUE"
        raise BadRule(word)
