"""How many common reads a second the local AWS answers in this process, on one core: `python -m tests.sandbox.speed`.

Each is a whole call of boto3's: request built and signed, answered, parsed. A small account is there: cluster, service
with two tasks, load balancer with a listener, role, log group, secret.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import botocore.session
from boto3.session import Session
from botocore.config import Config

from fargatectl.sandbox.identity import SECRET_KEY, access_key
from fargatectl.sandbox.inprocess import LocalAws
from tests.sandbox.ecs_scene import Scene

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST = 300
_SECONDS = 1.0


def scene() -> Scene:
    """Return an account with a service that runs."""
    local, clients = LocalAws(), {}

    def client(service: str) -> Any:
        if service not in clients:
            core = botocore.session.Session()
            core.set_credentials(access_key(local.account), SECRET_KEY)
            local.attach(core)
            made: Any = Session(botocore_session=core)
            clients[service] = made.client(
                service, region_name=local.region, config=Config(retries={"mode": "standard"})
            )
        return clients[service]

    account = Scene(local, client)
    account.serve(account.define(), group=account.balance())
    account.client("secretsmanager").create_secret(Name="s", SecretString="x")
    account.wait(120)
    return account


def reads(account: Scene) -> dict[str, Callable[[], Any]]:
    """Return the reads that a plan and a rollout make most, by name."""
    tasks = account.ecs.list_tasks(cluster="c")["taskArns"]
    group = account.service()["loadBalancers"][0]["targetGroupArn"]
    balancer = account.balancer["LoadBalancerArn"]
    client = account.client
    return {
        "sts GetCallerIdentity": client("sts").get_caller_identity,
        "ecs DescribeClusters": lambda: account.ecs.describe_clusters(clusters=["c"]),
        "ecs DescribeServices": account.service,
        "ecs DescribeTaskDefinition": lambda: account.ecs.describe_task_definition(taskDefinition="web"),
        "ecs ListTasks": lambda: account.ecs.list_tasks(cluster="c"),
        "ecs DescribeTasks": lambda: account.ecs.describe_tasks(cluster="c", tasks=tasks),
        "ecs ListServiceDeployments": lambda: account.ecs.list_service_deployments(cluster="c", service="web"),
        "elbv2 DescribeLoadBalancers": lambda: account.elb.describe_load_balancers(LoadBalancerArns=[balancer]),
        "elbv2 DescribeTargetGroups": lambda: account.elb.describe_target_groups(TargetGroupArns=[group]),
        "elbv2 DescribeListeners": lambda: account.elb.describe_listeners(LoadBalancerArn=balancer),
        "elbv2 DescribeRules": lambda: account.elb.describe_rules(ListenerArn=account.listener),
        "elbv2 DescribeTargetHealth": lambda: account.elb.describe_target_health(TargetGroupArn=group),
        "elbv2 DescribeTags": lambda: account.elb.describe_tags(ResourceArns=[balancer, group]),
        "ec2 DescribeSubnets": lambda: account.ec2.describe_subnets(SubnetIds=account.subnets),
        "ec2 DescribeSecurityGroups": account.ec2.describe_security_groups,
        "iam GetRole": lambda: client("iam").get_role(RoleName="execution"),
        "iam GetRolePolicy": lambda: client("iam").get_role_policy(RoleName="execution", PolicyName="p"),
        "logs DescribeLogGroups": lambda: client("logs").describe_log_groups(logGroupNamePrefix="/c/web"),
        "secretsmanager DescribeSecret": lambda: client("secretsmanager").describe_secret(SecretId="s"),
        "ssm GetParametersByPath": lambda: client("ssm").get_parameters_by_path(Path="/fargatectl"),
        "application-autoscaling DescribeScalableTargets": lambda: client(
            "application-autoscaling"
        ).describe_scalable_targets(ServiceNamespace="ecs"),
        "servicediscovery ListNamespaces": client("servicediscovery").list_namespaces,
        "cloudwatch DescribeAlarms": client("cloudwatch").describe_alarms,
        "resourcegroupstaggingapi GetResources": client("resourcegroupstaggingapi").get_resources,
    }


def rate(read: Callable[[], Any]) -> float:
    """Return how many calls a second of this process's own time a read makes."""
    read()
    calls, start = 0, time.process_time()
    while time.process_time() - start < _SECONDS:
        read()
        calls += 1
    return calls / (time.process_time() - start)


def main() -> int:
    """Print the rates; fail where one is too low."""
    slowest = sys.float_info.max
    for name, read in reads(scene()).items():
        found = rate(read)
        slowest = min(slowest, found)
        sys.stdout.write(f"{name:50} {found:7.0f} calls/s\n")
    return 0 if slowest >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
