from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.errors import NotFoundError
from fargatectl.reconcilers.network import Network, VpcQuery, Vpcs

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.sandbox.inprocess import LocalAws


def look(aws: Aws, **query: Any) -> Network:
    (answer,) = Vpcs().read(aws, [VpcQuery(**query)])
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture
def main(local: LocalAws, aws: Aws) -> str:
    """A VPC named "main" with two public and two private subnets behind NAT."""
    local.provision({"vpc": {"tag": {"Name": "main"}}})
    (vpc,) = aws.ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["main"]}])["Vpcs"]
    local.calls.clear()
    return vpc["VpcId"]


def route_tables(aws: Aws, vpc_id: str) -> list[Any]:
    return list(aws.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["RouteTables"])


def without_nat(aws: Aws, vpc_id: str) -> list[str]:
    """Take away the NAT routes; return the route tables that had one."""
    tables = [
        table["RouteTableId"]
        for table in route_tables(aws, vpc_id)
        if any("NatGatewayId" in route for route in table["Routes"])
    ]
    for table in tables:
        aws.ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    return tables


def test_the_default_vpc_has_a_public_subnet_in_each_zone(aws: Aws) -> None:
    network = look(aws)

    assert len({subnet.zone for subnet in network.subnets}) == len(network.subnets) >= 2
    assert network.cidrs == ("172.31.0.0/16",)


def test_subnets_are_known_by_their_routes_in_one_round_trip(aws: Aws, main: str, local: LocalAws) -> None:
    network = look(aws, vpc={"Name": "main"})

    assert network.vpc_id == main
    assert [len(network.public), len(network.private)] == [2, 2]
    assert all(subnet.nat for subnet in network.private)
    assert not any(subnet.nat for subnet in network.public)
    assert [call.operation for call in local.calls] == ["DescribeVpcs", "DescribeSubnets", "DescribeRouteTables"]


def test_a_vpc_may_be_named_by_id(aws: Aws, main: str) -> None:
    assert look(aws, vpc=main) == look(aws, vpc={"Name": "main"})


def test_endpoints_count_where_there_is_no_nat(aws: Aws, main: str) -> None:
    (table, *_) = without_nat(aws, main)
    for service, private in (("ecr.api", True), ("ecr.dkr", True), ("logs", False)):
        aws.ec2.create_vpc_endpoint(
            VpcId=main,
            ServiceName=f"com.amazonaws.eu-central-1.{service}",
            VpcEndpointType="Interface",
            PrivateDnsEnabled=private,
        )
    aws.ec2.create_vpc_endpoint(
        VpcId=main, ServiceName="com.amazonaws.eu-central-1.s3", VpcEndpointType="Gateway", RouteTableIds=[table]
    )

    network = look(aws, vpc=main)

    assert network.endpoints == {"ecr.api", "ecr.dkr"}  # not logs, which answers under another name
    assert {subnet.endpoints for subnet in network.private} == {frozenset({"s3"})}
    assert not any(subnet.nat for subnet in network.private)


def test_the_file_may_say_which_subnets_are_which(aws: Aws, main: str) -> None:
    found = look(aws, vpc=main)
    first, second = (subnet.id for subnet in found.private)
    aws.ec2.create_tags(Resources=[second], Tags=[{"Key": "Tier", "Value": "apps"}])

    network = look(aws, vpc=main, public_subnets=(first,), private_subnets={"Tier": "apps"})

    assert [subnet.id for subnet in network.public] == [first]
    assert [subnet.id for subnet in network.private] == [second]


def test_a_vpc_that_does_not_exist_is_said_with_what_there_is(aws: Aws, main: str) -> None:
    with pytest.raises(NotFoundError, match="there is no VPC vpc-00000000 in eu-central-1") as by_id:
        look(aws, vpc="vpc-00000000")
    with pytest.raises(NotFoundError, match="there is no VPC with the tags Name=other in eu-central-1"):
        look(aws, vpc={"Name": "other"})

    assert by_id.value.path == "network.vpc"
    assert f"{main} (main, 10.0.0.0/16)" in by_id.value.hint


def test_tags_that_several_vpcs_carry_are_refused(aws: Aws, main: str) -> None:
    other = aws.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    aws.ec2.create_tags(Resources=[other], Tags=[{"Key": "Name", "Value": "main"}])

    with pytest.raises(NotFoundError, match="2 VPCs in eu-central-1 have the tags Name=main") as error:
        look(aws, vpc={"Name": "main"})

    assert main in error.value.hint
    assert other in error.value.hint


def test_subnets_that_do_not_exist_are_said(aws: Aws, main: str) -> None:
    with pytest.raises(NotFoundError, match=f"there is no subnet subnet-00000000 in {main}") as by_id:
        look(aws, vpc=main, private_subnets=("subnet-00000000",))
    with pytest.raises(NotFoundError, match="there is no subnet with the tags Tier=apps"):
        look(aws, vpc=main, public_subnets={"Tier": "apps"})

    assert by_id.value.path == "network.private_subnets"


def test_a_default_route_to_nowhere_is_no_way_out(aws: Aws, main: str) -> None:
    for gateway in aws.ec2.describe_nat_gateways()["NatGateways"]:
        aws.ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
    without_nat(aws, main)

    assert not any(subnet.nat or subnet.public for subnet in look(aws, vpc=main).private)


def test_an_account_without_a_default_vpc_is_told_how_to_make_one(local: LocalAws, aws: Aws) -> None:
    local.provision({"vpc": {"tag": {"Name": "main"}}})
    (default,) = (vpc for vpc in aws.ec2.describe_vpcs()["Vpcs"] if vpc["IsDefault"])
    for subnet in aws.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [default["VpcId"]]}])["Subnets"]:
        aws.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    aws.ec2.delete_vpc(VpcId=default["VpcId"])
    with pytest.raises(NotFoundError, match="there is no default VPC in eu-central-1") as missing:
        look(aws)
    assert "name another one" in missing.value.hint
    assert "create-default-vpc" in missing.value.hint
