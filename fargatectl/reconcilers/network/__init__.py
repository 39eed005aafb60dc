"""The network that tasks and load balancers stand in: a VPC that exists, and security groups that are made in it."""

from fargatectl.reconcilers.network.ingress import Ingress, Ingresses, IngressOut
from fargatectl.reconcilers.network.placement import Reach, TaskPlacement, load_balancer_subnets, place_tasks
from fargatectl.reconcilers.network.resolution import declare_resolution
from fargatectl.reconcilers.network.rules import Rule
from fargatectl.reconcilers.network.security_group import EVERYWHERE, SecurityGroup, SecurityGroupOut, SecurityGroups
from fargatectl.reconcilers.network.topology import Network, Subnet
from fargatectl.reconcilers.network.vpc import VpcQuery, Vpcs
from fargatectl.reconcilers.network.wiring import (
    declare,
    existing_group,
    load_balancer_group,
    own_group,
    own_ingress,
    task_group,
    task_ingress,
)

KINDS = (SecurityGroups(), Ingresses())
"""All kinds, in the order of creation."""

__all__ = [
    "EVERYWHERE",
    "KINDS",
    "Ingress",
    "IngressOut",
    "Ingresses",
    "Network",
    "Reach",
    "Rule",
    "SecurityGroup",
    "SecurityGroupOut",
    "SecurityGroups",
    "Subnet",
    "TaskPlacement",
    "VpcQuery",
    "Vpcs",
    "declare",
    "declare_resolution",
    "existing_group",
    "load_balancer_group",
    "load_balancer_subnets",
    "own_group",
    "own_ingress",
    "place_tasks",
    "task_group",
    "task_ingress",
]
