from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.engine.executor import execute
from fargatectl.errors import AwsFailure, ConfigError
from fargatectl.reconcilers import alb
from fargatectl.reconcilers.alb.actions import to_aws
from fargatectl.reconcilers.alb.priority import choose
from tests.reconcilers.load_balancing import API, WEB, forwards_to, listeners, rules, stack

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from tests.reconcilers.conftest import Converger, Refusals

RULE = "alb.rule/api"


def conditions(rule: Any) -> dict[str, list[str]]:
    return {
        condition["Field"]: (condition.get("HostHeaderConfig") or condition["PathPatternConfig"])["Values"]
        for condition in rule["Conditions"]
    }


def by_hand(aws: Aws, priority: int) -> str:
    made = aws.elb.create_rule(
        ListenerArn=listeners(aws)[80]["ListenerArn"],
        Priority=priority,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/by-hand"]}}],
        Actions=to_aws(alb.FixedResponse(410)),
    )
    return made["Rules"][0]["RuleArn"]


def test_hosts_and_paths_lead_to_a_service(aws: Aws, converger: Converger, owner: Ownership) -> None:
    wanted = stack(owner, replace(API, host=("API.example.com",), path=("/v2/*", "/v1/*"), priority=7))

    converger.apply(wanted)

    (rule,) = rules(aws)
    assert rule["Priority"] == "7"
    assert conditions(rule) == {"host-header": ["api.example.com"], "path-pattern": ["/v1/*", "/v2/*"]}
    assert forwards_to(aws, rule) == "api"
    assert converger.changes(wanted) == {}


def test_conditions_and_priority_change_in_place(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, replace(API, priority=7)))
    (before,) = rules(aws)
    wanted = stack(owner, replace(API, path=("/v2/*",), priority=9))

    assert converger.changes(wanted) == {RULE: "update"}
    converger.apply(wanted)

    (after,) = rules(aws)
    assert after["RuleArn"] == before["RuleArn"]
    assert [after["Priority"], conditions(after)] == ["9", {"path-pattern": ["/v2/*"]}]
    assert converger.changes(wanted) == {}


def test_two_rules_may_change_places(aws: Aws, converger: Converger, owner: Ownership) -> None:
    first, second = replace(API, priority=1), replace(API, service="web", path=("/web/*",), priority=2)
    converger.apply(stack(owner, first, second))

    wanted = stack(owner, replace(first, priority=2), replace(second, priority=1))
    converger.apply(wanted)

    assert [forwards_to(aws, rule) for rule in rules(aws)] == ["web", "api"]
    assert converger.changes(wanted) == {}


def test_a_renamed_service_takes_the_priority_of_the_old_rule(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, replace(API, priority=1)))
    wanted = stack(owner, replace(API, service="api2", priority=1))

    converger.apply(wanted)

    (rule,) = rules(aws)
    assert [rule["Priority"], forwards_to(aws, rule)] == ["1", "api2"]
    assert converger.changes(wanted) == {}


def test_rules_of_others_are_left_alone_and_a_taken_priority_names_them(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner, WEB))
    theirs = by_hand(aws, 5)
    assert converger.changes(stack(owner, WEB)) == {}

    wanted = stack(owner, WEB, replace(API, priority=5))
    outcome = execute(converger.plan(wanted), aws, converger.executor, emit=lambda _: None)

    (failure,) = outcome.failed.values()
    assert isinstance(failure, AwsFailure)
    assert "priority 5 is taken by a rule of somebody else" in failure.message
    assert theirs in failure.message
    assert [rule["RuleArn"] for rule in rules(aws)] == [theirs]


def test_a_repeated_create_takes_its_own_earlier_success(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner, WEB))
    planning = converger.plan(stack(owner, WEB, API))
    converger.apply(stack(owner, WEB, API))
    refusals.add("CreateTargetGroup", "DuplicateTargetGroupName")

    outcome = execute(planning, aws, converger.executor, emit=lambda _: None)

    assert outcome.complete, outcome.failed
    assert len(rules(aws)) == 1
    assert converger.changes(stack(owner, WEB, API)) == {}


def test_a_new_listener_that_is_not_seen_yet_is_waited_for(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    refusals.add("CreateRule", "ListenerNotFound", times=3)

    converger.apply(stack(owner, WEB, API))

    assert len(rules(aws)) == 1


def test_what_was_changed_by_hand_is_put_right(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB, API))
    (before,) = rules(aws)
    aws.elb.modify_rule(
        RuleArn=before["RuleArn"],
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["other.example.com"]}}],
        Actions=to_aws(alb.FixedResponse(503)),
    )

    converger.apply(stack(owner, WEB, API))

    (after,) = rules(aws)
    assert conditions(after) == conditions(before)
    assert forwards_to(aws, after) == "api"


def test_a_service_that_left_the_file_takes_its_rule_along(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB, API))

    assert converger.changes(stack(owner, WEB)) == {RULE: "delete", "alb.target_group/api": "delete"}
    converger.apply(stack(owner, WEB))

    assert rules(aws) == []


def test_more_hosts_and_paths_than_a_rule_holds_become_several_rules(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    paths = tuple(f"/{letter}/*" for letter in "abcdef")
    wanted = stack(owner, replace(API, host=("a.example.com", "b.example.com"), path=paths))

    converger.apply(wanted)

    made = [conditions(rule) for rule in rules(aws)]
    assert all(len(one["host-header"]) + len(one["path-pattern"]) <= 5 for one in made)
    assert {(host, path) for one in made for host in one["host-header"] for path in one["path-pattern"]} == {
        (host, path) for host in ("a.example.com", "b.example.com") for path in paths
    }
    assert converger.changes(wanted) == {}


def test_services_that_want_the_same_place_are_an_error_in_the_file(owner: Ownership) -> None:
    with pytest.raises(ConfigError) as both_default:
        stack(owner, WEB, replace(API, path=()))
    with pytest.raises(ConfigError) as same_priority:
        stack(owner, replace(API, priority=3), replace(API, service="web", priority=3))

    assert "web and api have neither `host` nor `path`" in both_default.value.problems[0].message
    assert same_priority.value.problems[0].path == "services.web.http"


def test_what_is_more_specific_comes_first() -> None:
    by_precedence: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("a.example.com",), ("/exact",)),
        (("a.example.com",), ("/long/path/*",)),
        (("a.example.com",), ("/long/*",)),
        (("a.example.com",), ("/long/path/*", "/*")),
        (("a.example.com",), ()),
        (("*.example.com",), ("/long/*",)),
        (("*.example.com",), ()),
        ((), ("/exact",)),
        ((), ("/long/*",)),
        ((), ("*",)),
    ]

    for name in ("web", "api", "worker"):
        priorities = [choose(name, hosts, paths, ()) for hosts, paths in by_precedence]
        assert all(one < other for one, other in pairwise(priorities))
        assert min(priorities) >= 1
        assert max(priorities) <= 50_000


def test_equally_specific_rules_find_room_beside_each_other() -> None:
    taken: set[int] = set()
    for number in range(200):
        taken.add(choose(f"s{number}", (f"{number}.example.com",), (), taken))

    assert len(taken) == 200


def test_the_priority_of_a_service_does_not_depend_on_the_others(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner, API))
    (before,) = rules(aws)
    others = [alb.Route(service=name, port=80, path=(f"/{name}/*",)) for name in ("aaa", "bbb", "zzz")]

    changes = converger.changes(stack(owner, *others, API))

    assert RULE not in changes
    assert before["Priority"] == rules(aws)[0]["Priority"]
