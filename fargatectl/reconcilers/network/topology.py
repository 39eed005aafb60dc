"""What a VPC looks like to those who place things in it: subnets, their ways out, endpoints."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

# ELB User Guide, "Subnets for your load balancer": each needs a CIDR block with at least a /27 mask.
_LOAD_BALANCER_PREFIX = 27


@dataclass(frozen=True)
class Subnet:
    """A subnet. `zone` is the name of its Availability Zone.

    public: its default route leads to an internet gateway, or the file calls it public. nat: its default route leads
    elsewhere out of the VPC (a NAT gateway or instance, a transit gateway, a firewall). endpoints: the gateway
    endpoints of its route table, by short name ("s3"). ipv6: it has IPv6 addresses, too.
    """

    id: str
    zone: str
    cidr: str
    public: bool = False
    nat: bool = False
    endpoints: frozenset[str] = frozenset()
    free_addresses: int = 0
    ipv6: bool = False

    @property
    def fits_load_balancer(self) -> bool:
        """Tell whether it is large enough for a load balancer."""
        return bool(self.cidr) and ip_network(self.cidr, strict=False).prefixlen <= _LOAD_BALANCER_PREFIX


@dataclass(frozen=True)
class Network:
    """The VPC of an app with the subnets that may be used, in the order of their ids.

    `endpoints` are the interface endpoints that answer under AWS's own names (private DNS), by short name: "ecr.api",
    "ecr.dkr", "logs", "secretsmanager", "ssm", "kms".
    """

    vpc_id: str
    region: str
    cidrs: tuple[str, ...] = ()
    ipv6_cidrs: tuple[str, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    endpoints: frozenset[str] = frozenset()

    @property
    def public(self) -> tuple[Subnet, ...]:
        """The subnets whose default route leads to an internet gateway."""
        return tuple(subnet for subnet in self.subnets if subnet.public)

    @property
    def private(self) -> tuple[Subnet, ...]:
        """All other subnets."""
        return tuple(subnet for subnet in self.subnets if not subnet.public)

    def zones_of(self, subnet_ids: Iterable[str]) -> frozenset[str]:
        """Return the Availability Zones of subnets."""
        wanted = set(subnet_ids)
        return frozenset(subnet.zone for subnet in self.subnets if subnet.id in wanted)
