from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene


def run(scene: Scene, definition: str, **settings: Any) -> dict[str, Any]:
    network = {"awsvpcConfiguration": {"subnets": scene.subnets, "assignPublicIp": "ENABLED"}}
    wish = {"cluster": "c", "taskDefinition": definition, "launchType": "FARGATE", "networkConfiguration": network}
    task: dict[str, Any] = scene.ecs.run_task(**{**wish, **settings})["tasks"][0]
    return task


def after(scene: Scene, seconds: float) -> dict[str, Any]:
    """Return the only task of the cluster so much later."""
    scene.wait(seconds)
    arns = scene.ecs.list_tasks(cluster="c", desiredStatus="STOPPED")["taskArns"]
    task: dict[str, Any] = scene.ecs.describe_tasks(cluster="c", tasks=arns)["tasks"][0]
    return task


@pytest.mark.parametrize(("tag", "code"), [("stable", 0), ("exit-3", 3), ("crash", 1)])
def test_the_image_decides_how_a_job_ends(tag: str, code: int, scene: Scene) -> None:
    run(scene, scene.define(f"nginx:{tag}"), startedBy="me")
    task = after(scene, 60)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "EssentialContainerExited")
    assert task["containers"][0]["exitCode"] == code
    assert scene.ecs.list_tasks(cluster="c", desiredStatus="STOPPED", startedBy="me")["taskArns"] == [task["taskArn"]]


def test_a_job_that_cannot_start_says_why(scene: Scene) -> None:
    run(scene, scene.define("nginx:missing"))
    task = after(scene, 60)
    assert task["stopCode"] == "TaskFailedToStart"
    assert "not found" in task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]


def test_overrides_are_applied_and_shown(scene: Scene) -> None:
    change = {"name": "web", "command": ["./manage.py", "migrate"], "environment": [{"name": "A", "value": "secret"}]}
    task = run(scene, scene.define(), overrides={"containerOverrides": [change], "cpu": "512", "memory": "1024"})
    assert (task["cpu"], task["memory"]) == ("512", "1024")
    assert task["overrides"]["containerOverrides"] == [change]
    scene.wait(60)
    events = scene.client("logs").filter_log_events(logGroupName="/c/web")["events"]
    lines = [event["message"] for event in events]
    assert any("./manage.py migrate" in line for line in lines)
    assert not any("secret" in line for line in lines)


def test_a_role_that_a_job_was_given_instead_counts(scene: Scene) -> None:
    run(scene, scene.define(), overrides={"executionRoleArn": "arn:aws:iam::123456789012:role/gone"})
    assert "unable to assume the role" in after(scene, 60)["stoppedReason"]


def test_a_token_stands_for_one_request(scene: Scene) -> None:
    definition = scene.define()
    first = run(scene, definition, clientToken="t")
    assert run(scene, definition, clientToken="t")["taskArn"] == first["taskArn"]
    with pytest.raises(ClientError) as caught:
        run(scene, definition, clientToken="t", count=2)
    assert caught.value.response["Error"]["Code"] == "ConflictException"


def test_a_stopped_job_tells_who_stopped_it(scene: Scene) -> None:
    task = run(scene, scene.define("nginx:slow"))
    scene.ecs.stop_task(cluster="c", task=task["taskArn"], reason="enough")
    task = after(scene, 30)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
