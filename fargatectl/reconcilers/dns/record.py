"""Alias records: the names under which a load balancer answers.

Route 53 takes no tags on records. One is ours if its alias target is a load balancer of ours; nothing else of that name
is touched. Which zones to look through for records that left the file is written on the load balancers, as a tag.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.route53 import change, plain, records, until_in_sync
from fargatectl.aws.tags import as_dict
from fargatectl.aws.waits import Transient, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import require_ours, same_owner
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.errors import PlanChanged
from fargatectl.model.change import OWNERSHIP_PREFIX, Action, Delta, diff
from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT, owner_of
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.dns.zone import zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.route53 import Row
    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership

MARK = f"{OWNERSHIP_PREFIX}zone:"
"""What the keys of the tags begin with that say in which zones a load balancer has records."""

_TYPES = ("A", "AAAA", "CNAME")
_BALANCER = ":loadbalancer/app/"
# Route 53 sees a load balancer that was just made a little later; the bound is ours.
_TARGET_NOT_SEEN = Transient("InvalidChangeBatch", "target was not found", seconds=60)
# Route 53 developer guide, "Choosing between alias and non-alias records": the TTL of answers for a load balancer.
_CACHED_SECONDS = 60


@dataclass(frozen=True)
class RecordOut:
    """The records as Route 53 shows them: they are deleted by all that they say."""

    zone_id: str
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Record(Spec):
    """The alias records of one name: `types` are A, and AAAA for a load balancer with both kinds of addresses.

    `target` is the load balancer's DNS name, `target_zone` the zone that AWS has for it, `balancer` its own name. Tags
    are those that prove whose the load balancer is.
    """

    identity: ClassVar[tuple[str, ...]] = ("zone_id", "name")

    zone_id: Late[str] = setting(immutable=True)
    name: str = setting(immutable=True)
    types: tuple[str, ...] = ("A",)
    target: Late[str]
    target_zone: Late[str]
    balancer: str = setting(wiring=True, default="")

    def __post_init__(self) -> None:
        ours = {key: value for key, value in self.tags.items() if key.startswith(OWNERSHIP_PREFIX)}
        object.__setattr__(self, "tags", ours)
        if isinstance(self.target, str):
            object.__setattr__(self, "target", _target(self.target))


class Records(Reconciler[Record, RecordOut]):
    """Reads and changes alias records."""

    kind = "dns.record"
    noun = "record"
    tagged_as = ""
    effects: ClassVar[Mapping[Action, Effect]] = {Action.DELETE: Effect.INTERRUPTION}

    def read(self, aws: Aws, specs: Sequence[Record]) -> Sequence[Live[Record, RecordOut] | None | Any]:
        return answer_each(aws, lambda spec: _read(aws, spec), specs)

    def compare(self, spec: Record, live: Live[Record, RecordOut]) -> Delta:
        return Delta(one for one in diff(spec, live.spec) if not one.path.startswith("tags."))

    def meanwhile(self, spec: Record, live: Live[Record, RecordOut]) -> Record:
        """Let requests go where they go now until the tasks behind the new target are well."""
        if spec.target == live.spec.target:
            return spec
        kept = live.spec
        return replace(spec, types=kept.types, target=kept.target, target_zone=kept.target_zone)

    def create(self, aws: Aws, spec: Record) -> RecordOut:
        try:
            _change(aws, spec, ())
        except ClientError as error:
            live = _read(aws, spec) if says(error, "InvalidChangeBatch", "already exists") else None
            if live is None:
                raise
            require_ours(self.summary(spec), spec.tags, live.spec.tags)
            delta = self.compare(spec, live)
            return self.update(aws, live, spec, delta) if delta else live.out
        return RecordOut(known(spec.zone_id))

    def update(self, aws: Aws, live: Live[Record, RecordOut], spec: Record, delta: Delta) -> RecordOut:
        if not delta:
            return live.out
        try:
            made = _change(aws, spec, live.out.rows)
        except ClientError as error:
            if not says(error, "InvalidChangeBatch"):
                raise
            aws.reads.clear()
            now = _read(aws, spec)
            if now is None or self.compare(spec, now):
                message = f"{self.summary(spec)} was changed by somebody else meanwhile"
                raise PlanChanged(message, hint="run the same command again to see a new plan") from error
            return now.out  # its own earlier success
        if delta.touches("target"):
            # What the old target is deleted for must wait until nobody is sent there any more.
            until_in_sync(aws, made)
            aws.sleep(_CACHED_SECONDS)
        return RecordOut(known(spec.zone_id))

    def delete(self, aws: Aws, live: Live[Record, RecordOut]) -> None:
        try:
            change(aws, live.out.zone_id, delete=live.out.rows)
        except ClientError as error:
            if not (says(error, "NoSuchHostedZone") or says(error, "InvalidChangeBatch", "not found")):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[Live[Record, RecordOut]]:
        tagged = [seen for arn, seen in aws.tagged(owner.tags()).items() if _BALANCER in arn and owner.owns(seen)]
        marked = {value for seen in tagged for key, value in seen.items() if key.startswith(MARK)}
        for zone in {zone for reference in sorted(marked) for zone in zones(aws, reference)}:
            for name in sorted({plain(row["Name"]) for row in records(aws, zone.id) if row["Type"] in _TYPES}):
                live = _at(aws, zone.id, name, owner.tags(), "")
                if live is not None and live.id not in known and owner.owns(live.spec.tags):
                    yield live

    def whose(self, live: Live[Record, RecordOut]) -> str:
        if APP in live.spec.tags:
            return owner_of(live.spec.tags)
        return f"somebody else (it leads to {known(live.spec.target)})"

    def summary(self, spec: Record) -> str:
        return f"record {spec.name}"


def _read(aws: Aws, spec: Record) -> Live[Record, RecordOut] | None:
    return _at(aws, known(spec.zone_id), spec.name, spec.tags, spec.balancer)


def _at(aws: Aws, zone_id: str, name: str, owner: Mapping[str, str], balancer: str) -> Live[Record, RecordOut] | None:
    """Return what is at a name; it is `owner`'s if all of it leads to load balancers of theirs, or to `balancer`."""
    rows = tuple(row for row in records(aws, zone_id) if row["Type"] in _TYPES and plain(row["Name"]) == plain(name))
    if not rows:
        return None
    whose = {key: owner[key] for key in (APP, ENVIRONMENT) if key in owner}
    mine = _balancers(aws, whose) | ({balancer.lower()} if balancer else set())
    ours = all(_balancer(row, aws.region) in mine or _leads_to_ours(aws, row, whose) for row in rows)
    spec = Record(
        zone_id=zone_id,
        name=name,
        types=tuple(sorted(row["Type"] for row in rows)),
        target=", ".join(sorted({_leads_to(row) for row in rows})),
        target_zone=next((row["AliasTarget"]["HostedZoneId"] for row in rows if "AliasTarget" in row), ""),
        balancer=balancer,
        tags={**whose, ADDRESS: f"{Records.kind}/{name}"} if ours else {},
    )
    return Live(spec, RecordOut(zone_id, rows), f"{zone_id}/{plain(name)}")


