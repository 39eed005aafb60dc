from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.cli.machine import Machine
from fargatectl.sandbox.faults import AwsError
from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Shell

PATH = "/fargatectl/locks/shop"
HELD = {
    "version": 1,
    "state": "held",
    "who": "ann",
    "where": "https://ci.example.com/jobs/7",
    "command": "fargatectl deploy",
    "since": "2026-01-01T10:00:00+00:00",
    "nonce": "a" * 16,
    "lease_seconds": 120,
}


def ssm(shell: Shell) -> Any:
    return shell._session(None).client("ssm", region_name="eu-central-1")


def hold(shell: Shell, number: int = 7, path: str = PATH, record: Mapping[str, Any] | None = None) -> None:
    """Have somebody else hold a generation."""
    ssm(shell).put_parameter(Name=f"{path}/{number}", Value=json.dumps({**HELD, **(record or {})}), Type="String")
    shell.local.calls.clear()


def records(shell: Shell, path: str = PATH) -> dict[str, str]:
    found = ssm(shell).get_parameters_by_path(Path=path)["Parameters"]
    return {one["Name"]: json.loads(one["Value"])["state"] for one in found}


def lock_calls(shell: Shell) -> list[str]:
    return [call.operation for call in shell.local.calls if call.service == "ssm"]


def test_a_deploy_has_the_lock_from_before_its_first_write_to_after_its_last(shell: Shell) -> None:
    assert shell("deploy", "--yes").code == 0
    writes = [call.operation for call in shell.local.calls if call.mutating]
    assert (writes[0], writes[-1]) == ("PutParameter", "PutParameter")
    assert list(records(shell).values()) == ["released"]
    (name,) = records(shell)
    tags = ssm(shell).list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    assert {tag["Key"]: tag["Value"] for tag in tags}["fargatectl:app"] == "shop"


def test_taking_it_costs_three_calls(shell: Shell) -> None:
    shell("deploy", "--yes", "--no-wait")
    calls = [f"{call.service}:{call.operation}" for call in shell.local.calls]
    first = calls.index("ssm:GetParametersByPath")
    assert calls[first : first + 3] == ["ssm:GetParametersByPath", "ssm:PutParameter", "ssm:GetParametersByPath"]


def test_without_anything_to_write_nobody_takes_it(shell: Shell) -> None:
    shell("deploy", "--yes")
    hold(shell)
    for command in (("deploy", "--yes"), ("diff",), ("status",)):
        assert shell(*command).code == 0
    assert lock_calls(shell) == []


def test_what_is_not_confirmed_takes_no_lock(shell: Shell) -> None:
    assert shell("deploy").code == 4
    assert lock_calls(shell) == []


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_who_comes_second_is_refused_and_told_by_whom(shell: Shell, command: str) -> None:
    if command == "destroy":
        shell("deploy", "--yes")
    hold(shell, number=9_999_999_999)
    done = shell(command, "--yes", width=300)
    assert done.code == 4
    whose = "by ann at https://ci.example.com/jobs/7 (fargatectl deploy) since 2026-01-01 10:00:00 UTC"
    assert f"The app shop is locked {whose}" in done.err
    assert re.search(r"its lease lasts 1[23]\d s more", done.err)
    assert "fargatectl unlock 9999999999" in done.err
    assert shell.writes() == []
    result = shell(command, "--yes", "--json").events[-1]
    assert (result["outcome"], result["exit_code"], result["error"]["kind"]) == ("refused", 4, "lock_held")


def test_a_dead_run_elsewhere_is_waited_for_as_long_as_its_lease(shell: Shell) -> None:
    hold(shell)
    assert shell("deploy", "--yes", "--lock-timeout", "60s").code == 4
    assert shell.writes() == []
    done = shell("deploy", "--yes", "--lock-timeout", "10m", width=300)
    assert done.code == 0
    assert "waiting for the lock: the app shop is locked by ann" in done.err
    assert "took over the lock from a run that ended without releasing it: ann at https://ci" in done.err
    assert records(shell) == {f"{PATH}/8": "released"}


