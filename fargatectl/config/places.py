"""The line of each key of a TOML file, which tomllib does not tell.

The text has been parsed by tomllib before: this scan may rely on its being valid, and only needs to see where keys,
strings, brackets and comments begin and end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fargatectl.config.findings import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN = re.compile(r"[^,\]}#\n]*")
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"""(?:"{0,2})', re.DOTALL),
    re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\])*"'),
    re.compile(r"'[^']*'"),
)
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([btnfr"\\]))')
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def places(text: str) -> dict[KeyPath, int]:
    """Return the line, counted from 1, of each key and each list item of a valid TOML text."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.counted = 0
        self.found: dict[KeyPath, int] = {}
        self.tables: dict[KeyPath, int] = {}

    def run(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self.text):
            if self._next("["):
                table = self._header()
            else:
                self._pair(table)
        return self.found

    def _header(self) -> KeyPath:
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        keys = self._key()
        self.at += 2 if array else 1
        path: KeyPath = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            self._note(path)
            last = position == len(keys) - 1
            if array and last:
                self.tables[path] = self.tables.get(path, -1) + 1
            if path in self.tables:
                path = (*path, self.tables[path])
                if array and last:
                    self._note(path)
        return path

    def _pair(self, table: KeyPath) -> None:
        path = table
        for key in self._key():
            path = (*path, key)
            self._note(path)
        self.at += 1
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            start = self.at
            if self._next("\"'"):
                self._string()
                keys.append(_unquoted(self.text[start : self.at]))
            else:
                self._skip(_BARE)
                keys.append(self.text[start : self.at])
            self._skip(_SPACE)
            if not self._next("."):
                return keys
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        if self._next("\"'"):
            self._string()
        elif self._next("["):
            self._members(path, "]")
        elif self._next("{"):
            self._members(path, "}")
        else:
            self._skip(_PLAIN)

    def _members(self, path: KeyPath, end: str) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip(_BLANK)
            if self._next(end):
                self.at += 1
                return
            if self._next(","):
                self.at += 1
            elif end == "]":
                self._note((*path, index))
                self._value((*path, index))
                index += 1
            else:
                self._pair(path)

    def _string(self) -> None:
        for pattern in _STRINGS:
            found = pattern.match(self.text, self.at)
            if found:
                self.at = found.end()
                return

    def _note(self, path: KeyPath) -> None:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        self.found.setdefault(path, self.line)

    def _next(self, characters: str) -> bool:
        return self.at < len(self.text) and self.text[self.at] in characters

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at


def _unquoted(text: str) -> str:
    if text.startswith("'"):
        return text[1:-1]
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[3] or "", "") or chr(int(found[1] or found[2], 16)), text[1:-1])
