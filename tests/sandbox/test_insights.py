from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from fargatectl.sandbox.insights import language
from fargatectl.sandbox.insights.conditions import BadQuery
from fargatectl.sandbox.insights.language import Event, UnknownCommand

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene

MINUTE = 60_000
LINES = [
    "GET /a took 12 ms",
    json.dumps({"level": "error", "http": {"status": 502}, "ms": 30}),
    "GET /b took 7 ms",
    json.dumps({"level": "info", "http": {"status": 200}, "ms": 10}),
]
EVENTS = [Event(index * MINUTE, line, f"s{index % 2}", "1:/g") for index, line in enumerate(LINES)]


def values(query: str, *fields: str) -> list[tuple[str | None, ...]]:
    rows, _ = language.run(query, EVENTS)
    return [tuple({one["field"]: one["value"] for one in row}.get(name) for name in fields) for row in rows]


@pytest.mark.parametrize(
    ("query", "fields", "expected"),
    [
        ("fields @message | limit 1", ["@message"], [(LINES[3],)]),
        ("fields @logStream | filter @message like /took \\d{2}/", ["@logStream"], [("s0",)]),
        ("filter @message like 'GET' and not @message like \"/b\"", ["@message"], [(LINES[0],)]),
        ("filter level = 'error' or http.status < 201 | display ms | sort ms asc", ["ms"], [("10",), ("30",)]),
        ("filter level in ['error'] | fields http.status as code", ["code"], [("502",)]),
        ("filter ispresent(ms) | stats avg(ms) as mean, max(ms), count(*)", ["mean", "max(ms)"], [("20", "30")]),
        ("stats count() as n by @logStream | sort @logStream", ["@logStream", "n"], [("s0", "2"), ("s1", "2")]),
        (
            "stats count(*) by bin(2m) as t | sort t",
            ["t"],
            [("1970-01-01 00:00:00.000",), ("1970-01-01 00:02:00.000",)],
        ),
        (
            "filter @message like /GET/ | parse @message '* took * ms' as what, ms | stats sum(ms) as s",
            ["s"],
            [("19",)],
        ),
        ("parse @message /took (?<ms>\\d+)/ | filter ispresent(ms) | stats pct(ms, 50) as p", ["p"], [("12",)]),
        (
            "# a comment\nfields @timestamp | sort @timestamp desc | limit 1",
            ["@timestamp"],
            [("1970-01-01 00:03:00.000",)],
        ),
    ],
)
def test_what_a_query_finds(query: str, fields: list[str], expected: list[tuple[str, ...]]) -> None:
    assert values(query, *fields) == expected


@pytest.mark.parametrize(
    "query",
    ["", "find @message", "filter", "filter @message like", "filter a = ", "limit many", "stats 3", "sort a sideways"],
)
def test_what_is_no_query(query: str) -> None:
    with pytest.raises(BadQuery):
        language.check(query)


@pytest.mark.parametrize("query", ["pattern @message", "stats stddev(ms)", "fields strlen(@message)"])
def test_what_only_aws_knows_is_said(query: str) -> None:
    with pytest.raises(UnknownCommand):
        language.check(query)


def start(scene: Scene, text: str = "fields @message", **settings: Any) -> str:
    now = int(scene.local.clock.now().timestamp())
    wish = {"logGroupName": "/c/web", "startTime": now - 3600, "endTime": now, "queryString": text}
    return str(scene.client("logs").start_query(**{**wish, **settings})["queryId"])


def test_a_query_takes_its_time_and_finds_what_tasks_wrote(scene: Scene) -> None:
    scene.serve(scene.define(), desiredCount=2)
    scene.wait(60)
    logs, identifier = scene.client("logs"), start(scene, "filter @message like /started/")
    seen: list[tuple[str, int]] = []
    for _ in range(10):
        answer = logs.get_query_results(queryId=identifier)
        seen += [found] if (found := (answer["status"], len(answer["results"]))) not in seen else []
        scene.wait(1)
    answer = logs.get_query_results(queryId=identifier)
    assert seen == [("Scheduled", 0), ("Running", 1), ("Complete", 2)]
    assert answer["statistics"]["recordsMatched"] == 2
    assert [call.operation for call in scene.local.calls if call.service == "logs" and call.mutating] == [
        "CreateLogGroup"
    ]


def test_a_query_can_be_stopped_while_it_runs_only(scene: Scene) -> None:
    logs, identifier = scene.client("logs"), start(scene)
    assert logs.stop_query(queryId=identifier)["success"]
    assert logs.get_query_results(queryId=identifier)["status"] == "Cancelled"
    assert [one["queryId"] for one in logs.describe_queries(status="Cancelled")["queries"]] == [identifier]
    other = start(scene)
    scene.wait(10)
    with pytest.raises(ClientError, match="is not running"):
        logs.stop_query(queryId=other)
