"""The contract that every kind of resource keeps, proven through a whole file.

A case names a resource of the file, a change of it in place, a change that replaces it, and how somebody else could
change or delete it behind our back. The rest is the same for all of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.model.change import Action
from fargatectl.model.values import Address
from fargatectl.sandbox.inprocess import LocalAws
from fargatectl.stack import KINDS
from tests.forked import in_a_copy
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fargatectl.aws.session import Aws

FILE = """\
app     = "shop"
region  = "eu-central-1"
account = "123456789012"
tags    = { team = "checkout" }

[cluster]
container_insights = "enabled"

[discovery]
namespace = "shop.internal"

[dns]
zone = "example.com"

[registries.gitlab]
match    = "registry.gitlab.com/acme/*"
username = { env = "GITLAB_USER" }
password = { env = "GITLAB_TOKEN" }

[load_balancers.public]
certificates = "request"
idle_timeout = "60s"

[services.web]
image  = "public.ecr.aws/nginx/nginx:stable"
port   = 8080
count  = 2

[services.web.http]
host         = ["shop.example.com"]
health_check = { path = "/up" }

[services.web.discovery]
name    = "web"
records = ["A"]
ttl     = "10s"

[services.web.scaling]
min = 2
max = 4
cpu = 60

[[services.web.scaling.step]]
name   = "burst"
metric = { namespace = "AWS/ApplicationELB", name = "TargetResponseTime", statistic = "p95", periods = 3 }
above  = 1.5
steps  = [{ from = 0, to = 1, by = 1 }, { from = 1, by = 2 }]

[[services.web.scaling.schedule]]
name     = "night"
cron     = "0 20 * * ? *"
timezone = "Europe/Berlin"
min      = 1
max      = 2

[services.web.secrets]
KEY = { secret = "shop/web", key = "key" }

[services.web.logs]
retention = 30

[dashboard]
enabled = true

[jobs.report]
from     = "web"
command  = ["./report"]
schedule = "cron(0 3 * * ? *)"
timezone = "Europe/Berlin"
"""

VARIABLES = {"GITLAB_USER": "acme", "GITLAB_TOKEN": "token-of-the-first", "OTHER_TOKEN": "token-of-the-second"}

Edit = tuple[str, str]
A_MINUTE = 60  # what AWS does in its own time has happened by then


@dataclass(frozen=True)
class Case:
    """One resource of the file. `drift` and `vanish` are what a stranger does; None where AWS leaves no way to."""

    address: str
    change: Edit | None = None
    replacement: Edit | None = None
    drift: Callable[[Aws, Any], object] | None = None
    vanish: Callable[[Aws, Any], object] | None = None
    tag: Callable[[Aws, Any], object] | None = None

    @property
    def kind(self) -> str:
        return self.address.partition("/")[0]


def elb_tag(aws: Aws, out: Any) -> object:
    return aws.elb.add_tags(ResourceArns=[out.arn], Tags=[{"Key": "theirs", "Value": "x"}])


def ecs_tag(aws: Aws, out: Any) -> object:
    return aws.ecs.tag_resource(resourceArn=out.arn, tags=[{"key": "theirs", "value": "x"}])


def target_of(aws: Aws) -> Any:
    return aws.autoscaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]


def scalable(aws: Aws) -> dict[str, Any]:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": target_of(aws)["ResourceId"],
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def action_of(aws: Aws) -> Any:
    return aws.autoscaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"][0]


def drift_action(aws: Aws, _: Any) -> object:
    settings: Any = {"ScheduledActionName": "night", "Schedule": action_of(aws)["Schedule"]}
    later = aws.now() + timedelta(days=1)
    return aws.autoscaling.put_scheduled_action(StartTime=later, **settings, **scalable(aws))


def drift_alarm(aws: Aws, out: Any) -> object:
    alarm: Any = aws.cloudwatch.describe_alarms(AlarmNames=[out.name])["MetricAlarms"][0]
    kept = ("AlarmName", "Namespace", "MetricName", "ExtendedStatistic", "Dimensions", "Period", "ComparisonOperator")
    settings: Any = {name: alarm[name] for name in kept}
    return aws.cloudwatch.put_metric_alarm(**settings, EvaluationPeriods=9, Threshold=9)


def delete_policy(aws: Aws, _: Any) -> object:
    policy = aws.autoscaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"][0]
    return aws.autoscaling.delete_scaling_policy(PolicyName=policy["PolicyName"], **scalable(aws))


def drift_policy(aws: Aws, _: Any) -> object:
    policy = aws.autoscaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"][0]
    settings: Any = {**policy["TargetTrackingScalingPolicyConfiguration"], "TargetValue": 11.0}
    return aws.autoscaling.put_scaling_policy(
        PolicyName=policy["PolicyName"],
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=settings,
        **scalable(aws),
    )


def drift_definition(aws: Aws, _: Any) -> object:
    """Somebody's pipeline registers a revision of its own and moves the service to it."""
    found: Any = aws.ecs.describe_task_definition(taskDefinition="shop-web")["taskDefinition"]
    kept = ("family", "taskRoleArn", "executionRoleArn", "networkMode", "requiresCompatibilities", "cpu", "memory")
    main: Any = {**found["containerDefinitions"][0], "image": "public.ecr.aws/nginx/nginx:mainline"}
    made = aws.ecs.register_task_definition(**{k: found[k] for k in kept}, containerDefinitions=[main])
    arn = made["taskDefinition"]["taskDefinitionArn"]
    return aws.ecs.update_service(cluster="shop", service="shop-web", taskDefinition=arn)


