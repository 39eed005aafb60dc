from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from fargatectl.sandbox.faults import AwsError
from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Shell

TWO = (
    FILE
    + """
[services.api]
image = "shop/api:1"
port = 90
"""
)


def test_a_first_deploy_ends_with_the_address_and_a_second_changes_nothing(shell: Shell) -> None:
    first = shell("deploy", "--yes")
    assert (first.code, first.out.split()[0]) == (0, "web")
    assert ".elb.amazonaws.com" in first.out
    assert "shop is up to date in" in first.err
    shell.local.calls.clear()
    second = shell("deploy", "--yes")
    assert second.code == 0
    assert "shop is up to date. Nothing to change." in second.err
    assert shell.writes() == []


def test_every_step_and_the_rollout_are_lines_with_elapsed_time(shell: Shell) -> None:
    lines = shell("deploy", "--yes").err.splitlines()
    assert any(line.startswith("[00:0") and "done    cluster shop created" in line for line in lines)
    assert any("web: steady" in line for line in lines)


def test_quiet_tells_only_the_end(shell: Shell) -> None:
    done = shell("deploy", "--yes", "--quiet")
    assert len(done.err.splitlines()) == 1
    assert "up to date" in done.err


def test_json_is_one_event_a_line_from_plan_to_result(shell: Shell) -> None:
    done = shell("deploy", "--yes", "--json")
    assert (done.code, done.err) == (0, "")
    kinds = [event["event"] for event in done.events]
    assert (kinds[0], kinds[-1]) == ("plan", "result")
    assert {"step", "deployment"} <= set(kinds)
    result = done.events[-1]
    assert (result["outcome"], result["exit_code"], result["failed"]) == ("succeeded", 0, [])
    assert result["applied"] == len(done.events[0]["changes"])
    assert result["services"][0]["state"] == "steady"
    assert shell("deploy", "--json").events[-1]["outcome"] == "unchanged"


def test_without_a_terminal_the_plan_is_shown_and_refused(shell: Shell) -> None:
    done = shell("deploy")
    assert done.code == 4
    assert "to create" in done.err
    assert "--yes" in done.err
    assert shell.writes() == []


def test_without_a_terminal_and_with_nothing_to_do_nobody_need_confirm(shell: Shell) -> None:
    shell("deploy", "--yes")
    assert shell("deploy").code == 0


def test_json_never_asks(shell: Shell) -> None:
    done = shell("deploy", "--json", typed="y\n")
    assert (done.code, done.events[-1]["outcome"]) == (4, "refused")
    assert done.events[-1]["error"]["kind"] == "refused"
    assert shell.writes() == []


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("yes\n", 0), ("n\n", 4), ("\n", 4), ("", 4)])
def test_somebody_at_a_terminal_is_asked(shell: Shell, typed: str, code: int) -> None:
    done = shell("deploy", typed=typed)
    assert done.code == code
    assert "Go on? [y/N]" in done.err
    assert bool(shell.writes()) == (code == 0)


@pytest.mark.parametrize(("typed", "code"), [("shop\n", 0), ("y\n", 4), ("web\n", 4)])
def test_deleting_a_load_balancer_asks_for_the_apps_name(shell: Shell, typed: str, code: int) -> None:
    shell("deploy", "--yes")
    shell.write(FILE.replace('http = { health_check = "/" }', ""))
    shell.local.calls.clear()
    done = shell("deploy", typed=typed)
    assert done.code == code
    assert "Type the app's name" in done.err
    assert bool(shell.writes()) == (code == 0)


def test_more_deletes_than_allowed_are_refused_even_with_yes(shell: Shell) -> None:
    shell.write(TWO)
    shell("deploy", "--yes")
    shell.write(FILE)
    shell.local.calls.clear()
    refused = shell("deploy", "--yes", "--max-deletes", "1")
    assert refused.code == 4
    assert "--max-deletes" in refused.err
    assert shell.writes() == []
    assert shell("deploy", "--yes", "--max-deletes", "50").code == 0


