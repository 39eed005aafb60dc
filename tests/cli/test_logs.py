"""`logs` from the command line, on log groups of a local AWS."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from tests.local import make_aws

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
sidecars.agent.image = "shop/agent:1"

[services.api]
image = "shop/api:1"
"""
TASK, OTHER = "a" * 32, "b" * 32


def say(shell: Shell, stream: str, *lines: tuple[float, str], group: str = "/shop/web") -> None:
    """Have lines in a stream, each so many seconds ago."""
    logs: Any = make_aws(shell.local).logs
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    if not logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)["logStreams"]:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = shell.local.clock.now().timestamp()
    events = [{"timestamp": int((now - ago) * 1000), "message": text} for ago, text in lines]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def spoken(shell: Shell) -> None:
    """Have two services that said something, and one task that said it long ago."""
    shell.write(FILE)
    say(shell, f"web/web/{TASK}", (60, "first"), (40, "third\x1b[2J\nand on"))
    say(shell, f"web/agent/{TASK}", (50, "second"))
    say(shell, f"web/web/{OTHER}", (7200, "yesterday's"), (35, "ERROR fourth"))
    say(shell, f"api/api/{OTHER}", (30, "fifth"), group="/shop/api")


def messages(done: Done) -> list[str]:
    return [event["message"] for event in done.events]


def test_streams_of_all_tasks_and_containers_are_one_in_the_order_of_time(shell: Shell) -> None:
    spoken(shell)
    done = shell("logs", "--json")
    assert messages(done) == ["first", "second", "third\x1b[2J\nand on", "ERROR fourth", "fifth"]
    first = done.events[0]
    assert (first["service"], first["container"], first["task"]) == ("web", "web", TASK)
    assert done.out.count("\n") == 5
    plain = shell("logs").out
    assert f" web {TASK}  first\n" in plain
    assert f" web/agent {TASK}  second\n" in plain
    assert "third\\x1b[2J\n" in plain
    assert "\x1b" not in plain
    assert messages(shell("logs", "--json", "--since", "3h"))[0] == "yesterday's"
    assert not any(call.mutating for call in shell.local.calls if call.service != "logs")


def test_lines_are_chosen_by_service_container_task_and_text(shell: Shell) -> None:
    spoken(shell)
    assert messages(shell("logs", "--json", "--service", "api")) == ["fifth"]
    assert messages(shell("logs", "--json", "--container", "agent")) == ["second"]
    assert messages(shell("logs", "--json", "--task", "bbbb")) == ["ERROR fourth", "fifth"]
    assert messages(shell("logs", "--json", "--grep", "^(ERR|f)")) == ["first", "ERROR fourth", "fifth"]
    assert "nothing was said that fits absent within 1h" in shell("logs", "--grep", "absent").err
    for wrong in (["--grep", "("], ["--task", "web"], ["--since", "soon"], ["--service", "wep"]):
        done = shell("logs", *wrong)
        assert done.code == 1
        assert wrong[1] in done.err


def test_what_follows_comes_once_and_late_lines_too(shell: Shell) -> None:
    spoken(shell)
    looks: list[str] = []

    def look(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "FilterLogEvents" and call.params["logGroupName"] == "/shop/web":
            looks.append(call.operation)
            if len(looks) == 2:
                say(shell, f"web/web/{TASK}", (1, "sixth"))
                say(shell, f"web/agent/{TASK}", (36, "late"))
            if len(looks) == 4:
                assert shell.surroundings is not None
                shell.surroundings.signals.handle(signal.SIGINT, None)
        return apply()

    shell.local.intercept(look)
    done = shell("logs", "--follow", "--json")
    assert done.code == 130
    assert messages(done)[3:] == ["ERROR fourth", "fifth", "late", "sixth"]
    assert done.err == ""


def test_of_a_service_without_logs_it_is_said_why(shell: Shell) -> None:
    shell.write(FILE.replace('image = "shop/api:1"', 'image = "shop/api:1"\nlogs.driver = "none"'))
    done = shell("logs", "--service", "api")
    assert (done.code, done.out) == (0, "")
    assert 'Nothing of api: api keeps no logs: its `logs.driver` is "none".' in done.err
    done = shell("logs", "--service", "web")
    assert done.code == 0
    assert "There is no log group /shop/web" in done.err


def test_the_task_that_ended_last_can_be_asked_for(shell: Shell) -> None:
    shell.write(FILE)
    assert "ECS remembers no task of web" in shell("logs", "--previous", "--service", "web").err
    assert shell("deploy", "--yes").code == 0
    ecs: Any = make_aws(shell.local).ecs
    (old,) = ecs.list_tasks(cluster="shop", serviceName="shop-web")["taskArns"]
    ecs.stop_task(cluster="shop", task=old)
    shell.local.clock.sleep(120)
    done = shell("logs", "--previous", "--service", "web", "--json")
    assert {event["task"] for event in done.events} == {old.rpartition("/")[2]}
