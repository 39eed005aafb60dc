"""The plan and the outcome of a run as Markdown, for pull requests and the summaries of CI systems."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fargatectl.model.change import Action
from fargatectl.render.escape import escape
from fargatectl.render.layout import cut
from fargatectl.render.plan import summary
from fargatectl.render.values import inline
from fargatectl.render.words import EFFECTS, HIDDEN, KNOWN_AFTER_APPLY, SYMBOLS, stack_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fargatectl.model.change import Change, FieldChange
    from fargatectl.model.plan import Plan
    from fargatectl.model.status import ServiceStatus

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~@&$])")
_BACKTICKS = re.compile(r"`+")
_VALUE_CELLS = 80


def plan(made: Plan) -> str:
    """Return the plan: a table of changes, and the settings of each to unfold."""
    lines = [f"### {prose(stack_name(made.app, made.environment))}", ""]
    lines += [f"{code(made.account)} {code(made.region)} · {prose(summary(made).plain)}", ""]
    if made:
        lines += ["| | | | effect on traffic |", "|---|---|---|---|"]
        lines += [_row(change) for change in made.changes]
        lines += ["", *_details(made.changes)]
    lines += [f"> {prose(note)}" for note in made.notes]
    return "\n".join(lines).rstrip() + "\n"


def run(made: Plan, *, sentence: str, services: Iterable[ServiceStatus], failures: Iterable[str]) -> str:
    """Return a report of a run: what was planned, how it ended, what is serving."""
    lines = [plan(made), f"**{prose(sentence)}**", ""]
    lines += [f"- {prose(failure)}" for failure in failures]
    found = list(services)
    if found:
        lines += ["", "| service | state | tasks | revision | url |", "|---|---|---|---|---|"]
        lines += [
            f"| {code(s.name)} | {s.state} | {s.running}/{s.desired} "
            f"| {code(s.task_definition)} | {code(s.url or '')} |"
            for s in found
        ]
    return "\n".join(lines).rstrip() + "\n"


def prose(text: str) -> str:
    """Return foreign text so that nothing in it is Markdown, HTML or a mention of somebody."""
    return _SPECIAL.sub(r"\\\1", escape(text))


def code(text: str) -> str:
    """Return foreign text as code, in more backticks than it holds, fit for the cell of a table."""
    # In a table `\|` would be a backslash and the end of the cell, even within code.
    shown = escape(text).replace("\\|", "\\¦").replace("|", "\\|")
    if not shown.strip():
        return ""
    fence = "`" * (max((len(found) for found in _BACKTICKS.findall(shown)), default=0) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{space}{shown}{space}{fence}"


def _row(change: Change) -> str:
    cause = f" ({prose(change.cause)})" if change.cause else ""
    effect = EFFECTS[change.effect]
    return f"| {code(SYMBOLS[change.action])} | {change.action} | {prose(change.summary)}{cause} | {effect} |"


def _details(changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        if not change.fields or change.action is Action.DELETE:
            continue
        yield f"<details><summary>{_html(change.summary)}</summary>"
        yield ""
        yield "| setting | before | after |"
        yield "|---|---|---|"
        for field in change.fields:
            yield _field(field)
        yield ""
        yield "</details>"
        yield ""


def _field(field: FieldChange) -> str:
    before = HIDDEN if field.sensitive else inline(field.before)
    after = KNOWN_AFTER_APPLY if field.known_after_apply else HIDDEN if field.sensitive else inline(field.after)
    forced = " forces replacement" if field.forces_replacement else ""
    path, old, new = (code(cut(text, _VALUE_CELLS)) for text in (field.path, before, after))
    return f"| {path} | {old} | {new}{forced} |"


def _html(text: str) -> str:
    return escape(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")
