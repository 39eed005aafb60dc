"""Checks of how a new version takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.findings import Finding, warning
from fargatectl.config.overlay import ANY_STRATEGY, STRATEGY_KEYS
from fargatectl.model.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, Service


def check(config: Config) -> Iterator[Finding]:
    """Yield findings about deployments."""
    yield from _dependencies(config)
    for name, service in config.services.items():
        path: KeyPath = ("services", name)
        yield from _foreign_keys(service, path)
        if service.deploy.strategy == "rolling":
            yield from _room(service, path)
        if {"circuit_breaker", "rollback"} <= service.deploy.model_fields_set:
            yield from _rollback(service, path)


def _foreign_keys(service: Service, path: KeyPath) -> Iterator[Finding]:
    deploy = service.deploy
    known = STRATEGY_KEYS[deploy.strategy]
    for key in sorted(ANY_STRATEGY & deploy.model_fields_set - known):
        owners = " and ".join(strategy for strategy, keys in STRATEGY_KEYS.items() if key in keys)
        message = f"`{key}` belongs to {owners}; the strategy is {deploy.strategy}"
        yield Finding((*path, "deploy", key), message, about=((*path, "deploy", "strategy"),))


def _room(service: Service, path: KeyPath) -> Iterator[Finding]:
    """Find a number of tasks that cannot be replaced: ECS rounds the minimum up and the maximum down.

    ECS Developer Guide, Service event messages: "was unable to stop or start tasks during a deployment".
    """
    deploy, scaling = service.deploy, service.scaling
    low, high = (scaling.min, scaling.max) if scaling else (service.count, service.count)
    for count in range(max(low, 1), high + 1):
        least, most = -(-count * deploy.min_healthy // 100), count * deploy.max // 100
        if most > least:
            continue
        message = f"with {count} task{'s' if count > 1 else ''} at least {least} must stay and at most {most} may run"
        key = "max" if "max" in deploy.model_fields_set else "min_healthy"
        place = (*path, "deploy", key)
        hint = "no task could be replaced: raise `max` or lower `min_healthy`"
        about = ((*path, "count"), (*path, "scaling"), (*path, "deploy", "max"), (*path, "deploy", "min_healthy"))
        yield Finding(place, message, hint=hint, about=about)
        return


def _dependencies(config: Config) -> Iterator[Finding]:
    for name, service in config.services.items():
        for other in service.depends_on:
            if other not in config.services:
                close = nearest(other, config.services)
                hint = f"did you mean `{close}`?" if close else ""
                yield Finding(("services", name, "depends_on"), f"there is no service `{other}`", hint=hint)
    for name in config.services:
        if name in _awaited(config, name):
            yield Finding(("services", name, "depends_on"), f"`{name}` waits for itself")
            return


def _awaited(config: Config, name: str) -> set[str]:
    """Return the services that `name` waits for, if only by way of others."""
    reached, ahead = set[str](), list(config.services[name].depends_on)
    while ahead:
        other = ahead.pop()
        if other not in reached and other in config.services:
            reached.add(other)
            ahead += config.services[other].depends_on
    return reached


def _rollback(service: Service, path: KeyPath) -> Iterator[Finding]:
    if service.deploy.rollback and not (service.deploy.circuit_breaker or service.deploy.alarms):
        yield warning((*path, "deploy", "rollback"), "without `circuit_breaker` or `alarms` ECS never rolls back")
