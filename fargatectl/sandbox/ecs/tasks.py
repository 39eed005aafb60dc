"""Tasks: standalone ones by RunTask, and looking at all (AWS: ECS API Reference, RunTask and its neighbours)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.ecs import fates, interfaces, lifecycle, overrides, scheduler, service_rules
from fargatectl.sandbox.ecs.requests import (
    cluster as find_cluster,
    definition as find_definition,
    invalid,
    missing,
    page,
    refused,
    require,
    service as find_service,
    short,
    tags_in,
    tags_out,
    without_empty,
)
from fargatectl.sandbox.ecs.services import launch
from fargatectl.sandbox.ecs.state import Cluster, Container, Ecs, Members, Task, TaskDefinition
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_RUN_AT_ONCE, _DESCRIBED = 10, 100


@HANDLERS.handles("ecs", "RunTask")
def run_task(region: Region, call: Call, _forward: Forward) -> Answer:
    """Run standalone tasks; the same client token again returns the tasks that it started."""
    params = call.params
    require(params, "taskDefinition")
    cluster = find_cluster(region, params)
    count = int(params.get("count") or 1)
    if not 1 <= count <= _RUN_AT_ONCE:
        raise invalid(f"count must be between 1 and {_RUN_AT_ONCE}.")
    known = _asked_before(region, cluster, params)
    if known is not None:
        return {"tasks": [show(task) for task in known], "failures": []}
    definition = service_rules.active(find_definition(region, params["taskDefinition"]))
    overrides.check(definition, params.get("overrides") or {})
    network = service_rules.network(params.get("networkConfiguration"))
    service_rules.check_network(region, network, definition)
    role = fates.too_new(region, definition)
    if role:
        raise refused(fates.not_assumable(role))
    provider = _provider(cluster, params).get("capacityProviderName", "FARGATE")
    if region.script.has("capacity", provider):
        return {"tasks": [], "failures": [{"reason": scheduler.NO_CAPACITY}]}
    made = [_make(region, cluster, definition, network, params) for _ in range(count)]
    for task in made:
        lifecycle.launch(region, task)
    if params.get("clientToken"):
        region.state(Ecs).tokens[params["clientToken"]] = (dict(params), [task.arn for task in made])
    return {"tasks": [show(task, tags=True) for task in made], "failures": []}


def _asked_before(region: Region, cluster: Cluster, params: Mapping[str, Any]) -> list[Task] | None:
    """Return the tasks that a request's token started before. Raises AwsError if that was another request."""
    asked, arns = region.state(Ecs).tokens.get(params.get("clientToken") or "", (None, []))
    if asked is None:
        return None
    if asked != params:
        message = "The RunTask request could not be processed due to conflicts. The provided clientToken is already in "
        raise AwsError("ConflictException", f"{message}use with a different RunTask request.", resourceIds=arns)
    return [cluster.tasks[short(arn)] for arn in arns if short(arn) in cluster.tasks]


def _make(
    region: Region,
    cluster: Cluster,
    definition: TaskDefinition,
    network: Members | None,
    params: Mapping[str, Any],
) -> Task:
    arn = region.arn("ecs", f"task/{cluster.name}/{region.hex(32)}")
    tags = tags_in(params)
    if params.get("propagateTags") == "TASK_DEFINITION":
        tags = {**definition.tags, **tags}
    if params.get("enableECSManagedTags"):
        tags = {"aws:ecs:clusterName": cluster.name, **tags}
    neighbours = [task.interface for task in cluster.tasks.values() if task.interface and task.alive]
    return Task(
        arn=arn,
        cluster=cluster,
        definition=definition,
        members={
            "group": params.get("group") or f"family:{definition.family}",
            "startedBy": params.get("startedBy"),
            "enableExecuteCommand": bool(params.get("enableExecuteCommand")),
            "overrides": params.get("overrides") or {},
            **_provider(cluster, params),
        },
        containers=scheduler.containers(region, arn, definition.content["containerDefinitions"]),
        interface=interfaces.plan(region, network, neighbours) if network else None,
        created_at=region.date(),
        tags=tags,
    )


def _provider(cluster: Cluster, params: Mapping[str, Any]) -> Members:
    chosen = launch(cluster, params)
    strategy = chosen["capacityProviderStrategy"]
    if not strategy:
        return {"launchType": chosen["launchType"]}
    return {"launchType": "FARGATE", "capacityProviderName": scheduler.choose_provider(strategy, [])}


@HANDLERS.handles("ecs", "StopTask")
def stop_task(region: Region, call: Call, _forward: Forward) -> Answer:
    """Stop a task; a service starts another in its place."""
    require(call.params, "task")
    cluster = find_cluster(region, call.params)
    task = cluster.tasks.get(short(call.params["task"]))
    if task is None:
        raise invalid("The referenced task was not found.")
    lifecycle.stop(region, task, code="UserInitiated", reason=call.params.get("reason") or "Task stopped by user")
    return {"task": show(task)}


