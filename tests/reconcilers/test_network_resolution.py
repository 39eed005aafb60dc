from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.inprocess import LocalAws
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call

FILE = """
app    = "shop"
region = "eu-central-1"

[discovery]
namespace = "shop.internal"

[services.web]
image     = "docker.io/acme/web:1"
port      = 8080
discovery = {}
"""
ASK = "DescribeVpcAttribute"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(LocalAws(), tmp_path)


def notes(world: World, file: str = FILE) -> list[str]:
    return [note for note in world.plan(file).plan.notes if "resolve" in note]


def set_dns(world: World, **settings: bool) -> str:
    vpc: str = world.aws.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for setting, value in settings.items():
        change: dict[str, Any] = {setting: {"Value": value}}
        world.aws.ec2.modify_vpc_attribute(VpcId=vpc, **change)
    return vpc


def test_a_plan_says_where_names_would_not_resolve_and_how_to_mend_it(world: World) -> None:
    assert notes(world) == []
    vpc = set_dns(world, EnableDnsHostnames=False)
    turn_on = f"aws ec2 modify-vpc-attribute --vpc-id {vpc}"
    (note,) = notes(world)
    assert note == (
        f"names in shop.internal do not resolve in {vpc}, where enableDnsHostnames is false: "
        f"{turn_on} --enable-dns-hostnames"
    )
    set_dns(world, EnableDnsSupport=False)
    (note,) = notes(world)
    assert "where enableDnsSupport is false and enableDnsHostnames is false:" in note
    assert f"{turn_on} --enable-dns-support; {turn_on} --enable-dns-hostnames" in note


def test_names_that_are_not_dns_need_none_of_it(world: World) -> None:
    set_dns(world, EnableDnsHostnames=False)
    world.local.calls.clear()
    http = FILE.replace('"shop.internal"', '"shop"\ntype = "http"')
    assert notes(world, http) == notes(world, FILE.partition("[discovery]")[0]) == []
    assert ASK not in {call.operation for call in world.local.calls}


def test_who_may_not_ask_is_not_kept(world: World) -> None:
    def deny(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == ASK:
            raise AwsError("UnauthorizedOperation", "You are not authorized to perform this operation.", status=403)
        return apply()

    set_dns(world, EnableDnsHostnames=False)
    world.local.intercept(deny)
    assert notes(world) == []
