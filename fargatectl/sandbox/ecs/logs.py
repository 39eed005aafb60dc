"""What tasks of the local AWS write into their log group: a few honest lines, since no container really runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox import moto_adapter

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.state import Container, Task


def stream_of(task: Task, container: Container) -> tuple[str, str] | None:
    """Return the log group and stream of a container, or None if it does not write to CloudWatch Logs."""
    log = container.definition.get("logConfiguration") or {}
    if log.get("logDriver") != "awslogs":
        return None
    options = log["options"]
    return options["awslogs-group"], f"{options.get('awslogs-stream-prefix', 'ecs')}/{container.name}/{task.id}"


def write(region: Region, task: Task, container: Container, line: str) -> None:
    """Write a line; quietly does nothing where the group has gone, as the non-blocking driver does."""
    place = stream_of(task, container)
    if place is None:
        return
    group, stream = place
    backend = region.backend("logs")
    moto_adapter.write_log(backend, group, stream, region.date(), f"local AWS: {line}")
