"""Taking secrets out of lines that other people's programs wrote, before they are shown or kept."""

from __future__ import annotations

import re

_HIDDEN = "(hidden)"
_RULES = (
    (re.compile(r"(?<=://)([^\s/:@]*):([^\s@/]+)@"), rf"\1:{_HIDDEN}@"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), _HIDDEN),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), _HIDDEN),
    (re.compile(r"\b(?:gh[pousr]_|xox[abprs]-|sk_live_|sk-)[A-Za-z0-9_-]{10,}"), _HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w+/=.-]{8,}"), rf"\1 {_HIDDEN}"),
    (
        re.compile(
            r"(?i)([\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[\w-]*"
            r"[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&]+)"
        ),
        rf"\1{_HIDDEN}",
    ),
)


def redacted(line: str) -> str:
    """Return `line` without what looks like a password, a key or a token. A guess: it knows the usual forms only."""
    for pattern, replacement in _RULES:
        line = pattern.sub(replacement, line)
    return line
