"""Hosted zones, their tags, and the progress of changes (AWS: Route 53 API Reference, CreateHostedZone)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.dns.state import (
    NS,
    SERVICE,
    SOA,
    SPREAD_SECONDS,
    Members,
    Zone,
    canonical,
    change,
    find,
    order,
    zones_of,
)
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_PAGE = 100
_NAME = re.compile(r"([0-9a-z_-]+\.)+")
_SERVERS = ("ns-1.awsdns-01.com.", "ns-2.awsdns-02.net.", "ns-3.awsdns-03.org.", "ns-4.awsdns-04.co.uk.")


def tagged(region: Region) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ARN and tags of zones, in the one Region that global services are looked for in."""
    if region.name == "us-east-1":
        for zone in zones_of(region).zones.values():
            yield f"arn:aws:route53:::hostedzone/{zone.id}", zone.tags


@HANDLERS.handles(SERVICE, "CreateHostedZone")
def create_hosted_zone(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create a zone with the records that it needs; a caller reference makes one zone only."""
    params, name = call.params, canonical(call.params["Name"])
    if not _NAME.fullmatch(name):
        raise AwsError("InvalidDomainName", f"The domain name is not valid: {params['Name']}")
    vpc = params.get("VPC")
    _refuse_repetition(region, params["CallerReference"], name, vpc)
    config = params.get("HostedZoneConfig") or {}
    zone = Zone(
        id=f"Z{region.hex(20).upper()}",
        name=name,
        caller=params["CallerReference"],
        comment=config.get("Comment") or "",
        vpcs=[vpc] if vpc else [],
        private=bool(vpc),
    )
    _add_needed(zone)
    zones_of(region).zones[zone.id] = zone
    location = f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone.id}"
    return {**_details(zone), "HostedZone": _show(zone), "ChangeInfo": change(region), "Location": location}


def _refuse_repetition(region: Region, caller: str, name: str, vpc: Mapping[str, Any] | None) -> None:
    for zone in zones_of(region).zones.values():
        if zone.caller == caller:
            message = "A hosted zone has already been created with the specified caller reference."
            raise AwsError("HostedZoneAlreadyExists", message, status=409)
        if vpc and vpc in zone.vpcs and zone.name == name:
            message = (
                f"The VPC {vpc['VPCId']} in region {vpc['VPCRegion']} has already been associated with the hosted "
            )
            raise AwsError("ConflictingDomainExists", f"{message}zone {zone.id} with the same domain name.")


def _add_needed(zone: Zone) -> None:
    servers = [{"Value": server} for server in _SERVERS]
    soa = [{"Value": f"{_SERVERS[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}]
    zone.records[zone.name, NS, ""] = {"Name": zone.name, "Type": NS, "TTL": 172_800, "ResourceRecords": servers}
    zone.records[zone.name, SOA, ""] = {"Name": zone.name, "Type": SOA, "TTL": 900, "ResourceRecords": soa}


def _show(zone: Zone) -> Members:
    return {
        "Id": f"/hostedzone/{zone.id}",
        "Name": zone.name,
        "CallerReference": zone.caller,
        "Config": {"PrivateZone": zone.private, **({"Comment": zone.comment} if zone.comment else {})},
        "ResourceRecordSetCount": len(zone.records),
    }


def _details(zone: Zone) -> Members:
    if zone.private:
        return {"VPC": zone.vpcs[0]}
    return {"DelegationSet": {"NameServers": [server.rstrip(".") for server in _SERVERS]}}


@HANDLERS.handles(SERVICE, "GetHostedZone")
def get_hosted_zone(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return a zone with its name servers or its VPCs."""
    zone = find(region, call.params["Id"])
    place = {"VPCs": zone.vpcs} if zone.private else _details(zone)
    return {"HostedZone": _show(zone), **place}


@HANDLERS.handles(SERVICE, "DeleteHostedZone")
def delete_hosted_zone(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete a zone that has no records but those that it needs."""
    zone = find(region, call.params["Id"])
    if zone.records.keys() - zone.needed:
        message = "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
        raise AwsError("HostedZoneNotEmpty", message)
    del zones_of(region).zones[zone.id]
    return {"ChangeInfo": change(region)}


@HANDLERS.handles(SERVICE, "ListHostedZones")
def list_hosted_zones(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return zones, a hundred a page."""
    zones, size = list(zones_of(region).zones.values()), _size(call.params)
    marker = call.params.get("Marker") or ""
    start = next((index for index, zone in enumerate(zones) if zone.id == marker), 0)
    more = {"NextMarker": zones[start + size].id} if start + size < len(zones) else {}
    shown = [_show(zone) for zone in zones[start : start + size]]
    return {"HostedZones": shown, "Marker": marker, "IsTruncated": bool(more), "MaxItems": str(size), **more}


def _size(params: Mapping[str, Any]) -> int:
    return min(int(params.get("MaxItems") or _PAGE), _PAGE)


@HANDLERS.handles(SERVICE, "ListHostedZonesByName")
def list_hosted_zones_by_name(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return zones in the order of their names, from a name on."""
    params, size = call.params, _size(call.params)
    first = (
        (order(canonical(params["DNSName"])), params.get("HostedZoneId") or "") if params.get("DNSName") else ([], "")
    )
    zones = sorted(zones_of(region).zones.values(), key=lambda zone: (order(zone.name), zone.id))
    zones = [zone for zone in zones if (order(zone.name), zone.id) >= first]
    more = {"NextDNSName": zones[size].name, "NextHostedZoneId": zones[size].id} if size < len(zones) else {}
    asked = {key: params[key] for key in ("DNSName", "HostedZoneId") if params.get(key)}
    shown = [_show(zone) for zone in zones[:size]]
    return {"HostedZones": shown, "IsTruncated": bool(more), "MaxItems": str(size), **asked, **more}


@HANDLERS.handles(SERVICE, "ListHostedZonesByVPC")
def list_hosted_zones_by_vpc(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the private zones that a VPC sees."""
    wanted = {"VPCRegion": call.params["VPCRegion"], "VPCId": call.params["VPCId"]}
    owner = {"OwningAccount": region.account}
    found = [
        {"HostedZoneId": zone.id, "Name": zone.name, "Owner": owner}
        for zone in zones_of(region).zones.values()
        if wanted in zone.vpcs
    ]
    return {"HostedZoneSummaries": found, "MaxItems": str(_size(call.params))}


@HANDLERS.handles(SERVICE, "GetChange")
def get_change(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return how far a change has come."""
    identifier = call.params["Id"].rpartition("/")[2]
    made = zones_of(region).changes.get(identifier)
    if made is None:
        raise AwsError("NoSuchChange", f"Could not find resource with ID: {identifier}", status=404)
    status = "INSYNC" if region.now >= made + SPREAD_SECONDS else "PENDING"
    date = region.cloud.timeline.stamp(made)
    return {"ChangeInfo": {"Id": f"/change/{identifier}", "Status": status, "SubmittedAt": date}}


def _tagged_zone(region: Region, params: Mapping[str, Any], identifier: str) -> Zone:
    if params["ResourceType"] != "hostedzone":
        raise AwsError("InvalidInput", f"The local AWS has no {params['ResourceType']}.")
    return find(region, identifier)


@HANDLERS.handles(SERVICE, "ChangeTagsForResource")
def change_tags_for_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Add tags to a zone, and take some from it."""
    zone = _tagged_zone(region, call.params, call.params["ResourceId"])
    zone.tags.update({tag["Key"]: tag["Value"] for tag in call.params.get("AddTags") or []})
    for key in call.params.get("RemoveTagKeys") or []:
        zone.tags.pop(key, None)
    return {}


@HANDLERS.handles(SERVICE, "ListTagsForResource")
def list_tags_for_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the tags of a zone."""
    return {"ResourceTagSet": _tag_set(_tagged_zone(region, call.params, call.params["ResourceId"]))}


@HANDLERS.handles(SERVICE, "ListTagsForResources")
def list_tags_for_resources(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the tags of up to ten zones."""
    zones = [_tagged_zone(region, call.params, identifier) for identifier in call.params["ResourceIds"]]
    return {"ResourceTagSets": [_tag_set(zone) for zone in zones]}


def _tag_set(zone: Zone) -> Members:
    tags = [{"Key": key, "Value": value} for key, value in zone.tags.items()]
    return {"ResourceType": "hostedzone", "ResourceId": zone.id, "Tags": tags}
