"""A deployment that failed, as an error with its diagnosis; and finding the one that `why` is asked about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError
from fargatectl.errors import RolloutFailed, StillInProgress
from fargatectl.model.diagnosis import Diagnosis
from fargatectl.reconcilers.service.reading import describe
from fargatectl.rollout.diagnosis import Subject, explain, gather, suspicion, with_surroundings
from fargatectl.rollout.outcome import End, Ended, judge, serving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_ecs.type_defs import ServiceTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.rollout.diagnosis import Places
    from fargatectl.rollout.watch import Watch

_FAILED: Sequence[Any] = ("STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "ROLLBACK_IN_PROGRESS")
_FIXES = {
    End.FIRST_FAILED: "or take away what was made: fargatectl destroy",
    End.FIRST_STOPPED: "or take away what was made: fargatectl destroy",
}
_UNASKED = "It could not be asked why: {}."
_NOTHING_FOUND = "unknown"
_SECONDS_PER_MINUTE = 60


def diagnose(aws: Aws, subject: Subject, place: Places) -> Diagnosis:
    """Return why a deployment failed, with what serves now. Raises what botocore raises."""
    aws.reads.clear()
    case = gather(aws, subject)
    suspected = suspicion(case)
    if suspected is not None:
        case = with_surroundings(aws, case, suspected.rule.facts)
    service: Any = case.service
    found = explain(case, serving(subject.name, service), place)
    if found.code != _NOTHING_FOUND or subject.service_deployment is None:
        return found
    ended = judge(service, subject.deployment, subject.service_deployment)
    # Where no task failed, somebody's call may be all there is to tell.
    return _explained(subject, service, ended) if ended is not None and ended.end.explained else found


def failure(aws: Aws, subject: Subject, service: ServiceTypeDef | None, ended: Ended, place: Places) -> RolloutFailed:
    """Return the end of a deployment as an error: how it ended, why, and what serves now.

    That its cause cannot be found is no reason to hide that it failed.
    """
    message = f"the deployment of {subject.name} {ended.end.value}"
    told = _explained(subject, service, ended) if ended.end.explained else _diagnosed(aws, subject, ended, place)
    if not told.serving:
        told = replace(told, serving=serving(subject.name, service))
    return RolloutFailed(message, diagnosis=told, hint=_FIXES.get(ended.end, ""))


def _explained(subject: Subject, service: ServiceTypeDef | None, ended: Ended) -> Diagnosis:
    return Diagnosis(
        service=subject.name,
        cause=f"The deployment of {subject.name} {ended.end.value}.",
        evidence=(f"deployment: {ended.reason}",) if ended.reason else (),
        serving=serving(subject.name, service),
        fix="deploy again if this is not what was meant",
        confidence="high",
        code=ended.code,
    )


def _diagnosed(aws: Aws, subject: Subject, ended: Ended, place: Places) -> Diagnosis:
    try:
        return diagnose(aws, subject, place)
    except Exception as error:  # noqa: BLE001 - whatever keeps us from explaining a failure must not hide it
        reason = (f"deployment: {ended.reason}",) if ended.reason else ()
        return Diagnosis(subject.name, _UNASKED.format(error), reason, "")


def still_going(aws: Aws, watch: Watch, place: Places, *, leaving: bool) -> StillInProgress:
    """Return that a rollout goes on in AWS without us: because its time is over, or because the user is `leaving`.

    One that is stuck is diagnosed as if it had failed; nobody who leaves is kept for that.
    """
    name, last = watch.view.name, watch.last
    where = f" to {last.revision} ({last.healthy} of {last.desired} healthy)" if last else ""
    message = f"the rollout of {name}{where} goes on in AWS"
    if leaving:
        return StillInProgress(message)
    found = _diagnosed(aws, watch.subject, Ended(End.FAILED), place)
    known = found.code != _NOTHING_FOUND
    return StillInProgress(
        f"{message}: it is not over after {_minutes(watch, aws)}", diagnosis=found if known else None
    )


def _minutes(watch: Watch, aws: Aws) -> str:
    seconds = round(aws.monotonic() - watch.began)
    return f"{seconds} s" if seconds < _SECONDS_PER_MINUTE else f"{round(seconds / _SECONDS_PER_MINUTE)} min"


def last_failed(aws: Aws, name: str, cluster: str, service: str) -> Subject | None:
    """Return the running deployment if its tasks fail, else the last one that failed; None if none did.

    Raises what botocore raises where the service cannot be read.
    """
    found = describe(aws, [(cluster, service)]).get((cluster, service))
    if found is None:
        return None
    failing = [d for d in found.get("deployments", ()) if d.get("rolloutState") == "FAILED" or _fails(d)]
    if failing:
        return Subject(name=name, cluster=cluster, service=service, deployment=failing[0]["id"])
    try:
        answer = aws.ecs.list_service_deployments(cluster=cluster, service=service, status=list(_FAILED))
        arns = [one["serviceDeploymentArn"] for one in answer["serviceDeployments"][:1]]
        if not arns:
            return None
        record: Any = aws.ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"][0]
    except ClientError:
        return None
    number = record["targetServiceRevision"]["arn"].rpartition("/")[2]
    return Subject(
        name=name, cluster=cluster, service=service, deployment=f"ecs-svc/{number}", service_deployment=record
    )


def _fails(deployment: Any) -> bool:  # noqa: ANN401 - ECS's deployment
    return deployment.get("rolloutState") == "IN_PROGRESS" and bool(deployment.get("failedTasks"))
