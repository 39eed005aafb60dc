"""A small account to run services in: network, load balancer, roles, log group."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.inprocess import LocalAws

EXECUTION = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:*", "ecr:*", "secretsmanager:GetSecretValue", "ssm:GetParameters"],
            "Resource": "*",
        }
    ],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@dataclass
class Scene:
    """Clients and the ids of what is around."""

    local: LocalAws
    client: Callable[..., Any]

    def __post_init__(self) -> None:
        self.ecs, self.elb, self.ec2 = self.client("ecs"), self.client("elbv2"), self.client("ec2")
        self.vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.subnets = [subnet["SubnetId"] for subnet in self.ec2.describe_subnets()["Subnets"]]
        self.ecs.create_cluster(clusterName="c", capacityProviders=["FARGATE", "FARGATE_SPOT"])
        iam = self.client("iam")
        self.role = iam.create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        iam.put_role_policy(RoleName="execution", PolicyName="p", PolicyDocument=json.dumps(EXECUTION))
        self.client("logs").create_log_group(logGroupName="/c/web")
        self.wait(15)  # roles are assumable a little after they were made

    def wait(self, seconds: float) -> None:
        """Let AWS seconds pass."""
        self.local.clock.sleep(seconds)

    def define(self, image: str = "nginx:stable", *, family: str = "web", **container: Any) -> str:
        """Register a definition of one container that listens on port 80."""
        log = {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/c/web", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "web"},
        }
        definition = {
            "name": "web",
            "image": image,
            "portMappings": [{"containerPort": 80}],
            "logConfiguration": log,
            **container,
        }
        return self.register(family=family, containerDefinitions=[definition])

    def register(self, **settings: Any) -> str:
        """Register a definition with these settings laid over those of a small task."""
        small = {
            "family": "web",
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": self.role,
            "containerDefinitions": [{"name": "web", "image": "nginx:stable", "portMappings": [{"containerPort": 80}]}],
        }
        answer = self.ecs.register_task_definition(**{**small, **settings})
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def balance(self, **settings: Any) -> str:
        """Create a load balancer with a listener and return its target group."""
        group = self.elb.create_target_group(
            Name="web",
            Protocol="HTTP",
            Port=80,
            VpcId=self.vpc,
            TargetType="ip",
            **{"HealthCheckIntervalSeconds": 10, "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2, **settings},
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elb.modify_target_group_attributes(
            TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
        )
        self.balancer = self.elb.create_load_balancer(Name="public", Subnets=self.subnets)["LoadBalancers"][0]
        self.listener = self.elb.create_listener(
            LoadBalancerArn=self.balancer["LoadBalancerArn"],
            Port=80,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )["Listeners"][0]["ListenerArn"]
        return str(group)

    def serve(self, definition: str, *, group: str | None = None, **settings: Any) -> dict[str, Any]:
        """Create the service "web"; a setting of None is left out."""
        balancers = [{"targetGroupArn": group, "containerName": "web", "containerPort": 80}] if group else []
        network = {"awsvpcConfiguration": {"subnets": self.subnets, "assignPublicIp": "ENABLED"}}
        request = {
            "cluster": "c",
            "serviceName": "web",
            "taskDefinition": definition,
            "loadBalancers": balancers,
            "desiredCount": 2,
            "launchType": "FARGATE",
            "networkConfiguration": network,
            "deploymentConfiguration": breaker(),
            **settings,
        }
        answer = self.ecs.create_service(**{key: value for key, value in request.items() if value is not None})
        service: dict[str, Any] = answer["service"]
        return service

    def service(self) -> dict[str, Any]:
        """Return the service "web" as it is now."""
        service: dict[str, Any] = self.ecs.describe_services(cluster="c", services=["web"])["services"][0]
        return service

    def update(self, **settings: Any) -> dict[str, Any]:
        """Change the service "web"."""
        service: dict[str, Any] = self.ecs.update_service(cluster="c", service="web", **settings)["service"]
        return service

    def rollout(self) -> dict[str, Any]:
        """Return the newest service deployment of "web"."""
        newest = self.ecs.list_service_deployments(cluster="c", service="web")["serviceDeployments"][0]
        arns = [newest["serviceDeploymentArn"]]
        rollout: dict[str, Any] = self.ecs.describe_service_deployments(serviceDeploymentArns=arns)[
            "serviceDeployments"
        ][0]
        return rollout

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        """Return the tasks of the cluster that ECS wants in a status."""
        arns = self.ecs.list_tasks(cluster="c", desiredStatus=status)["taskArns"]
        tasks: list[dict[str, Any]] = self.ecs.describe_tasks(cluster="c", tasks=arns)["tasks"] if arns else []
        return tasks

    def health(self, group: str) -> list[str]:
        """Return the states of a group's targets."""
        shown = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return sorted(one["TargetHealth"]["State"] for one in shown)

    def messages(self) -> list[str]:
        """Return the service's events, oldest first."""
        return [event["message"] for event in reversed(self.service()["events"])]


def breaker(*, rollback: bool = True, least: int = 100, most: int = 200) -> dict[str, Any]:
    """Return a deployment configuration with a circuit breaker."""
    return {
        "deploymentCircuitBreaker": {"enable": True, "rollback": rollback},
        "minimumHealthyPercent": least,
        "maximumPercent": most,
    }
