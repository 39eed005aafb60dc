from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.sandbox.faults import AwsError
from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Shell


def test_nothing_is_left_and_that_is_proven(shell: Shell) -> None:
    shell("deploy", "--yes")
    done = shell("destroy", "--yes")
    assert done.code == 0
    assert "This deletes shop in 123456789012 eu-central-1:" in done.err
    assert "1 service (1 task)" in done.err
    assert done.err.rstrip().endswith("Nothing of shop is left (checked by tags and names).")
    assert shell("diff", "--json").json["summary"]["unchanged"] == 0


def test_a_second_time_there_is_nothing_to_do(shell: Shell) -> None:
    done = shell("destroy", "--json")
    assert (done.code, done.events[-1]["outcome"], done.events[-1]["remaining"]) == (0, "unchanged", [])
    assert shell.writes() == []


@pytest.mark.parametrize(("typed", "code"), [("shop\n", 0), ("y\n", 4), ("", 4)])
def test_the_apps_name_must_be_typed(shell: Shell, typed: str, code: int) -> None:
    shell("deploy", "--yes")
    shell.local.calls.clear()
    done = shell("destroy", typed=typed)
    assert done.code == code
    assert bool(shell.writes()) == (code == 0)


def test_without_a_terminal_it_is_refused(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell.local.calls.clear()
    assert shell("destroy").code == 4
    assert shell("destroy", "--json").events[-1]["error"]["kind"] == "refused"
    assert shell.writes() == []


def test_what_is_kept_is_told(shell: Shell) -> None:
    shell.write(f"{FILE}logs = {{ keep_on_destroy = true }}\n")
    shell("deploy", "--yes")
    result = shell("destroy", "--yes", "--json").events[-1]
    assert (result["exit_code"], result["remaining"]) == (0, [])
    assert result["kept"] == ["log group /shop/web"]


def test_what_could_not_go_is_listed(shell: Shell) -> None:
    shell("deploy", "--yes")

    def deny(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "DeleteCluster":
            raise AwsError("AccessDeniedException", "not authorized", status=403)
        return apply()

    shell.local.intercept(deny)
    result = shell("destroy", "--yes", "--json").events[-1]
    assert (result["exit_code"], result["outcome"]) == (5, "failed")
    assert "cluster.cluster/shop" in result["remaining"]
    assert [failed["code"] for failed in result["failed"]] == ["AccessDeniedException"]
    assert result["reasons"]["cluster.cluster/shop"] == "its deletion failed: AccessDeniedException"
    told = shell("destroy", "--yes").err
    assert "Still there:\n  cluster.cluster/shop: its deletion failed: AccessDeniedException\n" in told
    shell.local.intercept(None)
    assert shell("destroy", "--yes").code == 0


def test_all_that_aws_goes_on_showing_is_listed_with_the_reason(shell: Shell) -> None:
    shell("deploy", "--yes")
    region = shell.local.cloud.region(shell.local.account, shell.local.region)
    tags = {"fargatectl:app": "shop", "fargatectl:address": "logs.group/shop/web"}

    def stubborn(call: Call, apply: Callable[[], Response]) -> Response:
        answer = apply()
        if call.operation == "DeleteLogGroup":
            for name in ("/shop/web", "/shop/late"):
                region.ask("logs", "CreateLogGroup", logGroupName=name, tags=tags)
        return answer

    shell.local.intercept(stubborn)
    done = shell("destroy", "--yes", width=140)
    assert done.code == 5
    assert "  logs.group/shop/web: AWS took its deletion, and still shows it\n" in done.err
    assert "it was made while this run went on" in done.err
    assert "2 things could not be proven gone" in done.err
    shell.local.intercept(None)
    assert shell("destroy", "--yes").code == 0


@pytest.mark.parametrize("arguments", [[], ["--service", "web"], ["--json"]])
def test_what_is_protected_is_not_destroyed(shell: Shell, arguments: list[str]) -> None:
    shell("deploy", "--yes")
    shell.write("protect = true\n" + FILE)
    shell.local.calls.clear()
    done = shell("destroy", "--yes", *arguments)
    assert done.code == 4
    assert "protect = true" in (done.out if arguments == ["--json"] else done.err)
    assert shell.local.calls == []
    assert shell("deploy", "--yes").code == 0


def test_an_environment_can_be_protected_alone(shell: Shell) -> None:
    shell.write(FILE + "\n[environments.prod]\nprotect = true\n[environments.test]\n")
    assert shell("destroy", "--yes", "-e", "prod").code == 4
    assert shell("destroy", "--yes", "-e", "test").code == 0


SHARED = (
    FILE.replace('http = { health_check = "/" }', 'http = { health_check = "/", path = "/web/*" }\ndiscovery = {}')
    + """
[services.api]
image = "shop/api:1"
port = 90
http = { health_check = "/", path = "/api/*" }
scaling = { min = 1, max = 3, cpu = 60 }
discovery = {}

[services.worker]
image = "shop/worker:1"

[discovery]
namespace = "shop.internal"
"""
)


def test_one_service_goes_with_all_that_no_other_uses(shell: Shell) -> None:
    shell.write(SHARED)
    assert shell("deploy", "--yes").code == 0
    done = shell("destroy", "--service", "api", typed="shop\n")
    assert done.code == 0, done.err
    assert "This deletes api of shop in" in done.err
    assert "1 service (1 task)" in done.err
    assert "cluster shop" in done.err
    assert "Nothing of api of shop is left" in done.err
    assert "still has api" in done.err
    assert {s["name"]: s["state"] for s in shell("status", "--json").json["services"]} == {
        "web": "steady",
        "api": "missing",
        "worker": "steady",
    }
    again = shell("diff", "--json").json
    assert {change["action"] for change in again["changes"]} == {"create"}
    assert "iam.role/api-task" in {change["address"] for change in again["changes"]}
    assert not [c for c in again["changes"] if "web" in c["address"] or "worker" in c["address"]]
    assert shell("destroy", "--yes", "--service", "api").code == 0
    assert shell("destroy", "--yes", "--service", "nobody").code == 1


def test_destroying_all_services_one_by_one_leaves_nothing(shell: Shell) -> None:
    shell.write(SHARED)
    shell("deploy", "--yes")
    assert shell("destroy", "--yes", "--service", "web", "--service", "api", "--service", "worker").code == 0
    result = shell("destroy", "--yes", "--json").events[-1]
    assert (result["outcome"], result["remaining"]) == ("unchanged", [])


def test_in_another_account_than_the_files_nothing_is_destroyed(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell.write('account = "999999999999"\n' + FILE)
    shell.local.calls.clear()
    done = shell("destroy", "--yes")
    assert done.code == 4
    assert "999999999999" in done.err
    assert "This deletes" not in done.err
    assert [call for call in shell.local.calls if call.mutating] == []
