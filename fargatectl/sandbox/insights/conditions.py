"""Conditions of `filter` (AWS: CloudWatch Logs user guide, "filter").

or = and ("or" and)*     and = not ("and" not)*     not = "not" not | "(" or ")" | comparison
comparison = field [not] like (text | /pattern/) | field (= | != | < | <= | > | >=) value | field [not] in [values]
           | ispresent(field)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Row: TypeAlias = "Mapping[str, Any]"
Condition: TypeAlias = "Callable[[Row], bool]"

_TOKEN = re.compile(
    r"""\s*(?:(?P<pattern>/(?:\\.|[^/\\])+/i?)|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|"""
    r"""(?P<mark><=|>=|!=|=~|[=<>()\[\],])|(?P<word>`[^`]+`|[\w@.*/:-]+))"""
)


class BadQuery(Exception):
    """A query that cannot be read."""


def tokens(text: str) -> list[tuple[str, str]]:
    """Cut a text into (kind, token). Raises BadQuery."""
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match or not match.lastgroup:
            message = f"unexpected symbol found {text[at : at + 1]} at position {at + 1}"
            raise BadQuery(message)
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def read(text: str) -> Condition:
    """Return the condition that a text says. Raises BadQuery."""
    reader = _Reader(tokens(text))
    condition = reader.either()
    if reader.left:
        message = f"unexpected {reader.left[0][1]!r}"
        raise BadQuery(message)
    return condition


def number(value: object) -> float | None:
    """Return a value as a number, or None."""
    try:
        return float(str(value))
    except ValueError:
        return None


class _Reader:
    def __init__(self, left: list[tuple[str, str]]) -> None:
        self.left = left

    def _next(self) -> tuple[str, str]:
        if not self.left:
            message = "unexpected end of query"
            raise BadQuery(message)
        token, *self.left = self.left
        return token

    def _takes(self, *words: str) -> str:
        if self.left and self.left[0][1].lower() in words:
            return self._next()[1].lower()
        return ""

    def either(self) -> Condition:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return lambda row: any(part(row) for part in parts)

    def _both(self) -> Condition:
        parts = [self._negated()]
        while self._takes("and"):
            parts.append(self._negated())
        return lambda row: all(part(row) for part in parts)

    def _negated(self) -> Condition:
        if self._takes("not"):
            inner = self._negated()
            return lambda row: not inner(row)
        if self._takes("("):
            inner = self.either()
            self._expect(")")
            return inner
        return self._comparison()

    def _expect(self, mark: str) -> None:
        if not self._takes(mark):
            message = f"expected {mark}"
            raise BadQuery(message)

    def _comparison(self) -> Condition:
        kind, field = self._next()
        if kind != "word":
            message = f"unexpected {field!r}"
            raise BadQuery(message)
        if field.lower() == "ispresent":
            self._expect("(")
            name = self._next()[1].strip("`")
            self._expect(")")
            return lambda row: row.get(name) is not None
        return self._about(field.strip("`"), negative=bool(self._takes("not")))

    def _about(self, field: str, *, negative: bool) -> Condition:
        sign = self._takes("like", "=~", "in", "=", "!=", "<", "<=", ">", ">=")
        if sign in ("like", "=~"):
            matches = _like(*self._next())
            return lambda row: matches(str(row.get(field, ""))) is not negative
        if sign == "in":
            values = self._values()
            return lambda row: (str(row.get(field)) in values) is not negative
        if not sign:
            message = f"{field} is compared with nothing"
            raise BadQuery(message)
        kind, value = self._next()
        wanted = value[1:-1] if kind == "text" else value
        return lambda row: _compare(sign, row.get(field), wanted)

    def _values(self) -> set[str]:
        self._expect("[")
        values = set()
        while not self._takes("]"):
            kind, value = self._next()
            values.add(value[1:-1] if kind == "text" else value)
            self._takes(",")
        return values


def _like(kind: str, token: str) -> Callable[[str], bool]:
    if kind == "pattern":
        pattern = token[1:].rpartition("/")[0].replace("\\/", "/")
        try:
            regular = re.compile(pattern, re.IGNORECASE if token.endswith("/i") else 0)
        except re.error as error:
            message = f"invalid regular expression {token}: {error}"
            raise BadQuery(message) from None
        return lambda text: regular.search(text) is not None
    if kind != "text":
        message = f"like needs a text or a pattern, not {token!r}"
        raise BadQuery(message)
    wanted = token[1:-1].replace("%", "")
    return lambda text: wanted in text


def _compare(sign: str, value: object, wanted: str) -> bool:
    if value is None:
        return sign == "!="
    left, right = number(value), number(wanted)
    if left is None or right is None:
        return {"=": str(value) == wanted, "!=": str(value) != wanted}.get(sign, False)
    outcomes = {
        "=": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }
    return outcomes[sign]
