from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from fargatectl.sandbox.cloudwatch import rules
from fargatectl.sandbox.settings import SettingError
from tests.sandbox.ecs_scene import breaker

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene

METRIC = {
    "MetricName": "CPUUtilization",
    "Namespace": "AWS/ECS",
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 80.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def watched(*names: str, rollback: bool = True) -> dict[str, Any]:
    return {**breaker(), "alarms": {"alarmNames": list(names), "enable": True, "rollback": rollback}}


def states(scene: Scene, *types: str) -> dict[str, str]:
    answer = scene.client("cloudwatch").describe_alarms(AlarmTypes=list(types) or ["MetricAlarm", "CompositeAlarm"])
    return {one["AlarmName"]: one["StateValue"] for one in [*answer["MetricAlarms"], *answer["CompositeAlarms"]]}


def test_an_alarm_knows_nothing_at_first_and_keeps_its_state_when_it_changes(scene: Scene) -> None:
    cloudwatch = scene.client("cloudwatch")
    tags = [{"Key": "a", "Value": "b"}]
    cloudwatch.put_metric_alarm(AlarmName="cpu", **METRIC, Tags=tags)
    assert states(scene) == {"cpu": "INSUFFICIENT_DATA"}
    scene.local.set("alarm.cpu=ALARM")
    cloudwatch.put_metric_alarm(AlarmName="cpu", **{**METRIC, "Threshold": 90.0}, Tags=[{"Key": "c", "Value": "d"}])
    (alarm,) = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert (alarm["Threshold"], alarm["TreatMissingData"], alarm["ActionsEnabled"]) == (90.0, "missing", True)
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == tags
    cloudwatch.delete_alarms(AlarmNames=["cpu", "never-was"])
    assert states(scene) == {}


def test_an_alarm_that_takes_missing_data_as_good_is_soon_ok(scene: Scene) -> None:
    scene.client("cloudwatch").put_metric_alarm(AlarmName="errors", **METRIC, TreatMissingData="notBreaching")
    assert states(scene) == {"errors": "INSUFFICIENT_DATA"}
    scene.wait(61)
    assert states(scene) == {"errors": "OK"}


def test_a_composite_alarm_follows_its_rule_and_holds_its_children(scene: Scene) -> None:
    cloudwatch = scene.client("cloudwatch")
    for name in ("cpu", "errors", "deploying"):
        cloudwatch.put_metric_alarm(AlarmName=name, **METRIC)
    rule = '(ALARM("cpu") OR ALARM(errors)) AND NOT ALARM(deploying)'
    cloudwatch.put_composite_alarm(AlarmName="trouble", AlarmRule=rule)
    assert states(scene, "CompositeAlarm") == {"trouble": "OK"}
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")
    assert states(scene, "CompositeAlarm") == {"trouble": "ALARM"}
    scene.local.set("alarm.deploying=ALARM")
    assert states(scene, "CompositeAlarm") == {"trouble": "OK"}
    assert sorted(one["AlarmName"] for one in cloudwatch.describe_alarms()["MetricAlarms"]) == [
        "cpu",
        "deploying",
        "errors",
    ]
    with pytest.raises(ClientError, match="depending on it: trouble"):
        cloudwatch.delete_alarms(AlarmNames=["cpu"])
    cloudwatch.delete_alarms(AlarmNames=["cpu", "trouble"])
    assert set(states(scene)) == {"errors", "deploying"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("TRUE", True),
        ("FALSE OR TRUE AND NOT FALSE", True),
        ("NOT (TRUE)", False),
        ("ALARM(a) AND OK(b)", True),
        ("INSUFFICIENT_DATA(a) OR ALARM(b)", False),
        ('ALARM("arn:aws:cloudwatch:eu-central-1:1:alarm:a")', True),
    ],
)
def test_rules_of_composite_alarms(rule: str, expected: bool) -> None:  # noqa: FBT001 - what a rule is
    assert rules.holds(rule, {"a": "ALARM", "b": "OK"}.__getitem__) is expected


@pytest.mark.parametrize("rule", ["", "ALARM()", "ALARM(a", "ALARM(a) ALARM(b)", "AND TRUE", "TRUE OR", "a"])
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(rules.BadRule):
        rules.holds(rule, lambda _: "OK")


