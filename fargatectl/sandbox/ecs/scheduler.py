"""Keeps services at their desired count and rolls deployments (AWS: ECS guide, "Rolling update deployments").

`reconcile` looks at a service as it is and does what can be done now; every change of a task, a request or a date leads
back to it. How a deployment ends (completed, failed, rolled back) is in `outcome`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox.ecs import fates, hooks, interfaces, lifecycle, outcome, shifting
from fargatectl.sandbox.ecs.requests import short
from fargatectl.sandbox.ecs.state import RUNNING, Container, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.state import Deployment, Members, Revision, Service

_HOLD_FROM = 2
_HOLD_SECONDS = 10.0
_LONGEST_HOLD_SECONDS = 900.0  # AWS: ECS guide, "Service throttle logic"
_SAY_INCONSISTENT_AT = 3
NO_CAPACITY = (
    "Capacity is unavailable at this time. Please try again later or in a different availability zone. For more "
    "information, see the Troubleshooting section of the Amazon ECS Developer Guide."
)
_STUCK = (
    "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the "
    "minimumHealthyPercent or maximumPercent value and try again."
)


def poke(region: Region, service: Service, seconds: float = 0.0) -> None:
    """Have a service looked at soon."""
    region.later(seconds, lambda: reconcile(region, service))


def reconcile(region: Region, service: Service) -> None:
    """Do for a service what can be done now."""
    if service.status == "DRAINING":
        _drain(region, service)
    primary = service.primary
    if service.status != "ACTIVE" or primary is None:
        return
    outcome.begin(region, service)
    if primary.rollout_state == "IN_PROGRESS" and outcome.fails(service, primary):
        outcome.fail(region, service, primary, _why(service, primary))
        poke(region, service)
        return
    stopped = _scale_in(region, service, primary)
    started = 0 if primary.rollout_state == "FAILED" else _start(region, service, primary)
    rollout = shifting.under_way(service)
    if rollout is not None:
        if refused := hooks.refusal(rollout):
            outcome.fail_by_hook(region, service, refused)
            poke(region, service)
            return
        _stop_superseded(region, service, primary)
        if not shifting.advance(region, service, primary, rollout):
            return
    stopped += _stop_others(region, service, primary)
    _say_when_stuck(region, service, primary, moved=bool(started or stopped))
    _settle(region, service, primary)


def _why(service: Service, deployment: Deployment) -> str:
    failed = [task.stopped_reason or "" for task in service.tasks if task.deployment is deployment and task.failed]
    last = failed[-1] if failed else ""
    if last.startswith("Task failed ELB"):
        return "task failed ELB health checks."
    return "task failed container health checks." if last.startswith("Task failed") else "tasks failed to start."


def watch(region: Region, task: Task) -> None:
    """Take notice of a change of one of a service's tasks."""
    service, deployment = task.service, task.deployment
    if service is None or deployment is None:
        return
    if task.healthy and task.alive:
        deployment.failed_tasks = 0
        service.start_failures = 0
    if task.failed and not task.counted:
        task.counted = True
        _count_failure(region, service, task, deployment)
    poke(region, service)


def _count_failure(region: Region, service: Service, task: Task, deployment: Deployment) -> None:
    service.steady = False
    deployment.failed_tasks += 1
    deployment.updated_at = region.date()
    rollout = service.rollout
    if rollout is not None and not rollout.ended:
        rollout.failures = deployment.failed_tasks
    if task.stop_code != "TaskFailedToStart":
        return
    service.start_failures += 1
    if service.start_failures >= _HOLD_FROM:
        hold = _HOLD_SECONDS * 2 ** (service.start_failures - _HOLD_FROM)
        service.hold_until = region.now + min(hold, _LONGEST_HOLD_SECONDS)
    if service.start_failures == _SAY_INCONSISTENT_AT:
        service.say(
            region,
            "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section "
            "of the Amazon ECS Developer Guide.",
        )


def _drain(region: Region, service: Service) -> None:
    for task in service.tasks:
        _stop(region, task, service.deployments[0] if service.deployments else None)
    if all(task.gone for task in service.tasks):
        service.status = "INACTIVE"
        service.deployments = []


