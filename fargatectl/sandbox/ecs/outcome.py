"""How deployments begin and end: completed, failed by the circuit breaker, rolled back, stopped.

AWS: ECS guide, "How the Amazon ECS deployment circuit breaker detects failures"; ECS API Reference, ServiceDeployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox.ecs import monitors, shifting

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.state import Deployment, Members, Rollout, Service

_BREAKER, _ALARMS = "ECS deployment circuit breaker: ", "ECS deployment alarms: "
_LEAST_FAILURES, _MOST_FAILURES = 3, 200  # AWS: ECS API Reference, DeploymentCircuitBreaker
_NO_CANDIDATE = "No rollback candidate was found to run the rollback."


def threshold(desired: int) -> int:
    """Return how many tasks may fail in a row: half of the desired count, within bounds."""
    return min(max(-(-desired // 2), _LEAST_FAILURES), _MOST_FAILURES)


def begin(region: Region, service: Service) -> None:
    """Let a service deployment that waits begin."""
    rollout = service.rollout
    if rollout is not None and rollout.status == "PENDING":
        rollout.status = "IN_PROGRESS"
        rollout.started_at = rollout.updated_at = region.date()
        monitors.begin(region, rollout)


def fails(service: Service, deployment: Deployment) -> bool:
    """Tell whether the circuit breaker has had enough of a deployment."""
    breaker = _breaker(service)
    return bool(breaker["enable"]) and deployment.failed_tasks >= threshold(service.desired)


def _breaker(service: Service) -> Members:
    breaker: Members = service.members["deploymentConfiguration"]["deploymentCircuitBreaker"]
    return breaker


def fail(region: Region, service: Service, deployment: Deployment, why: str) -> None:
    """Fail a deployment by the circuit breaker, and roll back if that is wished and possible."""
    rollout = service.rollout
    if rollout is not None and not rollout.ended:
        rollout.breaker = "TRIGGERED"
    because = "because the circuit breaker threshold was exceeded."
    _fail(region, service, deployment, f"{_BREAKER}{why}", because, rolls_back=bool(_breaker(service)["rollback"]))


def fail_by_alarm(region: Region, service: Service, deployment: Deployment, alarm: str) -> None:
    """Fail a deployment because an alarm rings that watches it."""
    rollout = service.rollout
    if rollout is not None:
        rollout.alarms, rollout.triggered = "TRIGGERED", [alarm]
    wish = service.members["deploymentConfiguration"]["alarms"]
    because = "because one or more CloudWatch alarms were triggered."
    _fail(region, service, deployment, f"{_ALARMS}alarm detected.", because, rolls_back=bool(wish["rollback"]))


def _fail(  # noqa: PLR0913 - what AWS says of it in three places
    region: Region, service: Service, deployment: Deployment, why: str, because: str, *, rolls_back: bool
) -> None:
    deployment.rollout_state, deployment.rollout_reason = "FAILED", why
    deployment.updated_at = region.date()
    source, _, short = why.partition(": ")
    service.say(region, f"(deployment {deployment.id}) deployment failed: {short}")
    if rolls_back:
        prefix = f"{source}: rolling back to deploymentId"
        roll_back(region, service, deployment, f"Service deployment rolled back {because}", prefix)
    else:
        _end(region, service.rollout, "STOPPED", f"Service deployment stopped {because}")


def roll_back(region: Region, service: Service, failed: Deployment, reason: str, prefix: str) -> None:
    """Go back to the last deployment that completed; without one the service is left as it is."""
    shifting.give_back(region, service)
    rollout, target = service.rollout, service.last_completed
    if rollout is not None and rollout.status == "ROLLBACK_IN_PROGRESS":
        _end(region, rollout, "ROLLBACK_FAILED", reason)
        return
    if target is None or target is failed:
        _end(region, rollout, "ROLLBACK_FAILED", f"{reason} {_NO_CANDIDATE}")
        return
    failed.status = "ACTIVE"
    target.status, target.rollout_state = "PRIMARY", "IN_PROGRESS"
    target.rollout_reason = f"{prefix} {target.id}."
    target.failed_tasks, target.updated_at = 0, region.date()
    service.deployments = [target, *(one for one in service.deployments if one is not target)]
    service.members |= {key: target.revision.members.get(key) for key in _OF_REVISION}
    service.members["taskDefinition"] = target.revision.definition.arn
    service.start_failures, service.hold_until, service.steady = 0, 0.0, False
    service.say(region, f"rolling back to deployment {target.id}.")
    if rollout is not None:
        rollout.status, rollout.reason, rollout.updated_at = "ROLLBACK_IN_PROGRESS", reason, region.date()
        rollout.rollback = {"reason": reason, "startedAt": region.date(), "serviceRevisionArn": target.revision.arn}


_OF_REVISION = (
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "platformVersion",
    "capacityProviderStrategy",
    "launchType",
)


def complete(region: Region, service: Service, deployment: Deployment) -> None:
    """Complete a deployment that is in progress: all its tasks are healthy, and none of another one is left."""
    service.deployments = [one for one in service.deployments if one is deployment]
    if deployment.rollout_state != "IN_PROGRESS" or _bakes(region, service):
        return
    deployment.rollout_state = "COMPLETED"
    deployment.rollout_reason = f"ECS deployment {deployment.id} completed."
    deployment.updated_at = region.date()
    deployment.failed_tasks = 0
    service.last_completed = deployment
    shifting.swap(service, deployment)
    service.say(region, f"(deployment {deployment.id}) deployment completed.")
    rollout = service.rollout
    if rollout is not None and rollout.status == "ROLLBACK_IN_PROGRESS":
        _end(region, rollout, "ROLLBACK_SUCCESSFUL", rollout.reason)
    elif rollout is not None:
        _end(region, rollout, "SUCCESSFUL", "")


def fail_by_hook(region: Region, service: Service, because: str) -> None:
    """Fail the deployment that is under way because something that it waited for said no."""
    primary = service.primary
    if primary is not None:
        _fail(region, service, primary, "ECS deployment lifecycle hook: hook failed.", because, rolls_back=True)


def _bakes(region: Region, service: Service) -> bool:
    """Tell whether the alarms of a deployment are still waited for; begin with that if need be."""
    rollout = service.rollout
    if shifting.under_way(service):
        return False  # it had a bake time of its own
    seconds = monitors.bake_seconds(region, rollout) if rollout is not None else 0.0
    if rollout is None or not seconds:
        return False
    if rollout.baked_at is None:
        rollout.baked_at = region.now + seconds
    return region.now < rollout.baked_at


def supersede(region: Region, service: Service) -> None:
    """End the service deployment in progress, because another one begins."""
    _end(
        region, service.rollout, "STOPPED", "Service deployment stopped because a newer service deployment was started."
    )


def _end(region: Region, rollout: Rollout | None, status: str, reason: str) -> None:
    if rollout is None or rollout.ended:
        return
    rollout.status, rollout.reason = status, reason
    rollout.finished_at = rollout.updated_at = region.date()
    if status == "STOPPED":
        rollout.stopped_at = rollout.finished_at
    if rollout.breaker == "MONITORING":
        rollout.breaker = "MONITORING_COMPLETE"
    if rollout.alarms == "MONITORING":
        rollout.alarms = "MONITORING_COMPLETE"


def abort(region: Region, service: Service, deployment: Deployment) -> None:
    """Stop a deployment where it is, by a user's wish."""
    deployment.rollout_state = "FAILED"
    deployment.rollout_reason = "Service deployment stopped by a user."
    deployment.updated_at = region.date()
    _end(region, service.rollout, "STOPPED", "Service deployment stopped by a user.")
