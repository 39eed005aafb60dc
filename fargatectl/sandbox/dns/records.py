"""Records of zones: batches that apply as a whole or not at all.

AWS: Route 53 API Reference, ChangeResourceRecordSets and ListResourceRecordSets.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.dns.state import (
    NS,
    SERVICE,
    SOA,
    Members,
    RecordKey,
    Zone,
    canonical,
    change,
    find,
    order,
    zones_of,
)
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.manners.paging import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_PAGE = 300
_BALANCERS = ".elb.amazonaws.com."

Records = dict[RecordKey, Members]


class _Problem(Exception):
    """What is wrong with one change of a batch, in Route 53's words."""


@HANDLERS.handles(SERVICE, "ChangeResourceRecordSets")
def change_resource_record_sets(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create, change and delete records, all of a batch or none."""
    zone, batch = find(region, call.params["HostedZoneId"]), call.params["ChangeBatch"]
    records, problems = dict(zone.records), []
    for wish in batch["Changes"]:
        try:
            _apply(region, zone, records, wish)
        except _Problem as problem:
            problems.append(str(problem))
    if problems:
        raise AwsError("InvalidChangeBatch", f"[{', '.join(problems)}]")
    zone.records = records
    return {"ChangeInfo": change(region, batch.get("Comment") or "")}


def _apply(region: Region, zone: Zone, records: Records, wish: Mapping[str, Any]) -> None:
    action, record = wish["Action"], _canonical(wish)
    key = (record["Name"], record["Type"], record.get("SetIdentifier") or "")
    called = f"resource record set [name='{record['Name']}', type='{record['Type']}']"
    if action == "DELETE":
        if key not in records:
            raise _Problem(f"Tried to delete {called} but it was not found")
        if records[key] != record:
            raise _Problem(f"Tried to delete {called} but the values provided do not match the current values")
        if key in zone.needed:
            raise _Problem("A HostedZone must contain exactly one SOA record and at least one NS record.")
        del records[key]
        return
    if action == "CREATE" and key in records:
        raise _Problem(f"Tried to create {called} but it already exists")
    _check_values(record)
    _check_place(zone, records, record)
    if "AliasTarget" in record:
        _check_alias(region, zone, records, record)
    records[key] = record


def _canonical(wish: Mapping[str, Any]) -> Members:
    """Return a record as it is read back. Raises AwsError for one that has both an alias and values, or neither."""
    given = {key: value for key, value in wish["ResourceRecordSet"].items() if value is not None}
    alias, values = given.get("AliasTarget"), given.get("ResourceRecords")
    whole = "TTL" in given and bool(values)
    if bool(alias) == whole or (alias and (values or "TTL" in given)):
        found = "more than one" if alias else "none"
        message = "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
        place = f"[Action={wish['Action']}, Name={given['Name']}, Type={given['Type']}, SetIdentifier="
        identifier = given.get("SetIdentifier", "null")
        raise AwsError(
            "InvalidInput", f"{message}TrafficPolicyInstanceId], but found {found} in Change with {place}{identifier}]"
        )
    made = {**given, "Name": canonical(given["Name"])}
    if alias:
        made["AliasTarget"] = {"EvaluateTargetHealth": False, **alias, "DNSName": canonical(alias["DNSName"])}
    return made


_VERSIONS = {"A": 4, "AAAA": 6}
_LONGEST_TTL_SECONDS = 2_147_483_647


def _check_values(record: Mapping[str, Any]) -> None:
    if not 0 <= record.get("TTL", 0) <= _LONGEST_TTL_SECONDS:
        raise _Problem(f"Invalid TTL: {record['TTL']}")
    version = _VERSIONS.get(record["Type"])
    for value in record.get("ResourceRecords") or []:
        if version and not _is_address(value["Value"], version):
            problem = f"{record['Type']}RRDATAIllegalIPv{version}Address (Value is not a valid IPv{version} address)"
            raise _Problem(f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value['Value']}''")


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def _check_place(zone: Zone, records: Records, record: Mapping[str, Any]) -> None:
    name, kind = record["Name"], record["Type"]
    if name != zone.name and not name.endswith(f".{zone.name}"):
        raise _Problem(f"RRSet with DNS name {name} is not permitted in zone {zone.name}")
    if kind == "CNAME" and name == zone.name:
        raise _Problem(f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone.name}")
    others = {one for label, one, _ in records if label == name and one != kind}
    if others and "CNAME" in {kind, *others}:
        message = f"RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with "
        raise _Problem(f"{message}the same DNS name in zone {zone.name}")
    if kind in (SOA, NS) and name == zone.name and "AliasTarget" in record:
        raise _Problem(f"RRSet of type {kind} with DNS name {name} cannot be an alias")


def _check_alias(region: Region, zone: Zone, records: Records, record: Mapping[str, Any]) -> None:
    alias, kind = record["AliasTarget"], record["Type"]
    target, home = alias["DNSName"], alias["HostedZoneId"].rpartition("/")[2]
    called = f"Tried to create an alias that targets {target}, type {kind} in zone {home}, but "
    if target.endswith(_BALANCERS):
        balancer = _balancer(region, target)
        if balancer is None or (kind == "AAAA" and balancer.get("IpAddressType") != "dualstack"):
            raise _Problem(f"{called}that target was not found")
        if balancer["CanonicalHostedZoneId"] != home:
            raise _Problem(f"{called}the alias target name does not lie within the target zone")
        return
    others = zones_of(region).zones.get(home)
    known = records if home == zone.id else others.records if others else None
    if known is not None and not any(key[:2] == (target, kind) for key in known):
        raise _Problem(f"{called}that target was not found")


def _balancer(region: Region, target: str) -> Members | None:
    place = target.removesuffix(_BALANCERS).rpartition(".")[2]
    there = region.cloud.region(region.account, place)
    name = target.removeprefix("dualstack.").rstrip(".")
    balancers = there.moto("elbv2", "DescribeLoadBalancers", PageSize=ALL).get("LoadBalancers", [])
    return next((one for one in balancers if one["DNSName"].lower() == name), None)


@HANDLERS.handles(SERVICE, "ListResourceRecordSets")
def list_resource_record_sets(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return records in the order of their names, from a name on, three hundred a page."""
    params, zone = call.params, find(region, call.params["HostedZoneId"])
    size = min(int(params.get("MaxItems") or _PAGE), _PAGE)
    if params.get("StartRecordType") and not params.get("StartRecordName"):
        raise AwsError("InvalidInput", "Invalid input: StartRecordType requires StartRecordName.")
    name = params.get("StartRecordName")
    first = (
        order(canonical(name)) if name else [],
        params.get("StartRecordType") or "",
        params.get("StartRecordIdentifier") or "",
    )
    keys = sorted(zone.records, key=_place)
    keys = [key for key in keys if _place(key) >= first]
    more: Members = {}
    if size < len(keys):
        label, kind, identifier = keys[size]
        more = {"NextRecordName": label, "NextRecordType": kind}
        more |= {"NextRecordIdentifier": identifier} if identifier else {}
    shown = [zone.records[key] for key in keys[:size]]
    return {"ResourceRecordSets": shown, "IsTruncated": bool(more), "MaxItems": str(size), **more}


def _place(key: RecordKey) -> tuple[list[str], str, str]:
    name, kind, identifier = key
    return order(name), kind, identifier
