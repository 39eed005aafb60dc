"""What became of scenarios: a report for each, and the command that plays it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.faults.account import Account

    Answers = Iterable[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Report:
    """What became of one scenario. `replay` is the command that does the same again."""

    replay: str
    k: int
    fault: str
    call: str
    problems: list[str]
    ended: str

    def __str__(self) -> str:
        lines = "\n".join(f"    {problem}" for problem in self.problems)
        return f"{self.replay}   # {self.call}; {self.ended}\n{lines}"


def compared(answers: Answers, reference: Account, replay: str, then: str | None) -> list[Report]:
    """Compare what children ended in with `reference`; return a report for each. `then` is what their rerun met."""
    reports = []
    for name, answer in answers:
        k, fault, call = name.split(" ", 2)
        found = problems(answer, reference, _spare_revisions(then, fault, call))
        reports.append(Report(f"{replay} --k {k} --fault {fault}", int(k), fault, call, found, answer.get("ended", "")))
    return reports


def problems(answer: dict[str, Any], reference: Account, spare: int = 0) -> list[str]:
    """Return what a child found, and how its account differs from `reference`; `spare` revisions more there may be."""
    if "broken" in answer:
        return [answer["broken"]]
    account = answer["account"]
    revisions = _revisions(reference.revisions, account["revisions"], spare)
    return [*answer["problems"], *reference.differences(account), *revisions]


def known(names: Iterable[str], reports: Iterable[Report]) -> list[Report]:
    """Return reports for the deaths before a call that leave what the death after the last one left, if one was tried.

    A sample that has not tried that one has no need of the other: it is as good as any that was left out.
    """
    dead_after = {report.k: report for report in reports if report.fault == "crash-after"}
    found = []
    for name in names:
        k, fault, call = name.split(" ", 2)
        same = dead_after.get(int(k) - 1)
        if same is not None:
            found.append(Report(same.replay, int(k), fault, call, same.problems, same.ended))
    return found


def _spare_revisions(then: str | None, fault: str, call: str) -> int:
    """Return how many revisions more there may be: RegisterTaskDefinition has no token.

    So its retry makes another one, and so does a run that is not shown the last one yet.
    """
    repeated = fault == "lost-thirds" or (fault in {"lost", "error-after"} and call == "ecs:RegisterTaskDefinition")
    unseen = (then or fault).startswith("stale")
    second = then in {"lost", "error-after"}
    return 1 if repeated or unseen or second else 0


def _revisions(expected: Any, found: Any, spare: int) -> list[str]:
    return [
        f"I6: {family} has {found.get(family, 0)} revisions instead of {expected.get(family, 0)}"
        for family in sorted({*expected, *found})
        if not expected.get(family, 0) <= found.get(family, 0) <= expected.get(family, 0) + spare
    ]
