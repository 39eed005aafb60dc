"""From a case to its diagnosis: cause, evidence, fix, and what is serving now."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from fargatectl.model.diagnosis import Diagnosis
from fargatectl.rollout.diagnosis.case import Source
from fargatectl.rollout.diagnosis.catalogue import RULES
from fargatectl.rollout.diagnosis.facts import facts_of
from fargatectl.rollout.diagnosis.redaction import redacted
from fargatectl.rollout.diagnosis.rule import hits
from fargatectl.rollout.diagnosis.words import shortened, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.model.diagnosis import Confidence
    from fargatectl.rollout.diagnosis.case import Case, Signal
    from fargatectl.rollout.diagnosis.facts import Fact
    from fargatectl.rollout.diagnosis.rule import Hit

Places: TypeAlias = Callable[[str], str]
"""From a key of the file ("services.web.image") to its place ("fargatectl.toml:12"), or "" where it is not known."""

_OF_SERVICE = re.compile(r"^\(service [^)]*\) ")
_LOG_LINES = 12
_EVENTS = 4
_OTHERS = 3


def suspicion(case: Case) -> Hit | None:
    """Return the most likely cause, before the account was looked at; None where no rule fits."""
    return next(iter(hits(case, RULES)), None)


def explain(case: Case, serving: str, place: Places = lambda _: "") -> Diagnosis:
    """Return why the deployment of `case` failed. Where no rule fits it says so, and shows what there is."""
    found = hits(case, RULES)
    if not found:
        return _unknown(case, serving)
    hit = found[0]
    words = words_of(case, hit)
    facts = facts_of(case, hit)
    better = next((fact for fact in facts if fact.cause), None)
    fix = next((fact for fact in facts if fact.fix), None)
    key = (fix.key if fix else hit.rule.key).format_map(words)
    return Diagnosis(
        service=case.name,
        cause=better.cause if better else hit.rule.cause.format_map(words),
        evidence=tuple(dict.fromkeys(_evidence(case, hit, facts, found[1:]))),
        serving=serving,
        fix=_fix(fix.fix if fix else hit.rule.fix.format_map(words), key, place),
        confidence=_confidence(hit, facts),
        code=hit.rule.code,
    )


def _confidence(hit: Hit, facts: list[Fact]) -> Confidence:
    return next((fact.confidence for fact in facts if fact.confidence), hit.rule.confidence)


def _fix(text: str, key: str, place: Places) -> str:
    at = place(key) if key else ""
    return f"{at}  [{key}]  {text}" if at else text


def _evidence(case: Case, hit: Hit, facts: list[Fact], others: list[Hit]) -> Iterator[str]:
    yield from _said(hit.signal)
    for line in hit.signal.logs[-_LOG_LINES:]:
        if line.strip():
            yield f"log   {shortened(redacted(line))}"
    yield from (fact.line for fact in facts)
    for other in [one for one in others if one.rule.code != hit.rule.code and not one.rule.vague][:_OTHERS]:
        yield from (f"beside it: {line}" for line in _said(other.signal))
    yield from _rest(case, hit.signal)
    yield from (f"not checked: {sentence}" for sentence in case.unread)


def _rest(case: Case, but: Signal) -> Iterator[str]:
    for signal in case.signals:
        if signal.source is Source.DEPLOYMENT and signal is not but:
            yield f"deployment: {shortened(redacted(signal.text))}"
    events = [signal for signal in case.signals if signal.source is Source.EVENT and signal is not but]
    yield from (line for signal in events[:_EVENTS] for line in _said(signal))


def _said(signal: Signal) -> Iterator[str]:
    """Yield what was said, a line for each time; of an event without the service, which all of this is about."""
    parts = [redacted(part.strip()) for part in signal.text.splitlines()]
    if signal.source is Source.TASK:
        code = "" if signal.exit_code is None else f", exit code {signal.exit_code}"
        who = f"{signal.count} tasks stopped" if signal.count > 1 else "a task stopped"
        after = "" if signal.lived is None else f" after {signal.lived:.0f} s"
        yield f'{who}{after}: "{"; ".join(parts)}"{code}'
        return
    for part in parts:
        event = _OF_SERVICE.sub("event: ", part)
        yield event if event != part or signal.source is Source.HEALTH else f"{signal.source.value}: {part}"


def _unknown(case: Case, serving: str) -> Diagnosis:
    said = case.signals
    first = said[0] if said else None
    what = (
        f"ECS says: {shortened(redacted(first.text))}" if first else "ECS gives no reason, and remembers no task of it"
    )
    evidence = [line for signal in said for line in _said(signal)]
    evidence += [f"log   {shortened(redacted(line))}" for signal in said for line in signal.logs[-_LOG_LINES:]]
    evidence += [f"not checked: {sentence}" for sentence in case.unread]
    cause = f"No cause that fargatectl knows. {what}"
    return Diagnosis(case.name, cause, tuple(dict.fromkeys(evidence)), serving, confidence="low", code="unknown")