def test_an_alarm_that_rings_rolls_a_deployment_back(scene: Scene) -> None:
    cloudwatch = scene.client("cloudwatch")
    cloudwatch.put_metric_alarm(AlarmName="errors", **METRIC)
    scene.serve(scene.define(), deploymentConfiguration=watched("errors"), desiredCount=1)
    scene.wait(90)
    assert scene.rollout()["status"] == "IN_PROGRESS"  # steady, and still watched
    scene.wait(180)
    rollout = scene.rollout()
    assert (rollout["status"], rollout["alarms"]["status"]) == ("SUCCESSFUL", "MONITORING_COMPLETE")
    first = scene.service()["taskDefinition"]
    scene.update(taskDefinition=scene.define("nginx:next"))
    scene.wait(30)
    scene.local.set("alarm.errors=ALARM")
    rollout = scene.rollout()
    assert rollout["alarms"] == {"status": "TRIGGERED", "alarmNames": ["errors"], "triggeredAlarmNames": ["errors"]}
    scene.wait(240)
    assert (scene.rollout()["status"], scene.service()["taskDefinition"]) == ("ROLLBACK_SUCCESSFUL", first)
    assert any("deployment failed: alarm detected." in message for message in scene.messages())


def test_an_alarm_that_rings_already_is_ignored(scene: Scene) -> None:
    scene.client("cloudwatch").put_metric_alarm(AlarmName="errors", **METRIC)
    scene.local.set("alarm.errors=ALARM")
    scene.serve(scene.define(), deploymentConfiguration=watched("errors"), desiredCount=1)
    scene.wait(120)
    rollout = scene.rollout()
    assert (rollout["status"], rollout["alarms"]["status"]) == ("SUCCESSFUL", "DISABLED")


def test_alarms_of_target_tracking_can_be_deleted_but_come_back_with_the_policy(scene: Scene) -> None:
    scaling, cloudwatch = scene.client("application-autoscaling"), scene.client("cloudwatch")
    scene.serve(scene.define())
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/c/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    policy = {
        "PolicyName": "p",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 50.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
    }
    made = scaling.put_scaling_policy(**target, **policy)["Alarms"]
    cloudwatch.delete_alarms(AlarmNames=[alarm["AlarmName"] for alarm in made])
    assert states(scene) == {}
    (shown,) = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert shown["Alarms"] == made  # AWS goes on naming what it made
    again = scaling.put_scaling_policy(**target, **policy)["Alarms"]
    assert set(states(scene)) == {alarm["AlarmName"] for alarm in again}
    scaling.delete_scaling_policy(**target, PolicyName="p")
    assert states(scene) == {}


def test_setting_an_alarm_that_does_not_exist_is_explained(scene: Scene) -> None:
    with pytest.raises(SettingError, match=r"alarm\.no meets nothing"):
        scene.local.set("alarm.no=ALARM")


def test_dashboards_are_validated_kept_and_tagged(scene: Scene) -> None:
    cloudwatch = scene.client("cloudwatch")
    widget = {"type": "metric", "width": 12, "properties": {"region": "eu-central-1", "metrics": []}}
    body = json.dumps({"widgets": [widget]})
    cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=body, Tags=[{"Key": "a", "Value": "b"}])
    found = cloudwatch.get_dashboard(DashboardName="shop")
    assert found["DashboardBody"] == body
    assert cloudwatch.list_tags_for_resource(ResourceARN=found["DashboardArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    assert [
        one["DashboardName"] for one in cloudwatch.list_dashboards(DashboardNamePrefix="sh")["DashboardEntries"]
    ] == ["shop"]
    with pytest.raises(ClientError, match="does not exist"):
        cloudwatch.delete_dashboards(DashboardNames=["shop", "no"])
    cloudwatch.delete_dashboards(DashboardNames=["shop"])
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []


@pytest.mark.parametrize(
    ("kind", "steps", "expected"),
    [
        ("ChangeInCapacity", [(0, 10, 2), (10, None, 5)], 4),
        ("PercentChangeInCapacity", [(0, None, 40)], 3),
        ("ExactCapacity", [(0, None, 9)], 6),
        ("ChangeInCapacity", [(None, 0, -1)], 2),
    ],
)
def test_an_alarm_that_rings_takes_a_step(
    kind: str, steps: list[tuple[float | None, float | None, int]], expected: int, scene: Scene
) -> None:
    scaling, cloudwatch = scene.client("application-autoscaling"), scene.client("cloudwatch")
    scene.serve(scene.define())
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/c/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=6)
    names = ("MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment")
    adjustments = [
        {name: value for name, value in zip(names, step, strict=True) if value is not None} for step in steps
    ]
    configuration = {"AdjustmentType": kind, "StepAdjustments": adjustments}
    arn = scaling.put_scaling_policy(
        **target, PolicyName="p", PolicyType="StepScaling", StepScalingPolicyConfiguration=configuration
    )["PolicyARN"]
    cloudwatch.put_metric_alarm(AlarmName="busy", **METRIC, AlarmActions=[arn])
    scene.local.set("alarm.busy=ALARM", "alarm.busy=ALARM")
    assert scene.service()["desiredCount"] == expected
