"""Records of the services' hosts, through a whole app: made, moved, refused, adopted, swept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.errors import ConfigError, Refused
from fargatectl.model.change import Action
from fargatectl.model.values import Address
from fargatectl.sandbox.inprocess import LocalAws
from tests.forked import in_a_copy
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call

FILE = """
app = "shop"
region = "eu-central-1"
[dns]
zone = "example.com"
[load_balancers.public]
[services.web]
image = "public.ecr.aws/nginx/nginx:stable"
port = 80
http = { host = ["shop.example.com", "*.shop.example.com"] }
"""
RECORD = Address("dns.record/shop.example.com")
THEIRS: Any = {"Name": "shop.example.com.", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "203.0.113.7"}]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """An app with two records, deployed; change it in a copy."""
    world = World(LocalAws(), tmp_path_factory.mktemp("dns"))
    world.deploy(FILE)
    return world


def zone_id(world: World) -> str:
    return world.aws.route53.list_hosted_zones_by_name(DNSName="example.com")["HostedZones"][0]["Id"]


def records(world: World) -> dict[str, str]:
    """Return the address records of the zone: name to what they lead to."""
    rows: Any = world.aws.route53.list_resource_record_sets(HostedZoneId=zone_id(world))["ResourceRecordSets"]
    return {
        row["Name"].replace("\\052", "*"): row["AliasTarget"]["DNSName"].rstrip(".").lower()
        if "AliasTarget" in row
        else row["ResourceRecords"][0]["Value"]
        for row in rows
        if row["Type"] in {"A", "AAAA"}
    }


def balancer(world: World) -> str:
    (found,) = world.aws.elb.describe_load_balancers()["LoadBalancers"]
    return found["DNSName"].lower()


def put(world: World, action: Any, row: Any) -> None:
    changes: Any = [{"Action": action, "ResourceRecordSet": row}]
    world.aws.route53.change_resource_record_sets(HostedZoneId=zone_id(world), ChangeBatch={"Changes": changes})


@in_a_copy
def test_each_host_leads_to_its_load_balancer(world: World) -> None:
    assert records(world) == dict.fromkeys(["*.shop.example.com.", "shop.example.com."], balancer(world))
    assert not world.plan(FILE).plan


@in_a_copy
def test_the_record_of_a_host_that_left_the_file_goes(world: World) -> None:
    text = FILE.replace(', "*.shop.example.com"', "")
    changes = {change.address: change.action for change in world.plan(text).plan.changes}
    assert changes[Address("dns.record/*.shop.example.com")] == Action.DELETE
    world.deploy(text)
    assert set(records(world)) == {"shop.example.com."}
    text = text.replace('[dns]\nzone = "example.com"\n', "")
    assert [(change.address, change.action) for change in world.plan(text).plan.changes] == [(RECORD, Action.DELETE)]
    world.deploy(text)
    assert records(world) == {}
    world.deploy(FILE)
    assert len(records(world)) == 2
    world.destroy(FILE)
    assert records(world) == {}


@in_a_copy
def test_a_record_of_somebody_else_is_refused_until_it_is_adopted(world: World) -> None:
    world.destroy(FILE)
    put(world, "CREATE", THEIRS)
    with pytest.raises(Refused, match=r"203\.0\.113\.7"):
        world.plan(FILE)
    assert records(world) == {"shop.example.com.": "203.0.113.7"}
    world.destroy(FILE)
    assert records(world) == {"shop.example.com.": "203.0.113.7"}
    healthy_before: list[bool] = []

    def look(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "ChangeResourceRecordSets" and len(call.params["ChangeBatch"]["Changes"]) > 1:
            world.local.intercept(None)
            services = world.aws.ecs.describe_services(cluster="shop", services=["shop-web"])["services"]
            healthy_before.append(services[0]["runningCount"] == 1)
        return apply()

    world.local.intercept(look)
    world.deploy(FILE, adopt={RECORD})
    assert healthy_before == [True]
    assert records(world)["shop.example.com."] == balancer(world)
    assert not world.plan(FILE).plan


@in_a_copy
def test_a_record_moves_to_another_load_balancer_when_that_serves(world: World) -> None:
    text = FILE.replace("[load_balancers.public]", "[load_balancers.front]")
    world.deploy(text)
    assert set(records(world).values()) == {balancer(world)}
    assert not world.plan(text).plan
    changes = [call.operation for call in world.local.calls if call.mutating]
    assert changes.index("ChangeResourceRecordSets") < len(changes) - 1 - changes[::-1].index("DeleteLoadBalancer")


@in_a_copy
def test_a_load_balancer_that_was_deleted_by_hand_leaves_records_that_are_still_ours(world: World) -> None:
    (found,) = world.aws.elb.describe_load_balancers()["LoadBalancers"]
    world.aws.elb.delete_load_balancer(LoadBalancerArn=found["LoadBalancerArn"])
    world.local.clock.sleep(60)
    world.deploy(FILE)
    assert set(records(world).values()) == {balancer(world)}
    assert not world.plan(FILE).plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FILE.replace('zone = "example.com"', 'zone = "example.org"'), "is not in the zone example.org"),
        (
            FILE + '[load_balancers.x]\n[services.y]\nimage = "y"\nport = 1\n[services.y.http]\nload_balancer = "x"\n'
            'host = "shop.example.com"\n',
            "leads to the load balancer",
        ),
    ],
    ids=["zone", "two load balancers"],
)
@in_a_copy
def test_hosts_that_can_have_no_record_are_problems_of_the_file(world: World, text: str, said: str) -> None:
    text = text.replace("http = { host", 'http = { load_balancer = "public", host')
    with pytest.raises(ConfigError) as raised:
        world.plan(text)
    assert said in " ".join(problem.message for problem in raised.value.problems)
