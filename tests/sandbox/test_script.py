from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from fargatectl.sandbox.settings import KEYS, SettingError, read
from tests.sandbox.ecs_scene import breaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.inprocess import LocalAws
    from tests.sandbox.ecs_scene import Scene

SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]


def outcomes(call: Callable[[], Any], times: int) -> list[str]:
    def outcome() -> str:
        try:
            call()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        except ConnectionClosedError:
            return "lost"
        return "done"

    return [outcome() for _ in range(times)]


def test_the_nth_call_of_an_operation_fails_once(scene: Scene) -> None:
    scene.local.set("error.ecs.ListClusters=2:ServerException")
    assert outcomes(scene.ecs.list_clusters, 4) == ["done", "ServerException", "done", "done"]


def test_every_call_fails_until_the_setting_is_cleared(scene: Scene) -> None:
    scene.local.set("error.elbv2.DescribeLoadBalancers=*:Throttling")
    assert outcomes(scene.elb.describe_load_balancers, 3) == ["Throttling"] * 3
    scene.local.set("error.elbv2.DescribeLoadBalancers=")
    assert outcomes(scene.elb.describe_load_balancers, 1) == ["done"]


def test_a_lost_answer_is_of_a_call_that_took_effect(scene: Scene) -> None:
    scene.local.set("lost.logs.CreateLogGroup=1")
    logs = scene.client("logs")
    names = iter(("/a", "/a"))
    assert outcomes(lambda: logs.create_log_group(logGroupName=next(names)), 2) == [
        "lost",
        "ResourceAlreadyExistsException",
    ]


def test_reads_are_stale_for_a_while_after_a_write(scene: Scene) -> None:
    scene.local.set("stale=2")

    def names() -> int:
        return len(scene.ecs.list_clusters()["clusterArns"])

    assert names() == 1
    scene.ecs.create_cluster(clusterName="d")
    assert [names(), names(), names()] == [1, 1, 2]


def test_what_was_not_there_is_stale_too(scene: Scene) -> None:
    scene.local.set("stale=1")
    iam = scene.client("iam")
    group = {"GroupName": "g"}
    assert outcomes(lambda: iam.get_group(**group), 1) == ["NoSuchEntity"]
    iam.create_group(**group)
    assert outcomes(lambda: iam.get_group(**group), 2) == ["NoSuchEntity", "done"]


def test_latency_takes_the_clocks_time(local: LocalAws, client: Callable[..., Any]) -> None:
    before = local.clock.monotonic()
    local.set("latency=1.5")
    client("sts").get_caller_identity()
    assert local.clock.monotonic() - before == 1.5


def test_ecs_refuses_what_exceeds_its_rates(scene: Scene) -> None:
    scene.local.set("throttling=on")
    first = outcomes(scene.define, 30)
    assert first == ["done"] * 20 + ["ThrottlingException"] * 10
    scene.wait(3)
    assert outcomes(scene.define, 4) == ["done"] * 3 + ["ThrottlingException"]
    assert outcomes(scene.ecs.list_clusters, 1) == ["done"]


def test_an_autoscaler_moves_the_count_within_its_bounds(scene: Scene) -> None:
    scene.serve(scene.define())
    scaling = scene.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/c/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    with pytest.raises(SettingError, match="meets nothing"):
        scene.local.set("count.c/web=4")
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=6)
    scene.local.set("count.c/web=4")
    assert scene.service()["desiredCount"] == 4
    scene.local.set("count.c/web=40")
    assert scene.service()["desiredCount"] == 6
    activities = scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    assert [one["Description"] for one in activities] == ["Setting desired count to 6.", "Setting desired count to 4."]


def test_a_drain_can_be_slow(scene: Scene) -> None:
    group = scene.balance()
    scene.serve(scene.define(), group=group, desiredCount=1)
    scene.wait(120)
    scene.local.set("drain=900")
    scene.ecs.delete_service(cluster="c", service="web", force=True)
    scene.wait(600)
    assert (scene.service()["status"], scene.health(group)) == ("DRAINING", ["draining"])
    scene.wait(400)
    assert (scene.service()["status"], scene.health(group)) == ("INACTIVE", [])


def test_health_checks_begin_to_fail_and_tasks_are_replaced(scene: Scene) -> None:
    group = scene.balance()
    scene.serve(scene.define(), group=group, desiredCount=1)
    scene.wait(120)
    assert scene.health(group) == ["healthy"]
    (before,) = scene.tasks()
    scene.local.set("health.c/web=failing")
    scene.wait(60)
    (stopped,) = [task for task in scene.tasks("STOPPED") if task["taskArn"] == before["taskArn"]]
    assert stopped["stoppedReason"].startswith("Task failed ELB health checks in (target-group ")
    scene.local.set("health.c/web=")
    scene.wait(300)
    assert scene.health(group) == ["healthy"]


def test_a_service_of_a_file_is_met_by_the_name_that_the_file_has_for_it(scene: Scene) -> None:
    group = scene.balance()
    scene.serve(scene.define(), group=group, serviceName="c-api", desiredCount=1)
    scene.wait(120)
    assert scene.health(group) == ["healthy"]
    scene.local.set("health.c/api=failing")
    scene.wait(60)
    assert "healthy" not in scene.health(group)