def test_a_dead_run_on_this_machine_is_followed_at_once(shell: Shell, tmp_path: Path) -> None:
    shell.machine = machine(tmp_path, pid=200)
    record = {"machine": "m", "boot": "b", "namespace": "pid:[1]", "pid": 100, "started": 4711}
    hold(shell, record=record)
    assert shell("deploy", "--yes").code == 0


@pytest.mark.parametrize(
    "other",
    [
        {"machine": "another"},
        {"boot": "another"},
        {"namespace": "pid:[2]"},
        {"pid": 200, "started": 815},
        {"pid": 300, "started": 42},
    ],
    ids=["another machine", "before a restart", "another container", "this very run", "another live run"],
)
def test_a_run_that_may_be_alive_is_not(shell: Shell, tmp_path: Path, other: dict[str, Any]) -> None:
    shell.machine = machine(tmp_path, pid=200, others={300: 42})
    us = {"machine": "m", "boot": "b", "namespace": "pid:[1]", "pid": 100, "started": 4711}
    hold(shell, record={**us, **other})
    assert shell("deploy", "--yes").code == 4


def machine(root: Path, *, pid: int, others: dict[int, int] | None = None) -> Machine:
    """A machine of files: what of `/proc` and `/etc` tells processes apart."""
    proc = root / "machine/proc"
    (proc / "sys/kernel/random").mkdir(parents=True)
    (proc / "self/ns").mkdir(parents=True)
    (proc / "self/ns/pid").symlink_to("pid:[1]")
    (proc / "sys/kernel/random/boot_id").write_text("b\n")
    (root / "machine/etc").mkdir()
    (root / "machine/etc/machine-id").write_text("m\n")
    for number, started in {pid: 815, **(others or {})}.items():
        (proc / str(number)).mkdir()
        before, after = "S 1 1 1 0 -1 4194304 1 1 1 1 1 1 1 1 20 0 1 0", "1 2 3"
        (proc / f"{number}/stat").write_text(f"{number} (a (strange) name) {before} {started} {after}\n")
    return Machine(pid, root=root / "machine", host="build-7")


def test_the_record_says_who_and_where(shell: Shell, tmp_path: Path) -> None:
    shell.machine = machine(tmp_path, pid=200)
    shell.environ = {"USER": "ann {{x}}"}
    assert shell("deploy", "--yes").code == 0
    record = json.loads(ssm(shell).get_parameters_by_path(Path=PATH)["Parameters"][0]["Value"])
    assert (record["who"], record["where"], record["command"]) == ("ann { {x}}", "build-7", "fargatectl deploy")
    assert (record["boot"], record["pid"], record["started"]) == ("b", 200, 815)


def test_a_pipelines_job_is_named_instead_of_its_host(shell: Shell) -> None:
    shell.environ = {
        "GITHUB_ACTOR": "ann",
        "GITHUB_SERVER_URL": "https://git.example.com",
        "GITHUB_REPOSITORY": "shop/web",
        "GITHUB_RUN_ID": "42",
    }
    assert shell("deploy", "--yes").code == 0
    record = json.loads(ssm(shell).get_parameters_by_path(Path=PATH)["Parameters"][0]["Value"])
    assert (record["who"], record["where"]) == ("ann", "https://git.example.com/shop/web/actions/runs/42")


def test_hostile_words_of_a_holder_do_no_harm(shell: Shell) -> None:
    hold(shell, record={"who": "\x1b[2J[bold]", "where": "::set-output::\u202e"})
    done = shell("deploy", "--yes")
    assert done.code == 4
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err


@pytest.mark.parametrize("text", ["not json", "[]", '{"state": "held"}', '{"version": 2}'])
def test_a_record_that_nobody_understands_stands_for_a_lease(shell: Shell, text: str) -> None:
    ssm(shell).put_parameter(Name=f"{PATH}/7", Value=text, Type="String")
    done = shell("deploy", "--yes")
    assert done.code == 4
    assert "somebody" in done.err
    shell.local.clock.sleep(131)
    assert shell("deploy", "--yes").code == 0


