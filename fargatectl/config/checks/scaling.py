"""Checks of how many tasks a service has, and of its automatic scaling."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.findings import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, Metric, Scaling, Service, StepScaling

_ELB = "AWS/ApplicationELB"
_SHORT_PERIODS = frozenset({10, 20, 30})
_MINUTE = 60
_DAY = 86_400


def check(config: Config) -> Iterator[Finding]:
    """Yield findings about counts and scaling."""
    for name, service in config.services.items():
        path: KeyPath = ("services", name)
        yield from _most(service, path)
        if service.scaling:
            yield from _bounds(service, service.scaling, path)
            yield from _policies(service, service.scaling, path)
            yield from _metrics(service, service.scaling, (*path, "scaling"))
            for place, step in enumerate(service.scaling.step):
                yield from _step(step, (*path, "scaling", "step", place))
            yield from _schedules(service.scaling, (*path, "scaling"))
            yield from _names(name, service.scaling, (*path, "scaling"))
            yield from _quotas(service.scaling, (*path, "scaling"))


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


def _quotas(scaling: Scaling, path: KeyPath) -> Iterator[Finding]:
    own = sum(one is not None for one in (scaling.cpu, scaling.memory, scaling.requests))
    policies = own + len(scaling.custom) + len(scaling.step)
    if policies > limits.SCALING_POLICIES:
        yield Finding(path, f"{policies} scaling policies; a service takes {limits.SCALING_POLICIES}")
    if len(scaling.schedule) > limits.SCHEDULED_ACTIONS:
        message = f"{len(scaling.schedule)} schedules; a service takes {limits.SCHEDULED_ACTIONS}"
        yield Finding((*path, "schedule"), message)


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


def _metrics(service: Service, scaling: Scaling, path: KeyPath) -> Iterator[Finding]:
    metrics: list[tuple[Metric, KeyPath]] = [
        *((one.metric, (*path, "custom", place, "metric")) for place, one in enumerate(scaling.custom)),
        *((one.metric, (*path, "step", place, "metric")) for place, one in enumerate(scaling.step)),
    ]
    for metric, place in metrics:
        if metric.namespace == _ELB and not metric.dimensions and service.http is None:
            message = "a metric of the load balancer needs `http`, or `dimensions` of its own"
            yield Finding((*place, "namespace"), message)
        if metric.period not in _SHORT_PERIODS and metric.period % _MINUTE:
            message = f"{metric.period} s is no period of CloudWatch's: 10, 20 or 30 seconds, or whole minutes"
            yield Finding((*place, "period"), message)
        elif metric.period * metric.periods > _DAY:
            message = f"{metric.periods} periods of {metric.period} s are longer than a day"
            yield Finding((*place, "periods"), message)
    for index, tracking in enumerate(scaling.custom):
        for key in sorted(tracking.metric.model_fields_set & {"period", "periods"}):
            message = f"`{key}` belongs to step scaling: target tracking chooses its own"
            yield Finding((*path, "custom", index, "metric", key), message)


def _step(step: StepScaling, path: KeyPath) -> Iterator[Finding]:
    """Application Auto Scaling API Reference, StepAdjustment: no gaps, no overlaps, open ends at the ends only."""
    if (step.above is None) == (step.below is None):
        yield Finding(path, "a step policy has either `above` or `below`, the threshold of its alarm")
    if not step.steps:
        yield Finding((*path, "steps"), "there are no steps", "add { from = 0, by = 1 }, for example")
        return
    if len(step.steps) > limits.STEP_ADJUSTMENTS:
        yield Finding((*path, "steps"), f"{len(step.steps)} steps; a policy has at most {limits.STEP_ADJUSTMENTS}")
    ends = sorted(
        (float("-inf") if one.from_ is None else one.from_, float("inf") if one.to is None else one.to)
        for one in step.steps
    )
    if any(low >= high for low, high in ends):
        yield Finding((*path, "steps"), "the `from` of a step must be below its `to`")
    elif any(before[1] != after[0] for before, after in itertools.pairwise(ends)):
        yield Finding((*path, "steps"), "each step must begin where the one before it ends")
    elif step.above is not None and ends[0][0] > 0:
        yield Finding((*path, "steps"), f"nothing happens until {ends[0][0]:g} above: the first step must be from 0")
    elif step.below is not None and ends[-1][1] < 0:
        yield Finding((*path, "steps"), f"nothing happens until {-ends[-1][1]:g} below: the last step must be to 0")
    if step.adjust == "exact" and any(one.by < 0 for one in step.steps):
        yield Finding((*path, "steps"), 'with adjust = "exact", `by` is a number of tasks and cannot be negative')


def _schedules(scaling: Scaling, path: KeyPath) -> Iterator[Finding]:
    for bound in ("min", "max"):
        setting = [getattr(one, bound) is not None for one in scaling.schedule]
        if any(setting) and not all(setting):
            place = (*path, "schedule", setting.index(False))
            message = f"other schedules of this service set `{bound}`: without it here, theirs would stay for good"
            yield Finding(place, message, f"add {bound} = {getattr(scaling, bound)}")
    for index, one in enumerate(scaling.schedule):
        place = (*path, "schedule", index)
        if one.min is None and one.max is None:
            yield Finding(place, "a schedule sets `min`, `max` or both")
        least = scaling.min if one.min is None else one.min
        most = scaling.max if one.max is None else one.max
        if least > most:
            yield Finding(place, f"min = {least} is greater than max = {most}", "let the schedule set both")


def _names(service: str, scaling: Scaling, path: KeyPath) -> Iterator[Finding]:
    policies = [f"{service}-{metric}" for metric in ("cpu", "memory", "requests") if getattr(scaling, metric)]
    own = {"step": [one.name for one in scaling.step], "schedule": [one.name for one in scaling.schedule]}
    for key, names in own.items():
        seen = set(policies if key == "step" else ())
        for place, name in enumerate(names):
            if name in seen:
                yield Finding((*path, key, place, "name"), f"the name {name} is taken already")
            seen.add(name)