def delete_role(aws: Aws, out: Any) -> None:
    name = out.arn.rpartition("/")[2]
    for policy in aws.iam.list_role_policies(RoleName=name)["PolicyNames"]:
        aws.iam.delete_role_policy(RoleName=name, PolicyName=policy)
    aws.iam.delete_role(RoleName=name)


def drop_record(aws: Aws, out: Any) -> object:
    changes: Any = [{"Action": "DELETE", "ResourceRecordSet": row} for row in out.rows]
    return aws.route53.change_resource_record_sets(HostedZoneId=out.zone_id, ChangeBatch={"Changes": changes})


def drop_proof(aws: Aws, out: Any) -> object:
    ((zone, row),) = out.rows
    changes: Any = [{"Action": "DELETE", "ResourceRecordSet": row}]
    return aws.route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def revoke_all(aws: Aws, out: Any) -> object:
    group = aws.ec2.describe_security_groups(GroupIds=[out.group_id])["SecurityGroups"][0]
    permissions: Any = group["IpPermissions"]
    return aws.ec2.revoke_security_group_ingress(GroupId=out.group_id, IpPermissions=permissions)


def drift_dashboard(aws: Aws, out: Any) -> object:
    body = json.loads(aws.cloudwatch.get_dashboard(DashboardName=out.name)["DashboardBody"])
    body["widgets"][2]["properties"]["title"] = "theirs"
    return aws.cloudwatch.put_dashboard(DashboardName=out.name, DashboardBody=json.dumps(body))


def lock_in(aws: Aws, out: Any) -> object:
    group = aws.ec2.describe_security_groups(GroupIds=[out.id])["SecurityGroups"][0]
    permissions: Any = group["IpPermissionsEgress"]
    return aws.ec2.revoke_security_group_egress(GroupId=out.id, IpPermissions=permissions)


