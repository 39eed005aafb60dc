"""Jobs from the command line: run once, before a deployment, and on a schedule."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from tests.local import make_aws

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Shell

FILE = """
app = "shop"
region = "eu-central-1"

[services.web]
image = "shop/web:{tag}"
port = 80

[jobs.migrate]
from = "web"
command = ["./manage.py", "migrate"]
{more}
"""
BEFORE = FILE.replace("port = 80", 'port = 80\ndeploy.before = "migrate"')


def file(shell: Shell, tag: str = "1", more: str = "", text: str = FILE) -> None:
    shell.write(text.format(tag=tag, more=more))


def deployed(shell: Shell, tag: str = "1", more: str = "", text: str = FILE) -> None:
    """Deploy a file whose web does well, then have its job's image say how the job ends."""
    file(shell, tag, more, text)
    assert shell("deploy", "--yes").code == 0
    shell.local.calls.clear()


def redefined(shell: Shell, tag: str) -> None:
    """Register a revision of the job with another image, as a deploy of it would."""
    ecs: Any = make_aws(shell.local).ecs
    found: Any = ecs.describe_task_definition(taskDefinition="shop-migrate", include=["TAGS"])
    definition = found["taskDefinition"]
    kept = ("family", "taskRoleArn", "executionRoleArn", "networkMode", "requiresCompatibilities", "cpu", "memory")
    container = {**definition["containerDefinitions"][0], "image": f"shop/web:{tag}"}
    ecs.register_task_definition(
        **{key: definition[key] for key in kept}, containerDefinitions=[container], tags=found["tags"]
    )


def tasks(shell: Shell, status: str = "STOPPED") -> list[Any]:
    ecs: Any = make_aws(shell.local).ecs
    arns = ecs.list_tasks(cluster="shop", family="shop-migrate", desiredStatus=status)["taskArns"]
    found: list[Any] = ecs.describe_tasks(cluster="shop", tasks=arns, include=["TAGS"])["tasks"] if arns else []
    return found


