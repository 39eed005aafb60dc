"""The part of the language of Logs Insights that the local AWS knows.

AWS: CloudWatch Logs user guide, "CloudWatch Logs Insights language query syntax": `fields`, `display`, `filter`,
`parse`, `stats … by …`, `sort`, `limit`; comments. Fields of JSON messages are discovered.
"""

from __future__ import annotations

import functools
import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.insights import conditions
from fargatectl.sandbox.insights.conditions import BadQuery, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Row = dict[str, Any]

MOST_ROWS = 10_000
_SHOWN = ("@timestamp", "@message")
_STAT = re.compile(r"(?P<name>\w+)\s*\(\s*(?P<of>[^()]*?)\s*\)(?:\s+as\s+(?P<alias>\w+))?$", re.IGNORECASE)
_BIN = re.compile(r"bin\(\s*(\d+)\s*(ms|s|m|h|d|w)\w*\s*\)(?:\s+as\s+(\w+))?$", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_STATS: dict[str, Callable[[Sequence[float]], float]] = {
    "avg": lambda values: sum(values) / len(values),
    "sum": math.fsum,
    "min": min,
    "max": max,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a log; `timestamp` in milliseconds of the epoch."""

    timestamp: int
    message: str
    stream: str
    group: str


@dataclass(slots=True)
class Table:
    """What a query has so far: its rows, and the fields that it shows of them, in order."""

    rows: list[Row]
    shown: list[str]
    counted: bool = False


class UnknownCommand(Exception):
    """A command of the language that only AWS knows."""


def run(query: str, events: Iterable[Event], *, limit: int = MOST_ROWS) -> tuple[list[list[Row]], int]:
    """Return the rows of an answer (field and value, pointer last) and how many events matched.

    Raises BadQuery for what is none, UnknownCommand for what is not known here.
    """
    table = Table([_row(number, event) for number, event in enumerate(events)], [])
    for command, rest in _commands(query):
        limit = min(limit, _limit(rest)) if command == "limit" else limit
        _COMMANDS[command](table, rest)
    if not table.counted and not any(command == "sort" for command, _ in _commands(query)):
        table.rows.sort(key=lambda row: -int(row["@millis"]))
    matched = len(table.rows)
    shown = table.shown or list(_SHOWN)
    answer = [
        [{"field": name, "value": str(row[name])} for name in shown if row.get(name) is not None] for row in table.rows
    ]
    if not table.counted:
        for fields, row in zip(answer, table.rows, strict=True):
            fields.append({"field": "@ptr", "value": row["@ptr"]})
    return answer[:limit], matched


def check(query: str) -> None:
    """Raise BadQuery or UnknownCommand for what `run` would raise them for."""
    run(query, ())


def _commands(query: str) -> Iterator[tuple[str, str]]:
    text = "\n".join(line for line in query.splitlines() if not line.lstrip().startswith("#"))
    if not text.strip():
        message = "the query is empty"
        raise BadQuery(message)
    for part in _split(text, "|"):
        command, _, rest = part.strip().partition(" ")
        if command.lower() not in _COMMANDS:
            if command.lower() in _OF_AWS:
                raise UnknownCommand(command)
            message = f"unexpected symbol found {command} at line 1 and position 1"
            raise BadQuery(message)
        yield command.lower(), rest.strip()


def _split(text: str, mark: str) -> list[str]:
    """Cut a text at a mark, but not within quotes, patterns or parentheses."""
    parts, start, depth, quote = [], 0, 0, ""
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and text[at - 1] != "\\" else quote
        elif letter in "\"'`" or (letter == "/" and text[:at].rstrip()[-4:].lower() in ("like", "sage")):
            quote = letter
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == mark and not depth:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _row(index: int, event: Event) -> Row:
    row: Row = {
        "@timestamp": _stamp(event.timestamp / 1000),
        "@message": event.message,
        "@logStream": event.stream,
        "@log": event.group,
        "@ptr": f"local-{event.timestamp}-{index}",
        "@millis": event.timestamp,
    }
    try:
        content = json.loads(event.message)
    except ValueError:
        return row
    return {**dict(_flat(content)), **row} if isinstance(content, dict) else row


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _fields(table: Table, rest: str) -> None:
    for part in _split(rest, ","):
        name, _, alias = (one.strip() for one in re.sub(r"\s+as\s+", "\0", part, flags=re.IGNORECASE).partition("\0"))
        if not re.fullmatch(r"`[^`]+`|[\w@.*/-]+", name):
            raise UnknownCommand(part.strip())
        name = name.strip("`")
        if alias:
            for row in table.rows:
                row[alias] = row.get(name)
        table.shown.append(alias or name)


def _display(table: Table, rest: str) -> None:
    table.shown = []
    _fields(table, rest)


def _filter(table: Table, rest: str) -> None:
    holds = conditions.read(rest)
    table.rows = [row for row in table.rows if holds(row)]


def _sort(table: Table, rest: str) -> None:
    for part in reversed(_split(rest, ",")):
        words = part.split()
        if not words or (len(words) > 1 and words[1].lower() not in ("asc", "desc")):
            message = f"unexpected {part.strip()!r} in sort"
            raise BadQuery(message)
        descending = len(words) > 1 and words[1].lower() == "desc"
        by = functools.partial(_order, words[0].strip("`"))
        table.rows.sort(key=by, reverse=descending)


def _order(name: str, row: Row) -> tuple[int, float, str]:
    value = row.get(name)
    found = number(value)
    return (1, found, "") if found is not None else (2 if value is not None else 0, 0.0, str(value))


def _limit(rest: str) -> int:
    if not rest.isdigit() or not 1 <= int(rest) <= MOST_ROWS:
        message = f"the limit is a number from 1 to {MOST_ROWS}, not {rest!r}"
        raise BadQuery(message)
    return int(rest)


def _parse(table: Table, rest: str) -> None:
    """Take fields out of a text: by the named groups of a pattern, or by the stars of a text and their names."""
    glob = re.fullmatch(r"([\w@.]+)\s+(\"[^\"]*\"|'[^']*')\s+as\s+(.+)", rest, re.IGNORECASE | re.DOTALL)
    regular = re.fullmatch(r"([\w@.]+)\s+/(.*)/", rest, re.DOTALL)
    if glob:
        names = [name.strip() for name in glob.group(3).split(",")]
        parts = [re.escape(part) for part in glob.group(2)[1:-1].split("*")]
        pattern = "(.*?)".join(parts) + ("$" if not parts[-1] else "")
        source, found = glob.group(1), re.compile(pattern)
    elif regular:
        source, found = regular.group(1), re.compile(re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", regular.group(2)))
        names = list(found.groupindex)
    else:
        message = f"cannot read parse {rest}"
        raise BadQuery(message)
    for row in table.rows:
        match = found.search(str(row.get(source, "")))
        row.update(zip(names, match.groups(), strict=False) if match else ())


def _stats(table: Table, rest: str) -> None:
    halves = re.split(r"\s+by\s+", rest, maxsplit=1, flags=re.IGNORECASE)
    wishes = [_stat(part) for part in _split(halves[0], ",")]
    keys = [_key(part) for part in _split(halves[1], ",")] if len(halves) > 1 else []
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in table.rows:
        groups.setdefault(tuple(str(key(row)) for _, key in keys), []).append(row)
    table.rows = [
        {
            **dict(zip([name for name, _ in keys], values, strict=True)),
            **{name: wish(rows) for name, wish in wishes},
        }
        for values, rows in groups.items()
    ]
    table.shown, table.counted = [name for name, _ in [*keys, *wishes]], True


def _key(part: str) -> tuple[str, Callable[[Row], object]]:
    found = _BIN.fullmatch(part.strip())
    if found is None:
        return part.strip().strip("`"), lambda row: row.get(part.strip().strip("`"), "")
    width = int(found.group(1)) * _SECONDS[found.group(2).lower()]
    name = found.group(3) or f"bin({found.group(1)}{found.group(2)})"
    return name, lambda row: _stamp(row["@millis"] / 1000 // width * width)


def _stat(part: str) -> tuple[str, Callable[[Sequence[Row]], object]]:
    found = _STAT.fullmatch(part.strip())
    if found is None:
        message = f"cannot read {part.strip()!r} in stats"
        raise BadQuery(message)
    kind, of = found.group("name").lower(), found.group("of")
    title = found.group("alias") or part.strip()
    if kind == "count":
        return title, lambda rows: len(rows) if of in ("", "*") else sum(row.get(of) is not None for row in rows)
    if kind == "count_distinct":
        return title, lambda rows: len({row.get(of) for row in rows if row.get(of) is not None})
    if kind == "pct":
        name, _, percent = (one.strip() for one in of.partition(","))
        return title, lambda rows: _percentile(_numbers(rows, name), float(percent))
    if kind not in _STATS:
        raise UnknownCommand(kind)
    return title, lambda rows: _stated(_STATS[kind], _numbers(rows, of))


def _numbers(rows: Iterable[Row], name: str) -> list[float]:
    return [value for value in (number(row.get(name)) for row in rows) if value is not None]


def _stated(stat: Callable[[Sequence[float]], float], values: Sequence[float]) -> str | None:
    return f"{stat(values):g}" if values else None


def _percentile(values: list[float], percent: float) -> str | None:
    return f"{sorted(values)[min(int(len(values) * percent / 100), len(values) - 1)]:g}" if values else None


_COMMANDS: dict[str, Callable[[Table, str], object]] = {
    "fields": _fields,
    "display": _display,
    "filter": _filter,
    "sort": _sort,
    "limit": lambda _, rest: _limit(rest),
    "parse": _parse,
    "stats": _stats,
}
_OF_AWS = ("anomaly", "dedup", "diff", "filterindex", "join", "lookup", "pattern", "source", "unmask", "unnest")
