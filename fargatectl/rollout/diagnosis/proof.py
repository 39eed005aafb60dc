"""Whether a deployment is proven to be beyond help: trying again would only take time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any

from fargatectl.rollout.diagnosis.catalogue import RULES
from fargatectl.rollout.diagnosis.rule import match

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.rollout.diagnosis.case import Case, Signal
    from fargatectl.rollout.diagnosis.rule import Rule

_TASKS = 2  # that failed of one cause: one may have been bad luck
_EXITS = 3  # with the same code
_SOON_SECONDS = 10.0  # a program that ends so soon after its start has not begun to work
_HARMLESS = (None, 0, 143)


def proven(case: Case) -> bool:
    """Tell whether no further task of the deployment can do better than those that failed.

    Either two tasks failed of the same cause that cannot heal, or three ended with the same exit code within seconds.
    """
    causes: Counter[str] = Counter()
    exits: Counter[tuple[str, int | None]] = Counter()
    for task in case.of_deployment:
        signal = case.signal(task)
        if signal is None:
            continue
        rule = _rule_of(signal)
        if rule is None or _may_heal(case, rule, task):
            continue
        if rule.hopeless:
            causes[rule.code] += 1
        if signal.exit_code not in _HARMLESS and signal.lived is not None and signal.lived <= _SOON_SECONDS:
            exits[signal.container, signal.exit_code] += 1
    return max(causes.values(), default=0) >= _TASKS or max(exits.values(), default=0) >= _EXITS


def _rule_of(signal: Signal) -> Rule | None:
    return next((rule for rule in RULES if match(rule, signal) is not None), None)


def _may_heal(case: Case, rule: Rule, task: Mapping[str, Any]) -> bool:
    made = task.get("createdAt")
    if not rule.heals_within:
        return False
    if rule.heals_within == inf or case.began is None or not isinstance(made, datetime):
        return True
    return made < case.began + timedelta(seconds=rule.heals_within)
