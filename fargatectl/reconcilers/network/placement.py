"""Choosing subnets: which ones a load balancer stands in, and where tasks can reach what they need."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass
from fargatectl.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fargatectl.reconcilers.network.topology import Network, Subnet

_LOAD_BALANCER_ZONES = 2  # ELB API Reference, CreateLoadBalancer: subnets from at least two Availability Zones
_TASK_SUBNETS = 16  # ECS API Reference, AwsVpcConfiguration

PRIVATE = "private"
PUBLIC = "public"


@dataclass(frozen=True)
class Reach:
    """What tasks must get to: the internet (any registry but the Region's private ECR), and AWS services by short name
    ("ecr.api", "ecr.dkr", "s3", "logs", "secretsmanager", "ssm", "kms")."""

    internet: bool = True
    endpoints: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TaskPlacement:
    """Where tasks run. `reason` is a sentence for the plan where the choice was ours, else empty."""

    subnets: tuple[str, ...]
    public_ip: bool
    reason: str = ""


def load_balancer_subnets(
    network: Network, scheme: str, zones: Iterable[str] = (), *, dualstack: bool = False
) -> tuple[str, ...]:
    """Return one subnet per zone for a load balancer, the one with the lowest id: public ones if it faces the internet.

    An internal one takes private subnets, or any where these are in too few zones. `zones` are those of its targets,
    which it must cover; with `dualstack` its subnets need IPv6 addresses. Raises `NotFoundError` if that cannot be.
    """
    fitting = [subnet for subnet in network.subnets if subnet.fits_load_balancer and (subnet.ipv6 or not dualstack)]
    internal = scheme == "internal"
    chosen = _one_per_zone(subnet for subnet in fitting if subnet.public != internal)
    if internal and (len(chosen) < _LOAD_BALANCER_ZONES or set(zones) - chosen.keys()):
        chosen = _one_per_zone(fitting)
    which = "" if internal else "public "
    kind, size = (f"{scheme}, dualstack", "with IPv6 CIDRs") if dualstack else (scheme, "of /27 or larger")
    section = "network.subnets" if internal else "network.public_subnets"
    if len(chosen) < _LOAD_BALANCER_ZONES:
        message = (
            f"a load balancer ({kind}) needs {which}subnets {size} in at least two Availability Zones; "
            f"{network.vpc_id} has {_listed(chosen.values()) or 'none'}"
        )
        hint = "create what is missing, name the subnets in [network], or use another VPC"
        raise NotFoundError(message, path=section, hint=hint)
    if missing := sorted(set(zones) - chosen.keys()):
        message = (
            f"tasks run in {', '.join(missing)}, where {network.vpc_id} has no {which}subnet for the load balancer "
            f"({kind}); there are {_listed(chosen.values())}"
        )
        raise NotFoundError(message, path=section, hint="create one there, or name the tasks' subnets with `subnets`")
    return tuple(sorted(subnet.id for subnet in chosen.values()))


def place_tasks(
    network: Network,
    placement: str | Sequence[str] | None,
    reach: Reach,
    *,
    public_ip: bool | None = None,
    path: str = "network",
) -> TaskPlacement:
    """Return where tasks run: as `placement` says ("public", "private", or subnets by id), else where they reach all.

    That is private subnets if everything is reachable from there, else public ones with a public IP. `path` is the
    service's place in the file, for errors. Raises `NotFoundError` where no such subnet exists.
    """
    if placement is not None and not isinstance(placement, str):
        subnets = _named(network, placement, f"{path}.subnets")
        return _placed(subnets, public_ip=public_ip, default=all(subnet.public for subnet in subnets))
    reaching = [subnet for subnet in network.private if reaches(network, subnet, reach)]
    if placement == PRIVATE:
        return _placed(_some(network, reaching or network.private, PRIVATE, path), public_ip=public_ip, default=False)
    if placement == PUBLIC:
        return _placed(_some(network, network.public, PUBLIC, path), public_ip=public_ip, default=True)
    if reaching:
        ways = "NAT" if all(subnet.nat for subnet in reaching) else "endpoints"
        reason = f"tasks run in private subnets of {network.vpc_id}: they reach all they need through {ways}"
        return _placed(reaching, public_ip=public_ip, default=False, reason=reason)
    return _in_public(network, reach, path, public_ip=public_ip)


def reaches(network: Network, subnet: Subnet, reach: Reach) -> bool:
    """Tell whether tasks without a public IP can reach everything from `subnet`."""
    if subnet.nat:
        return True
    return not reach.internet and reach.endpoints <= network.endpoints | subnet.endpoints


def _in_public(network: Network, reach: Reach, path: str, *, public_ip: bool | None) -> TaskPlacement:
    lack = _lack(network, reach)
    if not network.public:
        message = f"there is no subnet in {network.vpc_id} from which tasks reach what they need: {lack}"
        hint = "add a NAT gateway or the endpoints, or an internet gateway and its route; `subnets` forces a choice"
        raise NotFoundError(message, path="network", hint=hint)
    if public_ip is False and not all(reaches(network, subnet, reach) for subnet in network.public):
        message = f"tasks without a public IP reach nothing from the public subnets of {network.vpc_id}, and {lack}"
        raise NotFoundError(message, path=f"{path}.public_ip", hint="leave `public_ip` out, or add a NAT gateway")
    reason = f"tasks run in public subnets with a public IP: {lack}" if public_ip is not False else ""
    return _placed(network.public, public_ip=public_ip, default=True, reason=reason)


def _lack(network: Network, reach: Reach) -> str:
    if not network.private:
        return f"{network.vpc_id} has no private subnet"
    if reach.internet:
        return f"no private subnet of {network.vpc_id} has a NAT gateway"
    needed = ", ".join(sorted(reach.endpoints))
    return f"no private subnet of {network.vpc_id} has a NAT gateway or the endpoints {needed}"


def _named(network: Network, ids: Sequence[str], path: str) -> list[Subnet]:
    found = {subnet.id: subnet for subnet in network.subnets}
    if missing := [wanted for wanted in ids if wanted not in found]:
        message = f"{', '.join(missing)}: no such subnet in {network.vpc_id} ({network.region})"
        raise NotFoundError(message, path=path, hint=f"there are {_listed(network.subnets) or 'none'}")
    return [found[wanted] for wanted in dict.fromkeys(ids)]


def _some(network: Network, subnets: Sequence[Subnet], which: str, path: str) -> Sequence[Subnet]:
    if not subnets:
        message = f"{network.vpc_id} has no {which} subnet"
        hint = f"there are {_listed(network.subnets) or 'none'}; name the ones to use with `subnets`"
        raise NotFoundError(message, path=f"{path}.subnets", hint=hint)
    return subnets


def _placed(subnets: Sequence[Subnet], *, public_ip: bool | None, default: bool, reason: str = "") -> TaskPlacement:
    ids = tuple(sorted(subnet.id for subnet in _spread(subnets)))
    return TaskPlacement(ids, default if public_ip is None else public_ip, reason)


def _spread(subnets: Sequence[Subnet]) -> list[Subnet]:
    """Return at most as many as a task may name, taken in turn from each zone."""
    by_zone: dict[str, list[Subnet]] = {}
    for subnet in subnets:
        by_zone.setdefault(subnet.zone, []).append(subnet)
    turns = zip_longest(*(by_zone[zone] for zone in sorted(by_zone)))
    return [subnet for turn in turns for subnet in turn if subnet is not None][:_TASK_SUBNETS]


def _one_per_zone(subnets: Iterable[Subnet]) -> dict[str, Subnet]:
    chosen: dict[str, Subnet] = {}
    for subnet in sorted(subnets, key=lambda subnet: subnet.id):
        chosen.setdefault(subnet.zone, subnet)
    return chosen


def _listed(subnets: Iterable[Subnet]) -> str:
    return ", ".join(f"{s.id} ({s.zone}, {PUBLIC if s.public else PRIVATE})" for s in subnets)
