"""Checks of a service's tasks: size, containers, variables, placement."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from fargatectl.config import limits
from fargatectl.config.checks.app import capacity
from fargatectl.config.findings import Finding, warning
from fargatectl.model.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, Container, Service, Sidecar

_SECRET_WORDS = re.compile(
    r"(password|passwd|passphrase|secret|token|credential|api_?key|private_?key|access_?key)s?$", re.IGNORECASE
)
_HEALTH_COMMANDS = ("CMD", "CMD-SHELL")
_UNLIMITED = -1
_WORDY = {"env", "secrets", "command", "sidecars"}
_LISTED = 4
"""So many sizes a message lists; more are given as a range."""


def looks_secret(variable: str) -> bool:
    """Tell whether an environment variable's name says that its value is a secret."""
    return _SECRET_WORDS.search(variable) is not None


def check(config: Config) -> Iterator[Finding]:
    """Yield findings about the services' tasks."""
    # From the whole file: pydantic takes its time to learn how a service is written by itself.
    written = config.model_dump(include={"services": {"__all__": _WORDY}})["services"]
    for name, service in config.services.items():
        path: KeyPath = ("services", name)
        yield from _size(service, path)
        yield from _containers(name, service, path)
        yield from _definition(written[name], path)
        yield from _dependencies(name, service, path)
        yield from _placement(service, path)
        yield from capacity(service.capacity, (*path, "capacity"))
        yield from _rights(service, path)


def _size(service: Service, path: KeyPath) -> Iterator[Finding]:
    fitting = {size.cpu: size.memory for size in limits.TASK_SIZES}
    cpu, memory = service.cpu, service.memory
    about = ((*path, "cpu"), (*path, "memory"))
    if cpu not in fitting:
        near = sorted(sorted(fitting, key=lambda known: abs(known - cpu))[:2])
        message = f"cpu {cpu} is no Fargate size; use {near[0]} or {near[1]}"
        yield Finding((*path, "cpu"), message, hint="1024 are one vCPU", about=about)
    elif memory not in fitting[cpu]:
        key = "cpu" if "cpu" in service.model_fields_set else "memory"
        yield Finding((*path, key), _mismatch(cpu, memory, fitting), about=about)
    yield from _shares(service, path)


def _mismatch(cpu: int, memory: int, fitting: dict[int, tuple[int, ...]]) -> str:
    others = [str(size) for size, known in fitting.items() if memory in known]
    if others:
        way = f"{memory} MiB needs cpu {_either(others)}"
    else:
        near = sorted(sorted(fitting[cpu], key=lambda known: abs(known - memory))[:2])
        way = f"nearest to {memory} MiB {'is' if len(near) == 1 else 'are'} {_either([str(size) for size in near])}"
    return f"cpu = {cpu}, memory = {memory} is not a Fargate size: {cpu} takes {_memory_range(fitting[cpu])} MiB; {way}"


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _memory_range(sizes: tuple[int, ...]) -> str:
    if len(sizes) <= _LISTED:
        return _either([str(size) for size in sizes])
    return f"{sizes[0]} to {sizes[-1]} in steps of {sizes[1] - sizes[0]}"


def _shares(service: Service, path: KeyPath) -> Iterator[Finding]:
    for key, unit, whole in (("cpu", "CPU units", service.cpu), ("memory", "MiB", service.memory)):
        parts = sum(getattr(sidecar, key) or 0 for sidecar in service.sidecars.values())
        if parts > whole:
            message = f"the sidecars keep {parts} {unit}, the task has {whole}"
            about = tuple((*path, "sidecars", name, key) for name in service.sidecars)
            yield Finding((*path, key), message, about=about)


def _containers(name: str, service: Service, path: KeyPath) -> Iterator[Finding]:
    count = 1 + len(service.sidecars)
    if count > limits.CONTAINERS_PER_TASK:
        message = f"{count} containers; a task has at most {limits.CONTAINERS_PER_TASK}"
        yield Finding((*path, "sidecars"), message)
    if name in service.sidecars:
        yield Finding((*path, "sidecars", name), f"`{name}` is the name of the service's main container")
    ports = {service.port: name} if service.port else {}
    for sidecar, container in service.sidecars.items():
        for index, port in enumerate(container.ports):
            other = ports.setdefault(port, sidecar)
            if other != sidecar or port in container.ports[:index]:
                message = f"port {port} is taken by the container `{other}`"
                yield Finding((*path, "sidecars", sidecar, "ports", index), message, about=((*path, "port"),))
        yield from _container(container, (*path, "sidecars", sidecar))
    yield from _container(service, path)
    if service.exec and service.readonly_root:
        message = "`exec` needs a writable root file system, and `readonly_root` is set"
        about = ((*path, "readonly_root"),)
        yield Finding(
            (*path, "exec"), message, hint="drop one of them; logs show most of what a shell would", about=about
        )


