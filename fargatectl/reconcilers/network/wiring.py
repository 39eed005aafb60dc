"""Declaring the network on a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.model import names
from fargatectl.reconcilers.network.ingress import Ingress, Ingresses, IngressRule
from fargatectl.reconcilers.network.security_group import SecurityGroup, SecurityGroups
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
    stack: Stack, load_balancer: str, *, vpc_id: Late[str], ports: Iterable[int], allow_from: Iterable[str]
) -> Ref[str]:
    """Declare the security group of a load balancer, open at its listeners' ports; return its id.

    `allow_from` are CIDRs, security groups or prefix lists.
    """
    group = f"load balancer {load_balancer}"
    name = names.load_balancer_security_group(stack.owner, load_balancer)
    made = _group(stack, f"{load_balancer}-alb", name, vpc_id, group)
    rules = tuple(IngressRule(source, port, port) for source in allow_from for port in ports)
    ingress = Ingress(name=group, group_id=made, rules=rules)
    stack.add(Ingresses(), f"{load_balancer}-alb", ingress, group=group)
    return made


def task_group(stack: Stack, service: str, *, vpc_id: Late[str]) -> Ref[str]:
    """Declare the security group of a service's tasks; return its id. `task_ingress` opens it."""
    name = names.task_security_group(stack.owner, service)
    return _group(stack, f"{service}-task", name, vpc_id, f"service {service}")


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
    rules = () if port is None else tuple(IngressRule(source, port, port) for source in sources)
    ingress = Ingress(name=f"the tasks of {service}", group_id=group_id, rules=rules)
    declared = stack.add(Ingresses(), f"{service}-task", ingress, group=f"service {service}")
    return declared.ref(lambda made: made.group_id)


def _group(stack: Stack, address: str, name: str, vpc_id: Late[str], group: str) -> Ref[str]:
    spec = SecurityGroup(name=name, vpc_id=vpc_id)
    return stack.add(SecurityGroups(), address, spec, group=group).ref(lambda out: out.id)
