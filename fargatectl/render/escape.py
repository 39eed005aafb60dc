"""The one door for text that we did not write: names, AWS's messages, log lines, values of the file.

Nothing that such text holds may steer a terminal, hide or reorder what a person reads, forge a line, or be taken for a
command by a CI system that reads our output.
"""

from __future__ import annotations

import re
import unicodedata

NEWLINE = "␤"
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # Unicode, general categories: controls, bidi marks, surrogates
# What CI systems obey in a log: GitHub's "::set-env" where a line begins; "##[group]" there, and "##vso[…]" of Azure
# Pipelines, anywhere in it.
_CI_COMMAND = re.compile(r"(?:^|(?<=\s))::(?=[A-Za-z\[])|##(?=[A-Za-z\[])")


def escape(text: object) -> str:
    """Return `text` on one line: line breaks become a visible mark, tabs spaces, other control characters codes."""
    if isinstance(text, str) and text.isascii() and text.isprintable() and "::" not in text and "##" not in text:
        return text
    joined = NEWLINE.join(str(text).splitlines()) if "\n" in str(text) or "\r" in str(text) else str(text)
    return _CI_COMMAND.sub(_as_codes, "".join(_visible(char) for char in joined))


def escape_lines(text: object) -> list[str]:
    """Return the lines of `text`, each of them escaped."""
    return [escape(line) for line in str(text).replace("\r\n", "\n").split("\n")]


def escape_text(text: str) -> str:
    """Return `text` with each of its lines escaped; what is harmless stays as it is."""
    return "\n".join(map(escape, text.split("\n")))


def _visible(char: str) -> str:
    if char == "\t":
        return " "
    if unicodedata.category(char) not in _UNSAFE:
        return char
    code = ord(char)
    if code < 0x100:  # noqa: PLR2004 - what two hexadecimal digits can say
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - as above, four digits


def _as_codes(match: re.Match[str]) -> str:
    return "".join(f"\\x{ord(char):02x}" for char in match.group())
