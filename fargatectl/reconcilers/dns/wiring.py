"""Declaring the records of an app's hosts."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass
from fargatectl.errors import NotFoundError
from fargatectl.reconcilers.dns.certificate import RequestedCertificate, RequestedCertificates
from fargatectl.reconcilers.dns.record import MARK, Record, Records
from fargatectl.reconcilers.dns.validation import ZONE, Validation, Validations
from fargatectl.reconcilers.dns.zone import HostedZones, ZoneQuery, provable_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fargatectl.engine.stack import Stack
    from fargatectl.model.values import Ref
    from fargatectl.reconcilers.dns.zone import HostedZone

PATH = "dns.zone"


@dataclass(frozen=True)
class Alias:
    """A load balancer to lead to: its name, DNS name and AWS's zone for it; whether IPv6 and the VPC alone reach it."""

    balancer: str
    dns_name: Ref[str]
    zone_id: Ref[str]
    dualstack: bool = False
    internal: bool = False


def declare(stack: Stack, zone: str, aliases: Mapping[str, Alias]) -> None:
    """Declare alias records for hosts, in the zone `zone` (a name or an id) or in the nearest one below it."""
    found = stack.find(HostedZones(), zone, ZoneQuery(zone=zone, path=PATH))
    for host, alias in aliases.items():
        spec = Record(
            zone_id=found.ref(partial(_zone_id, host=host, internal=alias.internal)),
            name=host.lower(),
            types=("A", "AAAA") if alias.dualstack else ("A",),
            target=alias.dns_name,
            target_zone=alias.zone_id,
            balancer=alias.balancer,
        )
        stack.add(Records(), host.lower(), spec, group="DNS")


def request(stack: Stack, name: str, zone: str, domains: Iterable[str]) -> Ref[str]:
    """Declare a certificate for `domains`, proven in the zone `zone` (a name or an id) or in the nearest one below it,
    for the load balancer `name`. Return its ARN, which is known once it is issued."""
    group = f"load balancer {name}"
    wanted = tuple(domains)
    found = stack.find(HostedZones(), zone, ZoneQuery(zone=zone, path=PATH))
    provable = found.ref(partial(_provable, domains=wanted))
    spec = RequestedCertificate(domains=wanted, provable=provable, tags={ZONE: zone})
    asked = stack.add(RequestedCertificates(), name, spec, group=group)
    proof = Validation(
        certificate=asked.ref(lambda out: out.arn), proofs=asked.ref(lambda out: out.proofs), zone=zone, domains=wanted
    )
    return stack.add(Validations(), name, proof, group=group).ref(lambda out: out.arn)


def _provable(found: Iterable[HostedZone], *, domains: Iterable[str]) -> bool:
    """Tell that each domain can be proven. Raises `NotFoundError` where no public zone covers one."""
    there = list(found)
    for domain in domains:
        if provable_in(there, domain) is None:
            message = f"no public hosted zone of this account covers {domain}: ACM could not see that it is yours"
            raise NotFoundError(message, path=PATH, hint="name its zone, or a certificate that exists")
    return True


def mark(zone: str) -> dict[str, str]:
    """Return the tag of load balancers that have records in `zone`: records that left the file are found by it."""
    return {f"{MARK}{sha256(zone.encode()).hexdigest()[:8]}": zone}


def _zone_id(found: Iterable[HostedZone], *, host: str, internal: bool) -> str:
    """Return the nearest zone of a host. Of a public and a private one, an internal load balancer gets the private one.

    Raises `NotFoundError` where no zone covers it, or where several private ones do.
    """
    fitting = [zone for zone in found if zone.covers(host)]
    if not fitting:
        message = f"the host {host} is not in the zone that `[dns]` names"
        raise NotFoundError(message, path=PATH, hint="name its zone, or take the host's record out of Route 53's hands")
    longest = max(len(zone.name) for zone in fitting)
    nearest = [zone for zone in fitting if len(zone.name) == longest]
    chosen = [zone for zone in nearest if zone.private == internal] or nearest
    if len(chosen) > 1:
        ids = ", ".join(sorted(zone.id for zone in chosen))
        raise NotFoundError(f"several hosted zones are named {chosen[0].name}", path=PATH, hint=f"use one's id: {ids}")
    return chosen[0].id