def _balancers(aws: Aws, whose: Mapping[str, str]) -> set[str]:
    """Return the names of an owner's load balancers in this Region."""
    tagged = aws.tagged(whose) if whose else {}
    return {arn.split("/")[-2].lower() for arn, seen in tagged.items() if _BALANCER in arn and same_owner(whose, seen)}


def _leads_to_ours(aws: Aws, row: Row, whose: Mapping[str, str]) -> bool:
    """Ask ELB itself whose the load balancer is that a record leads to: the tagging API's silence means nothing."""
    if not whose or _balancer(row, aws.region) is None:
        return False

    def by_dns_name() -> dict[str, str]:
        pages = aws.elb.get_paginator("describe_load_balancers").paginate()
        return {one["DNSName"].lower(): one["LoadBalancerArn"] for page in pages for one in page["LoadBalancers"]}

    arn = aws.reads.once(("dns.balancers",), by_dns_name).get(_target(row["AliasTarget"]["DNSName"]))
    if arn is None:
        return False
    try:
        (found,) = aws.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    except ClientError as error:
        if says(error, "LoadBalancerNotFound"):
            return False
        raise
    return same_owner(whose, as_dict(found["Tags"]))


def _balancer(row: Row, region: str) -> str | None:
    """Return the name of the load balancer in `region` that a record leads to, by alias and nothing else.

    ELB makes DNS names from it: `NAME-NUMBER.REGION.elb.…`, with `internal-` before it where it is internal.
    """
    if "AliasTarget" not in row or "SetIdentifier" in row:
        return None
    target = _target(row["AliasTarget"]["DNSName"])
    found = re.fullmatch(rf"(?:internal-)?(.+)-\d+\.{re.escape(region)}\.elb\..+", target)
    return found[1] if found else None


def _leads_to(row: Row) -> str:
    if "AliasTarget" in row:
        return _target(row["AliasTarget"]["DNSName"])
    return ", ".join(plain(one["Value"]) for one in row.get("ResourceRecords", ()))


def _target(name: str) -> str:
    """Return a DNS name as ELB shows it; the console writes `dualstack.` before it."""
    return plain(name).removeprefix("dualstack.")


def _change(aws: Aws, spec: Record, old: Sequence[Row]) -> str:
    alias = {"HostedZoneId": known(spec.target_zone), "DNSName": known(spec.target), "EvaluateTargetHealth": False}
    rows = [{"Name": spec.name, "Type": kind, "AliasTarget": alias} for kind in spec.types]
    return retrying(aws, lambda: change(aws, known(spec.zone_id), delete=old, create=rows), _TARGET_NOT_SEEN)