def test_spot_tasks_are_taken_back_and_replaced(scene: Scene) -> None:
    scene.serve(scene.define(), desiredCount=1, launchType=None, capacityProviderStrategy=SPOT)
    with pytest.raises(SettingError, match="meets nothing"):
        scene.local.set("spot.c/other=interrupt")
    scene.wait(120)
    (before,) = scene.tasks()
    scene.local.set("spot.c/web=interrupt")
    scene.wait(60)
    (stopped,) = scene.tasks("STOPPED")
    assert stopped["taskArn"] == before["taskArn"]
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("SpotInterruption", "Your Spot Task was interrupted.")
    assert len(scene.tasks()) == 1


def test_without_capacity_nothing_starts_until_there_is_some(scene: Scene) -> None:
    scene.local.set("capacity.FARGATE_SPOT=none")
    network = {"awsvpcConfiguration": {"subnets": scene.subnets, "assignPublicIp": "ENABLED"}}
    definition = scene.define()
    scene.serve(
        definition, desiredCount=1, launchType=None, capacityProviderStrategy=SPOT, networkConfiguration=network
    )
    scene.wait(120)
    assert scene.tasks() == []
    assert [message for message in scene.messages() if "Capacity is unavailable at this time" in message]
    ran = scene.ecs.run_task(
        cluster="c", taskDefinition=definition, capacityProviderStrategy=SPOT, networkConfiguration=network
    )
    assert (ran["tasks"], len(ran["failures"])) == ([], 1)
    scene.local.set("capacity.FARGATE_SPOT=")
    scene.wait(120)
    assert scene.service()["runningCount"] == 1


def test_a_new_role_is_not_assumable_at_once_and_the_scheduler_tries_again(scene: Scene) -> None:
    scene.wait(60)
    scene.local.set("iam_lag=60")
    iam = scene.client("iam")
    trust = iam.get_role(RoleName="execution")["Role"]["AssumeRolePolicyDocument"]
    arn = iam.create_role(RoleName="new", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    scene.serve(scene.register(taskRoleArn=arn), desiredCount=1, deploymentConfiguration=breaker())
    scene.wait(30)
    assert scene.tasks() == []
    expected = f"failed to launch a task with (error ECS was unable to assume the role '{arn}'"
    assert sum(expected in message for message in scene.messages()) == 1
    scene.wait(120)
    assert scene.service()["runningCount"] == 1
    assert scene.service()["deployments"][0]["failedTasks"] == 0


def test_what_is_set_is_listed_as_it_was_given(local: LocalAws) -> None:
    local.set("latency=0", "error.ecs.CreateService=3:ServerException")
    assert local.cloud.script.listed() == {"error.ecs.CreateService": "3:ServerException", "latency": "0"}
    local.set("latency=")
    local.reset()
    assert local.cloud.script.listed() == {}


@pytest.mark.parametrize(
    ("assignment", "problem", "hint"),
    [
        ("latency", "sets nothing", "latency=VALUE"),
        ("latancy=1", "no setting 'latancy'", "did you mean latency?"),
        ("zzz=1", "no setting 'zzz'", "there are latency, error"),
        ("latency=fast", "cannot be 'fast'", "latency=SECONDS"),
        ("latency=-1", "cannot be '-1'", "latency=SECONDS"),
        ("latency.ecs=1", "about everything", "latency=SECONDS"),
        ("error.ecs.CreateServise=X", "no operation 'CreateServise'", "did you mean CreateService?"),
        ("error.esc.CreateService=X", "no AWS service 'esc'", "did you mean ecs?"),
        ("error.ecs.CreateService=0:X", "cannot be '0:X'", "[N:]CODE"),
        ("error.ecs.CreateService=two words", "cannot be 'two words'", "[N:]CODE"),
        ("lost.ecs.CreateService=0", "cannot be '0'", "N"),
        ("health.web=failing", "needs a cluster and a service", "health.CLUSTER/SERVICE=failing"),
        ("health.c/web=bad", "cannot be 'bad'", "failing"),
        ("capacity.EC2=none", "no capacity provider 'EC2'", "FARGATE and FARGATE_SPOT"),
        ("spot.c/web=", "cannot be cleared", "spot.CLUSTER/SERVICE=interrupt"),
        ("count.c/web=many", "cannot be 'many'", "count.CLUSTER/SERVICE=N"),
    ],
)
def test_a_mistyped_setting_is_explained_and_changes_nothing(
    assignment: str, problem: str, hint: str, local: LocalAws
) -> None:
    with pytest.raises(SettingError, match=problem) as caught:
        local.set("latency=1", assignment)
    assert hint in caught.value.hint
    assert local.cloud.script.listed() == {}


def test_the_example_of_every_key_can_be_written() -> None:
    for key in KEYS.values():
        setting = read(key.example)
        assert (setting.key, setting.text != "") == (key, True)
