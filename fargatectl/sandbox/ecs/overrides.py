"""What a standalone task has otherwise than its definition says (AWS: ECS API Reference, TaskOverride)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.ecs import fargate
from fargatectl.sandbox.ecs.requests import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.ecs.state import Container, Members, Task, TaskDefinition


def check(definition: TaskDefinition, overrides: Mapping[str, Any]) -> None:
    """Raise AwsError for overrides that the definition has no place for."""
    names = {container["name"] for container in definition.content["containerDefinitions"]}
    for one in overrides.get("containerOverrides") or []:
        if one.get("name") not in names:
            raise invalid(f"Override for container named {one.get('name')} is not a container in the TaskDefinition.")
    if overrides.get("cpu") or overrides.get("memory"):
        fargate.check({**definition.content, **size(definition, overrides)})


def size(definition: TaskDefinition, overrides: Mapping[str, Any]) -> Members:
    """Return a task's `cpu` and `memory` as ECS stores them."""
    cpu, memory = (overrides.get(key) or definition.content[key] for key in ("cpu", "memory"))
    return {"cpu": fargate.cpu_units(str(cpu)), "memory": fargate.memory_mib(str(memory))}


def show(containers: list[Container], overrides: Mapping[str, Any]) -> Members:
    """Return overrides as DescribeTasks shows them: every container is named."""
    given = {one["name"]: one for one in overrides.get("containerOverrides") or []}
    named = [{"name": one.name, **given.get(one.name, {})} for one in containers]
    return {**overrides, "containerOverrides": named, "inferenceAcceleratorOverrides": []}


def role(task: Task, key: str) -> str:
    """Return the ARN of a task's role, `executionRoleArn` or `taskRoleArn`; "" where it has none."""
    overrides = task.members.get("overrides") or {}
    return str(overrides.get(key) or task.definition.content.get(key) or "")


def command(task: Task, container: Container) -> str:
    """Return what a container was asked to run, as one line; "" for what its image runs."""
    overrides = (task.members.get("overrides") or {}).get("containerOverrides") or []
    given = next((one.get("command") for one in overrides if one["name"] == container.name), None)
    return " ".join(given or container.definition.get("command") or [])
