"""Reading the file: from a path to TOML data, or one clear problem."""

from __future__ import annotations

import re
import stat
import tomllib
from typing import TYPE_CHECKING, Any

from fargatectl.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "fargatectl.toml"
LARGEST = 1024 * 1024
DEEPEST = 32
_BOM = b"\xef\xbb\xbf"
_AT = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)
_HINTS = {
    "Invalid value": 'strings need quotes: name = "value"',
    "Cannot overwrite a value": "this key stands twice in its table",
    "Cannot declare": "this table stands twice; put its keys under one header",
    "Expected '=' after a key": 'a line is either [table] or key = "value"',
    "Invalid statement": 'a line is either [table] or key = "value"',
    "Unescaped '\\' in a string": "write \\\\ for a backslash, or put the string in single quotes",
}


def read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the text of the file and its data. Raises ConfigError with one problem."""
    text = _text(path, _bytes(path))
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise _invalid(path, _TOO_DEEP) from None
    except ValueError as error:  # TOMLDecodeError, and what it lets through, such as numbers too long for Python
        raise _syntax(path, text, str(error)) from None
    if _too_deep(data):
        raise _invalid(path, _TOO_DEEP)
    return text, data


_TOO_DEEP = f"tables or lists are nested more than {DEEPEST} deep"


def _bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _invalid(
                path, "this is a directory, not a file", hint=f"name the file in it: {path.name}/{FILE_NAME}"
            )
        if not stat.S_ISREG(status.st_mode):
            raise _invalid(path, "this is not a regular file")
        if status.st_size > LARGEST:
            raise _invalid(path, f"the file is larger than {LARGEST // 1024} KiB")
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        hint = "name a file with --config, or go to the folder that has one"
        raise _invalid(path, "there is no such file", hint=hint) from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise _invalid(path, f"the file cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _text(path: Path, content: bytes) -> str:
    if len(content) > LARGEST:
        raise _invalid(path, f"the file is larger than {LARGEST // 1024} KiB")
    content = content.removeprefix(_BOM)
    if not content.strip():
        hint = "write `app`, `region` and a service into it; examples/minimal.toml shows how"
        raise _invalid(path, "the file is empty", hint=hint)
    if b"\0" in content:
        raise _invalid(path, f"this is a binary file: null byte at offset {content.index(0)}")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8: byte 0x{content[error.start]:02x} at offset {error.start}"
        raise _invalid(path, message, hint="save it as UTF-8", line=line) from None


def _syntax(path: Path, text: str, message: str) -> ConfigError:
    found = _AT.fullmatch(message)
    if found is None:
        return _invalid(path, f"this is not TOML: {message}")
    what = found["what"]
    hint = next((hint for start, hint in _HINTS.items() if what.startswith(start)), "")
    if found["line"] is None:
        return _invalid(path, f"this is not TOML: {what} at the end of the file", line=max(1, len(text.splitlines())))
    return _invalid(path, f"this is not TOML: {what} at column {found['column']}", hint=hint, line=int(found["line"]))


def _too_deep(data: object) -> bool:
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            return True
        level = [item for value in level for item in _items(value) if isinstance(item, dict | list)]
    return False


def _items(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


def _invalid(path: Path, message: str, *, hint: str = "", line: int | None = None) -> ConfigError:
    return ConfigError(f"{path.name} cannot be read.", [Problem(message, hint=hint, file=str(path), line=line)])
