"""What ECS asks of containers and volumes on any launch type (AWS: ECS API Reference, ContainerDefinition, Volume)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.ecs.requests import refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MOST_FILES = 10
_HIGHEST_PORT = 65_535
_CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
_ENDING = ("COMPLETE", "SUCCESS")
_ARCHITECTURES = ("X86_64", "ARM64")


def check(content: Mapping[str, Any]) -> None:
    """Raise AwsError for the first rule that a canonical task definition breaks."""
    problem = next(_problems(content), None)
    if problem:
        raise refused(problem)


def _problems(content: Mapping[str, Any]) -> Iterator[str]:
    containers = content["containerDefinitions"]
    by_name = {container["name"]: container for container in containers}
    for container in containers:
        yield from _memory(container)
        yield from _ports(container)
        yield from _environment(container)
        for need in container.get("dependsOn", []):
            yield from _dependency(container["name"], need, by_name)
    yield from _cycle(by_name)
    yield from _files(containers)
    yield from _routers(containers)
    yield from _volumes(content["volumes"])
    architecture = (content.get("runtimePlatform") or {}).get("cpuArchitecture")
    if architecture not in (None, *_ARCHITECTURES):
        yield f"Invalid CPU architecture: {architecture}."


def _memory(container: Mapping[str, Any]) -> Iterator[str]:
    hard, soft = container.get("memory"), container.get("memoryReservation")
    if hard and soft and soft > hard:
        yield (
            f"Invalid setting for container '{container['name']}'. The 'memory' must be greater than or equal to "
            "'memoryReservation'."
        )


def _ports(container: Mapping[str, Any]) -> Iterator[str]:
    for mapping in container["portMappings"]:
        if "containerPort" in mapping and not 1 <= mapping["containerPort"] <= _HIGHEST_PORT:
            yield f"Invalid 'containerPort' setting for container '{container['name']}'"


def _environment(container: Mapping[str, Any]) -> Iterator[str]:
    plain = [one.get("name") for one in container["environment"]]
    secret = [one.get("name") for one in container.get("secrets", [])]
    repeated = [name for name in secret if name in plain or secret.count(name) > 1]
    if repeated:
        yield (
            "The secret name must be unique and not shared with any new or existing environment variables set on the "
            f"container, such as '{repeated[0]}'."
        )


def _dependency(name: str, need: Mapping[str, Any], by_name: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    other, condition = by_name[need["containerName"]], need.get("condition")
    if condition not in _CONDITIONS:
        yield f"Invalid dependency condition for container '{name}': {condition}."
    if condition in _ENDING and other["essential"]:
        yield f"Container '{name}' depends with {condition} on the essential container '{other['name']}'."
    if condition == "HEALTHY" and not other.get("healthCheck"):
        yield f"Container '{name}' depends on the health of '{other['name']}', which has no health check."


def _cycle(by_name: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    needs = {name: [one["containerName"] for one in by_name[name].get("dependsOn", [])] for name in by_name}
    while needs:
        free = [name for name, others in needs.items() if not set(others) & needs.keys()]
        if not free:
            yield f"Circular dependency between containers: {', '.join(needs)}."
            return
        needs = {name: others for name, others in needs.items() if name not in free}


def _files(containers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    files = [file for container in containers for file in container.get("environmentFiles", [])]
    if len(files) > _MOST_FILES:
        yield f"A task definition can have at most {_MOST_FILES} environment files."
    for file in files:
        if not str(file.get("value", "")).endswith(".env") or ":s3:::" not in file["value"]:
            yield f"Environment files must be ARNs of objects in S3 that end in .env: {file.get('value')}"


def _routers(containers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    routers = [one["name"] for one in containers if one.get("firelensConfiguration")]
    if len(routers) > 1:
        yield "A task definition can have at most one container with a firelensConfiguration."
    through = [
        one["name"] for one in containers if (one.get("logConfiguration") or {}).get("logDriver") == "awsfirelens"
    ]
    if through and not routers:
        yield f"Container '{through[0]}' uses log driver awsfirelens, and no container has a firelensConfiguration."


def _volumes(volumes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = [volume.get("name") for volume in volumes]
    if len(set(names)) < len(names):
        yield "Duplicate volume names found in the task definition."
    for volume in volumes:
        efs = volume.get("efsVolumeConfiguration") or {}
        authorization = efs.get("authorizationConfig") or {}
        encrypted = efs.get("transitEncryption") == "ENABLED"
        if (authorization.get("iam") == "ENABLED" or authorization.get("accessPointId")) and not encrypted:
            yield "Transit encryption must be enabled for EFS volumes with IAM authorization or an access point."
        if authorization.get("accessPointId") and efs.get("rootDirectory") not in (None, "", "/"):
            yield "The root directory must be omitted or / for an EFS volume with an access point."
