"""Destroying an app that others have come to use: what is theirs stays, what is ours goes, and nobody waits in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.errors import Refused
from fargatectl.model.ownership import APP
from fargatectl.sandbox.inprocess import LocalAws
from tests.forked import in_a_copy
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.engine.executor import Outcome
    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call

FILE = """
app = "shop"
region = "eu-central-1"

[discovery]
namespace = "shop.internal"

[registries.gitlab]
match    = "registry.gitlab.com/acme/*"
username = { env = "GITLAB_USER" }
password = { env = "GITLAB_TOKEN" }

[services.web]
image = "registry.gitlab.com/acme/web:1"
port = 80
http = { health_check = "/" }
discovery = {}

[jobs.report]
from     = "web"
command  = ["./report"]
schedule = "cron(0 3 * * ? *)"
"""
SOON = 120  # seconds: no wait for what never comes


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The file, deployed. Tests work on copies of it."""
    variables = {"GITLAB_USER": "acme", "GITLAB_TOKEN": "not-so-secret"}
    world = World(LocalAws(), tmp_path_factory.mktemp("destroy"), variables=variables)
    world.deploy(FILE)
    return world


def ask(world: World, client: str, operation: str, **params: Any) -> Any:
    """Do something past the tool, as a person or another tool does."""
    region = world.local.cloud.region(world.local.account, world.local.region)
    with world.local.cloud.moto.active():
        return region.ask(client, operation, **params)


def destroyed(world: World, *, within: float = SOON) -> Outcome:
    began = world.local.clock.monotonic()
    outcome = world.try_to_deploy(FILE, absent=True)
    assert world.local.clock.monotonic() - began < within
    return outcome


def told(outcome: Outcome, address: str) -> str:
    return next(error.message for failed, error in outcome.failed.items() if failed == address)


def group(world: World, name: str) -> str:
    groups = ask(world, "ec2", "DescribeSecurityGroups")["SecurityGroups"]
    return str(next(one["GroupId"] for one in groups if one["GroupName"] == name))


@in_a_copy
def test_a_listener_of_others_keeps_the_load_balancer(world: World) -> None:
    balancer = ask(world, "elbv2", "DescribeLoadBalancers")["LoadBalancers"][0]["LoadBalancerArn"]
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    ask(world, "elbv2", "CreateListener", LoadBalancerArn=balancer, Protocol="HTTP", Port=9000, DefaultActions=fixed)
    outcome = destroyed(world)
    assert "listener on port 9000 belongs to somebody else" in told(outcome, "alb.load_balancer/public")
    assert set(outcome.skipped) == {"network.security_group/public-alb", "network.ingress/public-alb"}
    (left,) = ask(world, "elbv2", "DescribeListeners", LoadBalancerArn=balancer)["Listeners"]
    assert left["Port"] == 9000
    ask(world, "elbv2", "DeleteListener", ListenerArn=left["ListenerArn"])
    assert destroyed(world).complete


