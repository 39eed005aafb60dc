from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.inprocess import LocalAws

ACCOUNT = "123456789012"

REFERENCES: dict[str, Any] = {
    "vpc": {"tag": {"Name": "main"}},
    "subnets": [{"tag": {"Name": "public"}, "public": True}, {"tag": {"tier": "inner"}, "public": False}],
    "secrets": [
        {"name": "best/registry", "keys": ["username", "password"]},
        {"arn": f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:raw-AbCdEf", "keys": ["k"]},
    ],
    "parameters": ["/shop/web/flag"],
    "certificates": ["best.domain.com"],
    "zones": ["example.com"],
    "repositories": [{"name": "shop/web", "tags": ["1.0.0"]}],
    "topics": [f"arn:aws:sns:eu-central-1:{ACCOUNT}:ops"],
    "buckets": ["shop-logs"],
    "objects": ["arn:aws:s3:::shop-config/web.env"],
    "policies": [f"arn:aws:iam::{ACCOUNT}:policy/team/boundary"],
    "alarms": ["shop-5xx"],
    "file_systems": ["fs-0123456789abcdef0"],
    "clusters": ["legacy"],
}


def subnets(ec2: Any, vpc: str, **tags: str) -> list[dict[str, Any]]:
    filters = [{"Name": "vpc-id", "Values": [vpc]}, *({"Name": f"tag:{k}", "Values": [v]} for k, v in tags.items())]
    found: list[dict[str, Any]] = ec2.describe_subnets(Filters=filters)["Subnets"]
    return found


def default_route(ec2: Any, subnet: str) -> dict[str, Any]:
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (table,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    return next(route for route in table["Routes"] if route["DestinationCidrBlock"] == "0.0.0.0/0")


def test_everything_is_made_once(local: LocalAws) -> None:
    assert len(local.provision(REFERENCES)) == 17
    assert local.provision(REFERENCES) == []


def test_what_was_made_can_be_read_back(local: LocalAws, client: Callable[..., Any]) -> None:
    local.provision(REFERENCES)
    secrets = client("secretsmanager")
    assert set(json.loads(secrets.get_secret_value(SecretId="best/registry")["SecretString"])) == {
        "username",
        "password",
    }
    arn = REFERENCES["secrets"][1]["arn"]
    assert json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"]) == {"k": "placeholder"}
    (certificate,) = client("acm").list_certificates()["CertificateSummaryList"]
    assert (
        client("acm").describe_certificate(CertificateArn=certificate["CertificateArn"])["Certificate"]["Status"]
        == "ISSUED"
    )
    assert client("iam").get_policy(PolicyArn=REFERENCES["policies"][0])["Policy"]["PolicyName"] == "boundary"
    assert client("sns").list_topics()["Topics"][0]["TopicArn"] == REFERENCES["topics"][0]
    images = client("ecr").describe_images(repositoryName="shop/web")["imageDetails"]
    assert images[0]["imageTags"] == ["1.0.0"]
    assert client("efs").describe_file_systems()["FileSystems"][0]["FileSystemId"] == "fs-0123456789abcdef0"


def test_a_key_is_added_to_a_secret_that_exists(local: LocalAws, client: Callable[..., Any]) -> None:
    client("secretsmanager").create_secret(Name="s", SecretString='{"a": "mine"}')
    assert local.provision({"secrets": [{"name": "s", "keys": ["a", "b"]}]}) == ["keys b in secret s"]
    value = json.loads(client("secretsmanager").get_secret_value(SecretId="s")["SecretString"])
    assert value == {"a": "mine", "b": "placeholder"}


def test_a_vpc_has_public_and_private_subnets_in_two_zones(local: LocalAws, client: Callable[..., Any]) -> None:
    local.provision(REFERENCES)
    ec2 = client("ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["main"]}])["Vpcs"]
    public, private = subnets(ec2, vpc["VpcId"], Name="public"), subnets(ec2, vpc["VpcId"], tier="inner")
    for pair in (public, private):
        assert len({subnet["AvailabilityZone"] for subnet in pair}) == 2
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in public)
    assert all("GatewayId" in default_route(ec2, subnet["SubnetId"]) for subnet in public)
    assert all("NatGatewayId" in default_route(ec2, subnet["SubnetId"]) for subnet in private)
    for attribute in ("enableDnsHostnames", "enableDnsSupport"):
        answer = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=attribute)
        assert answer[attribute[0].upper() + attribute[1:]]["Value"]


@pytest.mark.parametrize("public", [True, False])
def test_ids_that_a_file_names_are_used_as_they_are(
    public: bool,  # noqa: FBT001 - a parameter of the test
    local: LocalAws,
    client: Callable[..., Any],
) -> None:
    wish = {
        "vpc": {"id": "vpc-0123456789abcdef0"},
        "subnets": [{"ids": ["subnet-0000000000000000a", "subnet-0000000000000000b"], "public": public}],
    }
    assert len(local.provision(wish)) == 3
    ec2 = client("ec2")
    found = {s["SubnetId"]: s for s in subnets(ec2, "vpc-0123456789abcdef0")}
    pair = [found["subnet-0000000000000000a"], found["subnet-0000000000000000b"]]
    assert len({subnet["AvailabilityZone"] for subnet in pair}) == 2
    target = "GatewayId" if public else "NatGatewayId"
    assert all(target in default_route(ec2, subnet["SubnetId"]) for subnet in pair)
    assert len({subnet["CidrBlock"] for subnet in found.values()}) == len(found)


def test_the_default_vpc_reaches_the_internet(client: Callable[..., Any]) -> None:
    ec2 = client("ec2")
    (vpc,) = ec2.describe_vpcs()["Vpcs"]
    assert vpc["IsDefault"]
    found = subnets(ec2, vpc["VpcId"])
    assert len({subnet["AvailabilityZone"] for subnet in found}) >= 2
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in found)
    (table,) = ec2.describe_route_tables()["RouteTables"]
    assert any(route["DestinationCidrBlock"] == "0.0.0.0/0" and "GatewayId" in route for route in table["Routes"])
    (gateway,) = ec2.describe_internet_gateways()["InternetGateways"]
    assert gateway["Attachments"][0]["VpcId"] == vpc["VpcId"]


def test_versions_and_stages_that_are_named_exist_and_what_is_current_stays_so(
    local: LocalAws, client: Callable[..., Any]
) -> None:
    version = "a1b2c3d4-5678-90ab-cdef-1234567890ab"
    wish = {"secrets": [{"name": "shop/api", "keys": ["key"], "stages": ["AWSCURRENT", "blue"], "versions": [version]}]}
    assert len(local.provision(wish)) == 3
    assert local.provision(wish) == []
    asked = ({"VersionId": version}, {"VersionStage": "blue"})
    held = [client("secretsmanager").get_secret_value(SecretId="shop/api", **one) for one in asked]
    assert [one["SecretString"] for one in held] == ['{"key": "placeholder"}'] * 2
    assert held[0]["VersionStages"] == ["AWSPREVIOUS"]
