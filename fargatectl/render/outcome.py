"""How a run ended, as the last thing on the screen: what serves now, what was done and what not, what to do next."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.dataclass import dataclass
from fargatectl.errors import AwsFailure, ExitCode, FargatectlError, JobFailed, Paused, RolloutFailed, StillInProgress
from fargatectl.model.change import Action
from fargatectl.render.escape import escape
from fargatectl.render.layout import columns, cut, joined, wrap
from fargatectl.render.problems import with_exit
from fargatectl.render.status import serving
from fargatectl.render.words import count, duration, sentence, stack_name, without_arns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.model.change import Change
    from fargatectl.model.diagnosis import Diagnosis
    from fargatectl.model.plan import Plan
    from fargatectl.model.status import ServiceStatus

_LISTED = 6  # names on a line before "and 3 more"
_SCREEN = 20  # a screen's last lines, which tell all
_HEIGHT, _LEAST_HEIGHT = 14, 6  # lines of a diagnosis among them
_LEAST_EVIDENCE = 1
_IN_FULL = 2  # diagnoses; of more failures than this the others are told in a sentence
_FOLLOW_IT = "Follow them: fargatectl deploy --attach."
_ATTACHED_TO_NONE = "Nothing to follow."
_UNLIMITED = 10_000
_BAD = "red"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a run ended. `undone` are the addresses of changes that were not made; `seconds` is how long it took.

    `handed_over` says that rollouts go on unwatched; `postponed` counts deletions that wait for the next run.
    `attached` counts the rollouts that were followed without a plan; None for a run that has one.
    """

    plan: Plan
    exit_code: ExitCode
    seconds: float
    failed: Mapping[str, FargatectlError] = field(default_factory=dict)
    undone: Sequence[str] = ()
    services: Sequence[ServiceStatus] = ()
    handed_over: bool = False
    postponed: int = 0
    attached: int | None = None

    @property
    def going_on(self) -> list[StillInProgress]:
        """The rollouts that go on in AWS unwatched."""
        return [error for error in self.failed.values() if isinstance(error, StillInProgress)]


def summary(ending: Ending) -> str:
    """Return the end of a deploy in a sentence."""
    name = escape(stack_name(ending.plan.app, ending.plan.environment))
    if ending.exit_code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}:
        return "Interrupted."
    if ending.exit_code == ExitCode.DONE:
        return f"{name} {_well(ending)}"
    failed = [error for error in ending.failed.values() if not isinstance(error, StillInProgress)]
    if not failed:
        return f"{name} is still being rolled out after {duration(ending.seconds)}; AWS goes on with it."
    return f"{name} is not up to date: {count(len(failed), 'thing')} failed."


def _well(ending: Ending) -> str:
    if ending.attached is not None:
        over = f"{count(ending.attached, 'rollout')} ended well after {duration(ending.seconds)}."
        return f"has no rollout under way. {_ATTACHED_TO_NONE}" if not ending.attached else f"is steady: {over}"
    if not ending.plan:
        return "is up to date. Nothing to change."
    later = f" {count(ending.postponed, 'deletion')} left to the next deploy." if ending.postponed else ""
    if ending.handed_over:
        return f"is handed over to AWS after {duration(ending.seconds)}: its rollouts go on there. {_FOLLOW_IT}{later}"
    return f"is up to date in {duration(ending.seconds)}.{later}"


def good(ending: Ending, *, width: int) -> tuple[Text, Text]:
    """Return the end of a good deploy: a sentence, and what serves now."""
    return Text(summary(ending), "green"), joined(serving(ending.services, width=width))


def well(text: str, seconds: float | None) -> Text:
    """Return the good end of a command in a sentence: what is so now, and how long it took."""
    took = "" if seconds is None or text.endswith(".") else f" after {duration(seconds)}."
    return Text(f"{escape(text)}{took}", "green")


