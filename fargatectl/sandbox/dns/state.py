"""What Route 53 knows, and how it writes and orders names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region

SERVICE = "route53"
SPREAD_SECONDS = 30.0
SOA, NS = "SOA", "NS"
_PLAIN = re.compile(r"[0-9a-z_.-]")

Members = dict[str, Any]
RecordKey = tuple[str, str, str]


@dataclass(slots=True)
class Zone:
    """A hosted zone; `records` by name, type and set identifier, as ListResourceRecordSets shows them."""

    id: str
    name: str
    caller: str
    comment: str
    vpcs: list[Members]
    private: bool
    records: dict[RecordKey, Members] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def needed(self) -> set[RecordKey]:
        """The records that a zone cannot be without."""
        return {(self.name, SOA, ""), (self.name, NS, "")}


@dataclass(slots=True)
class Zones:
    """All zones of an account by id, and when each change was made (AWS seconds)."""

    zones: dict[str, Zone] = field(default_factory=dict)
    changes: dict[str, float] = field(default_factory=dict)


def zones_of(region: Region) -> Zones:
    """Return the zones of an account: they belong to no Region."""
    return region.cloud.state(Zones, region.account, "")


def find(region: Region, reference: str) -> Zone:
    """Return a zone by its id, with or without `/hostedzone/`. Raises AwsError."""
    identifier = reference.rpartition("/")[2]
    found = zones_of(region).zones.get(identifier)
    if found is None:
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {identifier}", status=404)
    return found


def canonical(name: str) -> str:
    """Return a name as Route 53 writes it: lower case, a dot at the end, octal codes for what is not plain."""
    plain = name.lower().rstrip(".") + "."
    kept = re.split(r"(\\[0-7]{3})", plain)
    return "".join(part if part.startswith("\\") else _escaped(part) for part in kept)


def _escaped(text: str) -> str:
    return "".join(letter if _PLAIN.match(letter) else f"\\{ord(letter):03o}" for letter in text)


def order(name: str) -> list[str]:
    """Return what names are sorted by: their labels from the right."""
    return list(reversed(name.rstrip(".").split(".")))


def change(region: Region, comment: str = "") -> Members:
    """Note a change, and return what Route 53 says of it: PENDING until all its servers know."""
    identifier = f"C{region.hex(20).upper()}"
    zones_of(region).changes[identifier] = region.now
    said: Members = {"Id": f"/change/{identifier}", "Status": "PENDING", "SubmittedAt": region.date()}
    return said | ({"Comment": comment} if comment else {})
