"""The documentation as data: pages, code blocks, links, and the rows of the config reference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "examples" / "README.md", *sorted(DOCS.rglob("*.md")))

_FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
_TABLE_PATH = re.compile(r"`\[+(?P<path>[A-Za-z_.]+)\]+`")
_CELL = re.compile(r"(?<!\\)\|")


def title(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return [found["body"] for found in _FENCE.finditer(page.read_text()) if found["language"] == language]


def prose(page: Path) -> str:
    """Return the page without its code blocks."""
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> list[str]:
    return [found["target"] for found in _LINK.finditer(prose(page))]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as the site's Markdown makes them."""
    return {_slug(found["text"]) for found in _HEADING.finditer(prose(page))}


def _slug(heading: str) -> str:
    text = re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower()
    return re.sub(r"[-\s]+", "-", text)


@dataclass(frozen=True)
class Row:
    """One key of the reference, at one of the tables that it may stand in; cells are without their backticks."""

    path: tuple[str, ...]
    meaning: str
    type: str
    default: str
    example: str
    change: str

    def __str__(self) -> str:
        return ".".join(self.path)


def rows(*, once: bool = False) -> Iterator[Row]:
    """Read the reference: each line, for every `[table]` that its heading names, or `once`, for the first of them."""
    for section in re.split(r"^## ", (DOCS / "config.md").read_text(), flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        tables = [tuple(found["path"].split(".")) for found in _TABLE_PATH.finditer(heading)] or [()]
        if heading != "Top level" and tables == [()]:
            continue
        for line in body.splitlines():
            cells = [cell.strip() for cell in _CELL.split(line)[1:-1]]
            if len(cells) == _COLUMNS and cells[0].startswith("`"):
                key, meaning, kind, default, example, change = cells
                for table in tables[:1] if once else tables:
                    yield Row((*table, key.strip("`")), meaning, kind, default.strip("`"), example.strip("`"), change)


_COLUMNS = 6
