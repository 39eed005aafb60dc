"""What a service may have of its own, put into a running app and taken out again: see `blocks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.forked import in_a_copy
from tests.scenarios.blocks import (
    BASE,
    Block,
    comes_and_goes,
    container,
    definition,
    execution_policy,
    service,
    task_policy,
)

if TYPE_CHECKING:
    from tests.world import World

CONTAINER = """
{path}entrypoint    = ["/bin/entry"]
{path}command       = ["serve", "--fast"]
{path}workdir       = "/srv"
{path}user          = "1000:1000"
{path}readonly_root = true
{path}init          = true
{path}stop_timeout  = "1m"
{path}ulimits       = {{ nofile = [1024, 4096] }}
{path}env           = {{ LOG_LEVEL = "debug" }}
{path}health_check  = {{ command = ["CMD", "ok"], interval = "9s", timeout = "4s", retries = 2, start_period = "8s" }}
{path}secrets.WHOLE = "shop/plain"
{path}secrets.KEYED = {{ secret = "shop/db", key = "password", stage = "AWSPREVIOUS" }}
{path}secrets.DATED = {{ secret = "shop/db", key = "user", version = "{version}" }}
{path}secrets.FLAG  = {{ parameter = "/shop/flag" }}
"""
VERSION = "a1b2c3d4-5678-90ab-cdef-1234567890ab"
SETTINGS = {
    "entryPoint": ["/bin/entry"],
    "command": ["serve", "--fast"],
    "workingDirectory": "/srv",
    "user": "1000:1000",
    "readonlyRootFilesystem": True,
    "linuxParameters": {"initProcessEnabled": True},
    "stopTimeout": 60,
    "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
    "environment": [{"name": "LOG_LEVEL", "value": "debug"}],
    "healthCheck": {"command": ["CMD", "ok"], "interval": 9, "timeout": 4, "retries": 2, "startPeriod": 8},
}


def runs_as_told(world: World) -> bool:
    for name in ("web", "agent"):
        made = container(world, name)
        assert {key: made.get(key) for key in SETTINGS} == SETTINGS, name
        named = {one["name"]: one["valueFrom"].partition(":secret:")[2] for one in made["secrets"]}
        assert named["KEYED"].endswith(":password:AWSPREVIOUS:")
        assert named["DATED"].endswith(f":user::{VERSION}")
        assert named["WHOLE"].startswith("shop/plain-")
        (flag,) = [one["valueFrom"] for one in made["secrets"] if one["name"] == "FLAG"]
        assert flag.endswith("parameter/shop/flag")
    agent, policy = container(world, "agent"), execution_policy(world)
    assert (agent["cpu"], agent["memory"], agent["essential"]) == (64, 128, False)
    assert agent["dependsOn"] == [{"containerName": "web", "condition": "HEALTHY"}]
    assert [one["containerPort"] for one in agent["portMappings"]] == [9100]
    return "ssm:GetParameters" in policy and "parameter/shop/flag" in policy


def has_another_size(world: World) -> bool:
    made = definition(world)
    assert (made["cpu"], made["memory"], made["ephemeralStorage"]) == ("512", "1024", {"sizeInGiB": 40})
    assert made["volumes"][0]["efsVolumeConfiguration"]["rootDirectory"] == "/shared"
    assert container(world, "web")["mountPoints"][0]["readOnly"] is True
    return bool(made["runtimePlatform"]["cpuArchitecture"] == "ARM64")


def is_reached_from_there(world: World) -> bool:
    found = service(world)["networkConfiguration"]["awsvpcConfiguration"]
    named: Any = [{"Name": "group-name", "Values": ["shop-web-task"]}]
    (way_in,) = world.aws.ec2.describe_security_groups(Filters=named)["SecurityGroups"][0]["IpPermissions"]
    assert (way_in["FromPort"], way_in["IpRanges"][0]["CidrIp"]) == (8080, "10.1.0.0/16")
    return bool(found["assignPublicIp"] == "ENABLED")


def scales(world: World) -> bool:
    (target,) = world.aws.autoscaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 9)
    suspended = {key for key, value in target["SuspendedState"].items() if value}
    assert suspended == {"DynamicScalingInSuspended", "ScheduledScalingSuspended"}
    (idle,) = world.aws.cloudwatch.describe_alarms(AlarmNames=["shop-web-scaling-idle"])["MetricAlarms"]
    assert idle["Dimensions"] == [{"Name": "Queue", "Value": "orders"}]
    assert (idle["ComparisonOperator"], idle["Threshold"], idle["Period"]) == ("LessThanThreshold", 0.5, 300)
    return bool(service(world)["desiredCount"] == 3)


def names_in_dns(world: World) -> bool:
    (found,) = world.aws.cloudmap.list_services()["Services"]
    config: Any = found["DnsConfig"]
    assert {(one["Type"], one["TTL"]) for one in config["DnsRecords"]} == {("A", 30), ("SRV", 30)}
    instances = world.aws.cloudmap.list_instances(ServiceId=found["Id"])["Instances"]
    assert {one["Attributes"]["AWS_INSTANCE_PORT"] for one in instances} == {"8080"}
    return bool(found["Name"] == "front" and config["RoutingPolicy"] == "MULTIVALUE")


def runs_on_spot(world: World) -> bool:
    (cluster,) = world.aws.ecs.describe_clusters(clusters=["shop"], include=["SETTINGS"])["clusters"]
    assert cluster["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    strategies = [service(world, name)["capacityProviderStrategy"] for name in ("web", "api")]
    spot = {"capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 0}
    assert strategies[1] == [spot]
    return bool(strategies[0] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 2}])


def has_rights(world: World) -> bool:
    attached = world.aws.iam.list_attached_role_policies(RoleName="shop-web-task")["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
    assert "sqs:SendMessage" in task_policy(world)
    return bool(world.aws.iam.get_role(RoleName="shop-web-task")["Role"]["Path"] == "/teams/shop/")


BLOCKS = [
    Block(
        "all settings of containers",
        CONTAINER.format(path="services.web.", version=VERSION)
        + CONTAINER.format(path="services.web.sidecars.agent.", version=VERSION)
        + """
        services.web.sidecars.agent.cpu        = 64
        services.web.sidecars.agent.memory     = 128
        services.web.sidecars.agent.essential  = false
        services.web.sidecars.agent.ports      = [9100]
        services.web.sidecars.agent.depends_on = { web = "HEALTHY" }
        """,
        holds=runs_as_told,
    ),
    Block(
        "another size and a file system",
        """
        services.web.cpu = "0.5 vCPU"
        services.web.memory = "1 GB"
        services.web.arch = "ARM64"
        services.web.ephemeral_storage = 40
        [services.web.volumes.archive]
        efs   = { file_system = "fs-0123456789abcdef0", root = "/shared" }
        mount = { web = "/archive:ro" }
        """,
        holds=has_another_size,
    ),
    Block(
        "another way in",
        """
        services.web.subnets = "public"
        services.web.public_ip = true
        services.web.allow_from = "10.1.0.0/16"
        """,
        effect="none",
        holds=is_reached_from_there,
    ),
    Block(
        "scaling",
        """
        [services.web.scaling]
        min       = 3
        max       = 9
        memory    = 70
        suspended = ["in", "scheduled"]
        [[services.web.scaling.step]]
        name   = "idle"
        metric = { namespace = "Shop", name = "Load", dimensions = { Queue = "orders" }, period = "5m" }
        below  = 0.5
        steps  = [{ to = 0, by = -1 }]
        """,
        effect="none",
        deletes=frozenset({"scaling.target/web", "alarms.alarm/web/scaling/idle"}),
        holds=scales,
    ),
    Block(
        "names in DNS",
        """
        services.web.discovery = { name = "front", records = ["A", "SRV"], ttl = "30s" }
        [discovery]
        namespace = "shop.internal"
        """,
        deletes=frozenset({"cloudmap.namespace/shop.internal", "cloudmap.service/web"}),
        holds=names_in_dns,
    ),
    Block(
        "capacity and Container Insights",
        """
        services.web.capacity = [{ provider = "FARGATE", base = 2 }]
        [cluster]
        container_insights = "disabled"
        capacity           = [{ provider = "FARGATE_SPOT", weight = 3 }]
        """,
        holds=runs_on_spot,
    ),
    Block(
        "rights and another path of the roles",
        """
        [services.web.permissions]
        managed = ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
        allow   = [{ actions = "sqs:SendMessage", resources = "*" }]
        [iam]
        path = "/teams/shop/"
        """,
        effect="replacement",
        holds=has_rights,
    ),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
@in_a_copy
def test_a_part_of_a_service_comes_and_goes(base: World, block: Block) -> None:
    comes_and_goes(base, BASE, block)