def test_no_lock_is_loud(shell: Shell) -> None:
    hold(shell)
    done = shell("deploy", "--yes", "--quiet", "--no-lock")
    assert done.code == 0
    assert "--no-lock: another run may change the same things" in done.err
    assert lock_calls(shell) == []
    shell.write(FILE.replace("shop/web:1", "shop/web:2"))
    warning = next(event for event in shell("deploy", "--yes", "--no-lock", "--json").events if event["event"] == "log")
    assert (warning["level"], "--no-lock" in warning["message"]) == ("warning", True)


@pytest.mark.parametrize("operation", ["GetParametersByPath", "PutParameter"])
def test_a_denied_lock_stops_the_run_and_says_how_to_do_without(shell: Shell, operation: str) -> None:
    def deny(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == operation:
            raise AwsError("AccessDeniedException", "not authorized")
        return apply()

    shell.local.intercept(deny)
    done = shell("deploy", "--yes", width=300)
    assert done.code == 5
    assert "lock could not be" in done.err
    assert f"ssm:{operation}" in done.err
    assert "--no-lock" in done.err
    assert shell.writes() == []
    assert shell("deploy", "--yes", "--no-lock").code == 0


def test_two_that_write_to_the_lock_at_the_same_moment_try_again(shell: Shell) -> None:
    shell.local.set("error.ssm.PutParameter=1:TooManyUpdates")
    assert shell("deploy", "--yes").code == 0
    refused = [call.error for call in shell.local.calls if call.service == "ssm" and call.error]
    assert refused == ["TooManyUpdates"]


def test_a_long_rollout_keeps_the_lock(shell: Shell) -> None:
    held = []

    def look(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "DescribeServiceDeployments":
            held.append(shell.local.clock.monotonic())
        return apply()

    shell("deploy", "--yes")
    shell.write(FILE.replace('http = { health_check = "/" }', "").replace("shop/web:1", "shop/web:slow"))
    shell.local.intercept(look)
    shell.local.calls.clear()
    done = shell("deploy", "--yes", "--json")
    assert done.events[-1]["outcome"] == "succeeded"
    assert held[-1] - held[0] > 120
    assert lock_calls(shell).count("PutParameter") > 3
    assert set(records(shell).values()) == {"released"}


def test_a_run_that_lost_its_lock_stops_before_the_next_write(shell: Shell) -> None:
    def sleepy(call: Call, apply: Callable[[], Response]) -> Response:
        answer = apply()
        if call.operation == "CreateCluster":
            shell.local.clock.sleep(300)
            hold(shell, number=9_999_999_999)
        return answer

    shell.local.intercept(sleepy)
    done = shell("deploy", "--yes", width=200)
    assert done.code == 4
    assert "lost the lock of shop" in done.err
    assert "ecs:CreateService" not in shell.writes()
    assert records(shell)[f"{PATH}/9999999999"] == "held"


def test_after_another_run_the_plan_is_made_again(shell: Shell) -> None:
    class Other:
        """Somebody who types, while another run comes and goes."""

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            shell.local.clock.sleep(5)
            client = shell._session(None).client("logs", region_name="eu-central-1")
            tags = {"fargatectl:app": "shop", "fargatectl:address": "logs.group/shop/web"}
            client.create_log_group(logGroupName="/shop/web", tags=tags)
            hold(shell, record={"state": "released"})
            return "y\n"

    done = shell("deploy", typed="", stdin=Other())
    assert done.code == 4
    assert "AWS has changed" in done.err
    assert shell.writes() == []
    assert set(records(shell).values()) == {"released"}


def test_after_a_run_of_yesterday_it_is_not(shell: Shell) -> None:
    hold(shell, record={"state": "released"})
    shell.local.clock.sleep(600)
    shell("deploy", "--yes", "--no-wait")
    assert [call.operation for call in shell.local.calls].count("DescribeClusters") == 1


def test_a_destroy_takes_the_lock_away_last(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell.local.calls.clear()
    assert shell("destroy", "--yes").code == 0
    assert records(shell) == {}
    assert [call.operation for call in shell.local.calls if call.mutating][-1] == "DeleteParameters"


def test_a_destroy_of_nothing_takes_away_what_is_left_of_a_lock(shell: Shell) -> None:
    hold(shell, record={"state": "released"})
    assert shell("destroy", "--yes").code == 0
    assert records(shell) == {}


def test_a_destroy_that_is_not_through_keeps_the_record(shell: Shell) -> None:
    shell("deploy", "--yes")

    def deny(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "DeleteCluster":
            raise AwsError("AccessDeniedException", "not authorized", status=403)
        return apply()

    shell.local.intercept(deny)
    assert shell("destroy", "--yes").code == 5
    assert list(records(shell).values()) == ["released"]


def test_a_failed_deploy_releases_it(shell: Shell) -> None:
    def deny(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "CreateListener":
            raise AwsError("AccessDenied", "not authorized", status=403)
        return apply()

    shell.local.intercept(deny)
    assert shell("deploy", "--yes").code == 5
    assert list(records(shell).values()) == ["released"]


def test_a_release_that_fails_is_told_and_no_failure(shell: Shell) -> None:
    def deny(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "PutParameter" and '"released"' in call.params["Value"]:
            raise AwsError("AccessDeniedException", "not authorized")
        return apply()

    shell.local.intercept(deny)
    done = shell("deploy", "--yes", width=300)
    assert done.code == 0
    assert "the lock was not released, and ends by itself in 120 s" in done.err


def test_ctrl_c_releases_it(shell: Shell) -> None:
    def interrupt(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "CreateCluster":
            assert shell.surroundings is not None
            shell.surroundings.signals.handle(2, None)
        return apply()

    shell.local.intercept(interrupt)
    assert shell("deploy", "--yes").code == 130
    assert list(records(shell).values()) == ["released"]


def test_two_environments_and_two_apps_have_locks_of_their_own(shell: Shell) -> None:
    shell.write(FILE + "\n[environments.prod]\n\n[environments.staging]\n")
    hold(shell, path=f"{PATH}/prod")
    assert shell("deploy", "--yes", "-e", "prod").code == 4
    assert shell("deploy", "--yes", "-e", "staging").code == 0
    assert shell("deploy", "--yes").code == 0
    shell.write(FILE.replace('"shop"', '"shop-prod2"'))
    assert shell("deploy", "--yes").code == 0


@pytest.mark.parametrize("timeout", ["soon", "-5s", "9999999999"])
def test_an_impossible_patience_is_a_mistake_of_usage(shell: Shell, timeout: str) -> None:
    for command in ("deploy", "destroy"):
        done = shell(command, "--yes", f"--lock-timeout={timeout}")
        assert done.code == 1
        assert "--lock-timeout" in done.err


def test_unlock_frees_exactly_one_generation(shell: Shell) -> None:
    assert shell("unlock", "7").code == 4
    hold(shell)
    refused = shell("unlock", "8", width=300)
    assert refused.code == 4
    assert "generation 7, not 8" in refused.err
    assert records(shell) == {f"{PATH}/7": "held"}
    done = shell("unlock", "7", width=300)
    assert (done.code, done.out.split(" (")[0]) == (
        0,
        "shop is no longer locked by ann at https://ci.example.com/jobs/7",
    )
    assert records(shell) == {f"{PATH}/8": "released"}
    assert shell("deploy", "--yes").code == 0


def test_unlock_answers_machines(shell: Shell) -> None:
    hold(shell)
    document = shell("unlock", "7", "--json").json
    assert document == {
        "version": 1,
        "app": "shop",
        "environment": None,
        "generation": 7,
        "who": "ann",
        "where": "https://ci.example.com/jobs/7",
        "command": "fargatectl deploy",
        "since": "2026-01-01T10:00:00Z",
    }
    assert shell("unlock", "7", "--json").json["error"]["exit_code"] == 4


def test_unlock_needs_a_number_and_the_right_account(shell: Shell) -> None:
    assert shell("unlock").code == 1
    assert shell("unlock", "the-lock").code == 1
    hold(shell)
    shell.write(FILE.replace('app = "shop"', 'app = "shop"\naccount = "999999999999"'))
    assert shell("unlock", "7").code == 4
    assert records(shell) == {f"{PATH}/7": "held"}
