"""The report of a run: one document for machines, and one page for people that needs nothing but itself.

The page is made of the document, so that both say the same: what is null there (sensitive values) is nowhere.
"""

from __future__ import annotations

import re
from datetime import datetime
from html import escape as html
from typing import TYPE_CHECKING, Any

from fargatectl.render import machine
from fargatectl.render.chart import chart
from fargatectl.render.escape import escape
from fargatectl.render.plain import timestamp
from fargatectl.render.style import STYLE
from fargatectl.render.words import clock, event_words, sentence, stack_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fargatectl.model.events import Event
    from fargatectl.model.plan import Plan

Document = dict[str, Any]
_LOG = re.compile(r"^log\s+")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(
    made: Plan, told: Sequence[Event], result: Mapping[str, Any], *, began: datetime, ended: datetime
) -> Document:
    """Return the report of a run that did `made`, told `told`, and ended with `result` (what `--json` prints last)."""
    return {
        "version": machine.VERSION,
        "began": timestamp(began),
        "ended": timestamp(ended),
        "plan": machine.plan(made),
        "events": list(_once(map(machine.event, told), timestamp(began))),
        "result": dict(result),
    }


def _once(events: Iterable[Document], since: str) -> Iterator[Document]:
    """Leave out what ECS said before the run, and what was told with an earlier event."""
    told: dict[str, set[tuple[str, str]]] = {}
    for event in events:
        service = event.get("service")
        if service is None:
            yield event
            continue
        before = told.setdefault(service["name"], set())
        said = [(one["at"], one["message"]) for one in service["events"]]
        new = [one for one in said if one not in before and one[0] >= since]
        before.update(new)
        yield {**event, "service": {**service, "events": [{"at": at, "message": message} for at, message in new]}}


def page(report: Mapping[str, Any]) -> str:
    """Return the report as HTML: verdict, what serves, timeline, changes. No script, and nothing from elsewhere."""
    plan, result = report["plan"], report["result"]
    name = stack_name(plan["app"], plan["environment"])
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_safe(name)}: {_safe(result['outcome'])}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
        *_head(report, name),
        *_verdict(result),
        *_services(result["services"]),
        *_rollouts(report),
        *_timeline(report),
        *_changes(plan),
        "</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _safe(text: object) -> str:
    """Return foreign text for a page: no control characters, no markup."""
    return html(escape("" if text is None else text))


def _head(report: Mapping[str, Any], name: str) -> Iterator[str]:
    plan, result = report["plan"], report["result"]
    tone = "good" if result["exit_code"] == 0 else "bad"
    where = f"{plan['account']} · {plan['region']} · {report['began']} · {clock(_seconds(report, report['ended']))}"
    outcome = f'<span class="{tone}">{_safe(result["outcome"])}</span>'
    yield f'<header><h1>{_safe(name)} {outcome}</h1><p class="dim">{_safe(where)}</p></header>'


def _verdict(result: Mapping[str, Any]) -> Iterator[str]:
    failed = [one["message"] for one in result["failed"]]
    if failed or result["diagnosis"]:
        yield "<section><h2>Verdict</h2>"
        yield from (f"<p><strong>{_safe(sentence(message))}</strong></p>" for message in dict.fromkeys(failed))
        for found in result["diagnosis"]:
            yield from _diagnosis(found)
        yield "</section>"


def _diagnosis(found: Mapping[str, Any]) -> Iterator[str]:
    logs = [_LOG.sub("", line) for line in found["evidence"] if _LOG.match(line)]
    said = [line for line in found["evidence"] if not _LOG.match(line)]
    sure = f"{found['code']}, confidence {found['confidence']}"
    yield f'<dl><dt>{_safe(found["service"])}</dt><dd class="dim">{_safe(sure)}</dd>'
    rows = {"cause": found["cause"], "fix": found["fix"], "now": found["serving"]}
    yield from (f"<dt>{label}</dt><dd>{_safe(text)}</dd>" for label, text in rows.items() if text)
    if said:
        yield f"<dt>evidence</dt><dd><ul>{''.join(f'<li>{_safe(line)}</li>' for line in said)}</ul></dd>"
    if logs:
        lines = "\n".join(map(_safe, logs))
        yield f"<dt>log</dt><dd><pre>{lines}</pre></dd>"
    yield "</dl>"


