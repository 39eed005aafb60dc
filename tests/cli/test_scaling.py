"""Autoscaling of a live service through the command line: metrics, steps with alarms, schedules, and what hangs on
them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local import make_aws
from tests.scenarios.account import contents

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from tests.cli.conftest import Shell

HEAD = """
app = "shop"
region = "eu-central-1"

[services.web]
image = "shop/web:1"
port = 80
http = { health_check = "/" }
"""
SCALED = (
    HEAD
    + """
[services.web.scaling]
min = 3
max = 30
requests = 1000

[[services.web.scaling.custom]]
metric = { namespace = "Shop", name = "Backlog", statistic = "p90", dimensions = { Service = "web" } }
target = 10
scale_in = false

[[services.web.scaling.step]]
name = "burst"
metric = { namespace = "AWS/ApplicationELB", name = "TargetResponseTime", statistic = "p95", periods = 3 }
above = 1.5
adjust = "percent"
steps = [{ from = 1, by = 50 }, { from = 0, to = 1, by = 20 }]
cooldown = "2m"

[[services.web.scaling.step]]
name = "idle"
metric = { namespace = "AWS/ECS", name = "CPUUtilization" }
below = 5
steps = [{ to = 0, by = -1 }]

[[services.web.scaling.schedule]]
name = "office-hours"
cron = "0 7 ? * MON-FRI *"
timezone = "Europe/Berlin"
min = 6
max = 30

