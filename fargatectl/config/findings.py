"""What the checks find, by the path of a key; the loader adds file and line."""

from __future__ import annotations

import re

from fargatectl.dataclass import dataclass

KeyPath = tuple[str | int, ...]
"""The keys and indices that lead to a value: `("services", "web", "capacity", 0, "weight")`."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Finding:
    """One problem at `path`.

    `about` names further keys that it depends on: it is not reported when one of those has a problem of its own.
    """

    path: KeyPath
    message: str
    hint: str = ""
    severity: str = "error"
    about: tuple[KeyPath, ...] = ()


def warning(path: KeyPath, message: str, hint: str = "", *, about: tuple[KeyPath, ...] = ()) -> Finding:
    """Return a finding that does not make the file invalid."""
    return Finding(path, message, hint, severity="warning", about=about)


def dotted(path: KeyPath) -> str:
    """Return `path` as it would be written in TOML: `services.web.capacity[0].weight`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else f'"{_escaped(part)}"')
    return text


def _escaped(key: str) -> str:
    return "".join(char if char.isprintable() and char not in '"\\' else f"\\u{ord(char):04x}" for char in key)
