"""What is between a public service and those who ask it, put in and taken out again: see `blocks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.forked import in_a_copy
from tests.scenarios.blocks import PUBLIC, Block, comes_and_goes, service

if TYPE_CHECKING:
    from tests.world import World


def balancer(world: World) -> Any:
    (found,) = world.aws.elb.describe_load_balancers()["LoadBalancers"]
    return found


def listeners(world: World) -> dict[int, Any]:
    found: Any = world.aws.elb.describe_listeners(LoadBalancerArn=balancer(world)["LoadBalancerArn"])["Listeners"]
    return {one["Port"]: one for one in found}


def attributes(world: World) -> dict[str, str]:
    found = world.aws.elb.describe_load_balancer_attributes(LoadBalancerArn=balancer(world)["LoadBalancerArn"])
    return {one["Key"]: one["Value"] for one in found["Attributes"]}


def is_set_up(world: World) -> bool:
    found = attributes(world)
    assert (found["idle_timeout.timeout_seconds"], found["deletion_protection.enabled"]) == ("120", "true")
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "false"
    logs = ["access_logs.s3.enabled", "access_logs.s3.bucket", "access_logs.s3.prefix"]
    assert [found[key] for key in logs] == ["true", "shop-lb-logs", "public"]
    (action,) = listeners(world)[80]["DefaultActions"]
    answer = action["FixedResponseConfig"]
    assert (answer["StatusCode"], answer["MessageBody"]) == ("503", "later")
    named: Any = [{"Name": "group-name", "Values": ["shop-public-alb"]}]
    (way_in,) = world.aws.ec2.describe_security_groups(Filters=named)["SecurityGroups"][0]["IpPermissions"]
    return [one["CidrIp"] for one in way_in["IpRanges"]] == ["198.51.100.0/24"]


def is_routed(world: World) -> bool:
    (rule, _) = world.aws.elb.describe_rules(ListenerArn=listeners(world)[80]["ListenerArn"])["Rules"]
    assert rule["Priority"] == "7"
    conditions: Any = {one["Field"]: one for one in rule["Conditions"]}
    assert conditions["path-pattern"]["PathPatternConfig"]["Values"] == ["/app/*"]
    (group,) = world.aws.elb.describe_target_groups()["TargetGroups"]
    assert (group["HealthCheckPath"], group["Matcher"]["HttpCode"]) == ("/up", "200-299")
    assert (group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]) == (15, 4)
    assert (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (3, 2)
    told = world.aws.elb.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])["Attributes"]
    found = {one["Key"]: one["Value"] for one in told}
    assert (found["stickiness.enabled"], found["stickiness.lb_cookie.duration_seconds"]) == ("true", "3600")
    assert found["load_balancing.algorithm.type"] == "least_outstanding_requests"
    assert found["deregistration_delay.timeout_seconds"] == "10"
    return bool(service(world)["healthCheckGracePeriodSeconds"] == 120)


def speaks_tls(world: World) -> bool:
    found = listeners(world)
    assert found[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-3-2021-06"
    assert found[80]["DefaultActions"][0]["Type"] == "redirect"
    (zone,) = world.aws.route53.list_hosted_zones()["HostedZones"]
    records: Any = world.aws.route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    (record,) = [one for one in records if one["Type"] == "A"]
    assert record["AliasTarget"]["DNSName"].rstrip(".").endswith(balancer(world)["DNSName"])
    return bool(record["Name"] == "shop.example.com.")


def shifts(strategy: str, **settings: object) -> Any:
    def look(world: World) -> bool:
        found = service(world)["deploymentConfiguration"]
        assert found["strategy"] == strategy
        assert {key: found[key] for key in settings} == settings
        return bool(service(world)["loadBalancers"][0]["advancedConfiguration"]["alternateTargetGroupArn"])

    return look


PAIR = frozenset({"alb.target_group/web", "iam.role/web-infrastructure"})
BLOCKS = [
    Block(
        "settings of the load balancer",
        """
        [load_balancers.public]
        drop_invalid_headers = false
        deletion_protection  = true
        idle_timeout         = "2m"
        allow_from           = "198.51.100.0/24"
        default              = { status = 503, body = "later" }
        access_logs          = { bucket = "shop-lb-logs", prefix = "public" }
        """,
        effect="none",
        holds=is_set_up,
    ),
    Block(
        "settings of the way in",
        """
        services.web.http.path = "/app/*"
        services.web.http.priority = 7
        services.web.http.algorithm = "least_outstanding_requests"
        services.web.http.stickiness = "1h"
        services.web.http.deregistration_delay = "10s"
        services.web.http.grace_period = "2m"
        services.web.http.health_check.path = "/up"
        services.web.http.health_check.codes = "200-299"
        services.web.http.health_check.interval = "15s"
        services.web.http.health_check.timeout = "4s"
        services.web.http.health_check.healthy = 3
        services.web.http.health_check.unhealthy = 2
        """,
        effect="none",
        holds=is_routed,
    ),
    Block(
        "TLS and a record",
        """
        [load_balancers.public]
        certificates = "shop.example.com"
        ssl_policy   = "ELBSecurityPolicy-TLS13-1-3-2021-06"
        [dns]
        zone = "example.com"
        """,
        effect="none",
        deletes=frozenset({"alb.listener/public:443", "alb.rule/web", "dns.record/shop.example.com"}),
        holds=speaks_tls,
    ),
    Block(
        "blue/green",
        """
        services.web.deploy.strategy = "blue_green"
        services.web.deploy.bake = "2m"
        services.web.deploy.test = { host = "next.example.com", path = "/next/*" }
        [[services.web.deploy.hooks]]
        stage      = "post_test_traffic_shift"
        lambda     = "arn:aws:lambda:eu-central-1:123456789012:function:smoke"
        timeout    = "30m"
        on_timeout = "continue"
        """,
        deletes=PAIR | {"alb.rule/web:test"},
        holds=shifts("BLUE_GREEN", bakeTimeInMinutes=2),
    ),
    Block(
        "linear",
        'services.web.deploy = { strategy = "linear", percent = 25, step_bake = "1m", bake = 0 }',
        deletes=PAIR,
        holds=shifts("LINEAR", linearConfiguration={"stepPercent": 25.0, "stepBakeTimeInMinutes": 1}),
    ),
    Block(
        "canary",
        'services.web.deploy = { strategy = "canary", percent = 20, step_bake = "1m", bake = 0 }',
        deletes=PAIR,
        holds=shifts("CANARY", canaryConfiguration={"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 1}),
    ),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
@in_a_copy
def test_a_part_of_the_way_in_comes_and_goes(public: World, block: Block) -> None:
    comes_and_goes(public, PUBLIC, block)
