"""Each thing that the local AWS can be told to do, told in process and as the command tells a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from fargatectl.sandbox.http import Request
from fargatectl.sandbox.server import Application

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene

SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
TARGET = {"ServiceNamespace": "ecs", "ResourceId": "service/c/web", "ScalableDimension": "ecs:service:DesiredCount"}


def in_process(scene: Scene, assignment: str) -> None:
    scene.local.set(assignment)


def by_the_command(scene: Scene, assignment: str) -> None:
    server = Application(scene.local.cloud, scene.local.clock, token="t")
    body = json.dumps({"assignments": [assignment]}).encode()
    answer = server.answer(Request("POST", "http://127.0.0.1:1/_fargatectl/set", {}, body))
    assert answer.status == 200, answer.body


def running(scene: Scene, **settings: Any) -> str:
    group = scene.balance()
    scene.serve(scene.define(), group=group, desiredCount=1, **settings)
    scene.wait(120)
    return group


def clusters(scene: Scene) -> str:
    try:
        return str(len(scene.ecs.list_clusters()["clusterArns"]))
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except ConnectionClosedError:
        return "lost"


def autoscaler(scene: Scene, tell: Callable[[str], None]) -> object:
    running(scene)
    scene.client("application-autoscaling").register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
    tell("count.c/web=3")
    return scene.service()["desiredCount"]


def slow_drain(scene: Scene, tell: Callable[[str], None]) -> object:
    group = running(scene)
    tell("drain=900")
    scene.update(desiredCount=0)
    scene.wait(600)
    return scene.health(group)


def failing_health(scene: Scene, tell: Callable[[str], None]) -> object:
    running(scene)
    tell("health.c/web=failing")
    scene.wait(60)
    return [task["stoppedReason"].partition(" in ")[0] for task in scene.tasks("STOPPED")][:1]


def interruption(scene: Scene, tell: Callable[[str], None]) -> object:
    running(scene, launchType=None, capacityProviderStrategy=SPOT)
    tell("spot.c/web=interrupt")
    return [task["stopCode"] for task in scene.tasks("STOPPED")]


def latency(scene: Scene, tell: Callable[[str], None]) -> object:
    tell("latency=2")
    before = scene.local.clock.monotonic()
    clusters(scene)
    return scene.local.clock.monotonic() - before


def nth_error(scene: Scene, tell: Callable[[str], None]) -> object:
    tell("error.ecs.ListClusters=2:ServerException")
    return [clusters(scene) for _ in range(3)]


def stale(scene: Scene, tell: Callable[[str], None]) -> object:
    tell("stale=1")
    seen = [clusters(scene)]
    scene.ecs.create_cluster(clusterName="d")
    return [*seen, clusters(scene), clusters(scene)]


def lost(scene: Scene, tell: Callable[[str], None]) -> object:
    tell("lost.ecs.ListClusters=1")
    return [clusters(scene) for _ in range(2)]


def alarm(scene: Scene, tell: Callable[[str], None]) -> object:
    cloudwatch = scene.client("cloudwatch")
    metric = {"MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    rule = {"Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName="errors", **metric, **rule)
    tell("alarm.errors=ALARM")
    return cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"]


@pytest.mark.parametrize("door", [in_process, by_the_command])
@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (autoscaler, 3),
        (slow_drain, ["draining"]),
        (failing_health, ["Task failed ELB health checks"]),
        (interruption, ["SpotInterruption"]),
        (latency, 2.0),
        (nth_error, ["1", "ServerException", "1"]),
        (stale, ["1", "1", "2"]),
        (lost, ["lost", "1"]),
        (alarm, "ALARM"),
    ],
)
def test_what_it_can_be_told(
    turn: Callable[..., object], expected: object, door: Callable[[Scene, str], None], scene: Scene
) -> None:
    assert turn(scene, lambda assignment: door(scene, assignment)) == expected
