"""The health of an ECS service, in one word and a few numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass
from fargatectl.model.status import DeploymentStatus, ServiceEvent, ServiceState

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import DeploymentTypeDef, ServiceTypeDef

EVENTS_SHOWN = 20


@dataclass(frozen=True)
class ServiceHealth:
    """What DescribeServices says of a service's tasks and deployments; counts are tasks.

    `running` and `pending` count the tasks of all deployments, `old_running` and `old_pending` those of all but the
    PRIMARY one.
    """

    state: ServiceState
    desired: int
    running: int
    pending: int
    task_definition: str
    deployment: DeploymentStatus | None
    events: tuple[ServiceEvent, ...]
    old_task_definition: str = ""
    old_running: int = 0
    old_pending: int = 0

    @property
    def failed_with_nothing_serving(self) -> bool:
        """Tell whether the newest deployment failed and no task of any runs."""
        return self.state == ServiceState.FAILED and self.running == 0 and self.desired > 0


def health_of(found: ServiceTypeDef) -> ServiceHealth:
    """Return the health that an answer of DescribeServices, CreateService or UpdateService shows."""
    deployments = found.get("deployments", [])
    primary = next((d for d in deployments if d.get("status") == "PRIMARY"), None)
    old = next((d for d in deployments if d.get("status") == "ACTIVE" and d.get("runningCount")), None)
    return ServiceHealth(
        state=_state(found, deployments, primary),
        desired=found.get("desiredCount", 0),
        running=found.get("runningCount", 0),
        pending=found.get("pendingCount", 0),
        task_definition=found.get("taskDefinition", "").rpartition("/")[2],
        deployment=_deployment(primary) if primary else None,
        events=tuple(
            ServiceEvent(at=event["createdAt"], message=event["message"])
            for event in found.get("events", [])[:EVENTS_SHOWN]
        ),
        old_task_definition=old["taskDefinition"].rpartition("/")[2] if old else "",
        old_running=sum(d.get("runningCount", 0) for d in deployments if d.get("status") != "PRIMARY"),
        old_pending=sum(d.get("pendingCount", 0) for d in deployments if d.get("status") != "PRIMARY"),
    )


def _deployment(found: DeploymentTypeDef) -> DeploymentStatus:
    return DeploymentStatus(
        id=found["id"],
        state=found.get("rolloutState", "IN_PROGRESS"),
        failed_tasks=found.get("failedTasks", 0),
        started_at=found.get("createdAt"),
        reason=found.get("rolloutStateReason", ""),
    )


def _state(
    found: ServiceTypeDef, deployments: list[DeploymentTypeDef], primary: DeploymentTypeDef | None
) -> ServiceState:
    if found.get("status") == "DRAINING":
        return ServiceState.DRAINING
    if found.get("status") == "INACTIVE" or primary is None:
        return ServiceState.MISSING
    rollout = primary.get("rolloutState")
    if rollout == "FAILED":
        return ServiceState.FAILED
    if rollout == "IN_PROGRESS":
        # A rollback is a new PRIMARY beside the deployment that failed, as is a new try after a failed one: ECS's
        # reason tells them apart.
        beside = any(d.get("rolloutState") == "FAILED" for d in deployments if d is not primary)
        reason = primary.get("rolloutStateReason", "").lower()
        undone = "rolling back" in reason or (beside and not reason)
        return ServiceState.ROLLING_BACK if undone else ServiceState.DEPLOYING
    settled = found.get("runningCount") == found.get("desiredCount") and not found.get("pendingCount")
    return ServiceState.STEADY if settled else ServiceState.DEPLOYING