@in_a_copy
def test_a_rule_of_another_app_keeps_the_listener_and_the_way_in(world: World) -> None:
    balancer = ask(world, "elbv2", "DescribeLoadBalancers")["LoadBalancers"][0]["LoadBalancerArn"]
    listener = ask(world, "elbv2", "DescribeListeners", LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    ask(
        world,
        "elbv2",
        "CreateRule",
        ListenerArn=listener,
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/x"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
        Tags=[{"Key": APP, "Value": "rival"}],
    )
    outcome = destroyed(world)
    assert "rule 7 belongs to the app rival" in told(outcome, "alb.listener/public:80")
    ways_in = ask(world, "ec2", "DescribeSecurityGroups", GroupIds=[group(world, "shop-public-alb")])
    assert ways_in["SecurityGroups"][0]["IpPermissions"]
    again = destroyed(world)
    assert set(again.failed) == {"alb.listener/public:80"}
    assert len(ask(world, "elbv2", "DescribeRules", ListenerArn=listener)["Rules"]) == 2


RIVAL = """
app = "rival"
region = "eu-central-1"

[cluster]
use = "shop"

[discovery]
use = "shop.internal"

[load_balancers.public]
use = "{balancer}"

[services.api]
image = "acme/api:1"
port = 80
http = {{ health_check = "/", path = "/api/*" }}
discovery = {{}}
"""


@in_a_copy
def test_of_an_app_that_another_one_uses_just_that_stays(world: World) -> None:
    (balancer,) = ask(world, "elbv2", "DescribeLoadBalancers")["LoadBalancers"]
    text = RIVAL.format(balancer=balancer["LoadBalancerName"])
    rival = World(world.local, world.directory)
    rival.deploy(text)
    outcome = destroyed(world)
    assert set(outcome.failed) == {"alb.listener/public:80", "cluster.cluster/shop", "cloudmap.namespace/shop.internal"}
    assert not rival.plan(text).plan
    assert [one.state for one in rival.status(text)] == ["steady"]
    rival.destroy(text)
    assert destroyed(world).complete
    assert not world.plan(FILE, absent=True).plan


@in_a_copy
def test_services_of_others_keep_cluster_and_namespace(world: World) -> None:
    definition = next(iter(ask(world, "ecs", "ListTaskDefinitions", familyPrefix="shop-web")["taskDefinitionArns"]))
    theirs = {"cluster": "shop", "serviceName": "theirs", "desiredCount": 0, "launchType": "FARGATE"}
    subnet = ask(world, "ec2", "DescribeSubnets")["Subnets"][0]["SubnetId"]
    network = {"awsvpcConfiguration": {"subnets": [subnet]}}
    ask(world, "ecs", "CreateService", taskDefinition=definition, networkConfiguration=network, **theirs)
    namespace = ask(world, "servicediscovery", "ListNamespaces")["Namespaces"][0]["Id"]
    records = {"DnsRecords": [{"Type": "A", "TTL": 10}]}
    ask(world, "servicediscovery", "CreateService", Name="theirs", NamespaceId=namespace, DnsConfig=records)
    outcome = destroyed(world)
    assert "in it runs theirs, which belongs to somebody else" in told(outcome, "cluster.cluster/shop")
    assert "in it is theirs, which belongs to somebody else" in told(outcome, "cloudmap.namespace/shop.internal")
    assert len(outcome.failed) == 2
    assert (
        ask(world, "ecs", "DescribeServices", cluster="shop", services=["theirs"])["services"][0]["status"] == "ACTIVE"
    )


@in_a_copy
def test_a_group_that_others_name_is_not_waited_for_and_shown_without_rules_afterwards(world: World) -> None:
    mine = group(world, "shop-web-task")
    vpc = ask(world, "ec2", "DescribeVpcs")["Vpcs"][0]["VpcId"]
    theirs = ask(world, "ec2", "CreateSecurityGroup", GroupName="db", Description="theirs", VpcId=vpc)["GroupId"]
    pairs = [{"GroupId": mine}]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": pairs}
    ask(world, "ec2", "AuthorizeSecurityGroupIngress", GroupId=theirs, IpPermissions=[rule])
    outcome = destroyed(world)
    assert f"is still used by a rule of {theirs}" in told(outcome, "network.security_group/web-task")
    left = world.plan(FILE, absent=True).plan.changes
    assert [change.address for change in left] == ["network.security_group/web-task"]
    ask(world, "ec2", "RevokeSecurityGroupIngress", GroupId=theirs, IpPermissions=[rule])
    assert destroyed(world).complete


@in_a_copy
def test_what_still_runs_of_a_job_is_stopped(world: World) -> None:
    """Somebody has started it a moment ago."""
    service = ask(world, "ecs", "DescribeServices", cluster="shop", services=["shop-web"])["services"][0]
    run = {"cluster": "shop", "taskDefinition": "shop-report", "launchType": "FARGATE"}

    def start(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "ListTasks" and call.params["family"] == "shop-report":
            ask(world, "ecs", "RunTask", networkConfiguration=service["networkConfiguration"], **run)
        return apply()

    world.local.intercept(start)
    assert destroyed(world).complete
    calls = [call.operation for call in world.local.calls if call.mutating]
    assert calls[calls.index("StopTask") + 1 :].count("DeleteCluster") >= 1


@in_a_copy
def test_what_went_half_way_before_is_taken_up(world: World) -> None:
    """A service that drains, a secret that is going, an instance that somebody registered by hand."""
    discovery = ask(world, "servicediscovery", "ListServices")["Services"][0]["Id"]
    address = {"AWS_INSTANCE_IPV4": "10.0.0.9"}
    ask(
        world,
        "servicediscovery",
        "RegisterInstance",
        ServiceId=discovery,
        InstanceId="stray",
        Attributes=address,
        CreatorRequestId="theirs",
    )
    secret = ask(world, "secretsmanager", "ListSecrets")["SecretList"][0]["ARN"]
    ask(world, "secretsmanager", "DeleteSecret", SecretId=secret, RecoveryWindowInDays=30)
    ask(world, "ecs", "DeleteService", cluster="shop", service="shop-web", force=True)
    assert destroyed(world).complete
    assert not world.plan(FILE, absent=True).plan
    assert not ask(world, "ecs", "DescribeClusters", clusters=["shop"])["clusters"][0]["activeServicesCount"]


@in_a_copy
def test_a_strangers_secret_that_is_going_is_refused_until_it_is_adopted(world: World) -> None:
    secret = ask(world, "secretsmanager", "ListSecrets")["SecretList"][0]["ARN"]
    ask(world, "secretsmanager", "UntagResource", SecretId=secret, TagKeys=[APP])
    ask(world, "secretsmanager", "DeleteSecret", SecretId=secret, RecoveryWindowInDays=30)
    world.local.calls.clear()
    with pytest.raises(Refused, match="scheduled for deletion: until then its name is taken"):
        world.deploy(FILE)
    assert list(world.writes()) == []
    world.deploy(FILE, adopt={"registry.secret/gitlab"})
    assert not world.plan(FILE).plan
    assert world.plan(FILE, absent=True).plan.changes[3].address == "registry.secret/gitlab"