def test_a_new_image_from_the_command_line(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell.local.calls.clear()
    done = shell("deploy", "--yes", "--json", "--image", "shop/web:2")
    assert done.events[-1]["services"][0]["image"] == "shop/web:2"
    assert sorted(shell.writes()) == ["ecs:RegisterTaskDefinition", "ecs:UpdateService"]


@pytest.mark.parametrize("image", ["nobody=shop/web:2", "web=", "web=not an image"])
def test_an_impossible_image_is_a_mistake_of_usage(shell: Shell, image: str) -> None:
    done = shell("deploy", "--yes", "--image", image)
    assert done.code == 1
    assert "--image" in done.err


def test_an_image_needs_a_name_where_there_are_several_services(shell: Shell) -> None:
    shell.write(TWO)
    assert shell("deploy", "--yes", "--image", "shop/web:2").code == 1


def test_only_one_service_and_what_it_needs(shell: Shell) -> None:
    shell.write(TWO)
    done = shell("deploy", "--yes", "--json", "--service", "api")
    addresses = {change["address"] for change in done.events[0]["changes"]}
    assert "service.service/api" in addresses
    assert "cluster.cluster/shop" in addresses
    assert not {address for address in addresses if "web" in address or address.startswith("alb.")}
    assert shell("deploy", "--yes", "--service", "nobody").code == 1


def test_what_changed_elsewhere_in_the_file_waits(shell: Shell) -> None:
    shell.write(TWO)
    shell("deploy", "--yes")
    shell.write(TWO.replace("web:1", "web:2").replace("api:1", "api:2").replace("port = 90", "port = 91"))
    done = shell("deploy", "--yes", "--json", "--service", "web")
    assert done.code == 0, done.out
    assert {s["name"]: s["image"] for s in done.events[-1]["services"]} == {"web": "shop/web:2", "api": "shop/api:1"}
    assert shell("diff", "--json").json["summary"]["update"] >= 2


def test_a_port_that_changes_is_opened_for_one_service_alone_too(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell.write(FILE.replace("port = 80", "port = 81"))
    done = shell("deploy", "--yes", "--json", "--service", "web")
    assert done.code == 0, done.out
    assert "network.ingress/web-task" in {change["address"] for change in done.events[0]["changes"]}
    assert shell("diff", "--exit-code").code == 0


def test_a_service_alone_deletes_nothing(shell: Shell) -> None:
    shell.write(TWO)
    shell("deploy", "--yes")
    shell.write(FILE.replace("shop/web:1", "shop/web:2"))
    done = shell("deploy", "--yes", "--json", "--service", "web")
    assert done.code == 0
    assert done.events[0]["summary"]["delete"] == 0


def test_a_failed_rollout_says_why_and_what_serves(shell: Shell) -> None:
    shell("deploy", "--yes")
    done = shell("deploy", "--yes", "--image", "shop/web:crash")
    assert done.code == 3
    assert "cause" in done.err
    assert "shop-web:1 serves 1 of 1 tasks" in done.err
    assert "Done: 2 of 2 changes." in done.err
    assert done.err.rstrip().endswith("exit 3")
    result = shell("deploy", "--yes", "--json", "--image", "shop/web:crash").events[-1]
    assert (result["outcome"], result["exit_code"]) == ("failed", 3)
    assert result["diagnosis"][0]["service"] == "web"


def test_out_of_time_is_handed_over_with_its_own_code(shell: Shell) -> None:
    shell("deploy", "--yes")
    done = shell("deploy", "--yes", "--json", "--image", "shop/web:slow", "--timeout", "10s")
    result = done.events[-1]
    assert (done.code, result["outcome"], result["exit_code"]) == (6, "detached", 6)
    assert result["failed"] == []


def test_an_unfinished_rollout_is_followed_by_the_next_run(shell: Shell) -> None:
    shell("deploy", "--yes", "--no-wait")
    done = shell("deploy", "--json")
    assert done.events[0]["changes"] == []
    assert "deployment" in {event["event"] for event in done.events}
    assert done.events[-1]["services"][0]["state"] == "steady"


def test_no_wait_hands_over(shell: Shell) -> None:
    done = shell("deploy", "--yes", "--json", "--no-wait")
    assert (done.code, done.events[-1]["outcome"]) == (0, "detached")


def test_no_wait_leaves_deletions_to_the_next_run_and_says_so(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell.write(FILE.replace('http = { health_check = "/" }', ""))
    done = shell("deploy", "--yes", "--no-wait")
    assert done.code == 0
    assert "left to the next deploy" in done.err
    again = shell("deploy", "--yes", "--json")
    assert again.events[0]["summary"]["delete"] > 0
    assert again.events[-1]["outcome"] == "succeeded"
    assert shell("diff", "--exit-code").code == 0


NEEDY = (
    FILE
    + """
secrets = { OLD = { secret = "old" }, KEPT = { secret = "kept" } }
[[services.web.permissions.allow]]
actions = ["s3:GetObject"]
resources = ["arn:aws:s3:::old/*"]
"""
)


def _held_by_tasks(shell: Shell) -> tuple[bool, bool, bool]:
    """Tell whether port 80 is open, the secret `old` may be read, and so may its bucket."""
    region = shell.local.cloud.region(shell.local.account, shell.local.region)
    named = [{"Name": "group-name", "Values": ["shop-web-task"]}]
    (group,) = region.ask("ec2", "DescribeSecurityGroups", Filters=named)["SecurityGroups"]
    rights = [
        unquote(str(region.ask("iam", "GetRolePolicy", RoleName=f"shop-web-{role}", PolicyName="fargatectl")))
        for role in ("execution", "task")
    ]
    ports = {permission["FromPort"] for permission in group["IpPermissions"]}
    return 80 in ports, "secret:old" in rights[0], "s3:::old/" in rights[1]


@pytest.mark.parametrize("fails", [False, True])
def test_the_old_tasks_keep_their_way_in_and_their_rights_until_they_are_gone(shell: Shell, *, fails: bool) -> None:
    shell.write(NEEDY)
    shell.local.provision({"secrets": [{"name": "old"}, {"name": "kept"}]})
    assert shell("deploy", "--yes").code == 0
    text = NEEDY.replace("port = 80", "port = 81").replace('OLD = { secret = "old" }, ', "").replace(":::old", ":::new")
    shell.write(text.replace("shop/web:1", "shop/web:crash" if fails else "shop/web:2"))
    seen: list[tuple[bool, bool, bool]] = []

    def watch(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "DescribeServiceDeployments":
            seen.append(_held_by_tasks(shell))
        return apply()

    shell.local.intercept(watch)
    done = shell("deploy", "--yes")
    shell.local.intercept(None)
    assert done.code == (3 if fails else 0), done.err
    assert len(seen) > 1
    assert set(seen) == {(True, True, True)}
    if fails:
        assert _held_by_tasks(shell) == (True, True, True)
        shell.write(text.replace("shop/web:1", "shop/web:2"))
        assert shell("deploy", "--yes").code == 0
    assert _held_by_tasks(shell) == (False, False, False)
    assert shell("diff", "--exit-code").code == 0


def test_a_failure_in_the_middle_says_what_was_done_and_what_not(shell: Shell) -> None:
    def deny(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "CreateListener":
            raise AwsError("AccessDenied", "not authorized to perform elasticloadbalancing:CreateListener", status=403)
        return apply()

    shell.local.intercept(deny)
    done = shell("deploy", "--yes")
    assert done.code == 5
    assert "Could not create listener" in done.err
    assert "elbv2:CreateListener" in done.err
    assert "Not done:" in done.err
    assert "service shop-web" in done.err
    result = shell("deploy", "--yes", "--json").events[-1]
    assert (result["outcome"], result["exit_code"]) == ("failed", 5)
    assert [failed["code"] for failed in result["failed"]] == ["AccessDenied"]
    assert "service.service/web" in {skipped["address"] for skipped in result["skipped"]}
    shell.local.intercept(None)
    assert shell("deploy", "--yes").code == 0


def test_reports_are_written_for_people_and_machines(shell: Shell) -> None:
    assert shell("deploy", "--yes", "--report", "run.md").code == 0
    assert "shop is up to date" in (shell.directory / "run.md").read_text()
    assert shell("deploy", "--yes", "--report", "run.json").code == 0
    report = json.loads((shell.directory / "run.json").read_text())
    assert report["result"]["outcome"] == "unchanged"
    assert shell("deploy", "--yes", "--report", "run.txt").code == 1


@pytest.mark.parametrize("timeout", ["soon", "-5s", "0s", "9999999999"])
def test_an_impossible_timeout_is_a_mistake_of_usage(shell: Shell, timeout: str) -> None:
    assert shell("deploy", "--yes", f"--timeout={timeout}").code == 1


def test_adopting_something_the_file_does_not_declare_is_a_mistake_of_usage(shell: Shell) -> None:
    done = shell("deploy", "--yes", "--adopt", "no.such/thing")
    assert done.code == 1
    assert "no.such/thing" in done.err


def test_a_plan_that_was_pondered_too_long_is_made_again(shell: Shell) -> None:
    class Slow:
        """Somebody who thinks for two minutes, while something happens in AWS."""

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            shell.local.clock.sleep(120)
            meanwhile()
            return "y\n"

    def meanwhile() -> None:
        client = shell._session(None).client("logs", region_name="eu-central-1")
        tags = {"fargatectl:app": "shop", "fargatectl:address": "logs.group/shop/web"}
        client.create_log_group(logGroupName="/shop/web", tags=tags)

    done = shell("deploy", typed="", stdin=Slow())
    assert done.code == 4
    assert "AWS has changed" in done.err
    assert "ecs:CreateService" not in shell.writes()


def test_a_run_with_nothing_to_do_asks_little(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell.local.calls.clear()
    assert shell("deploy", "--json").events[-1]["services"][0]["state"] == "steady"
    assert len(shell.local.calls) <= 24
