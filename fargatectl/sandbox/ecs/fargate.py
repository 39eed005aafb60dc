"""Fargate's rules for task definitions, with the texts AWS refuses in (AWS: ECS guide, "Fargate task definitions")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.ecs.requests import refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GIB = 1024

# MiB of memory that each number of cpu units may have (AWS: ECS guide, "Task CPU and memory"; 32 vCPU since June 2026).
SIZES: dict[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1 * GIB, 4 * GIB + 1, GIB),
    1024: range(2 * GIB, 8 * GIB + 1, GIB),
    2048: range(4 * GIB, 16 * GIB + 1, GIB),
    4096: range(8 * GIB, 30 * GIB + 1, GIB),
    8192: range(16 * GIB, 60 * GIB + 1, 4 * GIB),
    16384: range(32 * GIB, 120 * GIB + 1, 8 * GIB),
    32768: (60 * GIB, 120 * GIB, 244 * GIB),
}

_CONTAINERS = 10
_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
_NOT_ON_FARGATE = (
    "links",
    "dnsServers",
    "dnsSearchDomains",
    "dockerSecurityOptions",
    "extraHosts",
    "disableNetworking",
)
_ECR = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")
_CPU = re.compile(r"([0-9.]+) ?v?cpu", re.IGNORECASE)
_MEMORY = re.compile(r"([0-9.]+) ?gb", re.IGNORECASE)


def cpu_units(text: str) -> str:
    """Return task cpu as ECS stores it: "1 vCPU" becomes "1024". Raises AwsError for what is no number."""
    found = _CPU.fullmatch(text.strip())
    return _whole(float(found.group(1)) * 1024 if found else text, "cpu")


def memory_mib(text: str) -> str:
    """Return task memory as ECS stores it: "0.5 GB" becomes "512". Raises AwsError for what is no number."""
    found = _MEMORY.fullmatch(text.strip())
    return _whole(float(found.group(1)) * GIB if found else text, "memory")


def _whole(number: float | str, name: str) -> str:
    try:
        return str(int(number))
    except ValueError as error:
        raise refused(f"Invalid '{name}' setting for task: {number}.") from error


def check(definition: Mapping[str, Any]) -> None:
    """Raise AwsError for the first rule of Fargate's that a canonical task definition breaks."""
    problem = next(_problems(definition), None)
    if problem:
        raise refused(problem)


def _problems(definition: Mapping[str, Any]) -> Iterator[str]:
    containers = definition["containerDefinitions"]
    if definition.get("networkMode") != "awsvpc":
        yield "Fargate only supports network mode 'awsvpc'."
    yield from _size(definition)
    if len(containers) > _CONTAINERS:
        yield f"Container.containerDefinitions must have at most {_CONTAINERS} containers."
    yield from _task(definition)
    for container in containers:
        yield from _container(definition, container)
    yield from _limits(definition)
    if not definition.get("executionRoleArn"):
        yield from _needs_role(containers)


def _size(definition: Mapping[str, Any]) -> Iterator[str]:
    if not definition.get("cpu"):
        yield "Fargate requires that 'cpu' be defined at the task level."
    if not definition.get("memory"):
        yield "Fargate requires that 'memory' be defined at the task level."
    if int(definition["memory"]) not in SIZES.get(int(definition["cpu"]), ()):
        yield (
            "No Fargate configuration exists for given values: "
            f"{definition['cpu']} CPU, {definition['memory']} memory. See the Amazon ECS documentation for the valid "
            "values."
        )


def _task(definition: Mapping[str, Any]) -> Iterator[str]:
    storage = definition.get("ephemeralStorage")
    if storage and not 21 <= storage.get("sizeInGiB", 0) <= 200:  # noqa: PLR2004 - AWS: EphemeralStorage
        yield "EphemeralStorage size is not valid. The valid range is from 21 to 200 GiB."
    if definition.get("ipcMode"):
        yield "Fargate does not support the IPC mode."
    if definition.get("pidMode") not in (None, "task"):
        yield "Fargate only supports PID mode 'task'."
    if definition.get("placementConstraints"):
        yield "Placement constraints are not supported for Fargate task definitions."
    if any(volume.get("dockerVolumeConfiguration") for volume in definition.get("volumes", [])):
        yield "Fargate compatible task definitions do not support docker volumes."
    if any((volume.get("host") or {}).get("sourcePath") for volume in definition.get("volumes", [])):
        yield "Fargate compatible task definitions do not support host.sourcePath of volumes."


def _container(definition: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[str]:
    name = container["name"]
    for key in _NOT_ON_FARGATE:
        if container.get(key):
            yield f"Fargate compatible task definitions do not support {key}"
    if container.get("privileged"):
        yield "Fargate compatible task definitions do not support privileged"
    for mapping in container["portMappings"]:
        if mapping["hostPort"] != mapping.get("containerPort"):
            yield (
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match. "
                f"(container {name})"
            )
    timeout = container.get("stopTimeout", 30)
    if not 2 <= timeout <= 120:  # noqa: PLR2004 - AWS: ContainerDefinition.stopTimeout
        yield "Fargate requires that 'stopTimeout' be between 2 and 120 seconds."
    yield from _logging(container)
    yield from _linux(container)
    if container.get("memory", 0) > int(definition["memory"]):
        yield f"Invalid 'memory' setting for container '{name}': it must not exceed the task's memory."


def _logging(container: Mapping[str, Any]) -> Iterator[str]:
    log = container.get("logConfiguration")
    if not log:
        return
    if log.get("logDriver") not in _LOG_DRIVERS:
        yield f"Log driver '{log.get('logDriver')}' is not supported for Fargate."
    options = log.get("options", {})
    if log.get("logDriver") == "awslogs":
        for option in ("awslogs-group", "awslogs-region"):
            if not options.get(option):
                yield f"Log driver awslogs requires options: {option}"
        if not options.get("awslogs-stream-prefix"):
            yield (
                "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver "
                "awslogs."
            )


def _linux(container: Mapping[str, Any]) -> Iterator[str]:
    linux = container.get("linuxParameters") or {}
    for key in ("devices", "sharedMemorySize", "tmpfs", "maxSwap", "swappiness"):
        if linux.get(key):
            yield f"Fargate compatible task definitions do not support {key}"
    if set((linux.get("capabilities") or {}).get("add") or []) - {"SYS_PTRACE"}:
        yield "Fargate compatible task definitions do not support adding capabilities other than SYS_PTRACE"


def _limits(definition: Mapping[str, Any]) -> Iterator[str]:
    containers = definition["containerDefinitions"]
    for unit, total in (("cpu", int(definition["cpu"])), ("memoryReservation", int(definition["memory"]))):
        if sum(container.get(unit) or 0 for container in containers) > total:
            yield f"The sum of '{unit}' of all containers exceeds the task's ({total})."


def _needs_role(containers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for container in containers:
        if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            yield "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        if _ECR.match(container.get("image", "")):
            yield "Fargate requires task definition to have execution role ARN to support ECR images."
        if container.get("secrets") or (container.get("logConfiguration") or {}).get("secretOptions"):
            yield ("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
        if container.get("repositoryCredentials"):
            yield "When you are specifying container repositoryCredentials, you must also specify 'executionRoleArn'."
