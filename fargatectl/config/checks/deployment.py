"""Checks of how a new version takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.findings import Finding, warning
from fargatectl.config.overlay import ANY_STRATEGY, STRATEGY_KEYS
from fargatectl.model.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, Http, Service
    from fargatectl.config.service import DeploymentHook, TestTraffic

_MINUTE = 60
_LEAST_PERCENT = {"linear": 3.0}
"""ECS API Reference, LinearConfiguration: stepPercent."""


def check(config: Config) -> Iterator[Finding]:
    """Yield findings about deployments."""
    yield from _dependencies(config)
    for name, service in config.services.items():
        path: KeyPath = ("services", name)
        yield from _foreign_keys(service, path)
        if service.deploy.strategy == "rolling":
            yield from _room(service, path)
        else:
            yield from _shifting(service, path)
        if {"circuit_breaker", "rollback"} <= service.deploy.model_fields_set:
            yield from _rollback(service, path)


def _foreign_keys(service: Service, path: KeyPath) -> Iterator[Finding]:
    deploy = service.deploy
    known = STRATEGY_KEYS[deploy.strategy]
    for key in sorted(ANY_STRATEGY & deploy.model_fields_set - known):
        owners = " and ".join(strategy for strategy, keys in STRATEGY_KEYS.items() if key in keys)
        message = f"`{key}` belongs to {owners}; the strategy is {deploy.strategy}"
        yield Finding((*path, "deploy", key), message, about=((*path, "deploy", "strategy"),))


def _shifting(service: Service, path: KeyPath) -> Iterator[Finding]:
    """Find what keeps ECS from shifting requests (ECS Developer Guide, "Amazon ECS deployment strategies")."""
    deploy, place = service.deploy, (*path, "deploy")
    strategy = (*place, "strategy")
    if service.http is None:
        message = f"`{deploy.strategy}` shifts requests of a load balancer, and the service has no `http`"
        yield Finding(strategy, message, about=((*path, "http"),))
    for key in ("bake", "step_bake"):
        yield from _minutes(getattr(deploy, key), (*place, key))
    least = _LEAST_PERCENT.get(deploy.strategy, 0)
    if deploy.percent is not None and deploy.percent < least:
        yield Finding((*place, "percent"), f"a linear step is at least {least:g} %", about=(strategy,))
    if deploy.test is not None and service.http is not None:
        yield from _tested(deploy.test, service.http, (*place, "test"))
    for index, hook in enumerate(deploy.hooks):
        yield from _hook(hook, (*place, "hooks", index))
    if service.discovery:
        message = f"other services find new tasks at once, whatever `{deploy.strategy}` does with the load balancer's"
        yield warning((*path, "discovery"), message, about=(strategy,))


def _minutes(seconds: int | None, place: KeyPath) -> Iterator[Finding]:
    if seconds is not None and seconds % _MINUTE:
        yield Finding(place, f"{seconds} s are no whole minutes, in which ECS counts")


def _hook(hook: DeploymentHook, place: KeyPath) -> Iterator[Finding]:
    if (hook.lambda_ is None) is not hook.pause:
        yield Finding(place, "a hook has either `lambda` or `pause = true`")
    yield from _minutes(hook.timeout, (*place, "timeout"))


def _tested(test: TestTraffic, http: Http, place: KeyPath) -> Iterator[Finding]:
    if not (test.host or test.path):
        yield Finding(place, "`test` needs `host` or `path`")
        return
    values = len(test.host or http.host) + len(test.path)
    if values > limits.CONDITION_VALUES_PER_RULE:
        message = f"{values} hosts and paths; a rule takes {limits.CONDITION_VALUES_PER_RULE}"
        yield Finding(place, message, hint="use wildcards")
    if (test.host or http.host, test.path or http.path) == (http.host, http.path):
        message = "these are the requests of everybody: ECS could not tell them from those of a test"
        yield Finding(place, message, hint="take another host or path")


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
