from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene

TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/c/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
TRACKING = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}


@pytest.fixture
def scaling(scene: Scene) -> Any:
    scene.serve(scene.define(), desiredCount=1)
    return scene.client("application-autoscaling")


def track(scaling: Any, **settings: Any) -> dict[str, Any]:
    answer: dict[str, Any] = scaling.put_scaling_policy(
        **TARGET,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={**TRACKING, **settings},
    )
    return answer


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_registering_moves_the_count_into_its_bounds(scaling: Any, scene: Scene) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=3, MaxCapacity=5, Tags={"k": "v"})
    assert scene.service()["desiredCount"] == 3
    scene.update(desiredCount=9)
    scaling.register_scalable_target(**TARGET)
    assert scene.service()["desiredCount"] == 5
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 5)
    assert not any(target["SuspendedState"].values())
    assert scaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"] == {"k": "v"}


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"ResourceId": "service/c/gone", "MinCapacity": 1, "MaxCapacity": 2}, "ECS service doesn't exist"),
        ({"MinCapacity": 1}, "Both minCapacity and maxCapacity"),
        ({"MinCapacity": 3, "MaxCapacity": 2}, "cannot be less than"),
    ],
)
def test_impossible_targets_are_refused(scaling: Any, settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ClientError, match=match) as caught:
        scaling.register_scalable_target(**{**TARGET, **settings})
    assert code(caught) == "ValidationException"


def test_target_tracking_makes_and_unmakes_its_alarms(scaling: Any, scene: Scene) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    track(scaling)
    alarms = track(scaling, TargetValue=50.0)["Alarms"]
    shown = scene.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in shown} == {alarm["AlarmName"] for alarm in alarms}
    assert len(alarms) == 2
    (policy,) = scaling.describe_scaling_policies(**TARGET)["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50.0
    assert policy["TargetTrackingScalingPolicyConfiguration"]["DisableScaleIn"] is False
    scaling.delete_scaling_policy(**TARGET, PolicyName="cpu")
    assert scene.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_requests_per_target_need_a_label(scaling: Any) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    with pytest.raises(ClientError, match="resource label"):
        track(scaling, PredefinedMetricSpecification={"PredefinedMetricType": "ALBRequestCountPerTarget"})


def test_schedules_are_upserts_and_checked(scaling: Any) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    wish = {**TARGET, "ScheduledActionName": "night", "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 1}}
    scaling.put_scheduled_action(**wish, Schedule="cron(0 20 * * ? *)", Timezone="Europe/Berlin")
    (action,) = scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]
    assert (action["Schedule"], action["Timezone"]) == ("cron(0 20 * * ? *)", "Europe/Berlin")
    with pytest.raises(ClientError, match="Schedule expression not valid"):
        scaling.put_scheduled_action(**wish, Schedule="cron(0 20 * *)")
    scaling.delete_scheduled_action(**TARGET, ScheduledActionName="night")
    with pytest.raises(ClientError) as caught:
        scaling.delete_scheduled_action(**TARGET, ScheduledActionName="night")
    assert code(caught) == "ObjectNotFoundException"


def test_deregistering_takes_everything_along(scaling: Any, scene: Scene) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    track(scaling)
    scaling.deregister_scalable_target(**TARGET)
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert scene.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    for operation in (scaling.deregister_scalable_target, lambda **_: track(scaling)):
        with pytest.raises(ClientError) as caught:
            operation(**TARGET)
        assert code(caught) == "ObjectNotFoundException"
