"""Checks of where a service's output goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.findings import Finding
from fargatectl.config.logs import DRIVER_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, Logs

LOG_ROUTER = "log_router"
"""The container that takes the others' output with the driver awsfirelens."""

_GROUP_KEYS = ("retention", "class_", "kms_key")


def check(config: Config) -> Iterator[Finding]:
    """Yield findings about logs."""
    first: dict[str, str] = {}
    for name, service in config.services.items():
        path: KeyPath = ("services", name, "logs")
        yield from _driver(service.logs, path)
        if service.logs.driver == "awsfirelens":
            yield from _router(config, name)
        if service.logs.driver != "none":
            other = first.setdefault(service.logs.group, name)
            yield from _same(config.services[other].logs, service.logs, other, path)


def _driver(logs: Logs, path: KeyPath) -> Iterator[Finding]:
    about = ((*path, "driver"),)
    for key, owners in DRIVER_KEYS.items():
        if key in logs.model_fields_set and logs.driver not in owners:
            message = f"`{key.rstrip('_')}` belongs to {' and '.join(owners)}; the driver is {logs.driver}"
            yield Finding((*path, key.rstrip("_")), message, about=about)
    if logs.multiline and logs.datetime:
        message = "either `multiline` or `datetime` tells where a message begins"
        yield Finding((*path, "datetime"), message, about=((*path, "multiline"),))
    if logs.options and not any(key.lower() == "name" for key in logs.options):
        message = "Fluent Bit's output needs a `Name`"
        yield Finding((*path, "options"), message, hint='such as { Name = "http", Host = "logs.example.com" }')


def _router(config: Config, name: str) -> Iterator[Finding]:
    service = config.services[name]
    if LOG_ROUTER in {name, *service.sidecars}:
        message = f"with the driver awsfirelens `{LOG_ROUTER}` is the log router's own name"
        yield Finding(("services", name, "sidecars", LOG_ROUTER), message)
    containers = 2 + len(service.sidecars)
    if containers > limits.CONTAINERS_PER_TASK:
        message = f"{containers} containers with the log router; a task has at most {limits.CONTAINERS_PER_TASK}"
        yield Finding(("services", name, "sidecars"), message, about=(("services", name, "logs", "driver"),))


def _same(first: Logs, logs: Logs, other: str, path: KeyPath) -> Iterator[Finding]:
    """Find services that share a log group and want it different."""
    for key in _GROUP_KEYS:
        if key in logs.model_fields_set and getattr(logs, key) != getattr(first, key):
            message = f"the service `{other}` has the same log group with another `{key.rstrip('_')}`"
            yield Finding((*path, key.rstrip("_")), message)
