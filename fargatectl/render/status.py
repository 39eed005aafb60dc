"""The services as they are now: a table where there is room, a few lines per service where there is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.model.status import ServiceState
from fargatectl.render.escape import escape
from fargatectl.render.layout import columns, cut, fitted, joined, spread
from fargatectl.render.words import STATE_STYLES, STATES, event_words, stack_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fargatectl.model.jobs import JobStatus
    from fargatectl.model.status import ServiceStatus

_EVENTS = 8
_SELF_EVIDENT = frozenset({ServiceState.STEADY, ServiceState.MISSING})
_NONE = "\N{EN DASH}"
_DAY_SECONDS = 86400
_LEAST_IMAGE = 12  # cells that still tell one image from another
_COLUMNS = ("service", "state", "tasks", "targets", "revision", "image", "scaling", "address")
_IMAGE = _COLUMNS.index("image")


def screen(  # noqa: PLR0913 - what a status is of
    services: Sequence[ServiceStatus],
    *,
    app: str,
    environment: str | None,
    where: str,
    now: datetime,
    width: int,
    jobs: Sequence[JobStatus] = (),
) -> Text:
    """Return the table of services, why those that failed did, the jobs, and the newest events."""
    title = Text.assemble((escape(stack_name(app, environment)), "bold"), f" · {escape(where)}")
    head = spread(title, Text(now.astimezone().strftime("%H:%M:%S"), "dim"), width)
    if not services:
        return joined([head, Text(), Text("  The file has no services.", "dim")])
    lines = _table(services, width) or _blocks(services, width)
    parts = [head, Text(), *lines]
    if reasons := _reasons(services, width):
        parts += [Text(), *reasons]
    if jobs:
        parts += [Text(), *_jobs(jobs, now, width)]
    if events := _events(services, now, width):
        parts += [Text(), *events]
    return joined(parts)


def serving(services: Sequence[ServiceStatus], *, width: int) -> list[Text]:
    """Return what serves now, a line per service: its name, tasks, revision and address."""
    rows = [
        [
            Text(escape(one.name), "bold"),
            Text(_health(one), STATE_STYLES[one.state]),
            Text("" if one.state in _SELF_EVIDENT else STATES[one.state], STATE_STYLES[one.state]),
            Text(escape(one.task_definition)),
            Text(address(one)),
        ]
        for one in services
    ]
    lines = columns(rows)
    return [line if line.cell_len <= width else _folded(row) for line, row in zip(lines, rows, strict=True)]


def address(service: ServiceStatus) -> str:
    """Return where the service is reached: its URL, else its name in the private network."""
    return escape(service.url or service.discovery or "")


def _folded(row: Sequence[Text]) -> Text:
    return Text("  ").join([Text(), *(cell for cell in row[:-1] if cell)]).append("\n    ").append_text(row[-1])


def _health(service: ServiceStatus) -> str:
    if service.state is ServiceState.MISSING:
        return "missing"
    if service.targets is not None:
        return f"{service.targets.healthy}/{service.desired} healthy"
    return f"{service.running}/{service.desired} running"


def _cells(service: ServiceStatus) -> list[Text]:
    missing = service.state is ServiceState.MISSING
    tasks = f"{service.running}/{service.desired}" + (f" +{service.pending}" if service.pending else "")
    scaling = f"{service.scaling.min}{_NONE}{service.scaling.max}" if service.scaling else _NONE
    return [
        Text(escape(service.name), "bold"),
        Text(STATES[service.state], STATE_STYLES[service.state]),
        Text(_NONE if missing else tasks),
        _targets(service),
        Text(escape(service.task_definition) or _NONE),
        Text(escape(service.image) or _NONE),
        Text(scaling),
        Text(address(service) or _NONE),
    ]


def _targets(service: ServiceStatus) -> Text:
    counts = service.targets
    if counts is None:
        return Text(_NONE)
    parts = [
        (counts.healthy, "ok", "green"),
        (counts.unhealthy, "unhealthy", "red"),
        (counts.initial, "starting", "yellow"),
        (counts.draining, "draining", "dim"),
    ]
    told = [Text(f"{number} {word}", style) for number, word, style in parts if number]
    return Text(" ").join(told) if told else Text("none", "red")


def _table(services: Sequence[ServiceStatus], width: int) -> list[Text]:
    """Return the table, with images cut as far as they must be and, if there is no room beside them, addresses on
    lines of their own; nothing if even that does not fit."""
    header = [Text(name, "dim") for name in _COLUMNS]
    rows = [_cells(replace(service, image=_without_registry(service.image))) for service in services]
    whole = fitted([header, *rows], width, shrink=_IMAGE, least=_LEAST_IMAGE)
    if whole:
        return whole
    lines = fitted([row[:-1] for row in [header, *rows]], width, shrink=_IMAGE, least=_LEAST_IMAGE)
    if not lines:
        return []
    below = [[Text(f"    {row[-1].plain}")] if row[-1].plain != _NONE else [] for row in rows]
    return [lines[0], *(line for pair in zip(lines[1:], below, strict=True) for line in (pair[0], *pair[1]))]


def _without_registry(image: str) -> str:
    """Return an image without the host of its registry: a table has no room for what is the same in all rows."""
    host, slash, rest = image.partition("/")
    return rest if slash and ("." in host or ":" in host) else image


def _blocks(services: Sequence[ServiceStatus], width: int) -> list[Text]:
    lines: list[Text] = []
    for service in services:
        name, state, *rest = _cells(service)
        if lines:
            lines.append(Text())
        lines.append(Text.assemble("  ", name, "  ", state))
        labelled = [
            [Text(label, "dim"), Text(cut(cell.plain, width - 14), cell.style)]
            for label, cell in zip(_COLUMNS[2:], rest, strict=True)
            if cell.plain != _NONE
        ]
        lines += columns(labelled, indent="    ")
    return lines


def _reasons(services: Sequence[ServiceStatus], width: int) -> list[Text]:
    troubled = {ServiceState.FAILED, ServiceState.ROLLING_BACK}
    return [
        Text(f"  {escape(one.name)}: {cut(escape(one.deployment.reason), width - len(one.name) - 4)}", "red")
        for one in services
        if one.state in troubled and one.deployment is not None and one.deployment.reason
    ]


def _jobs(jobs: Sequence[JobStatus], now: datetime, width: int) -> list[Text]:
    rows = [[Text(name, "dim") for name in ("job", "schedule", "last run")]]
    for job in jobs:
        schedule = f"{job.schedule} {job.timezone}".strip()
        rows.append([Text(escape(job.name), "bold"), Text(escape(schedule) or _NONE), _last_run(job, now)])
    lines = columns(rows)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def _last_run(job: JobStatus, now: datetime) -> Text:
    last = job.last
    if last is None:
        return Text(f"{_NONE} (ECS remembers an hour)", "dim")
    at = last.started_at or last.stopped_at
    when = f"{_moment(at, now)}  " if at is not None else ""
    if last.stopped_at is None:
        return Text(f"{when}{escape(last.state.lower())}", "yellow")
    if last.exit_code is None:
        return Text(f"{when}never started: {escape(last.reason)}", "red")
    return Text(f"{when}exit code {last.exit_code}", "red" if last.exit_code else "green")


def _events(services: Sequence[ServiceStatus], now: datetime, width: int) -> list[Text]:
    newest = sorted(((event.at, one.name, event.message) for one in services for event in one.events), reverse=True)
    rows = [
        [Text(_moment(at, now), "dim"), Text(escape(name)), Text(escape(event_words(message)))]
        for at, name, message in newest[:_EVENTS]
    ]
    lines = columns(rows)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def _moment(at: datetime, now: datetime) -> str:
    local = at.astimezone()
    if (now - at).total_seconds() < _DAY_SECONDS:
        return local.strftime("%H:%M:%S")
    return local.strftime("%Y-%m-%d")
