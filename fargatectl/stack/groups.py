"""Security groups: those that the file describes, and which of them the tasks of a service have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.checks.groups import is_id
from fargatectl.dataclass import dataclass
from fargatectl.reconcilers import network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.config.models import Config, Service
    from fargatectl.engine.stack import Stack
    from fargatectl.model.values import Late, Ref


@dataclass(frozen=True)
class TaskGroups:
    """The security groups of a service's tasks: its own, and all of them."""

    own: Ref[str]
    all: tuple[Late[str], ...]


def declare_task_groups(config: Config, stack: Stack, vpc: Ref[str]) -> Mapping[str, TaskGroups]:
    """Declare the groups of the file with their rules, and each service's own; return the latter by service."""
    described = config.network.security_groups
    made = {name: network.own_group(stack, name, vpc_id=vpc, egress=group.egress) for name, group in described.items()}
    # A service gets a group once it is open.
    opened = {
        name: network.own_ingress(
            stack,
            name,
            group_id=made[name],
            rules=[network.Rule(made.get(rule.from_, rule.from_), rule.port, rule.port) for rule in group.ingress],
        )
        for name, group in described.items()
    }
    found = {}
    for name, service in config.services.items():
        own = network.task_group(stack, name, vpc_id=vpc, egress=_egress(config, service))
        path = f"services.{name}.security_groups"
        others = (
            network.existing_group(stack, one, vpc_id=vpc, path=path) if is_id(one) else opened[one]
            for one in service.security_groups
        )
        found[name] = TaskGroups(own, (own, *others))
    return found


def _egress(config: Config, service: Service) -> tuple[str, ...]:
    """Return where a service's own group lets traffic go: everywhere, unless groups of the file are to say it alone."""
    described = config.network.security_groups
    named = [described[one].egress for one in service.security_groups if one in described]
    restricted = bool(named) and all(network.EVERYWHERE not in egress for egress in named)
    return () if restricted else (network.EVERYWHERE,)
