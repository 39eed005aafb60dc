"""What EventBridge Scheduler refuses, and scheduled and step scaling."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.sandbox.refusals.others import TARGET, VALIDATION, scale_a_service
from tests.sandbox.refusals.row import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene

API, SCALING = "EventBridge Scheduler API Reference", "Application Auto Scaling API Reference"
STEP = {"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}
LATER = {"MetricIntervalLowerBound": 5.0, "ScalingAdjustment": 2}


def schedule(**settings: Any) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        principal = {"Service": "scheduler.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = scene.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        scene.wait(15)
        definition = scene.register()
        target = {
            "Arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/c",
            "RoleArn": role,
            "EcsParameters": {"TaskDefinitionArn": definition},
            **settings.pop("Target", {}),
        }
        wish = {"Name": "s", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}}
        scene.client("scheduler").create_schedule(**{**wish, **settings}, Target=target)

    return act


def steps(*adjustments: dict[str, Any], kind: str = "ChangeInCapacity") -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        scale_a_service(1, 2)(scene)
        configuration = {"AdjustmentType": kind, "StepAdjustments": list(adjustments)}
        scene.client("application-autoscaling").put_scaling_policy(
            **TARGET, PolicyName="p", PolicyType="StepScaling", StepScalingPolicyConfiguration=configuration
        )

    return act


def scheduled(**settings: Any) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        scale_a_service(1, 2)(scene)
        wish = {"Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 2}}
        scene.client("application-autoscaling").put_scheduled_action(
            **{**TARGET, "ScheduledActionName": "a", **wish, **settings}
        )

    return act


JOBS = [
    Refusal(
        "A schedule's expression is one",
        f"{API}, CreateSchedule",
        VALIDATION,
        schedule(ScheduleExpression="cron(0 3 * * * *)"),
        "Invalid Schedule Expression",
    ),
    Refusal(
        "A schedule's time zone exists",
        f"{API}, CreateSchedule",
        VALIDATION,
        schedule(ScheduleExpressionTimezone="Mars/Olympus"),
    ),
    Refusal(
        "A schedule's group exists",
        f"{API}, CreateSchedule",
        "ResourceNotFoundException",
        schedule(GroupName="no"),
        "Schedule group no does not exist",
    ),
    Refusal(
        "Scheduler can assume a schedule's role",
        f"{API}, Target",
        VALIDATION,
        schedule(Target={"RoleArn": "arn:aws:iam::123456789012:role/no"}),
        "must allow AWS EventBridge Scheduler to assume the role",
    ),
    Refusal(
        "A window that is off has no length",
        f"{API}, FlexibleTimeWindow",
        VALIDATION,
        schedule(FlexibleTimeWindow={"Mode": "OFF", "MaximumWindowInMinutes": 5}),
    ),
    Refusal(
        "A schedule runs at most ten tasks",
        f"{API}, EcsParameters",
        VALIDATION,
        schedule(Target={"EcsParameters": {"TaskDefinitionArn": "a", "TaskCount": 11}}),
    ),
    Refusal(
        "A schedule is retried for at most a day",
        f"{API}, RetryPolicy",
        VALIDATION,
        schedule(Target={"RetryPolicy": {"MaximumEventAgeInSeconds": 90_000}}),
    ),
    Refusal(
        "The default group of schedules stays",
        f"{API}, DeleteScheduleGroup",
        VALIDATION,
        lambda scene: scene.client("scheduler").delete_schedule_group(Name="default"),
    ),
    Refusal(
        "Steps have no gap between them",
        f"{SCALING}, StepAdjustment",
        VALIDATION,
        steps({**STEP, "MetricIntervalUpperBound": 3.0}, LATER),
    ),
    Refusal("Steps do not overlap", f"{SCALING}, StepAdjustment", VALIDATION, steps(STEP, LATER)),
    Refusal("There is a step", f"{SCALING}, StepScalingPolicyConfiguration", VALIDATION, steps()),
    Refusal(
        "Capacity is adjusted in one of three ways",
        f"{SCALING}, StepScalingPolicyConfiguration",
        VALIDATION,
        steps(STEP, kind="Twice"),
    ),
    Refusal(
        "A scheduled action's time zone exists",
        f"{SCALING}, PutScheduledAction",
        VALIDATION,
        scheduled(Timezone="Mars/Olympus"),
    ),
    Refusal(
        "A scheduled action changes a bound",
        f"{SCALING}, PutScheduledAction",
        VALIDATION,
        scheduled(ScalableTargetAction={}),
    ),
]
