"""Checks of how many tasks a service has, and of its automatic scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.findings import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, Scaling, Service


def check(config: Config) -> Iterator[Finding]:
    """Yield findings about counts and scaling."""
    for name, service in config.services.items():
        path: KeyPath = ("services", name)
        yield from _most(service, path)
        if service.scaling:
            yield from _bounds(service, service.scaling, path)
            yield from _policies(service, service.scaling, path)


def _most(service: Service, path: KeyPath) -> Iterator[Finding]:
    if not service.http and not service.discovery:
        return
    counts = [(service.count, (*path, "count"))]
    if service.scaling:
        counts.append((service.scaling.max, (*path, "scaling", "max")))
    for count, place in counts:
        if count > limits.TASKS_PER_REGISTERED_SERVICE:
            message = f"{count} tasks; a service with `http` or `discovery` has at most 1000"
            yield Finding(place, message, about=((*path, "http"), (*path, "discovery")))


def _bounds(service: Service, scaling: Scaling, path: KeyPath) -> Iterator[Finding]:
    if scaling.min > scaling.max:
        message = f"min = {scaling.min} is greater than max = {scaling.max}"
        yield Finding((*path, "scaling", "min"), message, about=((*path, "scaling", "max"),))
    elif "count" in service.model_fields_set and not scaling.min <= service.count <= scaling.max:
        message = f"scaling keeps the number of tasks between {scaling.min} and {scaling.max}"
        yield warning((*path, "count"), message, about=((*path, "scaling"),))


def _policies(service: Service, scaling: Scaling, path: KeyPath) -> Iterator[Finding]:
    place = (*path, "scaling")
    if scaling.requests is not None and service.http is None:
        yield Finding((*place, "requests"), "`requests` needs `http`", about=((*path, "http"),))
    if not any((scaling.cpu, scaling.memory, scaling.requests, scaling.custom, scaling.step, scaling.schedule)):
        message = "nothing here says when to scale"
        keys = ("cpu", "memory", "requests", "custom", "step", "schedule")
        yield warning(place, message, "add cpu = 60, for example", about=tuple((*place, key) for key in keys))
    if scaling.min == 0 and (scaling.cpu or scaling.memory or scaling.requests):
        message = "without tasks there is nothing to measure: a service at 0 tasks stays there"
        yield warning((*place, "min"), message)
