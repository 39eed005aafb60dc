"""Rules: how a cause is recognised in what AWS says, and what it means for whoever deploys."""

from __future__ import annotations

import re
from dataclasses import field
from functools import cache
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass
from fargatectl.rollout.diagnosis.case import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.model.diagnosis import Confidence
    from fargatectl.rollout.diagnosis.case import Case, Signal

RIGHTS_SECONDS = 120.0
"""So long a role or policy may be unknown to other services of AWS (IAM guide, "Troubleshoot IAM", eventual
consistency); ECS and others were seen to need up to two minutes."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One cause.

    A signal from one of `sources` is of this cause if all of `says` are found in its text, one of `exit_codes` (if
    any are given) is its exit code, one of `stop_codes` (likewise) its stop code, and `logs` (if given) is found in a
    line of its container's log. All are regular expressions, case aside: AWS rewords its texts; their named groups
    can be used in `cause` and `fix`, beside those that `words` has.

    `key` is the key of the file that the fix is about, `{at}` standing for the container's table and `{service}` for
    the service's. `hopeless`: trying again cannot help. `heals_within`: for so many seconds from the begin of the
    deployment the cause may pass by itself, as a right does that was only just given. `vague`: says that something
    failed, not why; counts only where nothing else is known. `facts` are looked up in the account to prove or refine
    it. `source` is the AWS page.
    """

    code: str
    cause: str
    fix: str = ""
    key: str = ""
    says: tuple[str, ...] = ()
    never: str = ""
    sources: tuple[Source, ...] = (Source.TASK, Source.EVENT)
    exit_codes: tuple[int, ...] = ()
    stop_codes: tuple[str, ...] = ()
    logs: str = ""
    confidence: Confidence = "high"
    hopeless: bool = False
    heals_within: float = 0
    vague: bool = False
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A rule that fits a signal, with what its expressions found."""

    rule: Rule
    signal: Signal
    found: dict[str, str] = field(default_factory=dict)


def hits(case: Case, rules: tuple[Rule, ...]) -> list[Hit]:
    """Return, for each signal of `case`, the first rule that fits it; those that say why come before vague ones."""
    found = list(_hits(case.signals, rules))
    return sorted(found, key=lambda hit: hit.rule.vague)  # stable: direct witnesses stay first


def _hits(signals: list[Signal], rules: tuple[Rule, ...]) -> Iterator[Hit]:
    for signal in signals:
        hit = next((hit for rule in rules if (hit := match(rule, signal)) is not None), None)
        if hit is not None:
            yield hit


def match(rule: Rule, signal: Signal) -> Hit | None:
    """Return what `rule` finds in `signal`, or None if it is of another cause."""
    if signal.source not in rule.sources or (rule.exit_codes and signal.exit_code not in rule.exit_codes):
        return None
    if rule.stop_codes and signal.stop_code not in rule.stop_codes:
        return None
    if rule.never and _compiled(rule.never).search(signal.text):
        return None
    found: dict[str, str] = {}
    for pattern in rule.says:
        said = _compiled(pattern).search(signal.text)
        if said is None:
            return None
        found |= {name: value for name, value in said.groupdict().items() if value}
    if rule.logs:
        pattern_of_logs = _compiled(rule.logs)
        line = next((m for text in reversed(signal.logs) if (m := pattern_of_logs.search(text)) is not None), None)
        if line is None:
            return None
        found |= {name: value for name, value in line.groupdict().items() if value}
        found["line"] = line.string.strip()
    return Hit(rule, signal, found)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)