@HANDLERS.handles("ecs", "ListTasks")
def list_tasks(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the ARNs of tasks by the status that ECS wants for them, RUNNING by default."""
    params = call.params
    if params.get("startedBy") and (params.get("family") or params.get("serviceName")):
        raise invalid("Cannot filter by startedBy together with another filter.")
    cluster = find_cluster(region, params)
    status = params.get("desiredStatus") or "RUNNING"
    found = [task for task in cluster.tasks.values() if task.desired == status]
    if params.get("serviceName"):
        wanted = find_service(region, {**params, "service": params["serviceName"]})
        found = [task for task in found if task.service is wanted]
    if params.get("family"):
        found = [task for task in found if task.definition.family == params["family"]]
    if params.get("startedBy"):
        found = [task for task in found if task.members.get("startedBy") == params["startedBy"]]
    if params.get("launchType"):
        found = [task for task in found if task.members.get("launchType") == params["launchType"]]
    arns, more = page(params, [task.arn for task in found], default=100)
    return {"taskArns": arns, **more}


@HANDLERS.handles("ecs", "DescribeTasks")
def describe_tasks(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return up to a hundred tasks of a cluster; stopped ones for an hour."""
    require(call.params, "tasks")
    names = call.params["tasks"]
    if len(names) > _DESCRIBED:
        raise invalid(f"Tasks can not contain more than {_DESCRIBED} items.")
    cluster = find_cluster(region, call.params)
    tags = "TAGS" in (call.params.get("include") or [])
    found, failures = [], []
    for name in names:
        task = cluster.tasks.get(short(name))
        if task is None:
            failures.append(missing(region.arn("ecs", f"task/{cluster.name}/{short(name)}")))
        else:
            found.append(show(task, tags=tags))
    return {"tasks": found, "failures": failures}


def show(task: Task, *, tags: bool = False) -> Members:
    """Return a task as DescribeTasks shows it."""
    content = task.definition.content
    architecture = (content.get("runtimePlatform") or {}).get("cpuArchitecture", "X86_64")
    storage = {"sizeInGiB": (content.get("ephemeralStorage") or {}).get("sizeInGiB", 20)}
    started, given = task.last_status != "PROVISIONING", task.members.get("overrides") or {}
    return without_empty(
        {
            **task.members,
            "overrides": overrides.show(task.containers, given),
            "taskArn": task.arn,
            "clusterArn": task.cluster.arn,
            "taskDefinitionArn": task.definition.arn,
            "attachments": [interfaces.show(task.interface)] if task.interface else [],
            "attributes": [{"name": "ecs.cpu-architecture", "value": architecture.lower()}],
            "availabilityZone": task.interface.zone if task.interface else None,
            "connectivity": "CONNECTED" if "connectivityAt" in task.dates else None,
            "containers": [_show_container(task, one) for one in task.containers],
            **overrides.size(task.definition, given),
            "createdAt": task.created_at,
            "desiredStatus": task.desired,
            "lastStatus": task.last_status,
            "healthStatus": _health(task),
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "ephemeralStorage": storage,
            "fargateEphemeralStorage": storage if started else None,
            "stopCode": task.stop_code,
            "stoppedReason": task.stopped_reason,
            "tags": tags_out(task.tags) if tags else [],
            "version": task.version,
            **task.dates,
        }
    )


def _health(task: Task) -> str:
    checked = [one.health for one in task.containers if one.definition.get("healthCheck")]
    if "UNHEALTHY" in checked:
        return "UNHEALTHY"
    return "HEALTHY" if checked and all(health == "HEALTHY" for health in checked) else "UNKNOWN"


def _show_container(task: Task, container: Container) -> Members:
    address = task.interface.address if task.interface else ""
    network = (
        [{"attachmentId": task.interface.attachment, "privateIpv4Address": address}]
        if task.interface and address
        else []
    )
    definition = container.definition
    return without_empty(
        {
            "containerArn": container.arn,
            "taskArn": task.arn,
            "name": container.name,
            "image": definition["image"],
            "runtimeId": container.runtime_id if container.last_status != "PENDING" else None,
            "lastStatus": container.last_status,
            "exitCode": container.exit_code,
            "reason": container.reason,
            "networkBindings": [],
            "networkInterfaces": network,
            "healthStatus": container.health,
            "cpu": str(definition["cpu"]),
            "memory": str(definition["memory"]) if definition.get("memory") else None,
            "memoryReservation": str(definition["memoryReservation"]) if definition.get("memoryReservation") else None,
        }
    )
