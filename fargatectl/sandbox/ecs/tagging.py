"""Tags of everything in ECS (AWS: ECS API Reference, TagResource and its neighbours)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox.ecs.requests import definition as find_definition, invalid, require, tags_in, tags_out
from fargatectl.sandbox.ecs.state import Ecs, Tags
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call


def _tags(region: Region, arn: str) -> Tags:
    kind, _, path = arn.split(":", 5)[-1].partition("/") if arn.startswith("arn:") else ("", "", "")
    ecs = region.state(Ecs)
    if kind == "task-definition":
        definition = find_definition(region, arn)
        if definition is not None:
            return definition.tags
        raise invalid("The specified task definition does not exist.")
    cluster = ecs.clusters.get(path.split("/")[0])
    if cluster is not None and cluster.status == "ACTIVE":
        name = path.rpartition("/")[2]
        if kind == "cluster":
            return cluster.tags
        service = cluster.services.get(name)
        if kind == "service" and service is not None and service.status != "INACTIVE":
            return service.tags
        task = cluster.tasks.get(name)
        if kind == "task" and task is not None:
            return task.tags
    raise invalid(f"The specified {kind or 'resource'} is inactive or does not exist: {arn}")


@HANDLERS.handles("ecs", "TagResource")
def tag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Add tags; those not mentioned stay."""
    require(call.params, "resourceArn")
    _tags(region, call.params["resourceArn"]).update(tags_in(call.params))
    return {}


@HANDLERS.handles("ecs", "UntagResource")
def untag_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Take tags away by their keys."""
    require(call.params, "resourceArn")
    tags = _tags(region, call.params["resourceArn"])
    for key in call.params.get("tagKeys") or []:
        tags.pop(key, None)
    return {}


@HANDLERS.handles("ecs", "ListTagsForResource")
def list_tags_for_resource(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the tags of a resource."""
    require(call.params, "resourceArn")
    return {"tags": tags_out(_tags(region, call.params["resourceArn"]))}


def tagged(region: Region) -> Iterator[tuple[str, Tags]]:
    """Yield the ARN and tags of everything that the tagging API knows of ECS: INACTIVE definitions included."""
    ecs = region.state(Ecs)
    for cluster in ecs.clusters.values():
        if cluster.status == "ACTIVE":
            yield cluster.arn, cluster.tags
        for service in cluster.active_services():
            yield service.arn, service.tags
        for task in cluster.tasks.values():
            if not task.gone:
                yield task.arn, task.tags
    for family in ecs.families.values():
        for definition in family:
            if definition.status in ("ACTIVE", "INACTIVE"):
                yield definition.arn, definition.tags
