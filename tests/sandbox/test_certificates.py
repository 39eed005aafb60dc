from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.sandbox.test_dns import Zone, cname

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene

WISH = {"DomainName": "Example.com", "SubjectAlternativeNames": ["*.example.com"], "ValidationMethod": "DNS"}


def shown(scene: Scene, arn: str) -> dict[str, Any]:
    certificate: dict[str, Any] = scene.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    return certificate


def validate(scene: Scene, zone: Zone, arn: str) -> None:
    """Write the records that prove a certificate's domains."""
    scene.wait(10)
    for option in shown(scene, arn)["DomainValidationOptions"]:
        record = option["ResourceRecord"]
        zone.change(("UPSERT", cname(record["Name"], record["Value"])))


def test_a_certificate_is_issued_when_its_records_exist(scene: Scene) -> None:
    acm = scene.client("acm")
    arn = acm.request_certificate(**WISH, IdempotencyToken="t")["CertificateArn"]
    assert acm.request_certificate(**WISH, IdempotencyToken="t")["CertificateArn"] == arn
    assert "ResourceRecord" not in shown(scene, arn)["DomainValidationOptions"][0]
    scene.wait(3600)
    pending = shown(scene, arn)
    assert (pending["Status"], pending["DomainName"]) == ("PENDING_VALIDATION", "example.com")
    assert "IssuedAt" not in pending
    records = [option["ResourceRecord"]["Name"] for option in pending["DomainValidationOptions"]]
    assert len(records) == 2
    assert len(set(records)) == 1
    zone = Zone(scene)
    validate(scene, zone, arn)
    assert shown(scene, arn)["Status"] == "PENDING_VALIDATION"
    scene.wait(120)
    issued = shown(scene, arn)
    assert (issued["Status"], issued["DomainValidationOptions"][0]["ValidationStatus"]) == ("ISSUED", "SUCCESS")
    listed = acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
    assert [one["CertificateArn"] for one in listed] == [arn]
    assert acm.list_certificates(CertificateStatuses=["PENDING_VALIDATION"])["CertificateSummaryList"] == []


def test_certificates_of_other_keys_are_listed_only_where_these_are_asked_for(scene: Scene) -> None:
    acm = scene.client("acm")
    arn = acm.request_certificate(**WISH, KeyAlgorithm="EC_prime256v1")["CertificateArn"]
    assert shown(scene, arn)["KeyAlgorithm"] == "EC_prime256v1"
    assert acm.list_certificates()["CertificateSummaryList"] == []
    (listed,) = acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
    assert (listed["CertificateArn"], listed["KeyAlgorithm"]) == (arn, "EC_prime256v1")


def test_nobody_waits_for_ever(scene: Scene) -> None:
    arn = scene.client("acm").request_certificate(**WISH)["CertificateArn"]
    scene.wait(73 * 3600)
    assert shown(scene, arn)["Status"] == "VALIDATION_TIMED_OUT"


def test_a_certificate_in_use_stays_till_a_little_after(scene: Scene) -> None:
    acm, group = scene.client("acm"), scene.balance()
    arn = acm.request_certificate(**WISH)["CertificateArn"]
    validate(scene, Zone(scene), arn)
    scene.wait(120)
    listener = scene.elb.create_listener(
        LoadBalancerArn=scene.balancer["LoadBalancerArn"],
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    assert shown(scene, arn)["InUseBy"] == [scene.balancer["LoadBalancerArn"]]

    def refused() -> bool:
        try:
            acm.delete_certificate(CertificateArn=arn)
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "ResourceInUseException")
        return False

    assert refused()
    scene.elb.delete_listener(ListenerArn=listener)
    assert refused()
    scene.wait(60)
    assert not refused()
