"""`status --watch`: the services again and again, with the curves of what Container Insights counts."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Done, Shell

FILE = """
app = "shop"
region = "eu-central-1"

[services.web]
image = "shop/web:1"

[services.api]
image = "shop/api:1"
memory = "2 GB"
"""


def watch(shell: Shell, *, looks: int, refused: str = "", width: int = 140) -> Done:
    """Watch for so many looks, then press Ctrl-C; the operation `refused` is denied."""
    seen: list[str] = []

    def look(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "DescribeServices":
            seen.append(call.operation)
        if len(seen) > looks:
            assert shell.surroundings is not None
            shell.surroundings.signals.handle(signal.SIGINT, None)
        if call.operation == refused:
            raise AwsError("AccessDenied", "not allowed", status=403)
        return apply()

    shell.local.calls.clear()
    shell.local.intercept(look)
    done = shell("status", "--watch", width=width)
    shell.local.intercept(None)
    assert done.code == 130
    return done


def asked(shell: Shell) -> list[str]:
    return [call.operation for call in shell.local.calls if call.service == "cloudwatch"]


def test_the_load_of_all_services_is_one_question_a_minute(shell: Shell) -> None:
    shell.write(FILE)
    assert shell("deploy", "--yes").code == 0
    denied = watch(shell, looks=1, refused="GetMetricData").out
    assert "steady" in denied
    assert "cpu, memory: AWS answered cloudwatch:GetMetricData with AccessDenied" in denied
    shell.local.clock.sleep(600)
    done = watch(shell, looks=22)  # every three seconds
    assert asked(shell) == ["GetMetricData"] * 2
    (call,) = {len(call.params["MetricDataQueries"]) for call in shell.local.calls if call.service == "cloudwatch"}
    assert call == 8
    (web, *_) = [line for line in done.out.splitlines() if line.startswith("  web ")]
    cpu, memory = web.split()[6:10:2]
    assert len(cpu) == len(memory) == 10
    assert set(cpu + memory) <= set("▁▂▃▄▅▆▇█")
    shares = [int(word.rstrip("%")) for word in web.split() if word.endswith("%")]
    assert all(10 <= share <= 60 for share in shares), web
    assert len(shares) == 2
    assert all(len(line) <= 80 for line in watch(shell, looks=1, width=80).out.splitlines())


def test_without_container_insights_nothing_is_asked_and_it_is_said(shell: Shell) -> None:
    shell.write(FILE + '[cluster]\ncontainer_insights = "disabled"\n')
    assert shell("deploy", "--yes").code == 0
    done = watch(shell, looks=1)
    assert "cpu, memory: Container Insights is disabled on the cluster shop" in done.out
    assert asked(shell) == []