def _services(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not found:
        return
    yield "<section><h2>Serving now</h2><table><tr><th>service<th>state<th>tasks<th>revision<th>image<th>address</tr>"
    for one in found:
        tasks = f"{one['running']} of {one['desired']}"
        cells = (one["name"], one["state"], tasks, one["task_definition"], one["image"], one["url"] or one["discovery"])
        yield _row(cells)
    yield "</table></section>"


def _row(cells: Iterable[object], tone: str = "") -> str:
    kind = f' class="{tone}"' if tone else ""
    return f"<tr{kind}>{''.join(f'<td>{_safe(cell)}</td>' for cell in cells)}</tr>"


def _rollouts(report: Mapping[str, Any]) -> Iterator[str]:
    """Draw each rollout: tasks of the new and of the old revision over time."""
    points: dict[str, list[tuple[float, int, int, int]]] = {}
    revisions: dict[str, tuple[str, str]] = {}
    for event in report["events"]:
        if event["event"] == "deployment":
            name, now = event["service"]["name"], event["rollout"]
            at = _seconds(report, event["at"])
            points.setdefault(name, []).append((at, now["healthy"], now["old_running"], now["desired"]))
            old = now.get("old_revision", "") or revisions.get(name, ("", ""))[1]
            revisions[name] = (revisions.get(name, (now["revision"], ""))[0], old)
    if points:
        yield "<section><h2>Rollouts</h2>"
        for name, line in points.items():
            new, old = revisions[name]
            beside = f', <span class="old">{_safe(old)}</span> running' if old else ""
            said = f'{_safe(name)}: <span class="new">{_safe(new)}</span> healthy{beside}'
            yield f"<figure><figcaption>{said}</figcaption>"
            yield f"{chart(line)}</figure>"
        yield "</section>"


def _timeline(report: Mapping[str, Any]) -> Iterator[str]:
    yield '<section><h2>Timeline</h2><table class="time">'
    stages: dict[str, str] = {}
    for event in report["events"]:
        at = clock(_seconds(report, event["at"]))
        for said, tone in _words(event, stages):
            yield _row((at, said), tone)
    yield "</table></section>"


def _words(event: Mapping[str, Any], stages: dict[str, str]) -> Iterator[tuple[str, str]]:
    if event["event"] == "step":
        if event["state"] != "began":
            yield _step(event)
    elif event["event"] == "deployment":
        name, now = event["service"]["name"], event["rollout"]
        for one in reversed(event["service"]["events"]):
            yield f"{name}: {event_words(one['message'])}", "dim"
        if stages.get(name) != now["stage"]:
            stages[name] = now["stage"]
            yield f"{name}: {now['stage']}, {now['revision']} {now['healthy']} of {now['desired']} healthy", ""
    else:
        yield event["message"], "bad" if event["level"] == "warning" else "dim"


def _step(event: Mapping[str, Any]) -> tuple[str, str]:
    error = event.get("error") or {}
    detail = error.get("message") or event["detail"] or event.get("because") or ""
    said = f"{event['summary'] or event['address']}: {event['verb']} {event['state']}"
    return f"{said}, {detail}" if detail else said, {"failed": "bad", "done": "good"}.get(event["state"], "dim")


def _changes(plan: Mapping[str, Any]) -> Iterator[str]:
    if not plan["changes"]:
        return
    yield "<section><h2>Changes</h2>"
    for change in plan["changes"]:
        words = f"{change['action']} {change['summary']}"
        yield f"<details><summary>{_safe(words)} <span class='dim'>{_safe(change['address'])}</span></summary><table>"
        yield from (_row((one["path"], *_values(one))) for one in change["fields"])
        yield "</table></details>"
    yield "</section>"


def _values(field: Mapping[str, Any]) -> tuple[object, object]:
    if field["sensitive"]:
        return "(hidden)", "(hidden)"
    return field["before"], "known after apply" if field["known_after_apply"] else field["after"]


def _seconds(report: Mapping[str, Any], moment: str) -> float:
    return (datetime.fromisoformat(moment) - datetime.fromisoformat(report["began"])).total_seconds()
