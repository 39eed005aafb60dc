"""How a deployment ended, and what ECS says about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError
from fargatectl.errors import RolloutFailed
from fargatectl.model.diagnosis import Diagnosis
from fargatectl.reconcilers.service.health import health_of

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import ServiceTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.status import ServiceView
    from fargatectl.reconcilers.service import ServiceOut

_FAILED = {
    "STOPPED": "was stopped",
    "ROLLBACK_SUCCESSFUL": "failed and was rolled back",
    "ROLLBACK_FAILED": "failed, and so did its rollback",
}
_EVENTS_AS_EVIDENCE = 3
_TASKS_LOOKED_AT = 100  # ECS API Reference, DescribeTasks: tasks


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a deployment. `how` completes the sentence "the deployment …"; `reason` is ECS's own."""

    failed: bool
    how: str
    reason: str = ""

    @property
    def stage(self) -> str:
        """The end in the words of the progress line."""
        return self.how if self.failed else "steady"


def judge(service: ServiceTypeDef | None, deployment_id: str, service_deployment: Any | None) -> Ended | None:  # noqa: ANN401
    """Tell how the deployment `deployment_id` ended; None while it has not.

    `service_deployment` is ECS's own record of it, where there is one: its word counts before that of the counts.
    """
    if service is None or service["status"] != "ACTIVE":
        return Ended(failed=True, how="ended because the service was deleted meanwhile")
    if service_deployment is not None:
        status = service_deployment["status"]
        if status == "SUCCESSFUL":
            return Ended(failed=False, how="succeeded")
        if status in _FAILED:
            return Ended(failed=True, how=_FAILED[status], reason=service_deployment.get("statusReason", ""))
        return None
    return _judge_by_deployments(service, deployment_id)


def _judge_by_deployments(service: ServiceTypeDef, deployment_id: str) -> Ended | None:
    deployments = service.get("deployments", [])
    primary = next((d for d in deployments if d["status"] == "PRIMARY"), None)
    ours = next((d for d in deployments if d["id"] == deployment_id), None)
    if primary is None:
        return None
    if primary["id"] == deployment_id:
        if primary.get("rolloutState") == "FAILED":
            return Ended(failed=True, how="failed", reason=primary.get("rolloutStateReason", ""))
        full = service["runningCount"] >= service["desiredCount"]
        return Ended(failed=False, how="succeeded") if primary.get("rolloutState") == "COMPLETED" and full else None
    reason = primary.get("rolloutStateReason", "")
    if "rolling back" in reason.lower() or (ours is not None and ours.get("rolloutState") == "FAILED"):
        if primary.get("rolloutState") == "IN_PROGRESS":
            return None
        return Ended(failed=True, how="failed and was rolled back", reason=reason)
    return Ended(failed=True, how="was superseded by another deployment", reason=reason)


def explain_failure(
    aws: Aws, view: ServiceView, out: ServiceOut, service: ServiceTypeDef | None, ended: Ended
) -> RolloutFailed:
    """Return the failure of a deployment in words: ECS's reason, what its tasks said, and what serves now."""
    reasons = _stopped_reasons(aws, out)
    health = health_of(service) if service is not None else None
    events = [event.message for event in health.events[:_EVENTS_AS_EVIDENCE]] if health else []
    cause = next(iter(reasons), "") or ended.reason or (events[0] if events else "ECS gave no reason")
    evidence = [
        f"{count} tasks stopped: {text}" if count > 1 else f"a task stopped: {text}" for text, count in reasons.items()
    ]
    evidence += [f"deployment: {ended.reason}"] if ended.reason else []
    evidence += [f"event: {message}" for message in events]
    serving = _serving(view, health)
    diagnosis = Diagnosis(view.name, cause, tuple(dict.fromkeys(evidence)), serving)
    return RolloutFailed(f"the deployment of {view.name} {ended.how}: {cause}", diagnosis=diagnosis)


def _serving(view: ServiceView, health: Any | None) -> str:  # noqa: ANN401 - ServiceHealth
    if health is None:
        return f"{view.name} is gone: nothing serves."
    if health.running == 0:
        return f"Nothing of {view.name} serves: no task runs, and there was no older version to go back to."
    return f"{health.task_definition} serves {health.running} of {health.desired} tasks."


def _stopped_reasons(aws: Aws, out: ServiceOut) -> Counter[str]:
    """Return why the tasks of the deployment stopped, with how many did so; ECS keeps them for about an hour."""
    try:
        arns = aws.ecs.list_tasks(cluster=out.cluster, serviceName=out.name, desiredStatus="STOPPED")["taskArns"]
        if not arns:
            return Counter()
        tasks = aws.ecs.describe_tasks(cluster=out.cluster, tasks=arns[:_TASKS_LOOKED_AT])["tasks"]
    except ClientError:
        return Counter()  # only the story gets shorter: the outcome stands without it
    mine = [task for task in tasks if task.get("startedBy") == out.deployment_id]
    return Counter(dict(Counter(_reason(task) for task in mine if _reason(task)).most_common()))


def _reason(task: Any) -> str:  # noqa: ANN401 - ECS's task
    if task.get("stopCode") == "ServiceSchedulerInitiated" and "health" not in task.get("stoppedReason", ""):
        return ""
    said = [task.get("stoppedReason", "")]
    for container in task.get("containers", ()):
        if container.get("reason"):
            said.append(f"{container['name']}: {container['reason']}")
        elif container.get("exitCode"):
            said.append(f"{container['name']}: exit code {container['exitCode']}")
    return "; ".join(text for text in dict.fromkeys(said) if text)
