from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from fargatectl.sandbox.expressions import is_schedule, is_timezone
from fargatectl.sandbox.settings import SettingError

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene

GROUP = "arn:aws:scheduler:eu-central-1:123456789012:schedule-group/jobs"
RUN = {"Effect": "Allow", "Action": ["ecs:RunTask", "iam:PassRole"], "Resource": "*"}


def new_role(scene: Scene, **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **condition}]})
    iam = scene.client("iam")
    arn = iam.create_role(RoleName="nightly", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [RUN]})
    iam.put_role_policy(RoleName="nightly", PolicyName="p", PolicyDocument=policy)
    return str(arn)


def plan(scene: Scene, role: str, **settings: Any) -> dict[str, Any]:
    """Return the request for a schedule that runs the task definition "web"."""
    network = {"awsvpcConfiguration": {"Subnets": scene.subnets, "AssignPublicIp": "ENABLED"}}
    target = {
        "Arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/c",
        "RoleArn": role,
        "EcsParameters": {
            "TaskDefinitionArn": scene.define().rpartition(":")[0],
            "LaunchType": "FARGATE",
            "NetworkConfiguration": network,
        },
        "Input": json.dumps({"containerOverrides": [{"name": "web", "command": ["report"]}]}),
    }
    return {
        "Name": "nightly",
        "GroupName": "jobs",
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
        **settings,
    }


@pytest.fixture
def scheduler(scene: Scene) -> Any:
    scheduler = scene.client("scheduler")
    scheduler.create_schedule_group(Name="jobs", Tags=[{"Key": "a", "Value": "b"}])
    return scheduler


def test_a_schedule_shows_its_defaults_and_an_update_replaces_all(scheduler: Any, scene: Scene) -> None:
    wish = plan(scene, new_role(scene), ScheduleExpressionTimezone="Europe/Berlin", Description="d")
    scene.wait(15)
    scheduler.create_schedule(**wish)
    shown = scheduler.get_schedule(GroupName="jobs", Name="nightly")
    assert (shown["State"], shown["ActionAfterCompletion"]) == ("ENABLED", "NONE")
    assert shown["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    assert (shown["ScheduleExpressionTimezone"], shown["Description"]) == ("Europe/Berlin", "d")
    del wish["ScheduleExpressionTimezone"], wish["Description"]
    scheduler.update_schedule(**wish, State="DISABLED")
    shown = scheduler.get_schedule(GroupName="jobs", Name="nightly")
    assert (shown["State"], shown["ScheduleExpressionTimezone"]) == ("DISABLED", "UTC")
    assert "Description" not in shown
    (listed,) = scheduler.list_schedules(GroupName="jobs")["Schedules"]
    assert listed["Target"] == {"Arn": wish["Target"]["Arn"]}
    scheduler.delete_schedule_group(Name="jobs")
    with pytest.raises(ClientError, match="Schedule group jobs does not exist"):
        scheduler.get_schedule(GroupName="jobs", Name="nightly")


def test_the_role_must_be_assumable_for_the_group(scheduler: Any, scene: Scene) -> None:
    schedule = "arn:aws:scheduler:eu-central-1:123456789012:schedule/jobs/nightly"
    wish = plan(scene, new_role(scene, Condition={"StringEquals": {"aws:SourceArn": schedule}}))
    with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler to assume the role"):
        scheduler.create_schedule(**wish)
    scene.wait(15)
    with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler to assume the role"):
        scheduler.create_schedule(**wish)
    iam = scene.client("iam")
    trust = iam.get_role(RoleName="nightly")["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Condition"]["StringEquals"]["aws:SourceArn"] = GROUP
    iam.update_assume_role_policy(RoleName="nightly", PolicyDocument=json.dumps(trust))
    scene.wait(15)
    scheduler.create_schedule(**wish)


def test_groups_carry_the_tags(scheduler: Any, scene: Scene) -> None:
    scheduler.tag_resource(ResourceArn=GROUP, Tags=[{"Key": "c", "Value": "d"}])
    scheduler.untag_resource(ResourceArn=GROUP, TagKeys=["a"])
    assert scheduler.list_tags_for_resource(ResourceArn=GROUP)["Tags"] == [{"Key": "c", "Value": "d"}]
    found = scene.client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["scheduler"])
    assert [one["ResourceARN"] for one in found["ResourceTagMappingList"]] == [GROUP]
    assert [one["Name"] for one in scheduler.list_schedule_groups()["ScheduleGroups"]] == ["default", "jobs"]
    with pytest.raises(ClientError, match="already exists"):
        scheduler.create_schedule_group(Name="jobs")
    scheduler.create_schedule_group(Name="again", ClientToken="t" * 20)
    scheduler.create_schedule_group(Name="again", ClientToken="t" * 20)


def test_a_schedule_that_is_due_runs_its_task(scheduler: Any, scene: Scene) -> None:
    with pytest.raises(SettingError, match="meets nothing"):
        scene.local.set("schedule.jobs/nightly=run")
    wish = plan(scene, new_role(scene))
    scene.wait(15)
    scheduler.create_schedule(**wish)
    scene.local.set("schedule.jobs/nightly=run")
    (task,) = scene.tasks()
    assert task["overrides"]["containerOverrides"] == [{"name": "web", "command": ["report"]}]
    scene.wait(60)
    (task,) = scene.tasks("STOPPED")
    assert task["containers"][0]["exitCode"] == 0


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("rate(5 minutes)", True),
        ("rate(1 day)", True),
        ("rate(0 days)", False),
        ("rate(5 weeks)", False),
        ("at(2026-12-24T18:00:00)", True),
        ("at(2026-12-24)", False),
        ("cron(0 3 * * ? *)", True),
        ("cron(0/15 8-18 ? * MON-FRI *)", True),
        ("cron(0 0 L-3 JAN,jul ? 2027-2030)", True),
        ("cron(0 12 ? * 2#1 *)", True),
        ("cron(0 3 * * * *)", False),
        ("cron(0 3 ? * ? *)", False),
        ("cron(0 3 * * ?)", False),
        ("cron(60 3 * * ? *)", False),
        ("cron(0 3 * * FUN *)", False),
        ("cron(0 3-x ? * 1 *)", False),
        ("every day", False),
    ],
)
def test_expressions(expression: str, *, good: bool) -> None:
    assert is_schedule(expression) is good


def test_time_zones() -> None:
    assert [is_timezone(name) for name in ("UTC", "Europe/Berlin", "Mars/Olympus", "../etc")] == [
        True,
        True,
        False,
        False,
    ]