def _stop(region: Region, task: Task, deployment: Deployment | None) -> None:
    name = deployment.id if deployment else ""
    reason = f"Scaling activity initiated by (deployment {name})"
    lifecycle.stop(region, task, code="ServiceSchedulerInitiated", reason=reason)


def _alive(service: Service, deployment: Deployment) -> list[Task]:
    return [task for task in service.tasks if task.deployment is deployment and task.alive]


def _others(service: Service, primary: Deployment) -> list[Task]:
    return [task for task in service.tasks if task.deployment is not primary and task.alive]


def _scale_in(region: Region, service: Service, primary: Deployment) -> int:
    alive = sorted(_alive(service, primary), key=lambda task: (task.healthy, task.last_status == RUNNING))
    surplus = alive[: max(0, len(alive) - service.desired)]
    for task in surplus:
        _stop(region, task, primary)
    _say_stopped(region, service, surplus)
    return len(surplus)


def _say_stopped(region: Region, service: Service, stopped: list[Task]) -> None:
    if stopped:
        service.steady = False
        service.say(region, f"has stopped {len(stopped)} running tasks: {_list(stopped)}.")


def _list(tasks: Iterable[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)


def _start(region: Region, service: Service, primary: Deployment) -> int:
    alive = _alive(service, primary)
    wanted = service.desired - len(alive)
    configuration = service.members["deploymentConfiguration"]
    ceiling = service.desired * configuration["maximumPercent"] // 100
    room = ceiling - len(alive) - len(_others(service, primary))
    # A deployment that shifts requests brings all its tasks up beside the old ones.
    number = wanted if shifting.under_way(service) else min(wanted, room)
    if number <= 0:
        return 0
    if service.hold_until > region.now:
        poke(region, service, service.hold_until - region.now)
        return 0
    obstacle = _obstacle(region, service, primary)
    if obstacle:
        if not any(obstacle in event["message"] for event in service.events[:3]):
            service.say(region, obstacle)
        service.hold_until = region.now + _HOLD_SECONDS
        poke(region, service, _HOLD_SECONDS)
        return 0
    made = [_launch(region, service, primary) for _ in range(number)]
    service.steady = False
    service.say(region, f"has started {len(made)} tasks: {_list(made)}.")
    return len(made)


def _obstacle(region: Region, service: Service, primary: Deployment) -> str:
    """Return why no task can be started now, in the words of ECS's events; nothing where one can."""
    role = fates.too_new(region, primary.revision.definition)
    if role:
        return f"failed to launch a task with (error {fates.not_assumable(role)})."
    provider = provider_members(service, primary.revision).get("capacityProviderName", "FARGATE")
    return f"was unable to place a task. Reason: {NO_CAPACITY}" if region.script.has("capacity", provider) else ""


def _launch(region: Region, service: Service, deployment: Deployment) -> Task:
    task = make_task(region, service, deployment)
    service.tasks.append(task)
    lifecycle.launch(region, task)
    return task


def make_task(region: Region, service: Service, deployment: Deployment) -> Task:
    """Return a new task of a deployment, not yet launched."""
    revision = deployment.revision
    neighbours = [task.interface for task in service.tasks if task.interface and task.alive]
    identifier = region.hex(32)
    arn = region.arn("ecs", f"task/{service.cluster.name}/{identifier}")
    network = revision.members.get("networkConfiguration")
    task = Task(
        arn=arn,
        cluster=service.cluster,
        definition=revision.definition,
        members={
            "group": f"service:{service.name}",
            "startedBy": deployment.id,
            "enableExecuteCommand": service.members["enableExecuteCommand"],
            **provider_members(service, revision),
        },
        containers=containers(region, arn, revision.definition.content["containerDefinitions"]),
        interface=interfaces.plan(region, network, neighbours) if network else None,
        created_at=region.date(),
        tags=_tags(service, revision),
        service=service,
        deployment=deployment,
    )
    task.watcher = lambda changed: watch(region, changed)
    return task


def provider_members(service: Service, revision: Revision) -> Members:
    """Return the launch type, or the capacity provider that a new task falls to by base and weight."""
    strategy = revision.members.get("capacityProviderStrategy")
    if not strategy:
        return {"launchType": revision.members.get("launchType", "FARGATE")}
    alive = [task.members.get("capacityProviderName") for task in service.tasks if task.alive]
    return {"launchType": "FARGATE", "capacityProviderName": choose_provider(strategy, alive)}


def choose_provider(strategy: list[Members], alive: list[str | None]) -> str:
    """Return the provider of the next task: first every base, then by weight (AWS: CapacityProviderStrategyItem)."""
    for item in strategy:
        if alive.count(item["capacityProvider"]) < item["base"]:
            return str(item["capacityProvider"])
    weighted = [item for item in strategy if item["weight"] > 0]
    chosen = min(
        weighted,
        key=lambda item: (alive.count(item["capacityProvider"]) - item["base"] + 1) / item["weight"],
    )
    return str(chosen["capacityProvider"])


def containers(region: Region, task_arn: str, definitions: list[Members]) -> list[Container]:
    """Return the containers of a new task."""
    identifier = short(task_arn)
    return [
        Container(
            name=definition["name"],
            arn=f"{task_arn.replace(':task/', ':container/')}/{region.uuid()}",
            runtime_id=f"{identifier}-{region.cloud.random.randrange(10**9, 10**10)}",
            definition=definition,
        )
        for definition in definitions
    ]


def _tags(service: Service, revision: Revision) -> dict[str, str]:
    tags: dict[str, str] = {}
    if service.members["enableECSManagedTags"]:
        tags |= {"aws:ecs:clusterName": service.cluster.name, "aws:ecs:serviceName": service.name}
    propagate = service.members["propagateTags"]
    if propagate == "SERVICE":
        tags |= service.tags
    elif propagate == "TASK_DEFINITION":
        tags |= revision.definition.tags
    return tags


def _serves(task: Task) -> bool:
    """Tell whether a task counts as healthy when others are to be stopped."""
    unchecked = not task.load_balancers and not any(one.definition.get("healthCheck") for one in task.containers)
    return task.healthy or (unchecked and task.last_status == RUNNING and task.deployment is not None)


def _stop_others(region: Region, service: Service, primary: Deployment) -> int:
    """Stop tasks of other deployments as far as the minimum of healthy tasks allows; unhealthy ones at once."""
    configuration = service.members["deploymentConfiguration"]
    least = -(-service.desired * configuration["minimumHealthyPercent"] // 100)
    healthy = sum(task.healthy for task in _alive(service, primary))
    others = sorted(_others(service, primary), key=_serves)
    healthy += sum(_serves(task) for task in others)
    stopped = []
    for task in others:
        if _serves(task):
            if healthy - 1 < least:
                break
            healthy -= 1
        _stop(region, task, task.deployment)
        stopped.append(task)
    _say_stopped(region, service, stopped)
    return len(stopped)


def _stop_superseded(region: Region, service: Service, primary: Deployment) -> None:
    """Stop the tasks of deployments that neither serve nor are to: another one took their place."""
    for task in _others(service, primary):
        if service.last_completed is not None and task.deployment is not service.last_completed:
            _stop(region, task, task.deployment)


def _say_when_stuck(region: Region, service: Service, primary: Deployment, *, moved: bool) -> None:
    waiting = service.hold_until > region.now or any(not task.healthy for task in _alive(service, primary))
    draining = any(not task.alive and not task.gone for task in service.tasks)
    behind = len(_alive(service, primary)) < service.desired and primary.rollout_state == "IN_PROGRESS"
    said = any(_STUCK in event["message"] for event in service.events[:3])
    if behind and not (moved or waiting or draining or said):
        service.say(region, _STUCK)


def _settle(region: Region, service: Service, primary: Deployment) -> None:
    """Say that the service is steady, and complete its deployment, once nothing is on its way any more."""
    ready = [task for task in _alive(service, primary) if task.healthy]
    on_the_way = any(not task.gone and not (task.healthy and task.alive) for task in service.tasks)
    if len(ready) != service.desired or on_the_way or _others(service, primary):
        return
    outcome.complete(region, service, primary)
    rollout = service.rollout
    if rollout is not None and rollout.baked_at is not None and rollout.baked_at > region.now:
        poke(region, service, rollout.baked_at - region.now)
    if not service.steady and primary.rollout_state != "FAILED":
        service.steady = True
        service.say(region, "has reached a steady state.")