def interrupting(shell: Shell, operation: str) -> None:
    """Have Ctrl-C come once, when `operation` is called."""
    pending = [signal.SIGINT]

    def look(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == operation and pending:
            assert shell.surroundings is not None
            shell.surroundings.signals.handle(pending.pop(), None)
        return apply()

    shell.local.intercept(look)


def test_a_job_shows_its_lines_and_returns_its_code(shell: Shell) -> None:
    deployed(shell)
    done = shell("run", "migrate")
    assert done.code == 0
    assert "./manage.py migrate" in done.out
    assert "migrate ended with exit code 0" in done.err
    (task,) = tasks(shell)
    assert {tag["key"]: tag["value"] for tag in task["tags"]}["fargatectl:address"] == "jobs.task/migrate"
    assert shell.writes() == ["ecs:RunTask"]

    other = shell("run", "migrate", "--json", "--", "./manage.py", "check")
    assert other.code == 0
    lines = [event["message"] for event in other.events if event.get("level") == "output"]
    assert any("./manage.py check" in line for line in lines)
    result = other.events[-1]
    assert (result["event"], result["outcome"], result["exit_code"]) == ("result", "succeeded", 0)

    redefined(shell, "exit-7")
    assert shell("run", "migrate").code == 7


def test_status_shows_jobs_and_their_last_run(shell: Shell) -> None:
    deployed(shell, more='schedule = "rate(1 hour)"')
    idle = shell("status")
    assert "migrate  rate(1 hour) UTC" in idle.out
    assert "ECS remembers an hour" in idle.out
    assert shell("run", "migrate").code == 0
    (job,) = shell("status", "--json").json["jobs"]
    assert (job["name"], job["schedule"], job["running"], job["last_run"]["exit_code"]) == (
        "migrate",
        "rate(1 hour)",
        0,
        0,
    )
    assert "exit code 0" in shell("status", width=80).out


def test_a_job_that_cannot_start_is_explained(shell: Shell) -> None:
    deployed(shell)
    redefined(shell, "missing")
    done = shell("run", "migrate")
    assert done.code == 125
    assert "The job migrate never started" in done.err
    assert "fargatectl.toml:6  [services.web.image]" in done.err
    told = shell("run", "migrate", "--json")
    assert (told.code, told.events[-1]["exit_code"]) == (125, None)
    assert told.events[-1]["diagnosis"][0]["code"] == "image-not-found"


def test_what_fails_before_a_job_starts_has_a_code_of_its_own(shell: Shell) -> None:
    file(shell)
    done = shell("run", "migrate")
    assert done.code == 125
    assert "has not been deployed" in done.err
    done = shell("run", "migrat", "--json")
    assert done.code == 125
    assert done.events[-1]["error"]["message"] == "fargatectl.toml has no job migrat"
    assert shell("run").code == 1
    shell.write('app = "shop"\nx = 1')
    assert shell("run", "migrate").code == 125


def test_a_job_may_be_left_alone(shell: Shell) -> None:
    deployed(shell)
    done = shell("run", "migrate", "--no-wait", "--json")
    assert done.code == 0
    (task,) = tasks(shell, "RUNNING")
    assert done.events[-1]["outcome"] == "detached"
    assert done.events[-1]["task"] == task["taskArn"].rpartition("/")[2]
    told = shell("destroy", typed="no\n")
    assert told.code == 4
    assert "- 1 task definition (1 task)  migrate" in told.err


def test_ctrl_c_stops_the_task(shell: Shell) -> None:
    deployed(shell)
    interrupting(shell, "DescribeTasks")
    done = shell("run", "migrate")
    assert done.code == 130
    (task,) = tasks(shell)
    assert task["stopCode"] == "UserInitiated"
    assert "stopping the task" in done.err


def test_a_job_goes_before_a_deployment_and_can_stop_it(shell: Shell) -> None:
    file(shell, text=BEFORE)
    done = shell("deploy", "--yes")
    assert done.code == 0
    assert "The job migrate runs before web is touched" in done.err
    assert "job migrate completed: exit code 0" in done.err
    assert len(tasks(shell)) == 1

    shell.local.calls.clear()
    assert shell("deploy", "--yes").code == 0
    assert shell("diff").out.count("migrate") == 0
    assert shell.writes() == []

    file(shell, "exit-3", text=BEFORE)
    shell.local.calls.clear()
    done = shell("deploy", "--yes")
    assert done.code == 3
    assert "The job migrate ended with exit code 3" in done.err
    assert "What waits for migrate was left as it was." in done.err
    assert "log   local AWS:" in done.err
    assert "shop-web:1" in done.err
    assert "ecs:UpdateService" not in shell.writes()
    told = shell("deploy", "--yes", "--json")
    assert told.code == 3
    steps = [(e["address"], e["state"]) for e in told.events if e["event"] == "step" and e["verb"] == "run"]
    assert steps == [("jobs.task/migrate", "began"), ("jobs.task/migrate", "failed")]
    assert told.events[-1]["failed"][0]["code"] == "job"
    assert told.events[-1]["diagnosis"][0]["service"] == "migrate"


def test_a_job_that_a_dead_run_left_is_waited_for(shell: Shell) -> None:
    file(shell, text=BEFORE)
    interrupting(shell, "DescribeTasks")
    assert shell("deploy", "--yes").code == 130
    shell.local.intercept(None)
    assert len(tasks(shell, "RUNNING")) == 1
    shell.local.calls.clear()
    done = shell("deploy", "--yes")
    assert done.code == 0
    assert "runs already, since an earlier run" in done.err
    assert "ecs:RunTask" not in shell.writes()


def test_no_wait_for_a_job_is_without_an_end(shell: Shell) -> None:
    """ECS forgets a task; it does not stop one; a job has no `timeout` and never ends."""
    deployed(shell)

    def forgotten(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "DescribeTasks":
            call.params["tasks"] = ["0" * 32]
        return apply()

    shell.local.intercept(forgotten)
    done = shell("run", "migrate")
    assert done.code == 125
    assert "of the job migrate any more: how it ended is unknown" in " ".join(done.err.split())

    said: list[Response] = []

    def unmoved(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation != "DescribeTasks":
            return apply()
        shell.local.clock.sleep(600)
        said.append(said[0] if said else apply())
        return said[0]

    shell.local.intercept(unmoved)
    done = shell("run", "migrate")
    assert done.code == 125
    assert "still runs after a day" in done.err
    file(shell, more="timeout = 2")
    said.clear()
    done = shell("run", "migrate")
    assert done.code == 125
    assert "ECS has not stopped the task of the job migrate within 900 s" in done.err


def test_a_job_is_stopped_at_its_timeout(shell: Shell) -> None:
    deployed(shell, more="timeout = 2")
    done = shell("run", "migrate")
    assert done.code == 125
    assert "was stopped at its timeout" in done.err
    assert tasks(shell)[0]["stopCode"] == "UserInitiated"


def test_help_shows_its_brackets_once(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell("run", "--help").code == shell("why", "--help").code == 0
    text = capsys.readouterr().out  # typer prints help by itself
    assert "a table [jobs.JOB]." in text
    assert "[-- COMMAND]..." in text
    assert "[[" not in text
