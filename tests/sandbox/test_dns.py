from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene

Change = tuple[str, dict[str, Any]]


class Zone:
    """A zone of a scene."""

    def __init__(self, scene: Scene, name: str = "Example.com") -> None:
        self.client = scene.client("route53")
        self.id = self.client.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]

    def change(self, *changes: Change) -> str:
        """Apply a batch, and return the id of the change."""
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
        answer = self.client.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch=batch)
        return str(answer["ChangeInfo"]["Id"])

    def records(self) -> dict[str, dict[str, Any]]:
        """Return all records but those that a zone has of its own."""
        shown = self.client.list_resource_record_sets(HostedZoneId=self.id)["ResourceRecordSets"]
        return {one["Name"]: one for one in shown if one["Type"] not in ("NS", "SOA")}


def cname(name: str, value: str = "x.example.com", ttl: int = 60) -> dict[str, Any]:
    return {"Name": name, "Type": "CNAME", "TTL": ttl, "ResourceRecords": [{"Value": value}]}


def alias(scene: Scene, name: str, kind: str = "A") -> dict[str, Any]:
    target = {
        "HostedZoneId": scene.balancer["CanonicalHostedZoneId"],
        "DNSName": scene.balancer["DNSName"].upper(),
        "EvaluateTargetHealth": True,
    }
    return {"Name": name, "Type": kind, "AliasTarget": target}


def test_an_alias_is_read_back_in_canonical_form(scene: Scene) -> None:
    scene.balance()
    zone = Zone(scene)
    zone.change(("UPSERT", alias(scene, "Shop.Example.com")), ("UPSERT", cname("*.example.com")))
    shown = zone.records()
    assert set(shown) == {"shop.example.com.", "\\052.example.com."}
    record = shown["shop.example.com."]
    assert record["AliasTarget"]["DNSName"] == scene.balancer["DNSName"].lower() + "."
    assert "TTL" not in record
    zone.change(("DELETE", record))
    assert "shop.example.com." not in zone.records()


def test_a_batch_applies_as_a_whole_or_not_at_all(scene: Scene) -> None:
    scene.balance()
    zone = Zone(scene)
    zone.change(("CREATE", cname("a.example.com")))
    with pytest.raises(ClientError) as caught:
        zone.change(("CREATE", cname("b.example.com")), ("DELETE", cname("gone.example.com")))
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidChangeBatch"
    assert error["Message"] == (
        "[Tried to delete resource record set [name='gone.example.com.', type='CNAME'] but it was not found]"
    )
    assert set(zone.records()) == {"a.example.com."}
    zone.change(("DELETE", cname("a.example.com")), ("CREATE", alias(scene, "a.example.com")))
    assert zone.records()["a.example.com."]["Type"] == "A"


def test_aaaa_needs_a_dual_stack_load_balancer(scene: Scene) -> None:
    scene.balance()
    zone = Zone(scene)
    with pytest.raises(ClientError, match="that target was not found"):
        zone.change(("UPSERT", alias(scene, "shop.example.com", "AAAA")))


def test_a_change_takes_its_time(scene: Scene) -> None:
    zone = Zone(scene)
    identifier = zone.change(("CREATE", cname("a.example.com")))
    assert zone.client.get_change(Id=identifier)["ChangeInfo"]["Status"] == "PENDING"
    scene.wait(60)
    assert zone.client.get_change(Id=identifier)["ChangeInfo"]["Status"] == "INSYNC"


def test_records_and_zones_come_in_pages_and_in_order(scene: Scene) -> None:
    zone = Zone(scene)
    for name in ("c.b", "z", "a"):
        zone.change(("CREATE", cname(f"{name}.example.com")))
    assert list(zone.records()) == ["a.example.com.", "c.b.example.com.", "z.example.com."]
    first = zone.client.list_resource_record_sets(HostedZoneId=zone.id, StartRecordName="a.example.com", MaxItems="1")
    assert [one["Name"] for one in first["ResourceRecordSets"]] == ["a.example.com."]
    assert (first["IsTruncated"], first["NextRecordName"]) == (True, "c.b.example.com.")
    Zone(scene, "other.org")
    listed = zone.client.list_hosted_zones_by_name(DNSName="other.org")["HostedZones"]
    assert [one["Name"] for one in listed] == ["other.org."]
    pages = zone.client.get_paginator("list_hosted_zones").paginate(PaginationConfig={"PageSize": 1})
    assert [one["Name"] for page in pages for one in page["HostedZones"]] == ["example.com.", "other.org."]


def test_the_zone_of_a_namespace_is_private(scene: Scene) -> None:
    scene.client("servicediscovery").create_private_dns_namespace(Name="c.internal", Vpc=scene.vpc)
    scene.wait(60)
    client = scene.client("route53")
    (zone,) = client.list_hosted_zones_by_vpc(VPCId=scene.vpc, VPCRegion="eu-central-1")["HostedZoneSummaries"]
    shown = client.get_hosted_zone(Id=zone["HostedZoneId"])
    assert (shown["HostedZone"]["Name"], shown["HostedZone"]["Config"]["PrivateZone"]) == ("c.internal.", True)
    assert [vpc["VPCId"] for vpc in shown["VPCs"]] == [scene.vpc]


def test_zones_carry_tags(scene: Scene) -> None:
    zone = Zone(scene)
    identifier = zone.id.rpartition("/")[2]
    which = {"ResourceType": "hostedzone", "ResourceId": identifier}
    zone.client.change_tags_for_resource(**which, AddTags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}])
    zone.client.change_tags_for_resource(**which, RemoveTagKeys=["a"])
    assert zone.client.list_tags_for_resource(**which)["ResourceTagSet"]["Tags"] == [{"Key": "c", "Value": "d"}]
    sets = zone.client.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[identifier])["ResourceTagSets"]
    assert [one["ResourceId"] for one in sets] == [identifier]
    zone.client.delete_hosted_zone(Id=zone.id)
    with pytest.raises(ClientError, match="No hosted zone found"):
        zone.client.get_hosted_zone(Id=zone.id)
