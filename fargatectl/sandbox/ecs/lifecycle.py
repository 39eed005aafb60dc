"""The life of a task, from PROVISIONING, PENDING and ACTIVATING over RUNNING to STOPPED.

Seconds are AWS's, as one sees them with small images (AWS: ECS guide, "Task lifecycle states").
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from fargatectl.sandbox import reachability, targets
from fargatectl.sandbox.cloudmap import services as discovery
from fargatectl.sandbox.ecs import fates, interfaces, logs, overrides
from fargatectl.sandbox.ecs.state import RUNNING, STOPPED, Container, Ecs, Task
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.script import EFFECTS
from fargatectl.sandbox.targets import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.fates import Exit, Fate
    from fargatectl.sandbox.ecs.state import Interface, Members
    from fargatectl.sandbox.settings import Value
    from fargatectl.sandbox.targets import Verdict

PROVISION_SECONDS = 8.0
ACTIVATE_SECONDS = 2.0
STOP_SECONDS = 3.0
DEPROVISION_SECONDS = 5.0
HEALTHY_WITHOUT_CHECKS_SECONDS = 40.0  # AWS: DeploymentConfiguration.minimumHealthyPercent
JOB_SECONDS = 5.0
FORGET_SECONDS = 3600.0
_DISCOVERY_LAG_SECONDS = 5.0


def launch(region: Region, task: Task) -> None:
    """Begin a task's life."""
    task.cluster.tasks[task.id] = task
    region.later(PROVISION_SECONDS, lambda: _provisioned(region, task))


def _move(region: Region, task: Task, status: str, date: str = "") -> None:
    task.last_status = status
    task.version += 1
    if date:
        task.dates[date] = region.date()
    if task.watcher:
        task.watcher(task)


def _provisioned(region: Region, task: Task) -> None:
    if not task.alive:
        return
    try:
        if task.interface:
            interfaces.provision(region, task.interface)
    except AwsError as error:
        _fail_to_start(region, task, f"Unexpected EC2 error while attempting to create network interface: {error}")
        return
    task.dates["connectivityAt"] = region.date()
    _move(region, task, "PENDING", "pullStartedAt")
    fate = fates.decide(region, task)
    if fate.refusal:
        region.later(fate.after, lambda: _fail_to_start(region, task, fate.refusal))
    else:
        region.later(fate.pull_seconds, lambda: _pulled(region, task, fate))


def _fail_to_start(region: Region, task: Task, reason: str) -> None:
    task.failed = True
    stop(region, task, code="TaskFailedToStart", reason=reason)


def _pulled(region: Region, task: Task, fate: Fate) -> None:
    if not task.alive:
        return
    task.dates["pullStoppedAt"] = region.date()
    for container in task.containers:
        container.last_status = RUNNING
        logs.write(region, task, container, _greeting(task, container))
    if not (task.load_balancers or task.registries):
        _run(region, task, fate)
        return
    _move(region, task, "ACTIVATING")
    _register_targets(region, task, fate)
    region.later(ACTIVATE_SECONDS, lambda: _run(region, task, fate))


def _greeting(task: Task, container: Container) -> str:
    started = f"container {container.name} started from {container.definition['image']}"
    command = overrides.command(task, container)
    return f"{started}, asked to run: {command}" if command else started


def _register_targets(region: Region, task: Task, fate: Fate) -> None:
    if task.interface is None or task.service is None:
        return
    for balancer in task.load_balancers:
        target = Target(
            group=balancer["targetGroupArn"],
            address=task.interface.address,
            port=balancer["containerPort"],
            zone=task.interface.zone,
            probe=_probe(region, task, task.interface, balancer, fate),
            watcher=lambda target: _target_changed(region, task, target),
        )
        with suppress(AwsError):  # the group may be gone: the task stays without it, as on AWS
            targets.register(region, target)
            task.targets.append(target)
            task.service.say(region, f"registered 1 targets in (target-group {target.group})")


