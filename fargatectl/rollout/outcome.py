"""How a deployment ended, in one word and in a sentence; what serves afterwards."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from fargatectl.dataclass import dataclass
from fargatectl.reconcilers.service.health import health_of

if TYPE_CHECKING:
    from datetime import datetime

    from types_boto3_ecs.type_defs import ServiceTypeDef


class End(Enum):
    """The ends of a deployment; each value completes the sentence "the deployment of web …"."""

    SUCCEEDED = "succeeded"
    ROLLED_BACK = "failed, and ECS rolled it back"
    ROLLED_BACK_BY_US = "could not succeed, and was stopped by us and rolled back"
    ROLLED_BACK_BY_OTHERS = "was stopped and rolled back by somebody"
    FIRST_FAILED = "failed; it is the first one, and there is no version to go back to"
    FIRST_STOPPED = (
        "could not succeed; it is the first one, and there is no version to go back to: its count was set to 0"
    )
    FAILED = "failed, and was not rolled back"
    ROLLBACK_FAILED = "failed, and so did its rollback"
    STOPPED = "was stopped by somebody"
    SUPERSEDED = "was superseded by another deployment that somebody has begun"
    EMPTIED = "ended because somebody set the count of the service to 0 meanwhile"
    DELETED = "ended because the service was deleted meanwhile"

    @property
    def explained(self) -> bool:
        """Whether the end has its reason in itself, so that no task need be asked for one."""
        return self in {End.SUPERSEDED, End.EMPTIED, End.DELETED, End.STOPPED, End.ROLLED_BACK_BY_OTHERS}


@dataclass(frozen=True)
class Ended:
    """The end of a deployment; `reason` is ECS's own."""

    end: End
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether the new version does not serve."""
        return self.end is not End.SUCCEEDED

    @property
    def stage(self) -> str:
        """The end in the words of the progress line."""
        return self.end.value.partition(";")[0] if self.failed else "steady"

    @property
    def code(self) -> str:
        """The end as machines are told of it: "rolled-back-by-us"."""
        return self.end.name.lower().replace("_", "-")


def judge(  # noqa: PLR0913 - what is known of a deployment beside ECS's answers
    service: ServiceTypeDef | None,
    deployment_id: str,
    service_deployment: Any | None,  # noqa: ANN401 - ECS's record
    *,
    first: bool = False,
    stopped_by_us: bool = False,
    wanted: int = 0,
    since: datetime | None = None,
) -> Ended | None:
    """Tell how the deployment `deployment_id` ended; None while it has not.

    `service_deployment` is ECS's own record of it, where there is one: its word counts before that of the counts.
    `first` says that no deployment of the service has ever been completed; `wanted` is the desired count that it began
    with, and `since` when ECS made it.
    """
    if service is None or service["status"] != "ACTIVE":
        return Ended(End.DELETED)
    if first and stopped_by_us:
        return Ended(End.FIRST_STOPPED) if not service["runningCount"] + service["pendingCount"] else None
    if service_deployment is not None:
        ended = _judge_record(service, service_deployment, first=first, stopped_by_us=stopped_by_us)
    else:
        ended = _judge_by_deployments(service, deployment_id, first=first, stopped_by_us=stopped_by_us, since=since)
    if ended is not None and not ended.failed:
        return _with_tasks(service, wanted)
    return ended


def _with_tasks(service: ServiceTypeDef, wanted: int) -> Ended | None:
    """Judge a deployment that ECS calls a success: without tasks it is none, and some may still have to start."""
    if wanted and not service["desiredCount"]:
        return Ended(End.EMPTIED)
    return Ended(End.SUCCEEDED) if service["runningCount"] >= min(service["desiredCount"], wanted) else None


def nothing_to_go_back_to(reason: str) -> bool:
    """Tell from ECS's reason whether a rollback failed for want of a revision that had ever been deployed well."""
    return "no rollback candidate" in reason.lower()


def _judge_record(service: ServiceTypeDef, record: Any, *, first: bool, stopped_by_us: bool) -> Ended | None:  # noqa: ANN401
    """Read DescribeServiceDeployments (ECS API Reference, ServiceDeployment: status)."""
    status, reason = record["status"], record.get("statusReason", "")
    said = reason.lower()
    if status == "SUCCESSFUL":
        return Ended(End.SUCCEEDED)
    if status == "ROLLBACK_SUCCESSFUL":
        by_hand = "stopservicedeployment" in said or "by a user" in said
        by_whom = End.ROLLED_BACK_BY_OTHERS if by_hand else End.ROLLED_BACK
        return Ended(End.ROLLED_BACK_BY_US if stopped_by_us else by_whom, reason)
    if status == "ROLLBACK_FAILED":
        nothing = first or nothing_to_go_back_to(reason)
        return Ended(End.FIRST_FAILED if nothing else End.ROLLBACK_FAILED, reason)
    if status == "STOPPED":
        return Ended(_stopped(service, said, first=first), reason)
    return None


def _stopped(service: ServiceTypeDef, said: str, *, first: bool) -> End:
    if "newer service deployment" in said or "superseded" in said:
        return End.SUPERSEDED
    if "by a user" in said or "stopservicedeployment" in said:
        return End.STOPPED
    primary = next((d for d in service.get("deployments", ()) if d["status"] == "PRIMARY"), None)
    if primary is not None and primary.get("rolloutState") != "FAILED" and "circuit breaker" not in said:
        return End.STOPPED
    return End.FIRST_FAILED if first else End.FAILED


def _judge_by_deployments(
    service: ServiceTypeDef, deployment_id: str, *, first: bool, stopped_by_us: bool, since: datetime | None
) -> Ended | None:
    deployments = service.get("deployments", [])
    primary = next((d for d in deployments if d["status"] == "PRIMARY"), None)
    ours = next((d for d in deployments if d["id"] == deployment_id), None)
    if primary is None:
        return None
    reason = primary.get("rolloutStateReason", "")
    if primary["id"] == deployment_id:
        if primary.get("rolloutState") == "FAILED":
            return Ended(End.FIRST_FAILED if first else End.FAILED, reason)
        full = service["runningCount"] >= service["desiredCount"]
        return Ended(End.SUCCEEDED) if primary.get("rolloutState") == "COMPLETED" and full else None
    if "rolling back" in reason.lower() or (ours is not None and ours.get("rolloutState") == "FAILED"):
        back = Ended(End.ROLLED_BACK_BY_US if stopped_by_us else End.ROLLED_BACK, reason)
        return None if primary.get("rolloutState") == "IN_PROGRESS" else back
    # An answer may be from before our deployment: reads lag behind writes.
    stale = ours is None and since is not None and primary.get("createdAt", since) < since
    return None if stale else Ended(End.SUPERSEDED, reason)


def is_first(service: ServiceTypeDef | None, deployment_id: str) -> bool:
    """Tell whether a deployment has nothing to go back to: ECS goes back to the last one that was completed only.

    While one is under way, the version that serves is shown beside it.
    """
    others = (d for d in (service or {}).get("deployments", ()) if d["id"] != deployment_id)
    return not any(d.get("rolloutState", "COMPLETED") == "COMPLETED" for d in others)


def serving(name: str, service: ServiceTypeDef | None) -> str:
    """Return what answers now, in a sentence."""
    if service is None or service["status"] != "ACTIVE":
        return f"{name} is gone: nothing serves."
    health = health_of(service)
    if health.running == 0:
        return f"Nothing of {name} serves: no task runs."
    shown = health.old_task_definition if health.old_running >= health.running else health.task_definition
    return f"{shown or health.task_definition} serves {health.running} of {health.desired} tasks."
