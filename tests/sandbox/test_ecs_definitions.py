from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene


@pytest.fixture
def ecs(client: Callable[..., Any]) -> Any:
    return client("ecs")


def register(ecs: Any, container: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    members = {
        "family": "f",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "a", "image": "nginx", **(container or {})}],
        **settings,
    }
    definition: dict[str, Any] = ecs.register_task_definition(**members)["taskDefinition"]
    return definition


def test_defaults_are_filled_in(ecs: Any) -> None:
    shown = register(
        ecs,
        {"portMappings": [{"containerPort": 80}], "healthCheck": {"command": ["CMD-SHELL", "true"]}, "command": []},
        cpu="1 vCPU",
        memory="2GB",
    )
    assert (shown["cpu"], shown["memory"]) == ("1024", "2048")
    (container,) = shown["containerDefinitions"]
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]
    assert container["healthCheck"] == {"command": ["CMD-SHELL", "true"], "interval": 30, "timeout": 5, "retries": 3}
    assert container["essential"] is True
    assert container["cpu"] == 0
    for name in ("environment", "mountPoints", "volumesFrom", "systemControls"):
        assert container[name] == []
    assert "command" not in container
    assert (shown["volumes"], shown["placementConstraints"]) == ([], [])
    assert shown["status"] == "ACTIVE"


def test_everything_that_is_sent_comes_back(ecs: Any) -> None:
    container: dict[str, Any] = {
        "command": ["a", "b"],
        "dependsOn": [{"containerName": "b", "condition": "START"}],
        "environment": [{"name": "E", "value": "1"}],
        "linuxParameters": {"initProcessEnabled": True},
        "mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": True}],
        "readonlyRootFilesystem": True,
        "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
        "stopTimeout": 60,
        "ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}],
        "user": "1000:1000",
        "workingDirectory": "/srv",
        "versionConsistency": "enabled",
    }
    settings: dict[str, Any] = {
        "containerDefinitions": [{"name": "a", "image": "nginx", **container}, {"name": "b", "image": "envoy"}],
        "enableFaultInjection": False,
        "ephemeralStorage": {"sizeInGiB": 40},
        "pidMode": "task",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": "ENABLED"}}],
    }
    shown = register(ecs, **settings)
    assert shown["containerDefinitions"][0].items() >= container.items()
    for name in ("enableFaultInjection", "ephemeralStorage", "pidMode", "runtimePlatform"):
        assert shown[name] == settings[name]
    assert shown["volumes"][0]["efsVolumeConfiguration"]["rootDirectory"] == "/"


@pytest.mark.parametrize(
    ("container", "settings", "match"),
    [
        ({}, {"cpu": "256", "memory": "4096"}, "No Fargate configuration exists"),
        ({}, {"cpu": "300", "memory": "512"}, "No Fargate configuration exists"),
        ({}, {"cpu": "32768", "memory": "65536"}, "No Fargate configuration exists"),
        ({}, {"networkMode": "bridge"}, "Fargate only supports network mode"),
        ({}, {"ephemeralStorage": {"sizeInGiB": 300}}, "from 21 to 200"),
        ({"portMappings": [{"containerPort": 80, "hostPort": 8080}]}, {}, "must match"),
        ({"dependsOn": [{"containerName": "x", "condition": "START"}]}, {}, "unknown container"),
        ({"mountPoints": [{"sourceVolume": "x", "containerPath": "/"}]}, {}, "Unknown volume"),
        ({"privileged": True}, {}, "privileged"),
        ({"memory": 1024}, {}, "must not exceed the task's memory"),
        ({"essential": False}, {}, "at least one essential"),
        ({"logConfiguration": {"logDriver": "gelf"}}, {}, "not supported for Fargate"),
        ({"healthCheck": {"command": ["CMD", "x"], "interval": 1}}, {}, "interval must be between 5 and 300"),
        ({"stopTimeout": 999}, {}, "between 2 and 120"),
        ({"secrets": [{"name": "S", "valueFrom": "arn:aws:secretsmanager:x"}]}, {}, "executionRoleArn"),
        ({"image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/a:1"}, {}, "to support ECR images"),
        ({}, {"executionRoleArn": "arn:aws:iam::123456789012:role/gone"}, "Role is not valid"),
        ({}, {"containerDefinitions": [{"name": f"c{n}", "image": "x"} for n in range(11)]}, "at most 10"),
        ({}, {"containerDefinitions": [{"name": "a", "image": "x"}] * 2}, "should be unique"),
    ],
)
def test_what_fargate_cannot_run_is_refused(
    ecs: Any,
    container: dict[str, Any],
    settings: dict[str, Any],
    match: str,
) -> None:
    with pytest.raises(ClientError, match=match) as caught:
        register(ecs, container, **settings)
    assert caught.value.response["Error"]["Code"] == "ClientException"


def test_awslogs_needs_an_execution_role_and_a_prefix(ecs: Any) -> None:
    options = {"awslogs-group": "g", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "p"}
    with pytest.raises(ClientError, match="execution role ARN to support log driver awslogs"):
        register(ecs, {"logConfiguration": {"logDriver": "awslogs", "options": options}})
    del options["awslogs-stream-prefix"]
    with pytest.raises(ClientError, match="awslogs-stream-prefix"):
        register(ecs, {"logConfiguration": {"logDriver": "awslogs", "options": options}})


def test_revisions_count_up_and_numbers_are_never_used_again(ecs: Any, scene: Scene) -> None:
    register(ecs, tags=[{"key": "k", "value": "v"}])
    assert register(ecs)["revision"] == 2
    ecs.deregister_task_definition(taskDefinition="f:2")
    assert ecs.describe_task_definition(taskDefinition="f")["taskDefinition"]["revision"] == 1
    assert ecs.list_task_definitions(familyPrefix="f")["taskDefinitionArns"][0].endswith(":1")
    deleted = ecs.delete_task_definitions(taskDefinitions=["f:1", "f:2"])
    assert [one["status"] for one in deleted["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert "still in ACTIVE status" in deleted["failures"][0]["reason"]
    scene.wait(120)
    with pytest.raises(ClientError, match=r"Unable to describe task definition\."):
        ecs.describe_task_definition(taskDefinition="f:2")
    assert register(ecs)["revision"] == 3


def test_lists_are_sorted_and_paged(ecs: Any) -> None:
    for _ in range(3):
        register(ecs)
    page = ecs.list_task_definitions(familyPrefix="f", sort="DESC", maxResults=2)
    assert [arn.rpartition(":")[2] for arn in page["taskDefinitionArns"]] == ["3", "2"]
    rest = ecs.list_task_definitions(familyPrefix="f", sort="DESC", maxResults=2, nextToken=page["nextToken"])
    assert [arn.rpartition(":")[2] for arn in rest["taskDefinitionArns"]] == ["1"]
    assert "nextToken" not in rest
    assert ecs.list_task_definition_families(status="ACTIVE")["families"] == ["f"]


def test_tags_come_beside_the_definition(ecs: Any) -> None:
    arn = register(ecs, tags=[{"key": "k", "value": "v"}])["taskDefinitionArn"]
    assert "tags" not in ecs.describe_task_definition(taskDefinition=arn)
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "l", "value": "w"}])
    tags = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == {"k": "v", "l": "w"}
