"""A run while it goes on: one screen redrawn in place on a terminal, one line per fact elsewhere. Both are made from
the same events and say the same."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.dataclass import dataclass
from fargatectl.model.events import DeploymentEvent, StepEvent
from fargatectl.render.escape import escape
from fargatectl.render.layout import columns, cut, joined, pad, spread, wrap
from fargatectl.render.words import DONE, ONGOING, clock, count, duration, events_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from fargatectl.model.events import Event, LogEvent, RolloutProgress
    from fargatectl.model.status import ServiceEvent

_BAR = 15
_SHORT_BAR = 6
_ROOMY = 80  # columns: from here on there is room for the long one
_SHOWN_EVENTS = 2
_SHOWN_LOGS = 3
_SILENCE_SECONDS = 30  # so long may a log of a CI system be silent before it says what is waited for
_DURATION_CELLS = 10
_STEADY = "steady"  # the last stage of a rollout that went well
_GAP = 2
_ROLLING_BACK = "rolling back"  # then the revision that ECS goes to is the old one
_WELL, _BADLY, _GOING = ("✓", "green"), ("✗", "red"), ("▸", "cyan")
_STATES = ("done", "skipped", "failed", "began")


def bar(part: int, whole: int, width: int = _BAR) -> str:
    """Return a bar that is filled as far as `part` is of `whole`."""
    filled = 0 if whole <= 0 else round(width * min(max(part, 0), whole) / whole)
    return "█" * filled + "░" * (width - filled)


@dataclass
class _Rollout:
    began: datetime
    last: RolloutProgress
    at: datetime
    events: list[ServiceEvent] = field(default_factory=list)


class Progress:
    """The screen of a run, as the events make it. `began` is when the run began, `steps` how many it is to have."""

    def __init__(self, title: str, began: datetime, *, steps: int = 0) -> None:
        self.title = escape(title)
        self.began = began
        self._to_come = steps
        self._steps: dict[tuple[str, str], StepEvent] = {}
        self._starts: dict[tuple[str, str], datetime] = {}
        self._rollouts: dict[str, _Rollout] = {}
        self._logs: list[LogEvent] = []

    def apply(self, event: Event) -> None:
        """Take in what happened."""
        if isinstance(event, StepEvent):
            key = (event.address, event.verb)
            if event.state == "began":
                self._starts[key] = event.at
            self._steps[key] = event
        elif isinstance(event, DeploymentEvent):
            rollout = self._rollouts.setdefault(
                event.service.name, _Rollout(event.began or event.at, event.rollout, event.at)
            )
            rollout.last, rollout.at = event.rollout, event.at
            rollout.events = [one for one in event.service.events if one.at >= self.began]
        else:
            self._logs.append(event)

    def screen(self, *, now: datetime, width: int, height: int) -> Text:
        """Return the screen at `now`, at most `height` lines high: what goes on is always on it."""
        head = spread(Text(self.title, "bold"), Text(clock((now - self.began).total_seconds()), "dim"), width)
        rollouts = self._rollout_lines(now, width, max(height - 4, 3))
        logs = [line for event in self._logs[-_SHOWN_LOGS:] for line in _log(event, width)]
        room = max(height - 1 - len(rollouts) - len(logs), 3)
        return joined([head, *self._step_lines(now, width, room), *rollouts, *logs][: max(height, 3)])

    def _step_lines(self, now: datetime, width: int, room: int) -> list[Text]:
        told = {state: [k for k, step in self._steps.items() if step.state == state] for state in _STATES}
        # What failed and what goes on must be seen; what is done is folded first.
        folding, kept = [*told["done"], *told["skipped"]], [*told["failed"], *told["began"]]
        hidden = len(folding) + len(kept) - room
        if hidden > 0:
            hidden = min(hidden + 1, len(folding))
        shown = [*folding[max(hidden, 0) :], *kept]
        to_come = self._to_come - len(self._steps)
        rest = f", {to_come} to come" if to_come > 0 else ""
        folded = [Text(f"  … {hidden} more done{rest}", "dim")] if hidden > 0 else []
        return [*folded, *(self._step(key, self._steps[key], now, width) for key in shown)][:room]

    def _step(self, key: tuple[str, str], step: StepEvent, now: datetime, width: int) -> Text:
        symbol, style = {"began": ("▸", "cyan"), "done": ("✓", "green"), "failed": ("✗", "red")}.get(
            step.state, ("·", "dim")
        )
        end = now if step.state == "began" else step.at
        start = self._starts.get(key)
        took = duration((end - start).total_seconds()) if start is not None else ""
        words = _words(step)
        room = width - _DURATION_CELLS - 4
        left = Text.assemble("  ", (symbol, style), " ", (cut(words, room), "dim" if step.state == "skipped" else ""))
        return spread(left, Text(took, "dim"), width)

    def _rollout_lines(self, now: datetime, width: int, room: int) -> list[Text]:
        """Return what there is room for: everything, or a line for each, or one for all that are over."""
        full = [line for name in self._rollouts for line in self._rollout(name, now, width)]
        if len(full) <= room:
            return full
        steady = [name for name, rollout in self._rollouts.items() if rollout.last.stage == _STEADY]
        heads = [self._head(name, now, width, counted=True) for name in self._rollouts if name not in steady]
        over = [Text.assemble("  ", _WELL, f" {count(len(steady), 'rollout')} steady")] if steady else []
        left = max(room - len(over), 1)
        if len(heads) > left:
            heads[left - 1 :] = [Text(f"  … {count(len(heads) - left + 1, 'more rollout')} under way", "dim")]
        return [*over, *heads][:room]

    def _head(self, name: str, now: datetime, width: int, *, counted: bool = False) -> Text:
        rollout = self._rollouts[name]
        last = rollout.last
        mark = _WELL if last.stage == _STEADY else _BADLY if last.over else _GOING
        end = rollout.at if last.over or last.stage == _STEADY else now
        elapsed = duration((end - rollout.began).total_seconds())
        left = (last.left or 0) - (now - rollout.at).total_seconds()
        time = f"{elapsed}, about {_roughly(left)} left" if left > 0 else elapsed
        counts = f", {', '.join(_new(last))}" if counted else ""
        words = cut(f"rollout of {escape(name)}  {escape(last.stage)}{counts}", width - len(time) - _GAP - 4)
        head, stage = words.partition("  ")[0], words.partition("  ")[2]
        return spread(Text.assemble("  ", mark, f" {head}  ", (stage, "yellow")), Text(time, "dim"), width)

    def _rollout(self, name: str, now: datetime, width: int) -> Iterator[Text]:
        rollout = self._rollouts[name]
        last = rollout.last
        yield self._head(name, now, width)
        if last.over or last.stage == _STEADY:
            return
        labels = ("back", "failed") if last.stage == _ROLLING_BACK else ("new", "old")
        cells = _BAR if width >= _ROOMY else _SHORT_BAR
        rows = [_row(labels[0], last.revision, bar(last.healthy, last.desired, cells), _new(last))]
        if last.old_running or last.old_pending:
            rows.append(_row(labels[1], last.old_revision, bar(last.old_running, last.desired, cells), _old(last)))
        yield from columns(rows, indent="      ")
        targets = _targets(last)
        if targets:
            yield Text.assemble(("      targets  ", "dim"), ", ".join(targets))
        for said, at in list(events_words(rollout.events).items())[-_SHOWN_EVENTS:]:
            moment = at.astimezone().strftime("%H:%M:%S")
            yield Text(f"      {moment}  {cut(escape(said), width - 16)}", "dim")


class Lines:
    """The same facts, one a line, each with the time since the run began. `verbose` adds beginnings and addresses."""

    def __init__(self, began: datetime, *, verbose: bool = False) -> None:
        self.began = began
        self._verbose = verbose
        self._last_said = began
        self._going: dict[tuple[str, str], StepEvent] = {}
        self._rollouts: dict[str, str] = {}
        self._told: dict[str, datetime] = {}

    def line(self, event: Event) -> Text | None:
        """Return the lines for an event, or None if it says nothing new."""
        words = self._words(event)
        if words is None:
            return None
        self._last_said = event.at
        return joined(self._stamped(line, event.at) for line in words.split())

    def reminder(self, now: datetime) -> Text | None:
        """Return a line that says what is waited for, if nothing has been said for a while."""
        if (now - self._last_said).total_seconds() < _SILENCE_SECONDS or not (self._going or self._rollouts):
            return None
        self._last_said = now
        waiting = [
            f"{ONGOING[step.verb]} {escape(step.summary or step.address)} for "
            f"{duration((now - step.at).total_seconds())}"
            for step in self._going.values()
        ]
        waiting += [f"{escape(name)}: {words}" for name, words in self._rollouts.items()]
        more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""  # noqa: PLR2004 - a line's worth
        return self._stamped(Text(f"still {'; '.join(waiting[:3])}{more}", "dim"), now)

    def say(self, words: str, at: datetime) -> Text:
        """Return a line that says `words`."""
        self._last_said = at
        return self._stamped(Text(escape(words)), at)

    def _stamped(self, words: Text, at: datetime) -> Text:
        return Text.assemble((f"[{clock((at - self.began).total_seconds())}] ", "dim"), words)

    def _words(self, event: Event) -> Text | None:
        if isinstance(event, StepEvent):
            return self._step(event)
        if isinstance(event, DeploymentEvent):
            return self._rollout(event)
        return Text(escape(event.message), "yellow" if event.level == "warning" else "dim")

    def _rollout(self, event: DeploymentEvent) -> Text | None:
        name, words = event.service.name, _rollout_words(event.rollout)
        since = self._told.get(name, self.began)
        new = [one for one in event.service.events if one.at > since]
        self._told[name] = max((one.at for one in new), default=since)
        lines = [Text(f"{escape(name)}: {escape(said)}", "dim") for said in events_words(new)]
        if self._rollouts.get(name) != words:
            self._rollouts[name] = words
            left = f"; about {_roughly(event.rollout.left)} left" if event.rollout.left else ""
            lines.append(Text(f"{escape(name)}: {words}{left}"))
        return joined(lines) if lines else None

    def _step(self, step: StepEvent) -> Text | None:
        key = (step.address, step.verb)
        if step.state == "began":
            self._going[key] = step
            if not self._verbose:
                return None
        else:
            self._going.pop(key, None)
        address = f" ({escape(step.address)})" if self._verbose else ""
        style = {"done": "green", "failed": "red", "skipped": "dim"}.get(step.state, "dim")
        return Text.assemble(pad(Text(step.state, style), 7), " ", f"{_words(step)}{address}")


def _words(step: StepEvent) -> str:
    """Say what happens or happened: "service web updated: shop-web:8"."""
    what = escape(step.summary or step.address)
    if step.state == "began":
        return f"{what} {ONGOING[step.verb]}"
    if step.state == "failed":
        reason = escape(step.error.message) if step.error else ""
        return f"{what} not {DONE[step.verb]}" + (f": {reason}" if reason else "")
    if step.state == "skipped":
        because = f", since {escape(step.because)} failed" if step.because else ""
        return f"{what} not {DONE[step.verb]}{because}"
    detail = f": {escape(step.detail)}" if step.detail else ""
    return f"{what} {DONE[step.verb]}{detail}"


def _rollout_words(last: RolloutProgress) -> str:
    parts = [escape(last.stage), f"{escape(last.revision)} {', '.join(_new(last))}"]
    if last.old_running or last.old_pending:
        parts.append(f"{escape(last.old_revision) or 'old'} {', '.join(_old(last))}")
    targets = _targets(last)
    if targets:
        parts.append(f"targets {', '.join(targets)}")
    return "; ".join(parts)


def _new(last: RolloutProgress) -> list[str]:
    """Return the tasks of the new revision: how many are healthy, and what the others do."""
    starting = last.running - last.healthy
    counts = {"starting": starting, "pending": last.pending, "failed": last.failed}
    return [f"{last.healthy}/{last.desired} healthy", *(f"{n} {word}" for word, n in counts.items() if n > 0)]


def _old(last: RolloutProgress) -> list[str]:
    return [f"{last.old_running} running", *([f"{last.old_pending} pending"] if last.old_pending else [])]


def _targets(last: RolloutProgress) -> list[str]:
    if last.targets is None:
        return []
    counts = {name: getattr(last.targets, name) for name in ("healthy", "unhealthy", "initial", "draining")}
    return [f"{number} {name}" for name, number in counts.items() if number]


def _roughly(seconds: float) -> str:
    """Return an estimate: to five seconds, for it is no better."""
    return duration(max(5, round(seconds / 5) * 5))


def _row(name: str, revision: str, shown: str, words: list[str]) -> list[Text]:
    return [Text(name, "dim"), Text(escape(revision)), Text(shown, "green"), Text(", ".join(words))]


def _log(event: LogEvent, width: int) -> list[Text]:
    style = "yellow" if event.level == "warning" else "dim"
    return [Text(line, style) for line in wrap(escape(event.message), width, indent="  ")]
