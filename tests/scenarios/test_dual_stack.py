"""Load balancers with IPv6 addresses beside their others: subnets, ways in, records."""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.config.load import load
from fargatectl.engine.planner import plan
from fargatectl.errors import NotFoundError
from fargatectl.model.change import Action
from fargatectl.sandbox.inprocess import LocalAws
from fargatectl.stack import build
from tests.inline import Inline
from tests.world import World

if TYPE_CHECKING:
    from pathlib import Path

IPV4 = """\
app    = "shop"
region = "eu-central-1"

[dns]
zone = "example.com"

[load_balancers.public]

[services.web]
image = "docker.io/acme/web:1"
port  = 8080
http  = { host = "shop.example.com" }
"""
DUAL = IPV4.replace("[load_balancers.public]", '[load_balancers.public]\nip_address_type = "dualstack"')


def addresses(world: World) -> str:
    return str(world.aws.elb.describe_load_balancers()["LoadBalancers"][0]["IpAddressType"])


def records(world: World) -> set[str]:
    (zone,) = world.aws.route53.list_hosted_zones()["HostedZones"]
    found = world.aws.route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return {one["Type"] for one in found if one["Name"] == "shop.example.com."}


def callers(world: World) -> set[str]:
    named: Any = [{"Name": "group-name", "Values": ["shop-public-alb"]}]
    (permission,) = world.aws.ec2.describe_security_groups(Filters=named)["SecurityGroups"][0]["IpPermissions"]
    return {one["CidrIp"] for one in permission["IpRanges"]} | {one["CidrIpv6"] for one in permission["Ipv6Ranges"]}


def test_ipv6_comes_and_goes_in_place(tmp_path: Path) -> None:
    world = World(LocalAws(), tmp_path)
    world.deploy(IPV4)
    assert (addresses(world), records(world), callers(world)) == ("ipv4", {"A"}, {"0.0.0.0/0"})
    changes = {change.address: change.action for change in world.plan(DUAL).plan.changes}
    assert changes == {
        "alb.load_balancer/public": Action.UPDATE,
        "network.ingress/public-alb": Action.UPDATE,
        "dns.record/shop.example.com": Action.UPDATE,
    }
    world.deploy(DUAL)
    assert (addresses(world), records(world)) == ("dualstack", {"A", "AAAA"})
    assert callers(world) == {"0.0.0.0/0", "::/0"}
    assert not world.plan(DUAL).plan.changes
    internal = DUAL.replace("ip_address", 'scheme = "internal"\nip_address')
    world.deploy(internal)
    (block,) = world.aws.ec2.describe_vpcs()["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    vpc = str(IPv6Network(block["Ipv6CidrBlock"]))  # this AWS may write its zeros out; the rule has the short form
    assert callers(world) == {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", vpc}
    world.deploy(IPV4)
    assert (addresses(world), records(world), callers(world)) == ("ipv4", {"A"}, {"0.0.0.0/0"})


def test_without_ipv6_in_the_subnets_nothing_is_written(tmp_path: Path) -> None:
    world = World(LocalAws(), tmp_path)
    world.deploy(IPV4)
    world.local.calls.clear()
    path = tmp_path / "dual.toml"
    path.write_text(DUAL)
    config = load(path, environment=None, variables={}, git_sha=lambda: None).config
    with pytest.raises(NotFoundError, match=r"dualstack.* needs public subnets with IPv6 CIDRs"):
        plan(build(config, None, world.local.region).stack, world.aws, Inline())
    assert not list(world.writes())
