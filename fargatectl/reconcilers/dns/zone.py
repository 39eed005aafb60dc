"""Hosted zones: looked for by name or id, never made or changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.route53 import plain
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import NotFoundError
from fargatectl.model.spec import Spec, setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.errors import FargatectlError

_ID = re.compile(r"Z[0-9A-Z]{8,31}")


@dataclass(frozen=True)
class HostedZone:
    """A hosted zone; `name` is without the last dot."""

    id: str
    name: str
    private: bool

    def covers(self, host: str) -> bool:
        """Tell whether records of `host` belong into it or into a zone below it."""
        return plain(host) == self.name or plain(host).endswith(f".{self.name}")


@dataclass(frozen=True, kw_only=True)
class ZoneQuery(Spec):
    """The zone of `zone`, a name or an id, with all zones below it; `path` is where the file names it."""

    identity: ClassVar[tuple[str, ...]] = ("zone",)

    zone: str
    path: str = setting(wiring=True, default="")


class HostedZones(Lookup[ZoneQuery, tuple[HostedZone, ...]]):
    """Finds the account's hosted zones of a name and below it, or the one of an id."""

    kind = "dns.zone"

    def read(self, aws: Aws, specs: Sequence[ZoneQuery]) -> Sequence[tuple[HostedZone, ...] | FargatectlError]:
        """Return the zones; `NotFoundError` where there is none of that name or id."""
        return answer_each(aws, lambda spec: _find(aws, spec), specs)


def _find(aws: Aws, query: ZoneQuery) -> tuple[HostedZone, ...]:
    found = zones(aws, query.zone)
    if not found:
        what = "id" if _ID.fullmatch(query.zone) else "name"
        message = f"there is no hosted zone of the {what} {query.zone} in this account"
        raise NotFoundError(message, path=query.path, hint="make it in Route 53, or name one that exists")
    return found


def zones(aws: Aws, reference: str) -> tuple[HostedZone, ...]:
    """Return the zone that `reference` names (several: public and private ones) and all below; empty for none."""
    return aws.reads.once(("route53.zones", reference), lambda: _ask(aws, reference))


def provable_in(found: Iterable[HostedZone], domain: str) -> HostedZone | None:
    """Return the zone where a record proves `domain` to the world: the nearest public one; None where there is none."""
    fitting = [zone for zone in found if not zone.private and zone.covers(domain.removeprefix("*."))]
    return max(fitting, key=lambda zone: len(zone.name), default=None)


def _ask(aws: Aws, reference: str) -> tuple[HostedZone, ...]:
    if _ID.fullmatch(reference):
        try:
            return (_zone(aws.route53.get_hosted_zone(Id=reference)["HostedZone"]),)
        except ClientError as error:
            if says(error, "NoSuchHostedZone"):
                return ()
            raise
    wanted = plain(reference)
    found: list[HostedZone] = []
    # Zones come in the order of their labels from the right: those below a zone follow it.
    start: dict[str, Any] = {"DNSName": wanted}
    while start:
        page = aws.route53.list_hosted_zones_by_name(**start)
        here = [_zone(one) for one in page["HostedZones"]]
        fitting = [one for one in here if one.name == wanted or one.name.endswith(f".{wanted}")]
        found += fitting
        more = page.get("IsTruncated") and len(fitting) == len(here)
        start = {"DNSName": page["NextDNSName"], "HostedZoneId": page["NextHostedZoneId"]} if more else {}
    return tuple(found) if any(one.name == wanted for one in found) else ()


def _zone(one: Any) -> HostedZone:  # noqa: ANN401 - Route 53's HostedZone
    private = bool(one.get("Config", {}).get("PrivateZone"))
    return HostedZone(one["Id"].rpartition("/")[2], plain(one["Name"]), private)
