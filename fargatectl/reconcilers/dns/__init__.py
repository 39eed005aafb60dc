"""Route 53: hosted zones that exist, alias records that lead the services' hosts to their load balancers, and records
that prove to ACM whose the hosts are."""

from fargatectl.reconcilers.dns.certificate import RequestedCertificate, RequestedCertificates
from fargatectl.reconcilers.dns.record import MARK, Record, RecordOut, Records
from fargatectl.reconcilers.dns.validation import Validation, Validations
from fargatectl.reconcilers.dns.wiring import Alias, declare, mark, request
from fargatectl.reconcilers.dns.zone import HostedZone, HostedZones, ZoneQuery

CERTIFICATE_KINDS = (RequestedCertificates(), Validations())
"""What load balancers need, in the order of creation."""
KINDS = (Records(),)
"""What needs load balancers."""

__all__ = [
    "CERTIFICATE_KINDS",
    "KINDS",
    "MARK",
    "Alias",
    "HostedZone",
    "HostedZones",
    "Record",
    "RecordOut",
    "Records",
    "RequestedCertificate",
    "RequestedCertificates",
    "Validation",
    "Validations",
    "ZoneQuery",
    "declare",
    "mark",
    "request",
]