def _probe(region: Region, task: Task, interface: Interface, balancer: Members, fate: Fate) -> Callable[[], Verdict]:
    group, port = balancer["targetGroupArn"], balancer["containerPort"]
    name = task.service.name if task.service else ""

    def probe() -> Verdict:
        if region.script.has("health", f"{task.cluster.name}/{name}"):
            return fates.SICK
        if fate.verdict.reason:
            return fate.verdict
        return reachability.verdict(region, group, interface.address, interface.groups, port)

    return probe


def _target_changed(region: Region, task: Task, target: Target) -> None:
    if not task.alive:
        return
    if target.state == "unhealthy":
        _unhealthy_target(region, task, target)
    else:
        assess(region, task)


def _unhealthy_target(region: Region, task: Task, target: Target) -> None:
    service = task.service
    if service is None or not task.alive or task.running_since is None or target.state != "unhealthy":
        return
    grace = float(service.members.get("healthCheckGracePeriodSeconds") or 0)
    left = task.running_since + grace - region.now
    if left > 0:
        region.later(left, lambda: _unhealthy_target(region, task, target))
        return
    service.say(
        region,
        f"(port {target.port}) is unhealthy in (target-group {target.group}) due to (reason {target.description}).",
    )
    task.failed = True
    reason = f"Task failed ELB health checks in (target-group {target.group})"
    stop(region, task, code="ServiceSchedulerInitiated", reason=reason)


def _run(region: Region, task: Task, fate: Fate) -> None:
    if not task.alive:
        return
    task.running_since = region.now
    _move(region, task, RUNNING, "startedAt")
    _discover(region, task)
    for container in task.containers:
        _check_container(region, task, container, unhealthy=container.name == fate.unhealthy_container)
    if fate.exit is not None:
        ending = fate.exit
        region.later(ending.seconds, lambda: _exit(region, task, ending))
    elif task.service is None:
        name = next(one.name for one in task.containers if one.definition["essential"])
        ending = fates.Exit(name, JOB_SECONDS, 0, cause="the local AWS runs no program in it")
        region.later(ending.seconds, lambda: _exit(region, task, ending))
    region.later(HEALTHY_WITHOUT_CHECKS_SECONDS, lambda: assess(region, task))


def _check_container(region: Region, task: Task, container: Container, *, unhealthy: bool) -> None:
    check = container.definition.get("healthCheck")
    if not check or check["command"][0] == "NONE":
        return

    def judge() -> None:
        if not task.alive:
            return
        container.health = "UNHEALTHY" if unhealthy else "HEALTHY"
        if unhealthy and container.definition["essential"]:
            task.failed = True
            stop(region, task, code="ServiceSchedulerInitiated", reason="Task failed container health checks")
        else:
            assess(region, task)

    interval = float(check["interval"])
    region.later(interval * check["retries"] + check.get("startPeriod", 0) if unhealthy else interval, judge)


def assess(region: Region, task: Task) -> None:
    """Tell the task's watcher once it is healthy: by its targets, by its health checks, or by running for a while."""
    if not task.alive or task.healthy or task.running_since is None:
        return
    checked = [one for one in task.containers if one.definition.get("healthCheck") and one.definition["essential"]]
    waits = not (task.load_balancers or checked)
    # Written as the moment is that it is looked at: a difference of such numbers may come out smaller.
    if waits and region.now < task.running_since + HEALTHY_WITHOUT_CHECKS_SECONDS:
        return
    if any(container.health != "HEALTHY" for container in checked):
        return
    if len(task.targets) < len(task.load_balancers) or any(target.state != "healthy" for target in task.targets):
        return
    task.healthy = True
    if task.watcher:
        task.watcher(task)


def _exit(region: Region, task: Task, ending: Exit) -> None:
    if not task.alive:
        return
    container = next(one for one in task.containers if one.name == ending.container)
    container.exit_code, container.reason = ending.code, ending.reason or None
    container.last_status = STOPPED
    logs.write(region, task, container, f"container {container.name} exits with code {ending.code}: {ending.cause}")
    if container.definition["essential"]:
        task.failed = True
        stop(region, task, code="EssentialContainerExited", reason="Essential container in task exited")


