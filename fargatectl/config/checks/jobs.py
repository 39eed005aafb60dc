"""Checks of one-off and scheduled jobs, and of what `deploy.before` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.checks.app import capacity
from fargatectl.config.checks.logs import LOG_ROUTER
from fargatectl.config.findings import Finding
from fargatectl.config.schedules import mistake
from fargatectl.model import names
from fargatectl.model.nearest import nearest
from fargatectl.model.ownership import Ownership

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, Job


def check(config: Config, environment: str | None) -> Iterator[Finding]:
    """Yield findings about jobs."""
    owner = Ownership(config.app, environment)
    for name, job in config.jobs.items():
        path: KeyPath = ("jobs", name)
        if job.from_ not in config.services:
            yield _unknown((*path, "from"), "service", job.from_, config.services)
        if name in config.services:
            yield Finding(path, f"a service is called {name} too: both would have the task definitions of that name")
        if name == LOG_ROUTER:
            yield Finding(path, f"{LOG_ROUTER} is what a log router's container is called")
        yield from _schedule(owner, name, job, path)
        yield from capacity(job.capacity, (*path, "capacity"))
    if any(job.schedule for job in config.jobs.values()):
        yield from _tags(config)
    for name, service in config.services.items():
        before = service.deploy.before
        if before is not None and before not in config.jobs:
            yield _unknown(("services", name, "deploy", "before"), "job", before, config.jobs)


def _schedule(owner: Ownership, name: str, job: Job, path: KeyPath) -> Iterator[Finding]:
    if not job.schedule:
        for key in sorted(job.model_fields_set & {"timezone", "retries"}):
            yield Finding((*path, key), f"`{key}` belongs to a job with a `schedule`", about=((*path, "schedule"),))
        return
    wrong = mistake(job.schedule)
    if wrong:
        yield Finding((*path, "schedule"), wrong)
    longest = limits.SCHEDULE_NAME_LENGTH
    if max(len(name), len(names.schedule_group(owner))) > longest:
        message = f"the name of its schedule or of the app's group of schedules has more than {longest} characters"
        yield Finding(path, message, "shorten the name of the app, environment or job")
    role = names.scheduler_role(owner, name)
    if len(role) > limits.ROLE_NAME_LENGTH:
        message = f"its role's name `{role}` has {len(role)} characters; IAM takes {limits.ROLE_NAME_LENGTH}"
        yield Finding(path, message, "shorten the name of the app, environment or job")


def _tags(config: Config) -> Iterator[Finding]:
    """EventBridge Scheduler API Reference, Tag: alone of all services it takes no empty values."""
    for key, value in config.tags.items():
        if not value:
            message = "an empty value, which the group of the jobs' schedules cannot carry"
            yield Finding(("tags", key), message, "give it a value")


def _unknown(path: KeyPath, noun: str, name: str, known: Iterable[str]) -> Finding:
    near = nearest(name, known)
    hint = f"did you mean {near}?" if near else ""
    return Finding(path, f"there is no {noun} {name}", hint, about=((f"{noun}s",),))
