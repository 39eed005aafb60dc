"""Task definitions (AWS: ECS API Reference, RegisterTaskDefinition and its neighbours)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import permissions
from fargatectl.sandbox.ecs import container_rules, fargate
from fargatectl.sandbox.ecs.requests import (
    definition as find_definition,
    invalid,
    missing,
    page,
    refused,
    require,
    tags_in,
    tags_out,
    without_empty,
)
from fargatectl.sandbox.ecs.state import Cluster, Ecs, Members, TaskDefinition
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ROLE = re.compile(r"arn:[^:]+:iam::\d{12}:role/.+")
_LARGEST = 65_536
_HEALTH_CHECK = {"interval": 30, "timeout": 5, "retries": 3}
_HEALTH_LIMITS = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
_LISTS = ("environment", "mountPoints", "volumesFrom", "systemControls")
_DROPPED_WHEN_EMPTY = (
    "command",
    "credentialSpecs",
    "dependsOn",
    "dnsSearchDomains",
    "dnsServers",
    "dockerSecurityOptions",
    "entryPoint",
    "environmentFiles",
    "extraHosts",
    "links",
    "resourceRequirements",
    "secrets",
    "ulimits",
    "dockerLabels",
)


@HANDLERS.handles("ecs", "RegisterTaskDefinition")
def register_task_definition(region: Region, call: Call, _forward: Forward) -> Answer:
    """Store the next revision of a family, in canonical form; every call makes one, equal content or not."""
    params = call.params
    require(params, "family")
    if not _NAME.fullmatch(params["family"]):
        raise refused("Family contains invalid characters: only letters, digits, - and _ are allowed.")
    tags = tags_in(params)
    content = _canonical(region, params)
    if "FARGATE" in content.get("requiresCompatibilities", []):
        fargate.check(content)
    known = region.state(Ecs).families.setdefault(params["family"], [])
    revision = known[-1].revision + 1 if known else 1
    made = TaskDefinition(
        arn=region.arn("ecs", f"task-definition/{params['family']}:{revision}"),
        family=params["family"],
        revision=revision,
        content=content,
        tags=tags,
        registered_at=region.date(),
    )
    known.append(made)
    return {"taskDefinition": show(made), "tags": tags_out(tags)}


def _canonical(region: Region, params: Mapping[str, Any]) -> Members:
    """Return the members as ECS shows them. Raises AwsError for what it refuses whatever the launch type."""
    content = {key: value for key, value in params.items() if key not in ("tags", "family") and value is not None}
    if content.get("cpu"):
        content["cpu"] = fargate.cpu_units(str(content["cpu"]))
    if content.get("memory"):
        content["memory"] = fargate.memory_mib(str(content["memory"]))
    content["volumes"] = [_volume(volume) for volume in params.get("volumes") or []]
    content["placementConstraints"] = list(params.get("placementConstraints") or [])
    containers = params.get("containerDefinitions") or []
    if not containers:
        raise refused("Container list cannot be empty.")
    content["containerDefinitions"] = [
        _canonical_container(container, params.get("networkMode")) for container in containers
    ]
    size = len(json.dumps(content["containerDefinitions"], separators=(",", ":")))
    if size > _LARGEST:
        raise refused(f"Actual length: '{size}'. Max allowed length is '{_LARGEST}' bytes.")
    _check_containers(content)
    content["compatibilities"] = _compatibilities(content)
    content["requiresAttributes"] = _attributes(content)
    for key in ("executionRoleArn", "taskRoleArn"):
        if content.get(key):
            content[key] = _role(region, content[key])
    content["registeredBy"] = f"arn:aws:iam::{region.account}:user/local"
    return content


def _volume(volume: Mapping[str, Any]) -> Members:
    shown = dict(volume)
    if "efsVolumeConfiguration" in shown:
        shown["efsVolumeConfiguration"] = {"rootDirectory": "/", **shown["efsVolumeConfiguration"]}
    elif "host" not in shown and "configuredAtLaunch" not in shown:
        shown["host"] = {}
    return shown


def _canonical_container(container: Mapping[str, Any], network_mode: str | None) -> Members:
    shown: Members = {
        "cpu": 0,
        "essential": True,
        **{key: value for key, value in container.items() if value is not None},
    }
    for key in _DROPPED_WHEN_EMPTY:
        if key in shown and not shown[key]:
            del shown[key]
    for key in _LISTS:
        shown[key] = list(shown.get(key) or [])
    shown["portMappings"] = [_port(mapping, network_mode) for mapping in shown.get("portMappings") or []]
    if shown.get("healthCheck"):
        shown["healthCheck"] = {**_HEALTH_CHECK, **shown["healthCheck"]}
    if shown.get("logConfiguration"):
        shown["logConfiguration"] = {"options": {}, **shown["logConfiguration"]}
    return shown


def _port(mapping: Mapping[str, Any], network_mode: str | None) -> Members:
    port: Members = {"protocol": "tcp", **mapping}
    if network_mode == "awsvpc":
        port["hostPort"] = mapping.get("hostPort") or mapping.get("containerPort")
    else:
        port.setdefault("hostPort", 0)
    return port


def _check_containers(content: Mapping[str, Any]) -> None:
    containers = content["containerDefinitions"]
    names = [container.get("name") for container in containers]
    for container in containers:
        if not container.get("name") or not _NAME.fullmatch(container["name"]):
            raise refused("Container.name should not be null or empty and may hold only letters, digits, - and _.")
        if not container.get("image"):
            raise refused("Container.image should not be null or empty.")
        _check_references(container, names, [volume.get("name") for volume in content["volumes"]])
        _check_health(container.get("healthCheck"))
    if len(set(names)) < len(names):
        raise refused("Container.name should be unique.")
    container_rules.check(content)
    if not any(container["essential"] for container in containers):
        raise refused("A task definition must have at least one essential container.")
    no_memory = [c["name"] for c in containers if not (c.get("memory") or c.get("memoryReservation"))]
    if no_memory and not content.get("memory"):
        raise refused(
            f"Invalid setting for container '{no_memory[0]}'. At least one of 'memory' or 'memoryReservation' must be "
            "specified."
        )


def _check_references(container: Mapping[str, Any], names: list[Any], volumes: list[Any]) -> None:
    for need in container.get("dependsOn", []):
        if need.get("containerName") not in names or need.get("containerName") == container["name"]:
            raise refused(
                f"Container '{container['name']}' depends on an unknown container '{need.get('containerName')}'."
            )
    for mount in container["mountPoints"]:
        if mount.get("sourceVolume") not in volumes:
            raise refused(f"Unknown volume '{mount.get('sourceVolume')}'.")


def _check_health(check: Mapping[str, Any] | None) -> None:
    if not check:
        return
    if not check.get("command") or check["command"][0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise refused("Container health check command must begin with CMD, CMD-SHELL or NONE.")
    for key, (least, most) in _HEALTH_LIMITS.items():
        if not least <= check.get(key, least) <= most:
            raise refused(f"Container health check {key} must be between {least} and {most}.")


def _compatibilities(content: Mapping[str, Any]) -> list[str]:
    required = content.get("requiresCompatibilities") or []
    return ["EC2", *(name for name in required if name != "EC2")]


def _attributes(content: Mapping[str, Any]) -> list[Members]:
    names = ["com.amazonaws.ecs.capability.docker-remote-api.1.18", "ecs.capability.task-eni"]
    if any((c.get("logConfiguration") or {}).get("logDriver") == "awslogs" for c in content["containerDefinitions"]):
        names += ["com.amazonaws.ecs.capability.logging-driver.awslogs", "ecs.capability.execution-role-awslogs"]
    if any(container.get("secrets") for container in content["containerDefinitions"]):
        names.append("ecs.capability.secrets.asm.environment-variables")
    return [{"name": name} for name in names]


def _role(region: Region, reference: str) -> str:
    arn = reference if reference.startswith("arn:") else f"arn:aws:iam::{region.account}:role/{reference}"
    if not _ROLE.fullmatch(arn):
        raise refused("Role is not valid")
    if permissions.role(region, arn) is None:  # a role of another account is none: it cannot be passed
        raise refused("Role is not valid")
    return arn


def show(definition: TaskDefinition) -> Members:
    """Return a task definition as DescribeTaskDefinition shows it."""
    return without_empty(
        {
            "taskDefinitionArn": definition.arn,
            "family": definition.family,
            "revision": definition.revision,
            "status": definition.status,
            "registeredAt": definition.registered_at,
            "deregisteredAt": definition.deregistered_at,
            "deleteRequestedAt": definition.delete_requested_at,
            **definition.content,
        }
    )


@HANDLERS.handles("ecs", "DescribeTaskDefinition")
def describe_task_definition(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return one revision; a family alone means its newest ACTIVE one."""
    require(call.params, "taskDefinition")
    found = find_definition(region, call.params["taskDefinition"])
    if found is None:
        raise refused("Unable to describe task definition.")
    answer: Answer = {"taskDefinition": show(found)}
    if "TAGS" in (call.params.get("include") or []):
        answer["tags"] = tags_out(found.tags)
    return answer


