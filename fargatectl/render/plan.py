"""The plan as a person reads it: grouped as they think of it, settings before and after, the cost to traffic said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.model.change import Action, FieldChange, worst
from fargatectl.render.escape import escape
from fargatectl.render.layout import columns, cut, cut_middle, joined, pad, spread, wrap
from fargatectl.render.values import inline, is_structured, label, listing, listing_diff
from fargatectl.render.words import (
    EFFECT_STYLES,
    EFFECTS,
    HIDDEN,
    KNOWN_AFTER_APPLY,
    STYLES,
    SYMBOLS,
    stack_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fargatectl.model.change import Change
    from fargatectl.model.plan import Plan

_LONGEST_LISTING = 40  # lines of one structured value; `--json` has all of it
_LABEL_SHARE = 0.4  # of the line, at most
_SAID_BY_THE_NAME = {"name", "cluster", "description", "vpc_id", "path", "protocol_version", "resource_id", "type"}
_INDENT = "      "


def header(plan: Plan, file: str, width: int) -> Text:
    """Return the line that says what is planned, and where: app, environment, account and Region, file."""
    name = escape(stack_name(plan.app, plan.environment))
    where = escape(f"{plan.account} {plan.region}")
    return spread(Text.assemble((name, "bold"), f" · {where}"), Text(escape(file), "dim"), width)


def screen(plan: Plan, *, file: str, width: int, verbose: bool = False) -> Text:
    """Return the whole plan. `verbose` adds the addresses, and every setting of what is created."""
    lines = [header(plan, file, width), Text()]
    for group, changes in _groups(plan.changes):
        lines += [_headline(group, changes, width), *_body(changes, width, verbose=verbose), Text()]
    for note in plan.notes if plan else ():
        lines += [*(Text(line, "dim") for line in wrap(escape(note), width, indent="  ")), Text()]
    counted = summary(plan)
    folded = [Text(line) for line in wrap(counted.plain, width)]
    return joined([*lines, *([counted] if counted.cell_len <= width else folded)])


def summary(plan: Plan) -> Text:
    """Return the line that counts, such as "1 to create, 2 to update, 21 unchanged."."""
    if not plan:
        name = escape(stack_name(plan.app, plan.environment))
        return Text(f"{name} is up to date. Nothing to change.")
    actions = (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.ADOPT, Action.DELETE)
    counted = [Text(f"{plan.count(action)} to {action}", STYLES[action]) for action in actions if plan.count(action)]
    return Text.assemble(Text(", ").join([*counted, Text(f"{plan.unchanged} unchanged")]), ".")


def _groups(changes: Sequence[Change]) -> list[tuple[str, list[Change]]]:
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.group, []).append(change)
    return list(groups.items())


def _headline(group: str, changes: Sequence[Change], width: int) -> Text:
    effect = worst(change.effect for change in changes)
    words = Text(EFFECTS[effect], EFFECT_STYLES[effect])
    title = Text(f"  {escape(group) or 'other'}", "bold")
    return spread(title, words, min(width, 100)) if words else title


def _body(changes: Sequence[Change], width: int, *, verbose: bool) -> Iterator[Text]:
    heads = columns([_head(change) for change in changes], indent="  ")
    for change, head in zip(changes, heads, strict=True):
        if change.action is Action.CREATE and not verbose:
            yield _with_gist(head, change, width)
            continue
        yield head
        if verbose:
            yield Text(f"{_INDENT}{escape(change.address)}", "dim")
        yield from _fields(change, width)


def _head(change: Change) -> list[Text]:
    style = STYLES[change.action]
    cause = escape(change.cause)
    if not cause and any(field.forces_replacement for field in change.fields) and change.action is Action.REPLACE:
        cause = ""
    return [
        Text(f"{SYMBOLS[change.action]} {change.action:<7}", style),
        Text(escape(change.summary)),
        Text(cause, "dim"),
    ]


def _with_gist(head: Text, change: Change, width: int) -> Text:
    """Add the settings of a new resource that fit on its line; most are said by the file or are defaults."""
    room = width - head.cell_len - 2
    told = ""
    for field in change.fields:
        if not _worth_telling(field) or inline(field.after) in change.summary:
            continue
        more = f"{told} · " if told else ""
        more += f"{label(field.path.rpartition('.')[2])} {inline(field.after)}"
        if len(more) > room:
            break
        told = more
    return Text.assemble(head, "  ", (told, "dim")) if told else head


def _worth_telling(field: FieldChange) -> bool:
    """Tell whether a setting of a new resource says something that its name does not: no details, nothing empty."""
    if field.sensitive or field.known_after_apply or not field.after or is_structured(field.after):
        return False
    above, _, name = field.path.rpartition(".")
    return name == "image" or (not above and name not in _SAID_BY_THE_NAME)


def _fields(change: Change, width: int) -> Iterator[Text]:
    most = int(width * _LABEL_SHARE)
    labels = [cut_middle(label(field.path), most) for field in change.fields]
    widest = max((Text(name).cell_len for name in labels), default=0)
    for field, name in zip(change.fields, labels, strict=True):
        head = Text.assemble(_INDENT, pad(Text(name), widest), "  ")
        yield from _field(change, field, head, width)


def _field(change: Change, field: FieldChange, head: Text, width: int) -> Iterator[Text]:
    reason = Text("  forces replacement", "red") if field.forces_replacement else Text()
    room = width - head.cell_len - reason.cell_len
    if field.sensitive:
        yield Text.assemble(head, (HIDDEN if change.action is Action.CREATE else f"{HIDDEN} changes", "dim"), reason)
    elif not field.known_after_apply and (is_structured(field.before) or is_structured(field.after)):
        head.rstrip()
        yield Text.assemble(head, reason)
        yield from _listing(field, width)
    else:
        after = KNOWN_AFTER_APPLY if field.known_after_apply else inline(field.after)
        if change.action is Action.CREATE:
            yield Text.assemble(head, cut(after, room))
        else:
            yield from _before_and_after(head, inline(field.before), after, reason, room)


def _before_and_after(head: Text, before: str, after: str, reason: Text, room: int) -> Iterator[Text]:
    arrow = " → "
    if Text(before + arrow + after).cell_len <= room:
        yield Text.assemble(head, (before, "red"), (arrow, "dim"), (after, "green"), reason)
        return
    yield Text.assemble(head, (cut(before, room), "red"), reason)
    yield Text.assemble(" " * (head.cell_len - 2), ("→ ", "dim"), (cut(after, room), "green"))


def _listing(field: FieldChange, width: int) -> Iterator[Text]:
    if field.before is None:
        marked = [("+", line) for line in listing(field.after)]
    elif field.after is None:
        marked = [("-", line) for line in listing(field.before)]
    else:
        marked = listing_diff(field.before, field.after)
    room = width - len(_INDENT) - 4
    styles = {"+": "green", "-": "red", "…": "dim"}
    for mark, line in marked[:_LONGEST_LISTING]:
        yield Text(f"{_INDENT}  {mark} {cut(line, room)}".rstrip(), styles.get(mark, ""))
    if len(marked) > _LONGEST_LISTING:
        yield Text(f"{_INDENT}  … {len(marked) - _LONGEST_LISTING} more lines", "dim")
