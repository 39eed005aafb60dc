"""The services as they are now: a table where there is room, a few lines per service where there is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.model.status import Load, ServiceState
from fargatectl.render.escape import escape
from fargatectl.render.layout import columns, cut, fitted, joined, spread
from fargatectl.render.words import STATE_STYLES, STATES, event_words, stack_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from fargatectl.model.jobs import JobStatus
    from fargatectl.model.status import ServiceStatus, Usage

_EVENTS = 8
_SELF_EVIDENT = frozenset({ServiceState.STEADY, ServiceState.MISSING})
_NONE = "\N{EN DASH}"
_DAY_SECONDS = 86400
_LEAST_IMAGE = 12  # cells that still tell one image from another
_LOAD = ("cpu", "memory")
_FOLDS = ((), ("address",), ("address", *_LOAD))  # what goes below the others, as far as there is no room for it
_BARS = "▁▂▃▄▅▆▇█"  # eighths of what is reserved, whatever the other values are: services can be compared
_BUSY_PERCENT = 90


def screen(  # noqa: PLR0913 - what a status is of
    services: Sequence[ServiceStatus],
    *,
    app: str,
    environment: str | None,
    where: str,
    now: datetime,
    width: int,
    jobs: Sequence[JobStatus] = (),
    usage: Usage | None = None,
) -> Text:
    """Return the table of services, why those that failed did, the jobs, and the newest events.

    Columns of `usage` are there when it is.
    """
    title = Text.assemble((escape(stack_name(app, environment)), "bold"), f" · {escape(where)}")
    head = spread(title, Text(now.astimezone().strftime("%H:%M:%S"), "dim"), width)
    if not services:
        return joined([head, Text(), Text("  The file has no services.", "dim")])
    loads = usage.loads if usage else {}
    lines = _table(services, loads, width) or _blocks(services, loads, width)
    parts = [head, Text(), *lines]
    if usage and (unknown := _unknown(usage)):
        parts += [Text(), Text(f"  {cut(f'cpu, memory: {escape(unknown)}', width - 2)}", "dim")]
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


def _cells(service: ServiceStatus, loads: Mapping[str, Load]) -> dict[str, Text]:
    """Return the cells of a service by column, without those of a load that nobody asked for."""
    missing = service.state is ServiceState.MISSING
    tasks = f"{service.running}/{service.desired}" + (f" +{service.pending}" if service.pending else "")
    scaling = f"{service.scaling.min}{_NONE}{service.scaling.max}" if service.scaling else _NONE
    load = loads.get(service.name, Load())
    return {
        "service": Text(escape(service.name), "bold"),
        "state": Text(STATES[service.state], STATE_STYLES[service.state]),
        "tasks": Text(_NONE if missing else tasks),
        "targets": _targets(service),
        "revision": Text(escape(service.task_definition) or _NONE),
        "image": Text(escape(service.image) or _NONE),
        **({"cpu": sparkline(load.cpu), "memory": sparkline(load.memory)} if loads else {}),
        "scaling": Text(scaling),
        "address": Text(address(service) or _NONE),
    }


def sparkline(percents: Sequence[float]) -> Text:
    """Return a curve of shares as bars, with the last one as a number."""
    if not percents:
        return Text(_NONE)
    bars = "".join(_BARS[max(0, min(int(one * len(_BARS) / 100), len(_BARS) - 1))] for one in percents)
    return Text(f"{bars} {percents[-1]:.0f}%", "red" if percents[-1] >= _BUSY_PERCENT else "")


def _unknown(usage: Usage) -> str:
    """Return why nothing is known of the load of any service."""
    if usage.loads and not any(load.cpu or load.memory for load in usage.loads.values()):
        return "no values yet, CloudWatch is a minute or two behind"
    return usage.missing


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


def _table(services: Sequence[ServiceStatus], loads: Mapping[str, Load], width: int) -> list[Text]:
    """Return the table, with images cut as far as they must be and, where there is no room beside the rest, addresses
    and then the load on lines of their own; nothing if even that does not fit."""
    rows = [_cells(replace(service, image=_without_registry(service.image)), loads) for service in services]
    for folded in _FOLDS:
        shown = [name for name in rows[0] if name not in folded]
        cells = [[Text(name, "dim") for name in shown], *([row[name] for name in shown] for row in rows)]
        if lines := fitted(cells, width, shrink=shown.index("image"), least=_LEAST_IMAGE):
            below = [_below({name: row[name] for name in folded if name in row}, width) for row in rows]
            return [lines[0], *(line for line, more in zip(lines[1:], below, strict=True) for line in (line, *more))]
    return []


def _below(cells: Mapping[str, Text], width: int) -> list[Text]:
    """Return what stands under a service: its address and its load, on one line if they fit."""
    told = {name: cell for name, cell in cells.items() if cell.plain != _NONE}
    parts = [Text.assemble((f"{name} ", "dim"), told[name]) for name in _LOAD if name in told]
    load = [Text("  ").join(parts)] if parts else []
    lines = [told["address"], *load] if "address" in told else load
    if sum(line.cell_len + 4 for line in lines) <= width:
        lines = [Text("    ").join(lines)] if lines else []
    return [Text.assemble("    ", line) for line in lines]


def _without_registry(image: str) -> str:
    """Return an image without the host of its registry: a table has no room for what is the same in all rows."""
    host, slash, rest = image.partition("/")
    return rest if slash and ("." in host or ":" in host) else image


def _blocks(services: Sequence[ServiceStatus], loads: Mapping[str, Load], width: int) -> list[Text]:
    lines: list[Text] = []
    for service in services:
        cells = _cells(service, loads)
        if lines:
            lines.append(Text())
        lines.append(Text.assemble("  ", cells.pop("service"), "  ", cells.pop("state")))
        labelled = [
            [Text(label, "dim"), Text(cut(cell.plain, width - 14), cell.style)]
            for label, cell in cells.items()
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
