"""Checks of security groups: those of the file, and those that services name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.findings import Finding, warning
from fargatectl.model import names
from fargatectl.model.nearest import nearest
from fargatectl.model.ownership import Ownership

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, SecurityGroup

_ID = re.compile(r"(sg|pl)-[0-9a-f]{8,17}")


def check(config: Config, environment: str | None) -> Iterator[Finding]:
    """Yield findings about security groups."""
    used = {name for service in config.services.values() for name in service.security_groups}
    for name, group in config.network.security_groups.items():
        path: KeyPath = ("network", "security_groups", name)
        yield from _group(config, Ownership(config.app, environment), name, group)
        if name not in used:
            yield warning(path, "no service names this security group", about=(("services",),))
    for name, service in config.services.items():
        path = ("services", name, "security_groups")
        free = limits.SECURITY_GROUPS_PER_SERVICE - 1
        if len(service.security_groups) > free:
            message = f"{len(service.security_groups)} security groups; a service takes {free} beside its own"
            yield Finding(path, message)
        for index, group_name in enumerate(service.security_groups):
            if group_name in service.security_groups[:index]:
                yield Finding((*path, index), f"{group_name} stands twice in the list")
            elif not is_id(group_name):
                yield from _known(config, group_name, (*path, index))


def is_id(reference: str) -> bool:
    """Tell the id of a security group or prefix list from the name of a group of the file."""
    return _ID.fullmatch(reference) is not None


def _group(config: Config, owner: Ownership, name: str, group: SecurityGroup) -> Iterator[Finding]:
    path: KeyPath = ("network", "security_groups", name)
    length = len(names.own_security_group(owner, name))
    if length > limits.SECURITY_GROUP_NAME_LENGTH:
        message = f"the security group's name has {length} characters; EC2 takes {limits.SECURITY_GROUP_NAME_LENGTH}"
        yield Finding(path, message, hint="shorten it")
    if is_id(name):
        yield Finding(path, f"{name} is an id; a group of the file needs a name")
    for key, rules in (("ingress", len(set(group.ingress))), ("egress", len(set(group.egress)))):
        if rules > limits.RULES_PER_SECURITY_GROUP:
            message = f"{rules} rules; a security group takes {limits.RULES_PER_SECURITY_GROUP} each way"
            yield Finding((*path, key), message)
    for index, rule in enumerate(group.ingress):
        if "/" not in rule.from_ and not is_id(rule.from_):
            yield from _known(config, rule.from_, (*path, "ingress", index, "from"))


def _known(config: Config, name: str, path: KeyPath) -> Iterator[Finding]:
    there = config.network.security_groups
    if name in there:
        return
    close = nearest(name, there)
    hint = f"did you mean `{close}`?" if close else f"add a table [network.security_groups.{name}], or use an id sg-…"
    message = f"there is no security group `{name}`"
    yield Finding(path, message, hint=hint, about=(("network", "security_groups"),))