def scheduled(aws: Aws) -> Any:
    found = aws.scheduler.get_schedule(GroupName="shop", Name="report")
    kept = ("GroupName", "Name", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target")
    return {key: found[key] for key in kept}


CASES = [
    Case(
        "logs.group/shop/web",
        change=("retention = 30", "retention = 7"),
        replacement=None,
        drift=lambda aws, out: aws.logs.put_retention_policy(logGroupName=out.name, retentionInDays=1),
        vanish=lambda aws, out: aws.logs.delete_log_group(logGroupName=out.name),
        tag=lambda aws, out: aws.logs.tag_resource(resourceArn=out.arn, tags={"theirs": "x"}),
    ),
    Case(
        "registry.secret/gitlab",
        change=("GITLAB_TOKEN", "OTHER_TOKEN"),
        drift=lambda aws, out: aws.secrets.put_secret_value(SecretId=out.arn, SecretString='{"username": "theirs"}'),
        vanish=lambda aws, out: aws.secrets.delete_secret(SecretId=out.arn, RecoveryWindowInDays=30),
        tag=lambda aws, out: aws.secrets.tag_resource(SecretId=out.arn, Tags=[{"Key": "theirs", "Value": "x"}]),
    ),
    Case(
        "iam.role/web-execution",
        change=('key = "key" }', 'key = "key" }\nTWO = "shop/two"'),
        drift=lambda aws, out: aws.iam.delete_role_policy(RoleName=out.arn.rpartition("/")[2], PolicyName="fargatectl"),
        vanish=delete_role,
        tag=lambda aws, out: aws.iam.tag_role(
            RoleName=out.arn.rpartition("/")[2], Tags=[{"Key": "theirs", "Value": "x"}]
        ),
    ),
    Case(
        "network.security_group/web-task",
        change=('team = "checkout"', 'team = "web"'),
        drift=lock_in,
        tag=lambda aws, out: aws.ec2.create_tags(Resources=[out.id], Tags=[{"Key": "theirs", "Value": "x"}]),
    ),
    Case("network.ingress/web-task", change=("port   = 8080", "port   = 8081"), drift=revoke_all),
    Case(
        "alb.load_balancer/public",
        change=('"60s"', '"90s"'),
        replacement=("[load_balancers.public]", '[load_balancers.public]\nscheme = "internal"'),
        drift=lambda aws, out: aws.elb.modify_load_balancer_attributes(
            LoadBalancerArn=out.arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "5"}]
        ),
        vanish=lambda aws, out: aws.elb.delete_load_balancer(LoadBalancerArn=out.arn),
        tag=elb_tag,
    ),
    Case(
        "alb.target_group/web",
        change=('"/up"', '"/down"'),
        replacement=("[services.web.http]", '[services.web.http]\nprotocol_version = "HTTP2"'),
        drift=lambda aws, out: aws.elb.modify_target_group(TargetGroupArn=out.arn, HealthCheckPath="/x"),
        tag=elb_tag,
    ),
    Case(
        "alb.listener/public:443",
        change=(
            'certificates = "request"',
            'certificates = "request"\nssl_policy = "ELBSecurityPolicy-TLS13-1-3-2021-06"',
        ),
        drift=lambda aws, out: aws.elb.modify_listener(ListenerArn=out.arn, SslPolicy="ELBSecurityPolicy-2016-08"),
        vanish=lambda aws, out: aws.elb.delete_listener(ListenerArn=out.arn),
        tag=elb_tag,
    ),
    Case(
        "dns.certificate/public",
        change=('team = "checkout"', 'team = "web"'),
        replacement=('["shop.example.com"]\nhealth', '["www.example.com"]\nhealth'),
        tag=lambda aws, out: aws.acm.add_tags_to_certificate(
            CertificateArn=out.arn, Tags=[{"Key": "theirs", "Value": "x"}]
        ),
    ),
    Case(
        "dns.validation/public",
        replacement=('["shop.example.com"]\nhealth', '["www.example.com"]\nhealth'),
        drift=drop_proof,
    ),
    Case(
        "alb.rule/web",
        change=('["shop.example.com"]\nhealth', '["shop.example.com"]\npath = "/app"\nhealth'),
        drift=lambda aws, out: aws.elb.modify_rule(
            RuleArn=out.arn, Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/x"]}}]
        ),
        vanish=lambda aws, out: aws.elb.delete_rule(RuleArn=out.arn),
        tag=elb_tag,
    ),
    Case("cloudmap.namespace/shop.internal", change=('team = "checkout"', 'team = "web"')),
    Case(
        "cloudmap.service/web",
        change=('"10s"', '"20s"'),
        replacement=('records = ["A"]', 'records = ["A", "SRV"]'),
        drift=lambda aws, out: aws.cloudmap.update_service(
            Id=out.id, Service={"DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 99}]}}
        ),
        tag=lambda aws, out: aws.cloudmap.tag_resource(ResourceARN=out.arn, Tags=[{"Key": "theirs", "Value": "x"}]),
    ),
    Case(
        "cluster.cluster/shop",
        change=('"enabled"', '"enhanced"\nexec = { log_group = "/shop/exec" }'),
        drift=lambda aws, out: aws.ecs.update_cluster_settings(
            cluster=out.name, settings=[{"name": "containerInsights", "value": "disabled"}]
        ),
        tag=ecs_tag,
    ),
    Case(
        "service.task_definition/web",
        change=("nginx:stable", "nginx:mainline"),
        drift=drift_definition,
        tag=ecs_tag,
    ),
    Case(
        "service.service/web",
        change=("[services.web]", "[services.web]\ndeploy = { min_healthy = 50 }"),
        drift=lambda aws, out: aws.ecs.update_service(
            cluster=out.cluster, service=out.name, healthCheckGracePeriodSeconds=7
        ),
        vanish=lambda aws, out: aws.ecs.delete_service(cluster=out.cluster, service=out.name, force=True),
        tag=ecs_tag,
    ),
    Case(
        "scaling.target/web",
        change=("max = 4", "max = 6"),
        drift=lambda aws, _: aws.autoscaling.register_scalable_target(**scalable(aws), MinCapacity=1, MaxCapacity=9),
        vanish=lambda aws, _: aws.autoscaling.deregister_scalable_target(**scalable(aws)),
    ),
    Case(
        "dns.record/shop.example.com", change=("[load_balancers.public]", "[load_balancers.front]"), vanish=drop_record
    ),
    Case(
        "jobs.task_definition/report",
        change=('["./report"]', '["./report", "--all"]'),
        vanish=lambda aws, out: aws.ecs.deregister_task_definition(taskDefinition=out.arn),
        tag=ecs_tag,
    ),
    Case(
        "jobs.group/shop",
        change=('team = "checkout"', 'team = "web"'),
        vanish=lambda aws, out: aws.scheduler.delete_schedule_group(Name=out.name),
        tag=lambda aws, out: aws.scheduler.tag_resource(ResourceArn=out.arn, Tags=[{"Key": "theirs", "Value": "x"}]),
    ),
    Case(
        "jobs.schedule/report",
        change=("cron(0 3 * * ? *)", "rate(2 hours)"),
        drift=lambda aws, _: aws.scheduler.update_schedule(**scheduled(aws), State="DISABLED"),
        vanish=lambda aws, _: aws.scheduler.delete_schedule(GroupName="shop", Name="report"),
    ),
    Case("scaling.policy/web-cpu", change=("cpu = 60", "cpu = 70"), drift=drift_policy, vanish=delete_policy),
    Case(
        "scaling.action/web/night",
        change=("max      = 2", "max      = 3"),
        drift=drift_action,
        vanish=lambda aws, _: aws.autoscaling.delete_scheduled_action(ScheduledActionName="night", **scalable(aws)),
    ),
    Case(
        "alarms.alarm/web/scaling/burst",
        change=("above  = 1.5", "above  = 2"),
        drift=drift_alarm,
        vanish=lambda aws, out: aws.cloudwatch.delete_alarms(AlarmNames=[out.name]),
        tag=lambda aws, out: aws.cloudwatch.tag_resource(ResourceARN=out.arn, Tags=[{"Key": "theirs", "Value": "x"}]),
    ),
    Case(
        "dashboard.dashboard/eu-central-1",
        change=('container_insights = "enabled"', 'container_insights = "disabled"'),
        drift=drift_dashboard,
        vanish=lambda aws, out: aws.cloudwatch.delete_dashboards(DashboardNames=[out.name]),
        tag=lambda aws, out: aws.cloudwatch.tag_resource(ResourceARN=out.arn, Tags=[{"Key": "theirs", "Value": "x"}]),
    ),
]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(LocalAws(), tmp_path, variables=VARIABLES)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world in which the file is deployed; change it only in a copy."""
    world = World(LocalAws(), tmp_path_factory.mktemp("deployed"), variables=VARIABLES)
    world.deploy(FILE)
    return world


@pytest.fixture(scope="session")
def outs(deployed: World) -> dict[str, Any]:
    """Return what each resource of the deployed file gives to others, by address."""
    found = deployed.plan(FILE).planned
    return {address: planned.live.out for address, planned in found.items() if planned.live is not None}


def with_(what: str) -> pytest.MarkDecorator:
    cases = [case for case in CASES if getattr(case, what) is not None]
    return pytest.mark.parametrize("case", cases, ids=[case.kind for case in cases])


def edited(edit: Edit | None) -> str:
    assert edit is not None
    assert edit[0] in FILE
    return FILE.replace(*edit)


def action_at(world: World, text: str, address: str) -> Action | None:
    changes = world.plan(text).plan.changes
    return next((change.action for change in changes if change.address == address), None)


def test_every_kind_has_a_case() -> None:
    assert {kind.kind for kind in KINDS} == {case.kind for case in CASES}


def test_everything_is_made_and_the_second_plan_is_empty(world: World) -> None:
    first = world.plan(FILE).plan
    assert {change.action for change in first.changes} == {Action.CREATE}
    assert {case.address for case in CASES} <= {change.address for change in first.changes}
    world.deploy(FILE)
    second = world.plan(FILE).plan
    assert not second.changes
    assert second.unchanged == len(first.changes)


def test_planning_makes_no_mutating_call(world: World) -> None:
    world.plan(FILE)
    world.deploy(FILE)
    world.local.calls.clear()
    world.plan(FILE)
    world.plan(FILE.replace("8080", "8081"))
    world.plan(FILE, absent=True)
    world.status(FILE)
    assert not list(world.writes())


def test_destroy_leaves_nothing_and_the_second_one_does_nothing(world: World) -> None:
    world.deploy(FILE)
    world.destroy(FILE)
    assert not world.plan(FILE, absent=True).plan.changes
    assert {change.action for change in world.plan(FILE).plan.changes} == {Action.CREATE}
    world.local.calls.clear()
    world.destroy(FILE)
    assert not list(world.writes())


@with_("change")
@in_a_copy
def test_a_mutable_change_updates_in_place_and_settles(deployed: World, case: Case) -> None:
    text = edited(case.change)
    assert action_at(deployed, text, case.address) == Action.UPDATE
    deployed.deploy(text)
    assert not deployed.plan(text).plan.changes


@with_("replacement")
@in_a_copy
def test_an_immutable_change_replaces_and_settles(deployed: World, case: Case) -> None:
    text = edited(case.replacement)
    assert action_at(deployed, text, case.address) == Action.REPLACE
    deployed.deploy(text)
    assert not deployed.plan(text).plan.changes


@with_("drift")
@in_a_copy
def test_drift_is_seen_and_healed(deployed: World, outs: dict[str, Any], case: Case) -> None:
    assert case.drift is not None
    case.drift(deployed.aws, outs[case.address])
    deployed.local.clock.sleep(A_MINUTE)
    assert action_at(deployed, FILE, case.address) == Action.UPDATE
    deployed.deploy(FILE)
    assert not deployed.plan(FILE).plan.changes


@with_("vanish")
@in_a_copy
def test_what_was_deleted_behind_our_back_is_made_again(deployed: World, outs: dict[str, Any], case: Case) -> None:
    assert case.vanish is not None
    case.vanish(deployed.aws, outs[case.address])
    deployed.local.clock.sleep(A_MINUTE)
    assert action_at(deployed, FILE, case.address) == Action.CREATE
    deployed.deploy(FILE)
    assert not deployed.plan(FILE).plan.changes


@in_a_copy
def test_foreign_tags_are_no_drift_and_survive(deployed: World, outs: dict[str, Any]) -> None:
    """On everything at once: each is read and written on its own."""
    tagged = [case for case in CASES if case.tag is not None]
    for case in tagged:
        assert case.tag is not None
        case.tag(deployed.aws, outs[case.address])
    assert not deployed.plan(FILE).plan.changes
    retagged = FILE.replace('team = "checkout"', 'team = "web"')
    deployed.deploy(retagged)
    planned = deployed.plan(retagged).planned
    survived = {"team": "web", "theirs": "x"}.items()
    lives = {case.address: planned[Address(case.address)].live for case in tagged}
    assert [at for at, live in lives.items() if live is None or not survived <= live.spec.tags.items()] == []
