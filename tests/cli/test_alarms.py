"""Alarms through the command line: one that rings in a deployment takes it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Shell

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ops"
FILE = f"""\
app = "shop"
region = "eu-central-1"

[services.web]
image = "shop/web:1"
port = 80
http = {{ health_check = "/" }}
deploy = {{ alarms = ["shop-web-alarm-5xx"] }}

[alarms]
notify = "{TOPIC}"
errors_5xx = 10
"""


def test_an_alarm_that_rings_in_a_deployment_takes_it_back(shell: Shell) -> None:
    shell.local.provision({"topics": [TOPIC]})
    shell.write(FILE)
    assert shell("deploy", "--yes").code == 0
    assert shell("diff", "--exit-code").code == 0
    shell.write(FILE.replace("web:1", "web:2"))

    def ring(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "DescribeServiceDeployments":
            shell.local.set("alarm.shop-web-alarm-5xx=ALARM")
        return apply()

    shell.local.intercept(ring)
    done = shell("deploy", "--yes", "--json")

    result = done.events[-1]
    assert (done.code, result["outcome"]) == (3, "failed")
    assert "alarm" in str(result).lower()
    assert result["services"][0]["task_definition"] == "shop-web:1"


def test_a_missing_alarm_is_told_with_its_place_and_nothing_is_made(shell: Shell) -> None:
    shell.write(FILE.replace("shop-web-alarm-5xx", "theirs").partition("[alarms]")[0])
    shell.local.calls.clear()
    done = shell("deploy", "--yes")
    assert done.code == 1
    assert "The alarm theirs does not exist" in " ".join(done.err.split())
    assert "services.web.deploy.alarms" in done.err
    assert shell.writes() == []


def test_an_alarm_that_leaves_the_file_is_missed_where_deployments_are_watched(shell: Shell) -> None:
    shell.local.provision({"topics": [TOPIC]})
    shell.write(FILE)
    assert shell("deploy", "--yes").code == 0
    shell.write(FILE.partition("[alarms]")[0])
    shell.local.calls.clear()
    done = shell("deploy", "--yes")
    assert done.code == 1
    assert "line 8  services.web.deploy.alarms[0]" in done.err
    assert "`shop-web-alarm-5xx` is one of `[alarms]`, which does not make it" in done.err
    assert "set `alarms.errors_5xx`, or leave it out" in done.err
    assert shell.local.calls == []


def test_deployments_of_one_service_are_watched_by_alarms_of_another(shell: Shell) -> None:
    shell.local.provision({"topics": [TOPIC]})
    text = FILE + 'cpu_above = 90\n[services.api]\nimage = "shop/api:1"\n'
    shell.write(text.replace('"shop-web-alarm-5xx"', '"shop-web-alarm-5xx", "shop-api-alarm-cpu"'))
    assert shell("deploy", "--yes").code == 0
    assert shell("diff", "--exit-code").code == 0
