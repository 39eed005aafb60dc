"""Stopping a deployment that cannot heal, instead of waiting until ECS gives up on it.

ECS counts failed tasks, whatever they failed of, and tries more and more rarely. Some causes no attempt can cure: an
image that does not exist, a secret without the key that is asked for, a program for another processor. Two tasks that
failed of the same such cause are proof; so are three that ended with the same exit code within seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.rollout.diagnosis import explain, gather, proven

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.rollout.watch import Watch

_IN_A_ROW = 2  # ECS sets its count back once a task is healthy: then there is hope
_STOPPABLE = frozenset({"PENDING", "IN_PROGRESS"})
_ECS, _COUNT = "ecs", "ecs:service:DesiredCount"
_SUSPENDED: Any = {
    "DynamicScalingInSuspended": True,
    "DynamicScalingOutSuspended": True,
    "ScheduledScalingSuspended": True,
}


def hopeless(aws: Aws, watch: Watch) -> str:
    """Return why the deployment of `watch` cannot heal, in a sentence; nothing where it can, or may.

    Asks AWS only when something has failed since it asked last.
    """
    seen = _failures(watch)
    if not watch.mine or not watch.view.stop_early or watch.stopped or seen is None or seen == watch.proofs_seen:
        return ""
    watch.proofs_seen = seen
    case = gather(aws, watch.subject)
    return explain(case, "").cause if proven(case) else ""


def _failures(watch: Watch) -> tuple[object, ...] | None:
    """Return what ECS counts of the deployment's failures; None where there is nothing to be sure of."""
    deployments: Any = (watch.service or {}).get("deployments", ())
    ours = next((d for d in deployments if d["id"] == watch.out.deployment_id and d["status"] == "PRIMARY"), None)
    if ours is not None and watch.lifted:
        newest: Any = next(iter((watch.service or {}).get("events", ())), {})
        return (ours.get("failedTasks"), newest.get("id")) if newest else None
    if ours is None or ours.get("rolloutState") != "IN_PROGRESS" or ours.get("failedTasks", 0) < _IN_A_ROW:
        return None
    if watch.record is not None and watch.record["status"] not in _STOPPABLE:
        return None
    return (ours["failedTasks"], ours.get("updatedAt"))


def stop(aws: Aws, watch: Watch) -> str:
    """Stop the deployment of `watch`, and return what was done, as a sentence.

    One that has a version to go back to is rolled back (StopServiceDeployment works without a circuit breaker, too).
    The first one of a service has none: its count is set to 0, and its scaling, if any, is suspended first, for the
    autoscaler would raise the count again. Raises what botocore raises.
    """
    name = watch.view.name
    if not watch.first:
        aws.ecs.stop_service_deployment(serviceDeploymentArn=watch.service_deployment, stopType="ROLLBACK")
        return f"the deployment of {name} is stopped and rolled back"
    suspended = _suspend(aws, watch)
    aws.ecs.update_service(cluster=watch.out.cluster, service=watch.out.name, desiredCount=0)
    beside = " and its scaling suspended; the next deploy resumes it" if suspended else ""
    return f"the first deployment of {name} is stopped: its count is set to 0{beside}"


def _suspend(aws: Aws, watch: Watch) -> bool:
    """Suspend the scaling of a service and let it go down to no tasks; tell whether it has any."""
    which: Any = {"ServiceNamespace": _ECS, "ScalableDimension": _COUNT}
    resource = f"service/{watch.out.cluster}/{watch.out.name}"
    found = aws.autoscaling.describe_scalable_targets(**which, ResourceIds=[resource])["ScalableTargets"]
    if not found:
        return False
    # To register a target again moves the count into its bounds at once: 0 must be within them.
    aws.autoscaling.register_scalable_target(**which, ResourceId=resource, MinCapacity=0, SuspendedState=_SUSPENDED)
    return True
