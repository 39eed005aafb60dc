"""boto3's own waiters, which know the real AWS, must be content with the local one, and fail where they fail there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import botocore.waiter
import pytest
from botocore.exceptions import WaiterError

from tests.sandbox.ecs_scene import TRUST

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene


class Attempts:
    """A waiter's own attempts, with its own pauses, on the clock of the scene instead of the machine's."""

    def __init__(self, scene: Scene, service: str, name: str) -> None:
        client = scene.client(service)
        self._waiter = client.get_waiter(name)
        self._config = self._waiter.config
        self._scene = scene
        self._operation = getattr(client, botocore.xform_name(self._config.operation))

    def wait(self, **params: Any) -> None:
        """Follow the waiter's acceptors. Raises WaiterError as the waiter would."""
        for _ in range(self._config.max_attempts):
            response = self._response(params)
            state = next((one.state for one in self._config.acceptors if one.matcher_func(response)), "retry")
            if state == "success":
                return
            if state == "failure":
                raise WaiterError(self._waiter.name, "reached a state of failure", response)
            self._scene.wait(self._config.delay)
        raise WaiterError(self._waiter.name, "Max attempts exceeded", {})

    def _response(self, params: dict[str, Any]) -> Any:
        return botocore.waiter.NormalizedOperationMethod(self._operation)(**params)


def test_a_service_becomes_stable_and_then_inactive(scene: Scene) -> None:
    scene.serve(scene.define(), group=scene.balance())
    service = {"cluster": "c", "services": ["web"]}
    Attempts(scene, "ecs", "services_stable").wait(**service)
    assert scene.service()["runningCount"] == 2
    scene.ecs.delete_service(cluster="c", service="web", force=True)
    with pytest.raises(WaiterError):
        Attempts(scene, "ecs", "services_stable").wait(**service)
    Attempts(scene, "ecs", "services_inactive").wait(**service)


def test_a_service_that_crashes_is_never_stable(scene: Scene) -> None:
    settings = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
    scene.serve(scene.define("nginx:missing"), deploymentConfiguration=settings)
    with pytest.raises(WaiterError, match="Max attempts"):
        Attempts(scene, "ecs", "services_stable").wait(cluster="c", services=["web"])


def test_a_missing_service_fails_both_waits(scene: Scene) -> None:
    for name in ("services_stable", "services_inactive"):
        with pytest.raises(WaiterError, match="failure"):
            Attempts(scene, "ecs", name).wait(cluster="c", services=["no"])


def test_a_task_runs_and_stops(scene: Scene) -> None:
    network = {"awsvpcConfiguration": {"subnets": scene.subnets, "assignPublicIp": "ENABLED"}}
    (task,) = scene.ecs.run_task(
        cluster="c", taskDefinition=scene.define(), launchType="FARGATE", networkConfiguration=network
    )["tasks"]
    tasks = {"cluster": "c", "tasks": [task["taskArn"]]}
    Attempts(scene, "ecs", "tasks_stopped").wait(**tasks)
    with pytest.raises(WaiterError, match="failure"):
        Attempts(scene, "ecs", "tasks_running").wait(**tasks)


def test_a_load_balancer_is_there_then_available_then_gone(scene: Scene) -> None:
    balancer = scene.elb.create_load_balancer(Name="a", Subnets=scene.subnets)["LoadBalancers"][0]
    named = {"LoadBalancerArns": [balancer["LoadBalancerArn"]]}
    Attempts(scene, "elbv2", "load_balancer_exists").wait(**named)
    Attempts(scene, "elbv2", "load_balancer_available").wait(**named)
    scene.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    Attempts(scene, "elbv2", "load_balancers_deleted").wait(**named)
    with pytest.raises(WaiterError):
        Attempts(scene, "elbv2", "load_balancer_available").wait(**named)


def test_targets_come_into_service_and_are_deregistered(scene: Scene) -> None:
    group = scene.balance()
    scene.serve(scene.define(), group=group)
    scene.wait(30)
    Attempts(scene, "elbv2", "target_in_service").wait(TargetGroupArn=group)
    targets = [
        {"Id": one["Target"]["Id"], "Port": one["Target"]["Port"]}
        for one in scene.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    ]
    scene.ecs.delete_service(cluster="c", service="web", force=True)
    Attempts(scene, "elbv2", "target_deregistered").wait(TargetGroupArn=group, Targets=targets)


def test_roles_policies_groups_and_certificates(scene: Scene) -> None:
    iam = scene.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
    Attempts(scene, "iam", "role_exists").wait(RoleName="r")
    with pytest.raises(WaiterError):
        Attempts(scene, "iam", "role_exists").wait(RoleName="no")
    Attempts(scene, "iam", "policy_exists").wait(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    group = scene.ec2.create_security_group(GroupName="g", Description="g", VpcId=scene.vpc)["GroupId"]
    Attempts(scene, "ec2", "security_group_exists").wait(GroupIds=[group])
    scene.local.provision({"certificates": ["a.example.com"]})
    arn = scene.client("acm").list_certificates()["CertificateSummaryList"][0]["CertificateArn"]
    Attempts(scene, "acm", "certificate_validated").wait(CertificateArn=arn)
