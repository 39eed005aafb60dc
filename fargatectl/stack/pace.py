"""What a service's file says about how long its rollouts take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.model.rollout import UNCHECKED_SECONDS, Pace

if TYPE_CHECKING:
    from fargatectl.config.models import Service

_ALL = 100  # percent


def pace_of(service: Service) -> Pace:
    """Return the pace of a service's rollouts."""
    http = service.http
    return Pace(
        min_percent=service.deploy.min_healthy,
        max_percent=service.deploy.max,
        healthy_after=_healthy_after(service),
        grace=http.grace_period if http else 0,
        drain=http.deregistration_delay if http else 0,
        stop=max(one.stop_timeout for one in (service, *service.sidecars.values())),
        bake=_bakes(service),
    )


def _bakes(service: Service) -> float:
    """Return how long both versions stay: between the steps in which requests move, and after the last one."""
    deploy = service.deploy
    steps = {"canary": 1, "linear": -(-_ALL // max(deploy.percent or _ALL, 1)) - 1}.get(deploy.strategy, 0)
    return (deploy.bake or 0) + steps * (deploy.step_bake or 0)


def _healthy_after(service: Service) -> float:
    """Return the slowest check: a task is healthy when all of them say so."""
    checks = [one.health_check.interval for one in (service, *service.sidecars.values()) if one.health_check]
    if service.http:
        checks.append(service.http.health_check.interval * service.http.health_check.healthy)
    return max(checks, default=UNCHECKED_SECONDS)
