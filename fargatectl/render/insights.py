"""What queries of Logs Insights find: a table, its last column cut to the width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.render.escape import escape
from fargatectl.render.layout import columns, cut, joined
from fargatectl.render.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.model.insights import QueryResult, ReadyQuery

_NARROW = 28  # columns of a table that are not the last: names, numbers, times
_LEAST = 20
_UNITS = ("B", "KB", "MB", "GB", "TB")
_THOUSAND = 1000


def ready(queries: Sequence[ReadyQuery]) -> Text:
    """Return the ready-made queries with what they show."""
    return joined(columns([[Text(escape(one.name), "bold"), Text(escape(one.says))] for one in queries], indent=""))


def table(found: QueryResult, *, width: int) -> Text:
    """Return the rows, one a line; where a line has no room, its last column is cut."""
    if not found.rows:
        return Text("Nothing found.", "dim")
    *first, last = found.columns
    rows = [[Text(escape(name), "dim") for name in found.columns]]
    for row in found.rows:
        cells = [Text(cut(escape(row.get(name, "")), _NARROW)) for name in first]
        rows.append([*cells, Text(escape(row.get(last, "").strip()))])
    lines = columns(rows, indent="")
    room = max(width, _LEAST)
    for line in lines:
        line.truncate(room, overflow="ellipsis")
    return joined(lines)


def progress(found: QueryResult) -> str:
    """Return how far a query is."""
    if found.status == "Scheduled":
        return "the query waits for its turn"
    return f"asking Logs Insights: {found.scanned:,} lines read, {found.matched:,} fit"


def counts(found: QueryResult, *, since: str) -> str:
    """Return how much was found and read; AWS bills what is read."""
    size, unit = float(found.scanned_bytes), 0
    while size >= _THOUSAND and unit < len(_UNITS) - 1:
        size, unit = size / _THOUSAND, unit + 1
    read = f"{size:.0f} B" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"
    return f"{count(len(found.rows), 'row')}; {count(found.scanned, 'line')} ({read}) read since {escape(since)}"
