"""Every optional part of a service and of what services share, put into a running app and taken out again.

With the part the app settles; without it the plan deletes exactly what the part had made, and the app ends as it began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.forked import in_a_copy
from tests.scenarios.blocks import (
    BASE,
    KEY,
    Block,
    comes_and_goes,
    definition,
    execution_policy,
    main,
    service,
    task_policy,
)

if TYPE_CHECKING:
    from tests.world import World

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ops"
READS = {"secretsmanager:GetSecretValue": "{arn}", "kms:Decrypt": KEY}


def group(world: World) -> Any:
    return world.aws.logs.describe_log_groups(logGroupNamePrefix="/shop/web")["logGroups"][0]


def mounts_uploads(world: World) -> bool:
    (volume,) = definition(world)["volumes"]
    efs = volume["efsVolumeConfiguration"]
    assert efs["transitEncryption"] == "ENABLED"
    assert efs["authorizationConfig"] == {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"}
    assert main(world)["mountPoints"][0]["containerPath"] == "/srv/uploads"
    policy = task_policy(world)
    return "elasticfilesystem:ClientWrite" in policy and "access-point/fsap-0123456789abcdef0" in policy


def routes_its_logs(world: World) -> bool:
    containers = {one["name"]: one for one in definition(world)["containerDefinitions"]}
    assert containers["log_router"]["firelensConfiguration"] == {"type": "fluentbit"}
    assert containers["log_router"]["image"] == "docker.io/acme/bit:2"
    assert containers["log_router"]["logConfiguration"]["logDriver"] == "awslogs"
    assert containers["agent"]["logConfiguration"]["logDriver"] == "awsfirelens"
    return bool(containers["web"]["logConfiguration"]["options"]["Name"] == "http")


def reads_its_registry(world: World) -> bool:
    (arn,) = [one["ARN"] for one in world.aws.secrets.list_secrets()["SecretList"]]
    found = world.aws.secrets.describe_secret(SecretId=arn)
    assert (found["Name"], found["KmsKeyId"]) == ("shop/registry/hub", KEY)
    read, decrypt = (f"'{action}'], 'Resource': ['{on}']" for action, on in READS.items())
    assert main(world)["repositoryCredentials"] == {"credentialsParameter": arn}
    policy = execution_policy(world)
    return read.format(arn=arn) in policy and decrypt in policy


def records_sessions(world: World) -> bool:
    command = world.aws.ecs.describe_clusters(clusters=["shop"], include=["CONFIGURATIONS"])["clusters"][0][
        "configuration"
    ]["executeCommandConfiguration"]
    places = {"cloudWatchLogGroupName": "/shop/exec", "s3BucketName": "shop-sessions", "s3KeyPrefix": "exec"}
    assert command == {"logging": "OVERRIDE", "kmsKeyId": KEY, "logConfiguration": places}
    policy = task_policy(world)
    wanted = (
        "ssmmessages:OpenDataChannel",
        "arn:aws:logs:eu-central-1:123456789012:log-group:/shop/exec:*",
        "arn:aws:s3:::shop-sessions/exec/*",
        f"'Action': ['kms:Decrypt'], 'Resource': ['{KEY}']",
    )
    return all(part in policy for part in wanted)


def guards_its_tasks(world: World) -> bool:
    """The group of the file and one that exists stand beside the own one, which leaves the way out to the former."""
    named: Any = {one["GroupName"]: one for one in world.aws.ec2.describe_security_groups()["SecurityGroups"]}
    ours, own = named["shop-metrics-sg"], named["shop-web-task"]
    (configured,) = [service(world)["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]]
    assert set(configured) == {own["GroupId"], ours["GroupId"], "sg-0123456789abcdef0"}
    (way_in,) = ours["IpPermissions"]
    assert (way_in["FromPort"], way_in["IpRanges"][0]["CidrIp"]) == (9090, "10.0.0.0/8")
    assert way_in["UserIdGroupPairs"][0]["GroupId"] == named["shop-probes-sg"]["GroupId"]
    (way_out,) = ours["IpPermissionsEgress"]
    return bool(own["IpPermissionsEgress"] == [] and way_out["IpRanges"][0]["CidrIp"] == "10.0.0.0/8")


def is_found_by_api(world: World) -> bool:
    found = world.aws.cloudmap.list_services()["Services"]
    assert [(one["Name"], one.get("DnsConfig")) for one in found] == [("web", None)]
    instances = world.aws.cloudmap.list_instances(ServiceId=found[0]["Id"])["Instances"]
    return len({one["Attributes"]["AWS_INSTANCE_IPV4"] for one in instances}) == 2


ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/pinned:1"
THEIRS = "210987654321.dkr.ecr.us-east-1.amazonaws.com/team/pinned:1"


def pulls_by_digest(world: World) -> bool:
    made = {one["name"]: one["image"] for one in definition(world, "pinned")["containerDefinitions"]}
    assert made["pinned"].startswith(f"{ECR.removesuffix(':1')}@sha256:")
    assert made["theirs"].startswith(f"{THEIRS.removesuffix(':1')}@sha256:")
    policy = str(
        world.aws.iam.get_role_policy(RoleName="shop-pinned-execution", PolicyName="fargatectl")["PolicyDocument"]
    )
    ours = "arn:aws:ecr:eu-central-1:123456789012:repository/shop/pinned"
    return f"'Resource': ['{ours}', 'arn:aws:ecr:us-east-1:210987654321:repository/team/pinned']" in policy


def runs_at_night(world: World) -> bool:
    schedule = world.aws.scheduler.get_schedule(GroupName="shop", Name="report")
    target, task = schedule["Target"], world.aws.ecs.describe_task_definition(taskDefinition="shop-report")
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 2
    assert target["EcsParameters"]["CapacityProviderStrategy"] == [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 1}
    ]
    assert target["EcsParameters"]["TaskDefinitionArn"] == task["taskDefinition"]["taskDefinitionArn"]
    (container,) = task["taskDefinition"]["containerDefinitions"]
    assert (container["name"], container["command"]) == ("report", ["./report"])
    world.local.set("schedule.shop/report=run")
    arns = world.aws.ecs.list_tasks(cluster="shop", family="shop-report")["taskArns"]
    world.local.clock.sleep(120)
    (ended,) = world.aws.ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]
    return bool(ended["containers"][0]["exitCode"] == 0)


def migrated_first(world: World) -> bool:
    arns = world.aws.ecs.list_tasks(cluster="shop", family="shop-migrate", desiredStatus="STOPPED")["taskArns"]
    (migration,) = world.aws.ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]
    (deployment,) = service(world)["deployments"]
    return bool(migration["stoppedAt"] <= deployment["createdAt"])


BLOCKS = [
    Block(
        "digests",
        f"""
        [services.pinned]
        image      = "{ECR}"
        pin_digest = true
        sidecars.theirs.image = "{THEIRS}"
        """,
        effect="none",
        deletes=frozenset(
            {
                "iam.role/pinned-execution",
                "iam.role/pinned-task",
                "logs.group/shop/pinned",
                "network.security_group/pinned-task",
                "service.service/pinned",
            }
        ),
        holds=pulls_by_digest,
    ),
    Block(
        "names for the API",
        """
        services.web.discovery = {}
        [discovery]
        namespace = "shop"
        type      = "http"
        """,
        deletes=frozenset({"cloudmap.namespace/shop", "cloudmap.service/web"}),
        holds=is_found_by_api,
    ),
    Block(
        "recorded sessions",
        f"""
        services.web.exec = true
        [cluster]
        exec = {{ log_group = "/shop/exec", bucket = "shop-sessions", prefix = "exec", kms_key = "{KEY}" }}
        """,
        effect="none",
        deletes=frozenset({"logs.group/shop/exec"}),
        holds=records_sessions,
    ),
    Block(
        "security groups",
        """
        services.web.security_groups = ["metrics", "sg-0123456789abcdef0"]
        [network.security_groups.metrics]
        ingress = [{ from = "10.0.0.0/8", port = 9090 }, { from = "probes", port = 9090 }]
        egress  = "10.0.0.0/8"
        [network.security_groups.probes]
        ingress = [{ from = "metrics", port = 9090 }]
        """,
        deletes=frozenset({"network.security_group/metrics-sg", "network.security_group/probes-sg"}),
        holds=guards_its_tasks,
    ),
    Block(
        "credentials from the environment",
        f"""
        [registries.hub]
        match    = "docker.io/acme/web:*"
        username = {{ env = "HUB_USER" }}
        password = {{ env = "HUB_TOKEN" }}
        kms_key  = "{KEY}"
        """,
        deletes=frozenset({"registry.secret/hub"}),
        holds=reads_its_registry,
    ),
    Block(
        "efs",
        """
        [services.web.volumes.uploads]
        efs   = { file_system = "fs-0123456789abcdef0", access_point = "fsap-0123456789abcdef0", iam = true }
        mount = { web = "/srv/uploads" }
        """,
        holds=mounts_uploads,
    ),
    Block(
        "alarms",
        f"""
        [alarms]
        notify    = "{TOPIC}"
        cpu_above = 90
        """,
        effect="none",
        deletes=frozenset({"alarms.alarm/web/cpu", "alarms.alarm/api/cpu"}),
        holds=lambda world: rings(world, "shop-web-alarm-cpu")["AlarmActions"] == [TOPIC],
    ),
    Block(
        "dashboard",
        "[dashboard]\nenabled = true",
        effect="none",
        deletes=frozenset({"dashboard.dashboard/eu-central-1"}),
        holds=lambda world: (
            '["AWS/ECS","CPUUtilization","ClusterName","shop","ServiceName","shop-api",{"label":"api","stat":"Average"}]'
            in world.aws.cloudwatch.get_dashboard(DashboardName="shop-eu-central-1")["DashboardBody"]
        ),
    ),
    Block(
        "alarms of a deployment",
        'services.web.deploy.alarms = ["shop-5xx", "shop-latency"]',
        effect="none",
        holds=lambda world: (
            service(world)["deploymentConfiguration"]["alarms"]
            == {"alarmNames": ["shop-5xx", "shop-latency"], "enable": True, "rollback": True}
        ),
    ),
    Block(
        "shared volume",
        """
        [services.web.volumes.run]
        mount = { web = "/run/shared", agent = "/run/shared:ro" }
        """,
        holds=lambda world: (
            main(world)["mountPoints"][0]["readOnly"] is False and not definition(world)["volumes"][0]["host"]
        ),
    ),
    Block(
        "environment files",
        'services.web.env_files = "arn:aws:s3:::shop-config/web.env"',
        holds=lambda world: (
            main(world)["environmentFiles"] == [{"type": "s3", "value": "arn:aws:s3:::shop-config/web.env"}]
            and "arn:aws:s3:::shop-config/web.env" in execution_policy(world)
            and "s3:GetBucketLocation" in execution_policy(world)
        ),
    ),
    Block(
        "log router",
        'services.web.logs = { driver = "awsfirelens", router = "docker.io/acme/bit:2", '
        'options = { Name = "http", Host = "logs.example.com" } }',
        holds=routes_its_logs,
    ),
    Block(
        "log router to the group",
        'services.web.logs = { driver = "awsfirelens" }',
        holds=lambda world: "logs:PutLogEvents" in task_policy(world),
    ),
    Block(
        "messages of many lines",
        "services.web.logs = { multiline = '^\\d{4}-' }",
        holds=lambda world: main(world)["logConfiguration"]["options"]["awslogs-multiline-pattern"] == "^\\d{4}-",
    ),
    Block(
        "dated messages in a group for rare readers",
        'services.web.logs = { group = "/shop/rare", class = "INFREQUENT_ACCESS", datetime = "%Y-%m-%d" }',
        deletes=frozenset({"logs.group/shop/rare"}),
        holds=lambda world: (
            main(world)["logConfiguration"]["options"]["awslogs-datetime-format"] == "%Y-%m-%d"
            and world.aws.logs.describe_log_groups(logGroupNamePrefix="/shop/rare")["logGroups"][0]["logGroupClass"]
            == "INFREQUENT_ACCESS"
        ),
    ),
    Block(
        "encrypted logs",
        f'services.web.logs.kms_key = "{KEY}"',
        effect="none",
        holds=lambda world: group(world)["kmsKeyId"] == KEY,
    ),
    Block(
        "no logs",
        'services.web.logs = { driver = "none" }',
        holds=lambda world: (
            "logConfiguration" not in main(world)
            and not world.aws.logs.describe_log_groups(logGroupNamePrefix="/shop/web")["logGroups"]
        ),
    ),
    Block(
        "existing roles",
        'services.web.roles = { execution = "arn:aws:iam::123456789012:role/team/starter", task = "worker" }',
        holds=lambda world: (
            definition(world)["executionRoleArn"].endswith("role/team/starter")
            and definition(world)["taskRoleArn"].endswith("role/worker")
        ),
    ),
    Block(
        "dependency",
        'services.web.depends_on = "api"',
        effect="none",
    ),
    Block(
        "tags of the service",
        'services.web.propagate_tags = "SERVICE"',
        effect="none",
        holds=lambda world: service(world)["propagateTags"] == "SERVICE",
    ),
    Block(
        "scheduled job",
        """
        [jobs.report]
        from     = "web"
        capacity = [{ provider = "FARGATE", base = 1, weight = 1 }]
        command  = ["./report"]
        schedule = "cron(0 3 * * ? *)"
        timezone = "Europe/Berlin"
        retries  = 2
        """,
        effect="none",
        deletes=frozenset(
            {"jobs.schedule/report", "jobs.task_definition/report", "jobs.group/shop", "iam.role/report-schedule"}
        ),
        holds=runs_at_night,
    ),
    Block(
        "job before a deployment",
        """
        [services.web.env]
        SCHEMA = "2"
        [services.web.deploy]
        before = "migrate"

        [jobs.migrate]
        from    = "web"
        command = "./manage.py migrate"
        """,
        deletes=frozenset({"jobs.task_definition/migrate"}),
        holds=migrated_first,
    ),
    Block(
        "platform version",
        'services.web.platform_version = "1.4.0"',
        holds=lambda world: service(world)["platformVersion"] == "1.4.0",
    ),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
@in_a_copy
def test_a_block_comes_and_goes(base: World, block: Block) -> None:
    comes_and_goes(base, BASE, block)


def rings(world: World, name: str) -> Any:
    return world.aws.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
