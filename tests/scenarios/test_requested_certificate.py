"""A certificate that is asked for: proven in the zone of `[dns]`, attached once issued, exchanged with the hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.errors import AwsFailure, NotFoundError
from fargatectl.model.change import Action
from fargatectl.sandbox.inprocess import LocalAws
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call

PLAIN = """\
app    = "shop"
region = "eu-central-1"

[dns]
zone = "example.com"

[load_balancers.public]

[services.web]
image = "docker.io/acme/web:1"
port  = 8080
http  = { host = ["shop.example.com", "old.example.com"] }
"""
KEYS: Any = ["RSA_2048", "EC_prime256v1"]
ASKED = PLAIN.replace("[load_balancers.public]", '[load_balancers.public]\ncertificates = "request"')
MOVED = ASKED.replace('"old.example.com"', '"*.example.com"')


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(LocalAws(), tmp_path)


def certificates(world: World) -> dict[str, frozenset[str]]:
    """Return the domains of all certificates by ARN."""
    found: Any = world.aws.acm.list_certificates(Includes={"keyTypes": KEYS})["CertificateSummaryList"]
    return {one["CertificateArn"]: frozenset(one["SubjectAlternativeNameSummaries"]) for one in found}


def attached(world: World) -> set[str]:
    (balancer,) = world.aws.elb.describe_load_balancers()["LoadBalancers"]
    found: Any = world.aws.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return {one["CertificateArn"] for listener in found for one in listener.get("Certificates", ())}


def proven(world: World) -> list[str]:
    """Return the domains of the CNAME records in the zone."""
    (zone,) = world.aws.route53.list_hosted_zones()["HostedZones"]
    found: Any = world.aws.route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return sorted(one["Name"].partition(".")[2] for one in found if one["Type"] == "CNAME")


def test_hosts_get_another_certificate_before_the_old_one_goes(world: World) -> None:
    world.deploy(PLAIN)
    world.deploy(ASKED)
    assert not world.plan(ASKED).plan.changes
    ((first, domains),) = certificates(world).items()
    assert domains == {"shop.example.com", "old.example.com"}
    assert attached(world) == {first}
    assert proven(world) == ["old.example.com.", "shop.example.com."]

    changes = {str(change.address): change.action for change in world.plan(MOVED).plan.changes}
    assert changes["dns.certificate/public"] == changes["dns.validation/public"] == Action.REPLACE
    world.local.calls.clear()
    world.deploy(MOVED)
    writes = [write for write in world.writes() if write.startswith(("acm:", "elasticloadbalancing:ModifyListener"))]
    assert writes[0] == "acm:RequestCertificate"
    assert writes[-1] == "acm:DeleteCertificate"
    ((second, domains),) = certificates(world).items()
    assert domains == {"shop.example.com", "*.example.com"}
    assert attached(world) == {second} != {first}
    assert proven(world) == ["example.com.", "shop.example.com."]
    assert not world.plan(MOVED).plan.changes

    world.deploy(PLAIN)
    assert (certificates(world), attached(world), proven(world)) == ({}, set(), [])


@pytest.mark.parametrize("key", KEYS)
def test_records_that_others_need_stay_and_lost_ones_are_written_again(world: World, key: Any) -> None:
    world.deploy(ASKED)
    (zone,) = world.aws.route53.list_hosted_zones()["HostedZones"]
    found: Any = world.aws.route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    row = next(one for one in found if one["Name"].endswith(".old.example.com."))
    lost: Any = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": row}]}
    world.aws.route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=lost)
    assert [change.address for change in world.plan(ASKED).plan.changes] == ["dns.validation/public"]
    world.deploy(ASKED)
    assert proven(world) == ["old.example.com.", "shop.example.com."]

    asked = world.aws.acm.request_certificate(DomainName="shop.example.com", ValidationMethod="DNS", KeyAlgorithm=key)
    theirs = asked["CertificateArn"]
    world.destroy(ASKED)
    assert set(certificates(world)) == {theirs}
    assert proven(world) == ["shop.example.com."]


@pytest.mark.parametrize("seconds", [0, 7200])
@pytest.mark.parametrize("operation", ["RequestCertificate", "ChangeResourceRecordSets"])
def test_a_run_that_died_is_taken_up_with_the_same_certificate(world: World, operation: str, seconds: int) -> None:
    def die(call: Call, apply: Callable[[], Response]) -> Response:
        response = apply()
        if call.operation == operation:
            raise KeyboardInterrupt
        return response

    world.local.intercept(die)
    with pytest.raises(KeyboardInterrupt):
        world.deploy(ASKED)
    world.local.intercept(None)
    world.local.clock.sleep(seconds)
    world.deploy(ASKED)
    assert len(certificates(world)) == 1
    assert attached(world) == set(certificates(world))
    assert not world.plan(ASKED).plan.changes


def test_a_private_zone_proves_nothing(world: World) -> None:
    vpc: Any = {"VPCRegion": "eu-central-1", "VPCId": world.aws.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]}
    private: Any = {"PrivateZone": True}
    world.aws.route53.create_hosted_zone(Name="corp.internal", CallerReference="x", VPC=vpc, HostedZoneConfig=private)
    zone = next(one for one in world.aws.route53.list_hosted_zones()["HostedZones"] if one["Config"]["PrivateZone"])
    world.local.calls.clear()
    text = ASKED.replace("example.com", "corp.internal").replace(
        '"corp.internal"', f'"{zone["Id"].rpartition("/")[2]}"'
    )
    with pytest.raises(NotFoundError, match=r"no public hosted zone of this account covers shop\.corp\.internal"):
        world.plan(text)
    assert not list(world.writes())


def test_what_acm_does_not_see_is_told_with_the_record_and_taken_up(world: World) -> None:
    world.deploy(PLAIN)
    world.local.set("certificate.shop.example.com=pending")
    with pytest.raises(AwsFailure) as caught:
        world.deploy(ASKED)
    (asked,) = certificates(world)
    options: Any = world.aws.acm.describe_certificate(CertificateArn=asked)["Certificate"]["DomainValidationOptions"]
    told, failure = str(caught.value), caught.value
    for option in options:
        record = option["ResourceRecord"]
        assert f"{record['Name'].rstrip('.')} CNAME {record['Value'].rstrip('.')}" in told
    assert "within 45 minutes" in told
    assert (failure.exit_code, failure.code, failure.address) == (5, "PENDING_VALIDATION", "dns.validation/public")
    assert "it goes on, until ACM gives up 72 hours after" in failure.hint
    assert attached(world) == set()
    world.local.set("certificate.shop.example.com=")
    world.deploy(ASKED)
    assert attached(world) == {asked}


def test_a_certificate_that_acm_fails_is_told_with_the_reason_and_asked_for_anew(world: World) -> None:
    world.deploy(PLAIN)
    world.local.set("certificate.old.example.com=CAA_ERROR")
    with pytest.raises(AwsFailure, match=r"CAA records of the domain .* \(FAILED CAA_ERROR\)") as caught:
        world.deploy(ASKED)
    assert (caught.value.exit_code, caught.value.code) == (5, "FAILED")
    assert 'add the CAA record `0 issue "amazon.com"`' in caught.value.hint
    (failed,) = certificates(world)
    world.local.set("certificate.old.example.com=")
    world.local.clock.sleep(7200)
    world.deploy(ASKED)
    assert attached(world) == set(certificates(world))
    assert failed not in certificates(world)
    assert not world.plan(ASKED).plan.changes
