from __future__ import annotations

import pytest

from fargatectl.errors import NotFoundError
from fargatectl.reconcilers.network import Network, Reach, Subnet, load_balancer_subnets, place_tasks

ECR = Reach(internet=False, endpoints=frozenset({"ecr.api", "ecr.dkr", "s3", "logs"}))
INTERNET = Reach(internet=True, endpoints=frozenset({"logs"}))


def subnet(name: str, zone: str, *, public: bool = False, nat: bool = False, cidr: str = "10.0.0.0/24") -> Subnet:
    return Subnet(id=f"subnet-{name}", zone=zone, cidr=cidr, public=public, nat=nat)


def vpc(*subnets: Subnet, endpoints: frozenset[str] = frozenset()) -> Network:
    return Network(vpc_id="vpc-1", region="eu-central-1", subnets=subnets, endpoints=endpoints)


PUBLIC = (subnet("p1", "a", public=True), subnet("p2", "b", public=True))
NAT = (subnet("n1", "a", nat=True), subnet("n2", "b", nat=True))
ISOLATED = (subnet("i1", "a"), subnet("i2", "b"))


def test_a_load_balancer_stands_in_one_subnet_per_zone_and_always_in_the_same_one() -> None:
    more = (subnet("p9", "a", public=True), *PUBLIC, subnet("p0", "c", public=True), *NAT)

    assert load_balancer_subnets(vpc(*more), "internet-facing") == ("subnet-p0", "subnet-p1", "subnet-p2")
    assert load_balancer_subnets(vpc(*reversed(more)), "internet-facing") == ("subnet-p0", "subnet-p1", "subnet-p2")


def test_subnets_too_small_for_a_load_balancer_are_passed_over() -> None:
    small = subnet("a0", "a", public=True, cidr="10.0.9.0/28")

    assert load_balancer_subnets(vpc(small, *PUBLIC), "internet-facing") == ("subnet-p1", "subnet-p2")


def test_an_internal_load_balancer_prefers_private_subnets_and_takes_public_ones_where_it_must() -> None:
    assert load_balancer_subnets(vpc(*PUBLIC, *NAT), "internal") == ("subnet-n1", "subnet-n2")
    assert load_balancer_subnets(vpc(*PUBLIC), "internal") == ("subnet-p1", "subnet-p2")
    assert load_balancer_subnets(vpc(*PUBLIC, NAT[0]), "internal") == ("subnet-n1", "subnet-p2")


def test_a_load_balancer_needs_two_zones_and_all_zones_of_its_tasks() -> None:
    with pytest.raises(NotFoundError, match="at least two Availability Zones") as one_zone:
        load_balancer_subnets(vpc(PUBLIC[0], *NAT), "internet-facing")
    with pytest.raises(NotFoundError, match="tasks run in c, where vpc-1 has no public subnet"):
        load_balancer_subnets(vpc(*PUBLIC), "internet-facing", zones=["a", "c"])

    assert one_zone.value.path == "network.public_subnets"
    assert "subnet-p1 (a, public)" in one_zone.value.message


def test_tasks_go_into_private_subnets_that_have_nat() -> None:
    placed = place_tasks(vpc(*PUBLIC, *NAT, *ISOLATED), None, INTERNET)

    assert placed.subnets == ("subnet-n1", "subnet-n2")
    assert not placed.public_ip
    assert "through NAT" in placed.reason


def test_tasks_go_into_isolated_subnets_when_all_they_need_has_an_endpoint() -> None:
    isolated = tuple(Subnet(id=s.id, zone=s.zone, cidr=s.cidr, endpoints=frozenset({"s3"})) for s in ISOLATED)
    network = vpc(*PUBLIC, *isolated, endpoints=frozenset({"ecr.api", "ecr.dkr", "logs"}))

    assert place_tasks(network, None, ECR).subnets == ("subnet-i1", "subnet-i2")
    assert place_tasks(network, None, INTERNET).subnets == ("subnet-p1", "subnet-p2")


def test_without_a_way_out_of_private_subnets_tasks_get_a_public_ip_and_the_plan_says_why() -> None:
    placed = place_tasks(vpc(*PUBLIC, *ISOLATED), None, ECR)

    assert placed.subnets == ("subnet-p1", "subnet-p2")
    assert placed.public_ip
    assert placed.reason == (
        "tasks run in public subnets with a public IP: no private subnet of vpc-1 has a NAT gateway "
        "or the endpoints ecr.api, ecr.dkr, logs, s3"
    )


def test_tasks_that_could_reach_nothing_are_an_error() -> None:
    with pytest.raises(NotFoundError, match="no subnet in vpc-1 from which tasks reach what they need"):
        place_tasks(vpc(*ISOLATED), None, INTERNET)
    with pytest.raises(NotFoundError, match="without a public IP") as forced:
        place_tasks(vpc(*PUBLIC), None, INTERNET, public_ip=False, path="services.web")

    assert forced.value.path == "services.web.public_ip"


def test_the_file_decides_where_it_says_something() -> None:
    network = vpc(*PUBLIC, *NAT, *ISOLATED)

    assert place_tasks(network, "public", INTERNET).public_ip
    assert place_tasks(network, "private", INTERNET).subnets == ("subnet-n1", "subnet-n2")
    assert place_tasks(network, "private", INTERNET, public_ip=True).public_ip
    assert place_tasks(network, ["subnet-i2", "subnet-i1"], INTERNET).subnets == ("subnet-i1", "subnet-i2")
    assert place_tasks(network, ["subnet-p1"], INTERNET).public_ip
    assert place_tasks(network, "public", INTERNET).reason == ""


def test_subnets_that_the_file_names_must_be_in_the_vpc() -> None:
    with pytest.raises(NotFoundError, match="subnet-x: no such subnet in vpc-1") as missing:
        place_tasks(vpc(*PUBLIC), ["subnet-p1", "subnet-x"], INTERNET, path="services.web")
    with pytest.raises(NotFoundError, match="vpc-1 has no private subnet"):
        place_tasks(vpc(*PUBLIC), "private", INTERNET)

    assert missing.value.path == "services.web.subnets"
    assert "subnet-p2 (b, public)" in missing.value.hint


def test_a_task_names_at_most_sixteen_subnets_spread_over_the_zones() -> None:
    many = [subnet(f"{zone}{number:02}", zone, public=True) for zone in "abc" for number in range(10)]

    placed = place_tasks(vpc(*many), "public", INTERNET)

    assert len(placed.subnets) == 16
    assert [len([s for s in placed.subnets if s.startswith(f"subnet-{zone}")]) for zone in "abc"] == [6, 5, 5]
