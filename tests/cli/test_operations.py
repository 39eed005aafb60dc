"""History, rollback, restart and scale, as people and pipelines meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

SCALED = FILE + "scaling = { min = 2, max = 4, cpu = 60 }\n"


def ecs(shell: Shell) -> Any:
    return shell._session(None).client("ecs", region_name="eu-central-1")


def service(shell: Shell) -> Any:
    return ecs(shell).describe_services(cluster="shop", services=["shop-web"])["services"][0]


def running(shell: Shell) -> str:
    return str(service(shell)["taskDefinition"]).rpartition("/")[2]


def forget_calls(shell: Shell) -> None:
    shell.local.calls.clear()


def test_the_past_is_told_and_undone(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell("deploy", "--yes", "--image", "shop/web:2")
    shell("deploy", "--yes", "--image", "shop/web:crash")
    forget_calls(shell)
    told = shell("history", width=90)
    assert told.code == 0
    head, *rows = told.out.splitlines()[1:]
    assert head.split() == ["when", "revision", "image", "outcome", "took", "registered", "by"]
    assert max(map(len, told.out.splitlines())) <= 90
    assert ["rolled back" in rows[0], "shop-web:2 ←" in rows[1], "succeeded" in rows[2]] == [True, True, True]
    newest, *_, oldest = shell("history", "web", "--json").json["deployments"]
    assert (newest["outcome"], newest["image"], newest["current"]) == ("rolled_back", "shop/web:crash", False)
    assert "circuit breaker" in newest["reason"]
    assert (oldest["task_definition"], oldest["seconds"] > 0, oldest["digest"]) == ("shop-web:1", True, None)
    # ECS has gone back by itself: there is nothing to undo.
    assert "runs shop-web:2 already" in shell("rollback", "--yes").err
    assert shell.writes() == []


def test_a_first_deployment_that_failed_is_not_called_a_rollback(shell: Shell) -> None:
    shell("deploy", "--yes", "--image", "shop/web:crash")
    assert shell("history", "--json").json["deployments"][0]["outcome"] == "failed"


def test_a_rollback_goes_to_the_success_before_and_is_followed(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell("deploy", "--yes", "--image", "shop/web:2")
    forget_calls(shell)
    refused = shell("rollback", "web")
    assert refused.code == 4
    assert "shop/web:2 → shop/web:1" in refused.err
    assert "back to shop-web:1" in refused.err
    assert shell.writes() == []
    done = shell("rollback", "web", typed="y\n")
    assert done.code == 0
    assert shell.writes() == ["ecs:UpdateService"]
    assert (running(shell), "web is back on shop-web:1" in done.err) == ("shop-web:1", True)
    # The file has not changed: what it would bring back is a plan like any other.
    assert "shop/web:1 → shop/web:2" in shell("diff", "--image", "shop/web:2").out
    assert "1 to update" not in shell("diff").out
    # And back again: 2 is the last success before this one that is different.
    events = shell("rollback", "--yes", "--json").events
    assert (events[0]["event"], events[-1]["outcome"], events[-1]["applied"]) == ("plan", "succeeded", 1)
    assert {field["path"] for field in events[0]["changes"][0]["fields"]} == {
        "task_definition",
        "containers[web].image",
    }
    assert running(shell) == "shop-web:2"


def test_a_revision_can_be_named(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell("deploy", "--yes", "--image", "shop/web:2")
    shell("deploy", "--yes", "--image", "shop/web:3")
    assert shell("rollback", "--to", "1", "--yes").code == 0
    assert running(shell) == "shop-web:1"
    assert shell("rollback", "--to", "shop-web:2", "--yes", "--no-wait").code == 0
    assert running(shell) == "shop-web:2"
    for revision, said in (("9", "is not there any more"), ("other:1", "is no revision of web")):
        refused = shell("rollback", "--to", revision, "--yes")
        assert (refused.code, said in refused.err) == (4, True)


def test_a_revision_without_the_port_of_the_load_balancer_is_refused(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell.write(FILE.replace("port = 80", "port = 8080"))
    shell("deploy", "--yes")
    forget_calls(shell)
    refused = shell("rollback", "--yes")
    assert refused.code == 4
    assert "shop-web:1 does not listen on port 8080" in refused.err
    assert shell.writes() == []


def test_a_deployment_under_way_is_stopped_and_rolled_back(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell("deploy", "--yes", "--no-wait", "--image", "shop/web:slow")
    forget_calls(shell)
    done = shell("rollback", "--yes")
    assert (done.code, shell.writes()) == (0, ["ecs:StopServiceDeployment"])
    assert "in progress → stopped, and rolled back" in done.err
    assert "shop/web:slow → shop/web:1" in done.err
    assert (running(shell), service(shell)["runningCount"]) == ("shop-web:1", 1)
    assert shell("history", "--json").json["deployments"][0]["outcome"] == "rolled_back"


def test_the_first_deployment_has_nothing_to_go_back_to(shell: Shell) -> None:
    assert shell("rollback", "--yes").code == 4
    shell("deploy", "--yes", "--no-wait")
    forget_calls(shell)
    refused = shell("rollback", "--yes")
    assert (refused.code, "is its first" in refused.err) == (4, True)
    shell.local.clock.sleep(600)
    assert "no other deployment of web has succeeded" in " ".join(shell("rollback", "--yes").err.lower().split())
    assert shell.writes() == []


def test_a_restart_replaces_the_tasks_and_nothing_else(shell: Shell) -> None:
    shell("deploy", "--yes")
    before = ecs(shell).list_tasks(cluster="shop")["taskArns"]
    forget_calls(shell)
    done = shell("restart")
    assert (done.code, shell.writes()) == (0, ["ecs:UpdateService"])
    (call,) = [call for call in shell.local.calls if call.operation == "UpdateService"]
    assert call.params["forceNewDeployment"] is True
    assert call.params["healthCheckGracePeriodSeconds"] == 60
    assert "desiredCount" not in call.params
    assert set(ecs(shell).list_tasks(cluster="shop")["taskArns"]).isdisjoint(before)
    assert running(shell) == "shop-web:1"


def test_a_count_is_set_and_waited_for(shell: Shell) -> None:
    shell("deploy", "--yes")
    forget_calls(shell)
    done = shell("scale", "web", "3")
    assert (done.code, shell.writes()) == (0, ["ecs:UpdateService"])
    assert "3/3 healthy" in done.out
    assert "fargatectl.toml:5" in done.err
    assert service(shell)["runningCount"] == 3
    assert "web has 3 tasks already" in shell("scale", "web", "3").err
    result = shell("scale", "web", "1", "--json").events[-1]
    assert (result["outcome"], result["services"][0]["running"]) == ("succeeded", 1)
    assert shell("scale", "web", "1", "--min", "1").code == 1
    assert shell("scale", "nobody", "1").code == 1


def test_what_an_autoscaler_owns_is_scaled_by_its_bounds(shell: Shell) -> None:
    shell.write(SCALED)
    shell("deploy", "--yes")
    forget_calls(shell)
    refused = shell("scale", "web", "3")
    assert (refused.code, shell.writes()) == (4, [])
    assert "--min N --max N" in refused.err
    done = shell("scale", "web", "--min", "3")
    assert (done.code, shell.writes()) == (0, ["application-autoscaling:RegisterScalableTarget"])
    assert shell("status", "--json").json["services"][0]["scaling"] == {"min": 3, "max": 4}
    assert shell("scale", "web", "--min", "9").code == 1
    assert "min  3 → 2" in shell("diff").out


def test_what_is_not_ours_is_left_alone(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell("deploy", "--yes", "--image", "shop/web:2")
    arn = service(shell)["serviceArn"]
    ecs(shell).untag_resource(resourceArn=arn, tagKeys=["fargatectl:app"])
    forget_calls(shell)
    for command in (("rollback", "--yes"), ("restart",), ("scale", "web", "2")):
        refused = shell(*command)
        assert (refused.code, "not ours" in refused.err.lower()) == (4, True)
    assert shell.writes() == []