def _definition(written: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    size = len(json.dumps(written))
    if size > limits.TASK_DEFINITION_BYTES:
        message = f"the task definition has about {size // 1024} KiB; ECS takes {limits.TASK_DEFINITION_BYTES // 1024}"
        yield Finding(path, message, hint="variables and commands are the largest part")


def _container(container: Container, path: KeyPath) -> Iterator[Finding]:
    for variable in container.env:
        if variable in container.secrets:
            yield Finding((*path, "env", variable), f"`{variable}` is in env and in secrets")
        elif looks_secret(variable):
            message = f"`{variable}` looks like a secret; everybody who can read the task definition can read env"
            yield warning(
                (*path, "env", variable), message, "put the value into Secrets Manager and name it in secrets"
            )
    for limit, (soft, hard) in container.ulimits.items():
        if hard != _UNLIMITED and (soft > hard or soft == _UNLIMITED):
            yield Finding((*path, "ulimits", limit), f"the soft limit {soft} is above the hard limit {hard}")
    yield from _health(container, path)


def _health(container: Container, path: KeyPath) -> Iterator[Finding]:
    health = container.health_check
    if health is None:
        return
    path = (*path, "health_check")
    if health.command[:1] not in {(word,) for word in _HEALTH_COMMANDS} or len(health.command) == 1:
        words = ", ".join(f'"{word}"' for word in health.command) or '"…"'
        message = "a health check's command begins with CMD or CMD-SHELL"
        yield Finding((*path, "command"), message, hint=f'write ["CMD-SHELL", {words}]')
    if health.timeout > health.interval:
        message = f"the timeout of {health.timeout} s is longer than the interval of {health.interval} s"
        yield warning((*path, "timeout"), message, about=((*path, "interval"),))


def _dependencies(name: str, service: Service, path: KeyPath) -> Iterator[Finding]:
    containers: dict[str, Container] = {name: service, **service.sidecars}
    for sidecar, container in service.sidecars.items():
        for target, condition in container.depends_on.items():
            place = (*path, "sidecars", sidecar, "depends_on", target)
            if target not in containers:
                close = nearest(target, containers)
                hint = f"did you mean `{close}`?" if close else ""
                yield Finding(place, f"there is no container `{target}` in this task", hint=hint)
            elif condition == "HEALTHY" and containers[target].health_check is None:
                message = f"`{target}` has no health check that could become HEALTHY"
                about = ((*path, "sidecars", target, "health_check"), (*path, "health_check"))
                yield Finding(place, message, about=about)
            elif condition in {"COMPLETE", "SUCCESS"} and getattr(containers[target], "essential", True):
                yield Finding(
                    place, f"`{target}` is essential: when it ends, the task ends", hint="use START or HEALTHY"
                )
    yield from _cycle(service.sidecars, path)


def _cycle(sidecars: dict[str, Sidecar], path: KeyPath) -> Iterator[Finding]:
    """Yield a finding for the first container that waits for itself, if only by way of others."""
    for start, sidecar in sidecars.items():
        reached, ahead = set[str](), list(sidecar.depends_on)
        while ahead:
            target = ahead.pop()
            if target not in reached and target in sidecars:
                reached.add(target)
                ahead += sidecars[target].depends_on
        if start in reached:
            yield Finding((*path, "sidecars", start, "depends_on"), f"`{start}` waits for itself")
            return


def _placement(service: Service, path: KeyPath) -> Iterator[Finding]:
    place = (*path, "subnets")
    if isinstance(service.subnets, tuple):
        if not service.subnets:
            yield Finding(place, "expected at least one subnet")
        if len(service.subnets) > limits.SUBNETS_PER_SERVICE:
            yield Finding(place, f"{len(service.subnets)} subnets; ECS takes {limits.SUBNETS_PER_SERVICE}")
    about = (place,)
    if service.subnets == "private" and service.public_ip:
        message = "a public address is of no use in a private subnet"
        yield warning((*path, "public_ip"), message, about=about)
    if service.subnets == "public" and service.public_ip is False:
        message = "without a public address a task in a public subnet reaches nothing but VPC endpoints"
        yield warning((*path, "public_ip"), message, about=about)
    if service.allow_from and service.port is None:
        yield Finding((*path, "allow_from"), "`allow_from` needs `port`", about=((*path, "port"),))


def _rights(service: Service, path: KeyPath) -> Iterator[Finding]:
    if service.roles.task and (service.permissions.managed or service.permissions.allow):
        message = f"the task role is {service.roles.task}, which is not ours to change"
        hint = "give that role the rights, or drop `roles.task`"
        yield Finding((*path, "permissions"), message, hint=hint, about=((*path, "roles", "task"),))
    if service.roles.task and service.exec:
        message = f"the role {service.roles.task} must allow the four actions of ssmmessages"
        yield warning((*path, "exec"), message, about=((*path, "roles", "task"),))
    managed = len(service.permissions.managed)
    if managed > limits.MANAGED_POLICIES_PER_ROLE:
        message = f"{managed} managed policies; a role takes {limits.MANAGED_POLICIES_PER_ROLE}"
        yield Finding((*path, "permissions", "managed"), message)
    size = len(json.dumps(service.permissions.model_dump()["allow"], separators=(",", ":")))
    if size > limits.POLICY_LENGTH:
        message = f"the statements have about {size} characters; a role takes {limits.POLICY_LENGTH}"
        yield Finding((*path, "permissions", "allow"), message, hint="use a managed policy")