def stop(region: Region, task: Task, *, code: str, reason: str) -> None:
    """End a task's life: out of its target groups, drained, its containers stopped, its interface released."""
    if not task.alive:
        return
    task.desired = STOPPED
    task.stop_code, task.stopped_reason = code, reason
    task.dates["stoppingAt"] = region.date()
    drain = _deregister_targets(region, task)
    ran = task.running_since is not None
    _move(region, task, "DEACTIVATING" if ran and (task.targets or task.registries) else "STOPPING")
    region.later(drain, lambda: _stop_containers(region, task, ran=ran))


@EFFECTS.of("spot")
def interrupt(region: Region, subject: str, _value: Value | None) -> bool:
    """Take a service's Spot tasks back, as AWS does when it needs the capacity (AWS: ECS guide, "Fargate Spot")."""
    cluster, _, name = subject.partition("/")
    found = region.state(Ecs).clusters.get(cluster)
    service = found.services.get(name) if found else None
    tasks = [task for task in service.tasks if task.alive and _on_spot(task)] if service else []
    for task in tasks:
        stop(region, task, code="SpotInterruption", reason="Your Spot Task was interrupted.")
    return bool(tasks)


def _on_spot(task: Task) -> bool:
    return task.members.get("capacityProviderName") == "FARGATE_SPOT" and task.running_since is not None


def _deregister_targets(region: Region, task: Task) -> float:
    drain = 0.0
    for target in task.targets:
        drain = max(drain, targets.deregister(region, target.group, target.address, target.port))
        if task.service is not None:
            task.service.say(region, f"deregistered 1 targets in (target-group {target.group})")
    if drain and task.service is not None:
        task.service.say(region, "has begun draining connections on 1 tasks.")
    return drain


def _stop_containers(region: Region, task: Task, *, ran: bool) -> None:
    _move(region, task, "STOPPING")

    def stopped() -> None:
        for container in task.containers:
            container.last_status = STOPPED
            if container.exit_code is None and ran:
                container.exit_code = 0
                logs.write(region, task, container, f"container {container.name} stopped on SIGTERM")
        _move(region, task, "DEPROVISIONING", "executionStoppedAt" if ran else "")
        region.later(DEPROVISION_SECONDS, lambda: _stopped(region, task))

    region.later(STOP_SECONDS if ran else 0.0, stopped)


def _stopped(region: Region, task: Task) -> None:
    if task.interface:
        interfaces.release(region, task.interface)
    _move(region, task, STOPPED, "stoppedAt")
    region.later(_DISCOVERY_LAG_SECONDS, lambda: _undiscover(region, task))
    region.later(FORGET_SECONDS, lambda: _forget(task))


def _forget(task: Task) -> None:
    task.cluster.tasks.pop(task.id, None)
    if task.service is not None and task in task.service.tasks:
        task.service.tasks.remove(task)


def _discover(region: Region, task: Task) -> None:
    """Register the task in its Cloud Map services (AWS: ECS guide, "Service discovery")."""
    if task.interface is None or task.service is None:
        return
    for registry in task.registries:
        attributes = {
            "AWS_INSTANCE_IPV4": task.interface.address,
            "AVAILABILITY_ZONE": task.interface.zone,
            "REGION": region.name,
            "ECS_CLUSTER_NAME": task.cluster.name,
            "ECS_SERVICE_NAME": task.service.name,
            "ECS_TASK_DEFINITION_FAMILY": task.definition.family,
        }
        port = registry.get("port") or registry.get("containerPort")
        if port:
            attributes["AWS_INSTANCE_PORT"] = str(port)
        with suppress(AwsError):  # the Cloud Map service may be gone
            discovery.register(region, registry["registryArn"], task.id, attributes)


def _undiscover(region: Region, task: Task) -> None:
    for registry in task.registries:
        with suppress(AwsError):
            discovery.deregister(region, registry["registryArn"], task.id)
