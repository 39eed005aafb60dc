"""The corpus, cause by cause, and what a diagnosis says beside the cause."""

from __future__ import annotations

import pytest

from fargatectl.rollout.diagnosis import Case, explain, suspicion
from fargatectl.rollout.diagnosis.catalogue import RULES
from fargatectl.rollout.diagnosis.redaction import redacted
from tests.rollout.diagnosed import Example, examples

EXAMPLES = examples()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.name}-{example.expected}")
def test_the_cause_is_found_and_explained(example: Example) -> None:
    found, data = example.found(), example.data
    assert found.code in example.accepted
    assert data.get("cause", "") in found.cause
    assert data.get("fix", "") in found.fix
    assert data.get("key", "") in found.fix
    for line in data.get("says", ()):
        assert any(line in evidence for evidence in found.evidence), found.evidence
    told = "\n".join([found.cause, found.fix, *found.evidence])
    assert "{" not in found.cause
    assert "…" not in found.cause, "a word of the sentence is missing"
    if "absent" in data:
        assert data["absent"] not in told


def test_every_cause_has_an_example() -> None:
    assert {rule.code for rule in RULES} <= {example.expected for example in EXAMPLES}


def test_every_rule_but_vague_ones_says_what_to_do() -> None:
    assert [rule.code for rule in RULES if not rule.fix] == []


def test_a_hopeless_cause_is_never_one_that_can_pass() -> None:
    passing = {"no-capacity", "throttled", "spot-interrupted", "interface-timeout", "role-not-assumable", "killed"}
    passing |= {rule.code for rule in RULES if "unreachable" in rule.code or rule.code.startswith("health-check")}
    assert {rule.code for rule in RULES if rule.hopeless} & passing == set()


def test_an_unknown_failure_says_so_and_shows_all_there_is() -> None:
    task = {"taskArn": "x/1", "stoppedReason": "SomethingNew: never seen before", "containers": []}
    found = explain(
        Case(name="web", deployment="d", tasks=[task], unread=["the log of web (GetLogEvents: Denied)"]), ""
    )
    assert (found.code, found.confidence) == ("unknown", "low")
    assert "No cause that fargatectl knows" in found.cause
    assert any("never seen before" in line for line in found.evidence)
    assert "not checked: the log of web (GetLogEvents: Denied)" in found.evidence


def test_equal_failures_are_one_signal_whatever_ids_they_bear() -> None:
    reasons = [f"Network interface provision complete error timeout expired for eni-{n:017x}" for n in range(3)]
    tasks = [{"taskArn": f"x/{n}", "stoppedReason": reason} for n, reason in enumerate(reasons)]
    (signal,) = Case(name="web", deployment="d", tasks=tasks).signals
    assert signal.count == 3


def test_a_suspicion_names_the_facts_to_look_up() -> None:
    example = next(one for one in EXAMPLES if one.expected == "registry-unreachable")
    hit = suspicion(example.case)
    assert hit is not None
    assert hit.rule.facts == ("network",)


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("postgres://shop:hunter2@db:5432/shop", "hunter2"),
        ("DB_PASSWORD=hunter2 missing", "hunter2"),
        ('{"api_key": "abc-123-def"}', "abc-123-def"),
        ("using AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("Authorization: Bearer abcdefghij.klm", "abcdefghij"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0.sig", "eyJzdWIiOiIxMjM0"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(line: str, hidden: str) -> None:
    assert hidden not in redacted(line)


@pytest.mark.parametrize(
    "line", ["KeyError: 'DATABASE_URL'", "token expired", "http://db:5432/", "Error 401 at /login"]
)
def test_what_looks_like_none_is_left(line: str) -> None:
    assert redacted(line) == line
