"""A cluster, a namespace and a load balancer that exist and are used as they are: read, attached to, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.config.load import load
from fargatectl.engine.planner import plan
from fargatectl.errors import ConfigError, Refused
from fargatectl.model.change import Action
from fargatectl.reconcilers.alb.priority import choose
from fargatectl.sandbox.inprocess import LocalAws
from fargatectl.stack import build
from tests.forked import in_a_copy
from tests.inline import Inline
from tests.scenarios.account import contents
from tests.world import World

if TYPE_CHECKING:
    from pathlib import Path

OWN = """\
app     = "shop"
region  = "eu-central-1"
account = "123456789012"

[discovery]
namespace = "shop.internal"

[load_balancers.edge]

[services.web]
image = "docker.io/acme/web:1"
port  = 8080
http  = { host = "shop.example.com", health_check = "/up" }
discovery = { name = "web" }
"""
USED = OWN.replace('namespace = "shop.internal"', 'use = "corp.internal"').replace(
    "[load_balancers.edge]", '[load_balancers.edge]\nuse = "corp-edge"\n\n[cluster]\nuse = "corp"'
)
HOST = ("shop.example.com",)
WANTED = choose("web", HOST, (), ())
"""The priority of our rule where nobody else has it."""


@pytest.fixture(scope="session")
def corporate(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return an account in which others have a cluster, a namespace, and a load balancer with a rule of theirs."""
    world = World(LocalAws(), tmp_path_factory.mktemp("corporate"))
    world.blueprint(USED)
    ask = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/theirs"]}}
    answer: Any = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    world.aws.elb.create_rule(ListenerArn=listener(world), Priority=WANTED, Conditions=[ask], Actions=[answer])  # type: ignore[list-item]
    world.local.clock.sleep(120)
    return world


def balancer(world: World) -> Any:
    return world.aws.elb.describe_load_balancers(Names=["corp-edge"])["LoadBalancers"][0]


def listener(world: World) -> str:
    arn = balancer(world)["LoadBalancerArn"]
    return world.aws.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"][0]["ListenerArn"]


def rules(world: World) -> dict[str, str]:
    """Return hosts or paths of the listener's rules by priority."""
    found: Any = world.aws.elb.describe_rules(ListenerArn=listener(world))["Rules"]
    return {one["Priority"]: one["Conditions"][0]["Values"][0] for one in found if not one["IsDefault"]}


def foreign(world: World) -> Any:
    """Return what others have, in all detail."""
    aws, arn = world.aws, balancer(world)["LoadBalancerArn"]
    return (
        balancer(world),
        aws.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"],
        aws.elb.describe_tags(ResourceArns=[arn, listener(world)])["TagDescriptions"],
        aws.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"],
        aws.ec2.describe_security_groups(GroupIds=balancer(world)["SecurityGroups"])["SecurityGroups"],
        [{**one, "statistics": None} for one in described_clusters(world)],
        [(one["Name"], one["Id"]) for one in aws.cloudmap.list_namespaces()["Namespaces"]],
    )


def described_clusters(world: World) -> list[Any]:
    found: Any = world.aws.ecs.describe_clusters(clusters=["corp"], include=["TAGS", "SETTINGS"])["clusters"]
    kept = ("clusterName", "status", "settings", "capacityProviders", "defaultCapacityProviderStrategy", "tags")
    return [{key: one[key] for key in kept} for one in found]


@in_a_copy
def test_what_exists_is_attached_to_and_left_as_it_was(corporate: World) -> None:
    theirs, begun = foreign(corporate), contents(corporate.aws)
    corporate.deploy(USED)
    assert not corporate.plan(USED).plan.changes
    assert foreign(corporate) == theirs
    (service,) = corporate.aws.ecs.describe_services(cluster="corp", services=["shop-web"])["services"]
    assert (service["runningCount"], service["launchType"]) == (1, "FARGATE")
    group: Any = corporate.aws.ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["shop-web-task"]}]
    )
    (way_in,) = group["SecurityGroups"][0]["IpPermissions"]
    assert [pair["GroupId"] for pair in way_in["UserIdGroupPairs"]] == balancer(corporate)["SecurityGroups"]
    status = corporate.status(USED)[0]
    assert (status.url, status.discovery) == ("http://shop.example.com", "web.corp.internal:8080")
    assert status.targets is not None
    assert status.targets.healthy == 1
    corporate.destroy(USED)
    assert foreign(corporate) == theirs
    assert {**contents(corporate.aws), "inactive": None} == {**begun, "inactive": None}


