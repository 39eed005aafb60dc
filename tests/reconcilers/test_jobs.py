"""What is peculiar to schedules: what others set beside us, and who may run what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.sandbox.inprocess import LocalAws
from tests.world import World

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
app = "shop"
region = "eu-central-1"
account = "123456789012"

[services.web]
image = "docker.io/acme/web:1"

[jobs.report]
from = "web"
command = ["./report"]
schedule = "rate(1 hour)"
"""
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:undelivered"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(LocalAws(), tmp_path)
    made.deploy(FILE)
    return made


def schedule(world: World) -> Any:
    return world.aws.scheduler.get_schedule(GroupName="shop", Name="report")


def test_what_others_set_beside_our_settings_stays(world: World) -> None:
    found = schedule(world)
    kept = ("GroupName", "Name", "ScheduleExpression", "FlexibleTimeWindow")
    target = {
        **found["Target"],
        "DeadLetterConfig": {"Arn": QUEUE},
        "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 600},
    }
    world.aws.scheduler.update_schedule(**{key: found[key] for key in kept}, Target=target, Description="theirs")
    assert not world.plan(FILE).plan.changes
    world.deploy(FILE.replace("1 hour", "2 hours"))
    after = schedule(world)
    assert after["ScheduleExpression"] == "rate(2 hours)"
    assert after["Description"] == "theirs"
    assert after["Target"]["DeadLetterConfig"] == {"Arn": QUEUE}
    assert after["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 600}


def test_a_schedule_in_our_group_that_the_file_does_not_name_goes(world: World) -> None:
    found = schedule(world)
    kept = ("GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    world.aws.scheduler.create_schedule(**{key: found[key] for key in kept}, Name="stray")
    (change,) = world.plan(FILE).plan.changes
    assert (change.address, str(change.action)) == ("jobs.schedule/stray", "delete")
    world.deploy(FILE)
    assert [one["Name"] for one in world.aws.scheduler.list_schedules(GroupName="shop")["Schedules"]] == ["report"]


def test_a_schedule_moves_to_the_new_revision_only_with_its_service(world: World) -> None:
    before = schedule(world)["Target"]["EcsParameters"]["TaskDefinitionArn"]
    assert world.try_to_deploy(FILE.replace("web:1", "web:crash")).failed
    assert schedule(world)["Target"]["EcsParameters"]["TaskDefinitionArn"] == before
    world.deploy(FILE.replace("web:1", "web:2"))
    assert schedule(world)["Target"]["EcsParameters"]["TaskDefinitionArn"] != before


def test_the_role_may_run_this_family_here_and_nothing_else(world: World) -> None:
    role: Any = world.aws.iam.get_role(RoleName="shop-report-schedule")["Role"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": ["scheduler.amazonaws.com"]}
    assert ":schedule-group/shop'" in str(trust["Condition"]["StringEquals"]["aws:SourceArn"])
    document: Any = world.aws.iam.get_role_policy(RoleName="shop-report-schedule", PolicyName="fargatectl")
    policy = document["PolicyDocument"]
    run, hand = sorted(policy["Statement"], key=lambda one: json.dumps(one["Action"]))
    assert run["Action"] in ("ecs:RunTask", ["ecs:RunTask"])
    assert str(run["Resource"]).count("task-definition/shop-report:*") == 1
    assert str(run["Condition"]).count("cluster/shop") == 1
    assert sorted(one.rpartition("/")[2] for one in hand["Resource"]) == ["shop-web-execution", "shop-web-task"]
    assert "ecs-tasks.amazonaws.com" in str(hand["Condition"])
