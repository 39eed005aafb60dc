"""Checks of alarms: those that the file makes, and those that fail deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.checks.app import region_of
from fargatectl.config.findings import Finding
from fargatectl.config.watches import KEYS, OF_REQUESTS, watches
from fargatectl.model import names
from fargatectl.model.ownership import Ownership

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.models import Config


def check(config: Config, environment: str | None) -> Iterator[Finding]:
    """Yield findings about alarms."""
    yield from _alarms(config)
    lacking = _lacking(config, Ownership(config.app, environment))
    for name, service in config.services.items():
        for place, alarm in enumerate(service.deploy.alarms):
            if alarm in lacking:
                message, hint = lacking[alarm]
                yield Finding(("services", name, "deploy", "alarms", place), message, hint=hint, about=(("alarms",),))


def _lacking(config: Config, owner: Ownership) -> dict[str, tuple[str, str]]:
    """Return the names that alarms of this app have or would have, where no deployment can be watched by them: with
    what is wrong and what to do."""
    found = {}
    for name, service in config.services.items():
        made = watches(config.alarms, service)
        for what, key in KEYS.items():
            alarm = names.service_alarm(owner, name, what)
            way_out = f"set `alarms.{key}`" if service.http or what not in OF_REQUESTS else f"{name} has no `http`"
            if what not in made:
                found[alarm] = (
                    f"`{alarm}` is one of `[alarms]`, which does not make it",
                    f"{way_out}, or leave it out",
                )
        for step in service.scaling.step if service.scaling else ():
            alarm = names.scaling_alarm(owner, name, step.name)
            message = f"`{alarm}` scales {name}: it is made after the service, and its ringing is no failure"
            found[alarm] = (message, "name one of `[alarms]`, or one of your own")
    return found


def _alarms(config: Config) -> Iterator[Finding]:
    wanted = config.alarms
    if wanted is None:
        return
    thresholds = (wanted.unhealthy_targets, wanted.errors_5xx, wanted.cpu_above)
    if all(threshold is None for threshold in thresholds):
        message = "no alarm is wanted: set `unhealthy_targets`, `errors_5xx` or `cpu_above`"
        yield Finding(("alarms",), message)
    if len(wanted.notify) > limits.ALARM_ACTIONS:
        message = f"{len(wanted.notify)} topics; an alarm notifies {limits.ALARM_ACTIONS}"
        yield Finding(("alarms", "notify"), message, hint="one topic may have many subscribers")
    for place, arn in enumerate(wanted.notify):
        region = region_of(arn)
        if config.region and region != config.region:
            message = f"the topic is in {region}; alarms in {config.region} cannot notify it"
            yield Finding(("alarms", "notify", place), message, about=(("region",),))