[[services.web.scaling.schedule]]
name = "night"
cron = "0 20 * * ? *"
timezone = "Europe/Berlin"
min = 3
max = 10
"""
)
WEB: dict[str, Any] = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop/shop-web",
    "ScalableDimension": "ecs:service:DesiredCount",
}


@pytest.fixture
def aws(shell: Shell) -> Aws:
    return make_aws(shell.local)


def deploy(shell: Shell, text: str | None = None) -> list[str]:
    """Deploy, and return what was written."""
    if text is not None:
        shell.write(text)
    shell.local.calls.clear()
    done = shell("deploy", "--yes")
    assert done.code == 0, done.err
    return shell.writes()


def policy(aws: Aws, name: str) -> Any:
    found = aws.autoscaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    return next(one for one in found if one["PolicyName"] == name)


def alarm(aws: Aws, name: str) -> Any:
    (found,) = aws.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found


def bounds(aws: Aws) -> tuple[int, int]:
    (target,) = aws.autoscaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    return target["MinCapacity"], target["MaxCapacity"]


def count(aws: Aws) -> int:
    (web,) = aws.ecs.describe_services(cluster="shop", services=["shop-web"])["services"]
    return web["desiredCount"]


def dimensions(found: Any) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in found["Dimensions"]}


def test_a_live_service_gets_all_kinds_of_scaling_and_loses_them_again(shell: Shell, aws: Aws) -> None:
    deploy(shell, HEAD)
    before = contents(aws)
    written = deploy(shell, SCALED)
    assert "ecs:UpdateService" not in written
    assert written.count("application-autoscaling:PutScheduledAction") == 2
    stepping = policy(aws, "burst")
    assert [(one["MetricIntervalLowerBound"], one["ScalingAdjustment"]) for one in steps_of(stepping)] == [
        (0.0, 20),
        (1.0, 50),
    ]
    assert "MetricIntervalUpperBound" not in steps_of(stepping)[1]
    (group,) = aws.elb.describe_target_groups()["TargetGroups"]
    (balancer,) = aws.elb.describe_load_balancers()["LoadBalancers"]
    burst, idle = alarm(aws, "shop-web-scaling-burst"), alarm(aws, "shop-web-scaling-idle")
    assert (burst["AlarmActions"], burst["ExtendedStatistic"], burst["Threshold"]) == (
        [stepping["PolicyARN"]],
        "p95",
        1.5,
    )
    assert dimensions(burst) == {
        "LoadBalancer": balancer["LoadBalancerArn"].partition("loadbalancer/")[2],
        "TargetGroup": group["TargetGroupArn"].rpartition(":")[2],
    }
    assert (idle["ComparisonOperator"], dimensions(idle)) == (
        "LessThanThreshold",
        {"ClusterName": "shop", "ServiceName": "shop-web"},
    )
    assert deploy(shell) == []
    assert count(aws) == 3
    written = deploy(shell, HEAD)
    assert written.index("application-autoscaling:DeregisterScalableTarget") < written.index("ecs:UpdateService")
    assert count(aws) == 1
    assert contents(aws) == before
    assert deploy(shell) == []


def steps_of(found: Any) -> list[Any]:
    listed: list[Any] = found["StepScalingPolicyConfiguration"]["StepAdjustments"]
    return listed


def test_bounds_that_a_schedule_has_set_are_no_drift_but_an_edit_and_a_strangers_are(shell: Shell, aws: Aws) -> None:
    deploy(shell, SCALED)
    aws.autoscaling.register_scalable_target(**WEB, MinCapacity=3, MaxCapacity=10)  # as the night does
    assert deploy(shell) == []
    assert deploy(shell, SCALED.replace('"office-hours"', '"office"')) == [
        "application-autoscaling:PutScheduledAction",
        "application-autoscaling:DeleteScheduledAction",
    ]
    assert bounds(aws) == (3, 10)
    deploy(shell, SCALED.replace("max = 30\nrequests", "max = 40\nrequests"))
    assert bounds(aws) == (3, 40)
    aws.autoscaling.register_scalable_target(**WEB, MinCapacity=1, MaxCapacity=99)
    deploy(shell)
    assert bounds(aws) == (3, 40)
    without = SCALED[: SCALED.index("[[services.web.scaling.schedule]]")]
    deploy(shell, without)
    assert bounds(aws) == (3, 30)
    assert deploy(shell) == []
    tags = aws.autoscaling.list_tags_for_resource(
        ResourceARN=aws.autoscaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0][
            "ScalableTargetARN"
        ]
    )["Tags"]
    assert "fargatectl:bounds" not in tags


def test_another_load_balancer_is_another_label_and_other_dimensions(shell: Shell, aws: Aws) -> None:
    deploy(shell, SCALED)
    old = aws.elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    internal = SCALED + '\n[load_balancers.public]\nscheme = "internal"\n'
    deploy(shell, internal)
    (balancer,) = aws.elb.describe_load_balancers()["LoadBalancers"]
    assert balancer["LoadBalancerArn"] != old
    suffix = balancer["LoadBalancerArn"].partition("loadbalancer/")[2]
    assert dimensions(alarm(aws, "shop-web-scaling-burst"))["LoadBalancer"] == suffix
    tracking = policy(aws, "web-requests")["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["PredefinedMetricSpecification"]["ResourceLabel"].startswith(f"{suffix}/targetgroup/")
    assert deploy(shell) == []


def test_scaling_is_suspended_and_resumed_and_a_new_image_leaves_it_alone(shell: Shell, aws: Aws) -> None:
    deploy(shell, SCALED)
    held = SCALED.replace("requests = 1000", 'requests = 1000\nsuspended = ["in", "scheduled"]')
    assert deploy(shell, held) == ["application-autoscaling:RegisterScalableTarget"]
    (target,) = aws.autoscaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    aws.ecs.update_service(cluster="shop", service="shop-web", desiredCount=7)
    shell.local.clock.sleep(300)
    newer = held.replace("shop/web:1", "shop/web:2")
    assert sorted(deploy(shell, newer)) == ["ecs:RegisterTaskDefinition", "ecs:UpdateService"]
    (update,) = [call for call in shell.local.calls if call.operation == "UpdateService"]
    assert "desiredCount" not in update.params
    assert deploy(shell, SCALED.replace("shop/web:1", "shop/web:2")) == [
        "application-autoscaling:RegisterScalableTarget"
    ]
