"""Laying text out: cutting, wrapping and aligning by the cells that a terminal needs for it."""

from __future__ import annotations

from itertools import zip_longest
from textwrap import TextWrapper
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ELLIPSIS = "…"


def cut(text: str, width: int) -> str:
    """Shorten `text` to `width` cells. A text without spaces (an ARN, an image) loses its middle: both ends matter."""
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[:width]
    if " " in text:
        return set_cell_size(text, width - 1).rstrip() + ELLIPSIS
    return cut_middle(text, width)


def cut_middle(text: str, width: int) -> str:
    """Shorten `text` to `width` cells and keep both its ends, the last one longer."""
    if cell_len(text) <= width or width <= 1:
        return text if cell_len(text) <= width else ELLIPSIS[:width]
    tail = (width - 1) * 2 // 3
    head = set_cell_size(text, width - 1 - tail).rstrip()
    end = text[-tail:]
    while cell_len(end) > tail:
        end = end[1:]
    return head + ELLIPSIS + end


def pad(text: Text, width: int) -> Text:
    """Return `text` with spaces up to `width` cells."""
    padded = text.copy()
    padded.append(" " * max(0, width - text.cell_len))
    return padded


def wrap(text: str, width: int, *, indent: str = "", hanging: str | None = None) -> list[str]:
    """Break `text` at spaces. A word longer than the line stays whole, so that it can be copied."""
    wrapper = TextWrapper(
        width=max(width, 20),
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.wrap(text) or [indent.rstrip()]


def spread(left: Text, right: Text, width: int) -> Text:
    """Return a line with `left` and `right` at its ends, or without `right` where there is no room for both."""
    if not right:
        return left.copy()
    room = width - left.cell_len - right.cell_len
    if room < 2:  # noqa: PLR2004 - the smallest gap that separates
        return left.copy()
    return Text.assemble(left, " " * room, right)


def columns(rows: Sequence[Sequence[Text]], *, indent: str = "  ", gap: int = 2) -> list[Text]:
    """Return the rows as lines with their cells aligned; a column that is empty in every row is left out."""
    widths = [max((cell.cell_len for cell in column), default=0) for column in zip_longest(*rows, fillvalue=Text())]
    lines = []
    for row in rows:
        line = Text(indent)
        for cell, width in zip(row, widths, strict=False):
            if width:
                line.append_text(pad(cell, width + gap))
        line.rstrip()
        lines.append(line)
    return lines


def fitted(rows: Sequence[Sequence[Text]], width: int, *, shrink: int, least: int) -> list[Text]:
    """Return the rows as `columns` does, with the cells at `shrink` cut as far as `width` asks for.

    Nothing if they would have less than `least` cells.
    """
    lines = columns(rows)
    excess = max(line.cell_len for line in lines) - width
    if excess <= 0:
        return lines
    room = max(row[shrink].cell_len for row in rows) - excess
    if room < least:
        return []
    return columns([with_cut(row, shrink, room) for row in rows])


def with_cut(row: Sequence[Text], place: int, room: int) -> list[Text]:
    """Return `row` with the cell at `place` cut to `room` cells."""
    return [*row[:place], Text(cut(row[place].plain, room), row[place].style), *row[place + 1 :]]


def joined(lines: Iterable[Text]) -> Text:
    """Return `lines` as one text."""
    return Text("\n").join(list(lines))
