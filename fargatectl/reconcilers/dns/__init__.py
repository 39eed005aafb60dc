"""Route 53: hosted zones that exist, and alias records that lead the services' hosts to their load balancers."""

from fargatectl.reconcilers.dns.record import MARK, Record, RecordOut, Records
from fargatectl.reconcilers.dns.wiring import Alias, declare, mark
from fargatectl.reconcilers.dns.zone import HostedZone, HostedZones, ZoneQuery

KINDS = (Records(),)
"""All kinds, in the order of creation."""

__all__ = [
    "KINDS",
    "MARK",
    "Alias",
    "HostedZone",
    "HostedZones",
    "Record",
    "RecordOut",
    "Records",
    "ZoneQuery",
    "declare",
    "mark",
]
