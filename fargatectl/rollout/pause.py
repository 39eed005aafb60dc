"""Deployments that wait for somebody: a hook that pauses, its stage, and when it answers itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import BotoCoreError, ClientError, explain
from fargatectl.dataclass import dataclass
from fargatectl.errors import Paused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.aws.session import Aws

_WAITING = "AWAITING_ACTION"
_UNDER_WAY: tuple[Any, ...] = ("PENDING", "IN_PROGRESS")


@dataclass(frozen=True)
class Pause:
    """A hook that waits for an answer: the ARN of the service deployment, the hook's id, and the stage.

    `until` says when, and how, it answers itself; empty where ECS does not say.
    """

    deployment: str
    hook: str
    stage: str
    until: str = ""


def pause_of(record: Mapping[str, Any] | None) -> Pause | None:
    """Return where a service deployment pauses, if it does (ECS API Reference, DeploymentLifecycleHookDetail)."""
    if record is None or record.get("status") not in _UNDER_WAY:
        return None
    waiting = [one for one in record.get("lifecycleHookDetails", ()) if one.get("status") == _WAITING]
    if not waiting:
        return None
    first, stage = waiting[0], record.get("lifecycleStage", "")
    until = ""
    if "expiresAt" in first:
        then = "goes on" if first.get("timeoutAction") == "CONTINUE" else "is rolled back"
        until = f"at {first['expiresAt'].astimezone().strftime('%Y-%m-%d %H:%M')} it {then} by itself"
    return Pause(record["serviceDeploymentArn"], first["hookId"], stage, until)


def waiting(name: str, pause: Pause) -> Paused:
    """Return that the deployment of the service `name` waits for somebody's answer."""
    message = f"the deployment of {name} pauses at {pause.stage} and waits for an answer"
    message += f"; {pause.until}" if pause.until else ""
    return Paused(message, hint=f"`fargatectl continue {name}`, or `fargatectl abort {name}`")


def paused_now(aws: Aws, cluster: str, service: str) -> Pause | None:
    """Return where the deployment of a service pauses now, if it does. Raises `AwsFailure` for what cannot be read."""
    try:
        listed = aws.ecs.list_service_deployments(cluster=cluster, service=service, status=list(_UNDER_WAY))
        arns = [one["serviceDeploymentArn"] for one in listed["serviceDeployments"][:1]]
        if not arns:
            return None
        records: Any = aws.ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
    except (ClientError, BotoCoreError) as error:
        raise explain(error) from error
    return pause_of(records[0]) if records else None