def bad(ending: Ending, *, width: int) -> Text:
    """Return the end of a deploy that is not through: every failure, what serves now, what was not done, what next."""
    told, tail = _told(ending.failed), _tail(ending, width)
    stuck = [one for one in ending.going_on if one.diagnosis is not None]
    taken = sum(line.plain.count("\n") + 1 for line in tail)
    in_full = 1 if len(told) > _IN_FULL else len(told)
    height = max(_LEAST_HEIGHT, min(_HEIGHT, (_SCREEN - taken) // max(in_full + len(stuck[:_IN_FULL]), 1) - 1))
    lines: list[Text] = []
    for place, (address, error) in enumerate(told):
        lines += [*_failure(address, error, ending.plan, width, height=height if place < in_full else 0), Text()]
    if not told:
        lines = [*(Text(line, "bold") for line in wrap(summary(ending), width)), Text()]
    lines += _stuck([error for error in ending.going_on if _goes_on(error)], width, height)
    return joined(with_exit([*lines, *tail], ending.exit_code, width))


def _tail(ending: Ending, width: int) -> list[Text]:
    """Return the last lines of a bad end: what serves now, what was not done, what next."""
    lines: list[Text] = []
    if ending.services:
        lines += [Text("Now:"), *serving(ending.services, width=width), Text()]
    if ending.attached is None:
        lines += [Text(line) for line in wrap(_done_and_not(ending), width)]
    return lines + [Text(line) for line in wrap(_what_next(ending), width - len("  exit 130"))]


def _stuck(going_on: Sequence[StillInProgress], width: int, height: int) -> list[Text]:
    """Return the rollouts that go on: what is known of why they are not over, and the names of the others."""
    lines: list[Text] = []
    for error in [one for one in going_on if one.diagnosis is not None][:_IN_FULL]:
        assert error.diagnosis is not None  # noqa: S101 - chosen above
        lines += [*diagnosis(error.message, error.diagnosis, width=width, height=height), Text()]
    others = [one.message for one in going_on if one.diagnosis is None]
    lines += [Text(line) for one in others[:_LISTED] for line in wrap(sentence(escape(one)), width)]
    more = len(others) - _LISTED
    return [*lines, *([Text(f"So do {more} more.")] if more > 0 else []), *([Text()] if others else [])]


def _told(failed: Mapping[str, FargatectlError]) -> list[tuple[str, FargatectlError]]:
    """Return each failure once, for many resources may fail for one reason; what goes on is none."""
    told: dict[str, tuple[str, FargatectlError]] = {}
    for address, error in failed.items():
        if isinstance(error, Paused) or not isinstance(error, StillInProgress):
            told.setdefault(error.message, (address, error))
    return list(told.values())[:_LISTED]


def _failure(address: str, error: FargatectlError, plan: Plan, width: int, *, height: int) -> list[Text]:
    """Return what went wrong; a diagnosis in `height` lines, or in a sentence where there is no room for one."""
    if isinstance(error, RolloutFailed | JobFailed):
        if not height:
            cause = _labelled("cause", [error.diagnosis.cause], width)
            return [*(Text(line, "bold") for line in wrap(sentence(escape(error.message)), width)), *cause]
        return diagnosis(error.message, error.diagnosis, width=width, height=height, hint=error.hint)
    if isinstance(error, Paused):
        said = [Text(line, "bold") for line in wrap(sentence(escape(error.message)), width)]
        return [*said, *(Text(line) for line in wrap(escape(error.hint), width, indent="  "))]
    lines = []
    change = next((change for change in plan.changes if change.address == address), None)
    if change is not None:
        lines += [Text(line, "bold") for line in wrap(f"Could not {_verb(change)} {escape(change.summary)}.", width)]
        lines.append(Text())
    lines += [Text(line) for line in wrap(sentence(escape(error.message)), width, indent="  ")]
    if isinstance(error, AwsFailure) and error.operation:
        lines.append(Text(f"  {escape(address)} · {escape(error.operation)} · {escape(error.code)}", "dim"))
    lines += [Text(line) for line in wrap(sentence(escape(error.hint)), width, indent="  ") if error.hint]
    return lines


def diagnosis(message: str, found: Diagnosis, *, width: int, height: int = _HEIGHT, hint: str = "") -> list[Text]:
    """Return why a rollout failed: cause, evidence, fix; what serves now is the headline.

    At most `height` lines: evidence gives way first.
    """
    head = [Text(line, "bold") for line in wrap(sentence(escape(message)), width)] if message else []
    if found.serving and found.serving not in message:
        head += [Text(line, "bold") for line in wrap(escape(found.serving), width)]
    cause = _labelled("cause", [found.cause], width)
    fix = _labelled("fix", [text for text in (found.fix, hint) if text], width)
    room = max(height - len(head) - len(cause) - len(fix) - 1, _LEAST_EVIDENCE)
    return [*head, Text(), *cause, *_evidence(found, width, room), *fix]


def _evidence(found: Diagnosis, width: int, room: int) -> list[Text]:
    """Return as much evidence as there is room for, and at least how the first of it begins."""
    lines: list[Text] = []
    for place, text in enumerate(found.evidence):
        more = _labelled("" if place else "evidence", [without_arns(text)], width, style="dim")
        if place == 0 and len(more) > room:
            more = [*more[: room - 1], _shortened(more[room - 1], width)]
        if len(lines) + len(more) > room:
            left = len(found.evidence) - place
            if len(lines) == room and place > 1:
                lines, left = lines[:-1], left + 1
            note = f"… {count(left, 'line')} more: fargatectl why {found.service} -v"
            return [*lines, *_labelled("", [note], width, style="dim")]
        lines += more
    return lines


def _shortened(line: Text, width: int) -> Text:
    return Text(f"{cut(line.plain, width - 1).removesuffix('…')}…", line.style)


def _labelled(label: str, texts: Sequence[str], width: int, *, style: str = "") -> list[Text]:
    lines = []
    for place, text in enumerate(texts):
        head = f"  {label if place == 0 else '':<10}"
        lines += [Text(line, style) for line in wrap(escape(text), width, indent=head, hanging=" " * len(head))]
    return lines


def why(found: Sequence[tuple[str, Diagnosis | None]], *, width: int, full: bool = False) -> Text:
    """Return the screen of `why`: a diagnosis for each service that has a failed deployment. `full` shortens none."""
    failed = [(name, one) for name, one in found if one is not None]
    lines: list[Text] = []
    height = _UNLIMITED if full else max(_HEIGHT // max(len(failed), 1), _LEAST_EVIDENCE)
    for name, one in failed:
        confidence = {"high": "", "medium": " (likely)", "low": " (uncertain)"}[one.confidence]
        lines += [*diagnosis(f"{name}: {one.code}{confidence}.", one, width=width, height=height), Text()]
    well = [escape(name) for name, one in found if one is None]
    if well:
        lines += [Text(line, "green") for line in wrap(f"No deployment of {', '.join(well)} failed.", width)]
    return joined(lines[:-1] if lines and not lines[-1] else lines)


def _done_and_not(ending: Ending) -> str:
    total = len(ending.plan.changes)
    if not total:
        return "Nothing was changed."
    by_address: dict[str, str] = {change.address: change.summary for change in ending.plan.changes}
    undone = [by_address[address] for address in dict.fromkeys(ending.undone) if address in by_address]
    done = f"Done: {total - len(undone)} of {count(total, 'change')}."
    return f"{done} Not done: {names(undone)}." if undone else done


def _what_next(ending: Ending) -> str:
    again = "Run the same command again to go on"
    if ending.exit_code in {ExitCode.IN_PROGRESS, ExitCode.INTERRUPTED, ExitCode.TERMINATED}:
        rest = ending.attached is None and (ending.undone or ending.postponed)
        return f"{_ways_on(ending)}{f' {again} with the rest.' if rest else ''}"
    return "Mend it and deploy again." if ending.exit_code == ExitCode.FAILED else f"{again}."


def _ways_on(ending: Ending) -> str:
    """Say how to get to the end of what AWS has begun, or back from it."""
    going = [address for address, error in ending.failed.items() if _goes_on(error)]
    if not going:
        return "It waits in AWS for the answer." if ending.going_on else "What AWS has begun goes on."
    name = escape(going[0].rpartition("/")[2]) if len(going) == 1 else "SERVICE"
    ways = f"Follow it: fargatectl deploy --attach. Go back: fargatectl rollback {name}."
    return f"What AWS has begun goes on. {ways}"


def _goes_on(error: FargatectlError) -> bool:
    return isinstance(error, StillInProgress) and not isinstance(error, Paused)


def names(texts: Sequence[str]) -> str:
    """Return texts as an enumeration that ends in time: "a, b, c and 4 more"."""
    shown = ", ".join(escape(text) for text in texts[:_LISTED])
    return f"{shown} and {len(texts) - _LISTED} more" if len(texts) > _LISTED else shown


def farewell(  # noqa: PLR0913 - what a destroy is of
    plan: Plan,
    *,
    subject: str,
    nouns: Mapping[str, str],
    tasks: Mapping[str, int],
    stays: Mapping[str, Sequence[str]],
    width: int,
) -> Text:
    """Return what a destroy of `subject` would take away, and what stays, by the reason.

    `nouns` maps kinds to their names, `tasks` to how many of theirs run and are stopped.
    """
    where = escape(f"{plan.account} {plan.region}")
    lines = [Text.assemble("This deletes ", (escape(subject), "bold"), f" in {where}:"), Text()]
    by_kind: dict[str, list[str]] = {}
    for change in plan.changes:
        kind, _, own = change.address.partition("/")
        by_kind.setdefault(kind, []).append(own)
    rows = []
    for kind, owns in by_kind.items():
        noun = nouns.get(kind) or escape(kind)
        extra = f" ({count(tasks[kind], 'task')})" if tasks.get(kind) else ""
        rows.append(
            [Text(f"- {count(len(owns), noun, _plural(noun))}{extra}", _BAD), Text(cut(names(owns), width // 2))]
        )
    lines += [*columns(rows), Text()]
    for label, texts in stays.items():
        if texts:
            head = f"  {label:<10}"
            lines += [Text(line, "dim") for line in wrap(names(texts), width, indent=head, hanging=" " * len(head))]
    return joined(lines)


def _plural(noun: str) -> str:
    if noun.endswith("s"):
        return noun
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"


def gone(subject: str, kept: Sequence[str], *, width: int) -> Text:
    """Return the last lines of a destroy that left nothing of `subject`."""
    text = f"Nothing of {escape(subject)} is left (checked by tags and names)."
    if kept:
        text += f" Kept: {names(kept)}."
    return joined([Text(line, "green") for line in wrap(text, width)])


def left(found: Mapping[str, str], *, width: int) -> Text:
    """Return all that a destroy left, by its address, and why: nobody has to look for more."""
    lines = [Text("Still there:", "bold")]
    for address, why in found.items():
        lines += [Text(line) for line in wrap(f"{escape(address)}: {escape(why)}", width, indent="  ", hanging="    ")]
    return joined(lines)


def _verb(change: Change) -> str:
    return "take over" if change.action is Action.ADOPT else str(change.action)
