"""Declaring the network on a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.model import names
from fargatectl.reconcilers.network.existing_group import ExistingGroupQuery, ExistingGroups
from fargatectl.reconcilers.network.ingress import Ingress, Ingresses
from fargatectl.reconcilers.network.rules import Rule
from fargatectl.reconcilers.network.security_group import EVERYWHERE, SecurityGroup, SecurityGroups
from fargatectl.reconcilers.network.vpc import DEFAULT, VpcQuery, Vpcs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.model.values import Late, Ref
    from fargatectl.reconcilers.network.topology import Network


def declare(
    stack: Stack,
    *,
    vpc: str | Mapping[str, str] = DEFAULT,
    public_subnets: tuple[str, ...] | Mapping[str, str] | None = None,
    private_subnets: tuple[str, ...] | Mapping[str, str] | None = None,
) -> Declared[Network]:
    """Declare the VPC that the stack lives in; see `VpcQuery`."""
    query = VpcQuery(vpc=vpc, public_subnets=public_subnets, private_subnets=private_subnets)
    return stack.find(Vpcs(), "vpc", query)


def load_balancer_group(
    stack: Stack,
    load_balancer: str,
    *,
    vpc_id: Late[str],
    ports: Iterable[int],
    allow_from: Iterable[Late[str] | Late[tuple[str, ...]]],
) -> Ref[str]:
    """Declare the security group of a load balancer, open at its listeners' ports; return its id.

    `allow_from` are CIDRs, security groups or prefix lists.
    """
    group = f"load balancer {load_balancer}"
    name = names.load_balancer_security_group(stack.owner, load_balancer)
    made = _group(stack, f"{load_balancer}-alb", name, vpc_id, group)
    rules = tuple(Rule(source, port, port) for source in allow_from for port in ports)
    ingress = Ingress(name=group, group_id=made, rules=rules)
    stack.add(Ingresses(), f"{load_balancer}-alb", ingress, group=group)
    return made


def task_group(stack: Stack, service: str, *, vpc_id: Late[str], egress: tuple[str, ...] = (EVERYWHERE,)) -> Ref[str]:
    """Declare the security group of a service's tasks; return its id. `task_ingress` opens it.

    EC2 adds up what all groups of a task allow: where others are to say where traffic may go, `egress` is empty.
    """
    name = names.task_security_group(stack.owner, service)
    return _group(stack, f"{service}-task", name, vpc_id, f"service {service}", egress)


def own_group(stack: Stack, name: str, *, vpc_id: Late[str], egress: tuple[str, ...]) -> Ref[str]:
    """Declare a security group that the file describes; return its id. `own_ingress` opens it."""
    full = names.own_security_group(stack.owner, name)
    return _group(stack, f"{name}-sg", full, vpc_id, f"security group {name}", egress)


def own_ingress(stack: Stack, name: str, *, group_id: Late[str], rules: Iterable[Rule]) -> Ref[str]:
    """Declare who may reach what has the security group `name`; return the id of the group that is open to them.

    Apart from `own_group` because groups may name each other.
    """
    ingress = Ingress(name=f"security group {name}", group_id=group_id, rules=tuple(rules))
    declared = stack.add(Ingresses(), f"{name}-sg", ingress, group=f"security group {name}")
    return declared.ref(lambda made: made.group_id)


def existing_group(stack: Stack, group_id: str, *, vpc_id: Late[str], path: str) -> Ref[str]:
    """Declare that a security group exists, which the file names at `path`; return its id."""
    query = ExistingGroupQuery(group_id=group_id, vpc_id=vpc_id, path=path)
    return stack.find(ExistingGroups(), group_id, query).ref(lambda found: found)


def task_ingress(
    stack: Stack,
    service: str,
    *,
    group_id: Late[str],
    port: int | None,
    sources: Iterable[Late[str] | Late[tuple[str, ...]]],
) -> Ref[str]:
    """Declare who may reach the tasks of a service: load balancers' and tasks' groups by id, CIDRs, prefix lists.
    Return the id of the group that is open to them.

    Apart from `task_group` because the groups of two services may name each other. Declare it for every group, with
    no port or no sources too: that is what closes it.
    """
    rules = () if port is None else tuple(Rule(source, port, port) for source in sources)
    ingress = Ingress(name=f"the tasks of {service}", group_id=group_id, rules=rules)
    declared = stack.add(Ingresses(), f"{service}-task", ingress, group=f"service {service}")
    return declared.ref(lambda made: made.group_id)


def _group(  # noqa: PLR0913 - what a group is made of
    stack: Stack, address: str, name: str, vpc_id: Late[str], group: str, egress: tuple[str, ...] | None = None
) -> Ref[str]:
    spec = SecurityGroup(name=name, vpc_id=vpc_id, egress=egress)
    return stack.add(SecurityGroups(), address, spec, group=group).ref(lambda out: out.id)