@in_a_copy
def test_rules_stand_beside_those_of_others_and_stay_where_they_are(corporate: World) -> None:
    corporate.deploy(USED)
    (ours,) = set(rules(corporate)) - {str(WANTED)}
    assert rules(corporate) == {str(WANTED): "/theirs", ours: "shop.example.com"}
    found: Any = corporate.aws.elb.describe_rules(ListenerArn=listener(corporate))["Rules"]
    (their_rule,) = [one["RuleArn"] for one in found if one["Priority"] == str(WANTED)]
    corporate.aws.elb.delete_rule(RuleArn=their_rule)
    assert not corporate.plan(USED).plan.changes
    without = USED.replace('http  = { host = "shop.example.com", health_check = "/up" }', "")
    changes = corporate.plan(without).plan.changes
    gone = {change.address for change in changes if change.action == Action.DELETE}
    assert gone == {"alb.rule/web", "alb.target_group/web"}
    corporate.deploy(without)
    assert rules(corporate) == {}


@in_a_copy
def test_a_priority_that_others_have_is_refused_before_anything_is_written(corporate: World) -> None:
    corporate.local.calls.clear()
    with pytest.raises(Refused, match=f"priority {WANTED} for web is taken on the load balancer corp-edge"):
        corporate.deploy(USED.replace('health_check = "/up"', f'health_check = "/up", priority = {WANTED}'))
    assert not list(corporate.writes())


@in_a_copy
def test_from_own_to_existing_and_back(corporate: World) -> None:
    corporate.deploy(OWN)
    begun = contents(corporate.aws)
    corporate.deploy(USED)
    assert not corporate.plan(USED).plan.changes
    assert contents(corporate.aws)["load balancers"] == {"corp-edge"}
    corporate.deploy(OWN)
    assert not corporate.plan(OWN).plan.changes
    ended = contents(corporate.aws)
    assert {**ended, "task definitions": None, "inactive": None} == {
        **begun,
        "task definitions": None,
        "inactive": None,
    }


@in_a_copy
def test_what_is_missing_is_told_with_what_there_is(corporate: World) -> None:
    wrong = USED.replace('"corp"', '"crop"').replace('"corp-edge"', '"corpedge"').replace("corp.int", "corp.ext")
    path = corporate.directory / "wrong.toml"
    path.write_text(wrong)
    config = load(path, environment=None, variables={}, git_sha=lambda: None).config
    with pytest.raises(ConfigError) as caught:
        plan(build(config, None, corporate.local.region).stack, corporate.aws, Inline())
    told = {problem.path: (problem.message, problem.hint) for problem in caught.value.problems}
    assert told == {
        "cluster.use": ("there is no cluster crop", "did you mean corp?"),
        "discovery.use": ("there is no namespace corp.external", "did you mean corp.internal?"),
        "load_balancers.edge.use": ("there is no load balancer corpedge", "did you mean corp-edge?"),
    }


@in_a_copy
def test_what_is_ours_is_not_used_but_described(corporate: World) -> None:
    corporate.deploy(OWN)
    for ours, key in (("shop", "cluster.use"), ("shop.internal", "discovery.use")):
        table = key.partition(".")[0]
        wrong = OWN.replace(f'[{table}]\nnamespace = "{ours}"', "") + f'[{table}]\nuse = "{ours}"\n'
        with pytest.raises(Refused, match=f"{ours} belongs to this app: `{key}`"):
            corporate.plan(wrong)


def test_a_cluster_without_the_provider_is_refused(tmp_path: Path) -> None:
    world = World(LocalAws(), tmp_path)
    world.aws.ecs.create_cluster(clusterName="bare")
    text = """\
app = "shop"
region = "eu-central-1"
[cluster]
use = "bare"
[services.web]
image = "docker.io/acme/web:1"
capacity = [{ provider = "FARGATE_SPOT" }]
"""
    with pytest.raises(Refused, match="the cluster bare has no capacity provider FARGATE_SPOT"):
        world.plan(text)
