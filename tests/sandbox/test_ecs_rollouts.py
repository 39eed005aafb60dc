from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.ecs_scene import breaker

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene

ROLLED_BACK = "Service deployment rolled back because the circuit breaker threshold was exceeded."


def test_tasks_walk_through_their_states(scene: Scene) -> None:
    scene.serve(scene.define(), group=scene.balance(), desiredCount=1)
    seen: list[str] = []
    for _ in range(40):
        (task,) = scene.tasks()
        seen += [task["lastStatus"]] if task["lastStatus"] not in seen else []
        scene.wait(1)
    assert seen == ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"]
    (task,) = scene.tasks()
    assert task["connectivity"] == "CONNECTED"
    assert task["createdAt"] < task["pullStartedAt"] < task["pullStoppedAt"] < task["startedAt"]
    scene.update(desiredCount=0)
    scene.wait(1)
    seen = []
    for _ in range(60):
        (task,) = scene.tasks("STOPPED")
        seen += [task["lastStatus"]] if task["lastStatus"] not in seen else []
        scene.wait(1)
    assert seen == ["DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]
    (task,) = scene.tasks("STOPPED")
    assert task["stopCode"] == "ServiceSchedulerInitiated"
    assert "Scaling activity initiated by" in task["stoppedReason"]


def test_tasks_that_nothing_checks_are_healthy_after_a_while_whatever_the_moment_they_started_at(scene: Scene) -> None:
    definition = scene.define()
    for place in range(20):
        scene.serve(definition, serviceName=f"worker{place}", desiredCount=1)
        scene.wait(0.1)
    scene.wait(120)
    found = scene.ecs.describe_services(cluster="c", services=[f"worker{place}" for place in range(10)])["services"]
    found += scene.ecs.describe_services(cluster="c", services=[f"worker{place}" for place in range(10, 20)])[
        "services"
    ]
    assert {service["deployments"][0]["rolloutState"] for service in found} == {"COMPLETED"}


def test_a_task_has_an_interface_in_its_subnet_until_it_stops(scene: Scene) -> None:
    scene.serve(scene.define(), desiredCount=3)
    scene.wait(30)
    interfaces = {one["PrivateIpAddress"]: one for one in scene.ec2.describe_network_interfaces()["NetworkInterfaces"]}
    blocks = {one["SubnetId"]: one["CidrBlock"] for one in scene.ec2.describe_subnets()["Subnets"]}
    used = set()
    for task in scene.tasks():
        details = {one["name"]: one["value"] for one in task["attachments"][0]["details"]}
        address = details["privateIPv4Address"]
        assert ipaddress.ip_address(address) in ipaddress.ip_network(blocks[details["subnetId"]])
        assert interfaces[address]["NetworkInterfaceId"] == details["networkInterfaceId"]
        used.add(details["subnetId"])
    assert len(used) == 3  # spread over the zones
    scene.update(desiredCount=0)
    scene.wait(60)
    assert scene.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_the_first_deployment_completes_when_all_targets_are_healthy(scene: Scene) -> None:
    group = scene.balance()
    scene.serve(scene.define(), group=group)
    scene.wait(25)
    assert scene.health(group) == ["initial", "initial"]
    assert scene.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert scene.rollout()["status"] == "IN_PROGRESS"
    scene.wait(20)
    assert scene.health(group) == ["healthy", "healthy"]
    service = scene.service()
    assert (service["runningCount"], service["pendingCount"]) == (2, 0)
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"
    assert scene.rollout()["status"] == "SUCCESSFUL"
    tasks = [task["taskArn"].rpartition("/")[2] for task in scene.tasks()]
    messages = scene.messages()
    assert messages[0] == f"(service web) has started 2 tasks: (task {tasks[0]}) (task {tasks[1]})."
    assert messages.count(f"(service web) registered 1 targets in (target-group {group})") == 2
    assert messages[-1] == "(service web) has reached a steady state."


def sample(scene: Scene, seconds: int, step: int = 2) -> list[dict[str, Any]]:
    samples = []
    for _ in range(0, seconds, step):
        scene.wait(step)
        samples.append(scene.service())
    return samples


def test_rolling_keeps_the_minimum_and_the_maximum(scene: Scene) -> None:
    group = scene.balance()
    scene.serve(scene.define(), group=group, desiredCount=3, deploymentConfiguration=breaker(least=50, most=134))
    scene.wait(120)
    scene.update(taskDefinition=scene.define("nginx:2"))
    samples = sample(scene, 400)
    # ceil(3 x 50 %) = 2 stay healthy; floor(3 x 134 %) = 4 at most are pending or running.
    assert min(one["runningCount"] for one in samples) >= 2
    assert max(one["runningCount"] + one["pendingCount"] for one in samples) == 4
    assert [one["status"] for one in samples[-1]["deployments"]] == ["PRIMARY"]
    assert samples[-1]["deployments"][0]["rolloutState"] == "COMPLETED"
    assert scene.rollout()["status"] == "SUCCESSFUL"


def test_old_tasks_drain_before_they_stop(scene: Scene) -> None:
    group = scene.balance()
    scene.serve(scene.define(), group=group, desiredCount=1)
    scene.wait(60)
    scene.update(taskDefinition=scene.define("nginx:2"))
    scene.wait(42)
    assert scene.health(group) == ["draining", "healthy"]
    assert scene.service()["deployments"][1]["status"] == "ACTIVE"
    scene.wait(45)
    assert scene.health(group) == ["healthy"]
    assert len(scene.service()["deployments"]) == 1


def test_settings_without_room_are_told(scene: Scene) -> None:
    scene.serve(scene.define(), desiredCount=1)
    scene.wait(70)
    scene.update(
        deploymentConfiguration=breaker(least=50, most=100),
        availabilityZoneRebalancing="DISABLED",
        taskDefinition=scene.define(),
    )
    scene.wait(60)
    assert "was unable to stop or start tasks during a deployment because of the service" in scene.messages()[-1]
    assert scene.rollout()["status"] == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("tag", "code", "reason", "exit_code"),
    [
        ("missing", "TaskFailedToStart", "CannotPullContainerError: .* not found", None),
        ("denied", "TaskFailedToStart", "CannotPullContainerError: .* may require authorization", None),
        ("wrong-arch", "TaskFailedToStart", "does not contain descriptor matching platform", None),
        ("crash", "EssentialContainerExited", "Essential container in task exited", 1),
        ("oom", "EssentialContainerExited", "Essential container in task exited", 137),
        ("unhealthy", "ServiceSchedulerInitiated", r"Task failed ELB health checks in \(target-group arn", 0),
    ],
)
def test_the_tag_of_an_image_decides_what_becomes_of_it(
    tag: str, code: str, reason: str, exit_code: int | None, scene: Scene
) -> None:
    group = scene.balance()
    scene.serve(scene.define(f"nginx:{tag}"), group=group, desiredCount=1)
    scene.wait(300)
    service = scene.service()
    assert service["deployments"][0]["rolloutState"] == "FAILED"
    assert service["deployments"][0]["failedTasks"] == 3
    rollout = scene.rollout()
    assert rollout["status"] == "ROLLBACK_FAILED"
    assert "No rollback candidate was found" in rollout["statusReason"]
    assert rollout["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    stopped = scene.tasks("STOPPED")
    assert len(stopped) == 3
    for task in stopped:
        assert task["stopCode"] == code
        assert re.search(reason, task["stoppedReason"])
        assert task["containers"][0].get("exitCode") == exit_code
    assert stopped[0]["containers"][0].get("reason", "").startswith("OutOfMemoryError") == (tag == "oom")


def test_a_failed_deployment_rolls_back_to_the_last_that_completed(scene: Scene) -> None:
    group = scene.balance()
    good = scene.define()
    scene.serve(good, group=group)
    scene.wait(60)
    healthy = scene.service()["deployments"][0]["id"]
    bad = scene.update(taskDefinition=scene.define("nginx:crash"))["deployments"][0]["id"]
    scene.wait(300)
    service = scene.service()
    (deployment,) = service["deployments"]
    assert deployment["id"] == healthy
    assert deployment["rolloutState"] == "COMPLETED"
    assert service["taskDefinition"] == good
    rollout = scene.rollout()
    assert rollout["status"] == "ROLLBACK_SUCCESSFUL"
    assert rollout["statusReason"] == ROLLED_BACK
    assert rollout["rollback"]["serviceRevisionArn"].endswith(healthy.rpartition("/")[2])
    messages = scene.messages()
    assert f"(service web) (deployment {bad}) deployment failed: tasks failed to start." in messages
    assert f"(service web) rolling back to deployment {healthy}." in messages


def test_the_reasons_of_a_rollback_are_on_the_deployments(scene: Scene) -> None:
    scene.serve(scene.define())
    scene.wait(100)
    scene.update(taskDefinition=scene.define("nginx:missing"))
    reasons = {
        (one["status"], one["rolloutStateReason"]) for service in sample(scene, 120) for one in service["deployments"]
    }
    good = scene.service()["deployments"][0]["id"]
    assert ("ACTIVE", "ECS deployment circuit breaker: tasks failed to start.") in reasons
    assert ("PRIMARY", f"ECS deployment circuit breaker: rolling back to deploymentId {good}.") in reasons


def test_without_a_breaker_a_bad_deployment_goes_on_at_growing_intervals(scene: Scene) -> None:
    scene.serve(scene.define("nginx:missing"), desiredCount=1, deploymentConfiguration={})
    scene.wait(1800)
    service = scene.service()
    assert service["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert 6 <= service["deployments"][0]["failedTasks"] <= 15
    assert any("is unable to consistently start tasks successfully" in message for message in scene.messages())


def test_a_new_definition_heals_a_failed_first_deployment(scene: Scene) -> None:
    scene.serve(scene.define("nginx:missing"))
    scene.wait(300)
    scene.update(taskDefinition=scene.define("nginx:1"))
    scene.wait(120)
    assert scene.service()["deployments"][0]["rolloutState"] == "COMPLETED"
    assert scene.rollout()["status"] == "SUCCESSFUL"


def test_the_grace_period_protects_tasks_that_are_not_healthy_yet(scene: Scene) -> None:
    scene.serve(
        scene.define("nginx:unhealthy"), group=scene.balance(), desiredCount=1, healthCheckGracePeriodSeconds=120
    )
    scene.wait(100)
    assert scene.tasks("STOPPED") == []
    scene.wait(60)
    assert len(scene.tasks("STOPPED")) == 1
    assert any("is unhealthy in (target-group" in message for message in scene.messages())


def test_container_health_checks_count(scene: Scene) -> None:
    check = {"command": ["CMD-SHELL", "true"], "interval": 10, "retries": 2}
    scene.serve(scene.define(healthCheck=check), desiredCount=1)
    scene.wait(20)
    assert scene.tasks()[0]["healthStatus"] == "UNKNOWN"
    scene.wait(15)
    assert scene.tasks()[0]["healthStatus"] == "HEALTHY"
    assert scene.service()["deployments"][0]["rolloutState"] == "COMPLETED"
    scene.update(taskDefinition=scene.define("nginx:unhealthy", healthCheck=check))
    scene.wait(60)
    assert scene.tasks("STOPPED")[-1]["stoppedReason"] == "Task failed container health checks"


def test_stopping_a_deployment_rolls_it_back(scene: Scene) -> None:
    scene.serve(scene.define())
    scene.wait(100)
    good = scene.service()["deployments"][0]["id"]
    scene.update(taskDefinition=scene.define("nginx:slow"))
    scene.wait(30)
    rollout = scene.rollout()
    scene.ecs.stop_service_deployment(serviceDeploymentArn=rollout["serviceDeploymentArn"])
    assert scene.rollout()["status"] == "ROLLBACK_IN_PROGRESS"
    scene.wait(60)
    assert scene.rollout()["status"] == "ROLLBACK_SUCCESSFUL"
    assert [one["id"] for one in scene.service()["deployments"]] == [good]
    with pytest.raises(ClientError) as caught:
        scene.ecs.stop_service_deployment(serviceDeploymentArn=rollout["serviceDeploymentArn"])
    assert caught.value.response["Error"]["Code"] == "ConflictException"


def test_a_newer_deployment_takes_over(scene: Scene) -> None:
    scene.serve(scene.define())
    scene.wait(100)
    scene.update(taskDefinition=scene.define("nginx:slow"))
    scene.wait(30)
    scene.update(taskDefinition=scene.define("nginx:2"))
    scene.wait(150)
    statuses = [
        one["status"] for one in scene.ecs.list_service_deployments(cluster="c", service="web")["serviceDeployments"]
    ]
    assert statuses == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]
    assert {task["containers"][0]["image"] for task in scene.tasks()} == {"nginx:2"}


def test_scaling_up_and_down_is_no_deployment(scene: Scene) -> None:
    scene.serve(scene.define())
    scene.wait(100)
    before = scene.rollout()["serviceDeploymentArn"]
    scene.update(desiredCount=4)
    scene.wait(100)
    assert scene.service()["runningCount"] == 4
    scene.update(desiredCount=1)
    scene.wait(100)
    assert scene.service()["runningCount"] == 1
    assert scene.rollout()["serviceDeploymentArn"] == before
    assert scene.messages()[-1] == "(service web) has reached a steady state."


def test_a_task_that_a_person_stops_is_replaced(scene: Scene) -> None:
    scene.serve(scene.define(), desiredCount=1)
    scene.wait(100)
    (task,) = scene.tasks()
    scene.ecs.stop_task(cluster="c", task=task["taskArn"], reason="because")
    scene.wait(60)
    (stopped,) = scene.tasks("STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "because")
    (running,) = scene.tasks()
    assert running["taskArn"] != task["taskArn"]


def test_stopped_tasks_are_forgotten_after_an_hour(scene: Scene) -> None:
    scene.serve(scene.define(), desiredCount=1)
    scene.wait(100)
    scene.update(desiredCount=0)
    scene.wait(3000)
    assert len(scene.tasks("STOPPED")) == 1
    scene.wait(1000)
    assert scene.tasks("STOPPED") == []


def test_deleting_lets_tasks_drain(scene: Scene) -> None:
    group = scene.balance()
    scene.serve(scene.define(), group=group)
    scene.wait(60)
    scene.ecs.delete_service(cluster="c", service="web", force=True)
    scene.wait(10)
    assert scene.service()["status"] == "DRAINING"
    assert scene.health(group) == ["draining", "draining"]
    scene.wait(60)
    assert scene.service()["status"] == "INACTIVE"
    assert scene.health(group) == []


def test_tags_reach_the_tasks(scene: Scene) -> None:
    scene.serve(scene.define(), enableECSManagedTags=True, propagateTags="SERVICE", tags=[{"key": "k", "value": "v"}])
    scene.wait(1)
    arns = scene.ecs.list_tasks(cluster="c", serviceName="web")["taskArns"]
    task = scene.ecs.describe_tasks(cluster="c", tasks=arns, include=["TAGS"])["tasks"][0]
    assert {tag["key"]: tag["value"] for tag in task["tags"]} == {
        "aws:ecs:clusterName": "c",
        "aws:ecs:serviceName": "web",
        "k": "v",
    }


def test_running_a_task_by_itself(scene: Scene) -> None:
    network = {"awsvpcConfiguration": {"subnets": scene.subnets, "assignPublicIp": "ENABLED"}}
    wish = {
        "cluster": "c",
        "taskDefinition": scene.define(),
        "launchType": "FARGATE",
        "networkConfiguration": network,
        "startedBy": "me",
        "clientToken": "t",
    }
    (task,) = scene.ecs.run_task(**wish)["tasks"]
    assert scene.ecs.run_task(**wish)["tasks"][0]["taskArn"] == task["taskArn"]
    assert scene.ecs.list_tasks(cluster="c", startedBy="me")["taskArns"] == [task["taskArn"]]
    scene.wait(60)
    (stopped,) = scene.tasks("STOPPED")
    assert stopped["containers"][0]["exitCode"] == 0
    assert stopped["stopCode"] == "EssentialContainerExited"
    with pytest.raises(ClientError, match="between 1 and 10"):
        scene.ecs.run_task(**{**wish, "count": 11, "clientToken": "u"})


def test_containers_write_to_their_log_group(scene: Scene) -> None:
    scene.serve(scene.define("nginx:crash"), desiredCount=1)
    scene.wait(40)
    task = scene.tasks("STOPPED")[0]["taskArn"].rpartition("/")[2]
    events = scene.client("logs").get_log_events(logGroupName="/c/web", logStreamName=f"web/web/{task}")["events"]
    assert [event["message"] for event in events] == [
        "local AWS: container web started from nginx:crash",
        "local AWS: container web exits with code 1: its image is tagged crash",
    ]