@HANDLERS.handles("ecs", "ListTaskDefinitions")
def list_task_definitions(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return ARNs by family and revision, ACTIVE ones unless another status is asked for."""
    status = call.params.get("status") or "ACTIVE"
    families = region.state(Ecs).families
    wanted = call.params.get("familyPrefix")
    arns = [
        one.arn
        for family in sorted(families)
        if wanted in (None, family)  # "prefix" by name, but AWS matches the whole family
        for one in families[family]
        if one.status == status
    ]
    if call.params.get("sort") == "DESC":
        arns.reverse()
    found, more = page(call.params, arns, default=100)
    return {"taskDefinitionArns": found, **more}


@HANDLERS.handles("ecs", "ListTaskDefinitionFamilies")
def list_task_definition_families(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return family names; INACTIVE families have no ACTIVE revision left."""
    status = call.params.get("status") or "ALL"
    families = region.state(Ecs).families
    names = [
        name
        for name in sorted(families)
        if name.startswith(call.params.get("familyPrefix") or "")
        and status in ("ALL", "ACTIVE" if any(one.status == "ACTIVE" for one in families[name]) else "INACTIVE")
    ]
    found, more = page(call.params, names, default=100)
    return {"families": found, **more}


@HANDLERS.handles("ecs", "DeregisterTaskDefinition")
def deregister_task_definition(region: Region, call: Call, _forward: Forward) -> Answer:
    """Make a revision INACTIVE: services that use it go on, nothing new may use it."""
    require(call.params, "taskDefinition")
    if ":" not in call.params["taskDefinition"].rpartition("/")[2]:
        raise refused(f"Invalid revision number. Number: {call.params['taskDefinition']}")
    found = find_definition(region, call.params["taskDefinition"])
    if found is None:
        raise refused("The specified task definition does not exist.")
    if found.status == "ACTIVE":
        found.status = "INACTIVE"
        found.deregistered_at = region.date()
    return {"taskDefinition": show(found)}


@HANDLERS.handles("ecs", "DeleteTaskDefinitions")
def delete_task_definitions(region: Region, call: Call, _forward: Forward) -> Answer:
    """Delete INACTIVE revisions: DELETE_IN_PROGRESS until no task and no service uses them."""
    references = call.params.get("taskDefinitions") or []
    if not 1 <= len(references) <= 10:  # noqa: PLR2004 - AWS: DeleteTaskDefinitions
        raise invalid("taskDefinitions must have between 1 and 10 items.")
    deleted, failures = [], []
    for reference in references:
        found = find_definition(region, reference)
        if found is None:
            failures.append(missing(reference))
        elif found.status == "ACTIVE":
            failures.append(
                {
                    "arn": found.arn,
                    "reason": "The specified task definition is still in ACTIVE status. Please deregister the target "
                    "and try again.",
                }
            )
        else:
            found.status = "DELETE_IN_PROGRESS"
            found.delete_requested_at = found.delete_requested_at or region.date()
            deleted.append(show(found))
            forget_when_unused(region, found)
    return {"taskDefinitions": deleted, "failures": failures}


_FORGET_SECONDS = 60.0


def forget_when_unused(region: Region, definition: TaskDefinition) -> None:
    """Let a deleted revision vanish after a while, as soon as nothing uses it."""

    def look() -> None:
        clusters = region.state(Ecs).clusters.values()
        if any(_uses(cluster, definition) for cluster in clusters):
            region.later(_FORGET_SECONDS, look)
            return
        # The number stays taken: an INACTIVE, invisible tombstone would do the same as AWS, which never reuses one.
        definition.status = "DELETED"

    region.later(_FORGET_SECONDS, look)


def _uses(cluster: Cluster, definition: TaskDefinition) -> bool:
    tasks = any(task.definition is definition and not task.gone for task in cluster.tasks.values())
    return tasks or any(
        deployment.revision.definition is definition
        for service in cluster.active_services()
        for deployment in service.deployments
    )
