"""`insights` from the command line, on queries of a local AWS."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from fargatectl.model.insights import READY
from tests.cli.test_logs import FILE, TASK, say, spoken

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Shell

PERFORMANCE = "/aws/ecs/containerinsights/shop/performance"


def recorded(shell: Shell) -> None:
    """Have what Container Insights records of two tasks of ours, and of a task of somebody else."""
    spoken(shell)
    say(shell, f"web/web/{TASK}", (20, '10.0.0.1 - - "GET / HTTP/1.1" 200 5'), (10, "took 250 ms"), (5, "took 1900 ms"))
    numbers = [("shop-web", "a", 100.0, 300), ("shop-web", "b", 220.0, 500), ("theirs", "c", 9.0, 9)]
    lines = [
        json.dumps(
            {
                "Type": "Task",
                "ServiceName": service,
                "TaskId": task,
                "CpuUtilized": cpu,
                "CpuReserved": 256,
                "MemoryUtilized": memory,
                "MemoryReserved": 512,
            }
        )
        for service, task, cpu, memory in numbers
    ]
    say(shell, "FargateTelemetry-1", *((30.0, line) for line in lines), group=PERFORMANCE)


@pytest.mark.parametrize(
    ("name", "columns", "first"),
    [
        ("errors", ["@timestamp", "@logStream", "@message"], {"@message": "ERROR fourth"}),
        ("slow", ["@timestamp", "ms", "@logStream", "@message"], {"ms": "1900"}),
        ("requests", ["time", "status", "requests"], {"status": "200", "requests": "1"}),
        ("cpu", ["time", "ServiceName", "average", "peak", "size"], {"average": "160", "peak": "220", "size": "256"}),
        ("memory", ["time", "ServiceName", "average", "peak", "size"], {"ServiceName": "shop-web", "peak": "500"}),
        ("restarts", ["time", "ServiceName", "tasks"], {"tasks": "2"}),
        ("oom", ["ServiceName", "TaskId", "peak", "size"], {"TaskId": "b", "peak": "500"}),
    ],
)
def test_ready_made_queries_find_what_they_say(
    shell: Shell, name: str, columns: list[str], first: dict[str, str]
) -> None:
    recorded(shell)
    done = shell("insights", name, "--json")
    assert done.code == 0, done.out
    assert done.json["columns"] == columns
    assert done.json["rows"][0].items() >= first.items()
    assert not any(row.get("ServiceName") == "theirs" for row in done.json["rows"])


def test_a_query_of_ones_own_is_a_table(shell: Shell) -> None:
    recorded(shell)
    done = shell("insights", "--service", "api", "--query", "fields @message | sort @timestamp")
    assert (done.code, done.out) == (0, "@message\nfifth\n")
    assert "1 row; 1 line" in done.err
    assert "Nothing found." in shell("insights", "--query", "filter @message = 'absent'").out
    listed = shell("insights")
    assert [line.split()[0] for line in listed.out.splitlines()] == [query.name for query in READY]


def test_what_cannot_be_asked_is_said(shell: Shell) -> None:
    shell.write(FILE)
    done = shell("insights", "eror")
    assert done.code == 1
    assert "Did you mean errors?" in done.err
    missing = shell("insights", "errors")
    assert missing.code == 5
    assert "has no log group" in missing.err
    recorded(shell)
    wrong = shell("insights", "--query", "filter @message likes x")
    assert wrong.code == 1
    assert "Logs Insights cannot read the query" in wrong.err
    shell.write(FILE + '[cluster]\ncontainer_insights = "disabled"\n')
    off = shell("insights", "cpu")
    assert off.code == 1
    assert "Container Insights" in off.err
    assert "cluster.container_insights" in off.err


def test_ctrl_c_stops_the_query(shell: Shell) -> None:
    recorded(shell)

    def look(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "GetQueryResults":
            assert shell.surroundings is not None
            shell.surroundings.signals.handle(signal.SIGINT, None)
        return apply()

    shell.local.intercept(look)
    assert shell("insights", "errors").code == 130
    assert [call.operation for call in shell.local.calls if "Query" in call.operation][-1] == "StopQuery"
