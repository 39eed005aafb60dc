"""A deployment that failed, as an error with its diagnosis; and finding the one that `why` is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError
from fargatectl.errors import RolloutFailed
from fargatectl.model.diagnosis import Diagnosis
from fargatectl.reconcilers.service.reading import describe
from fargatectl.rollout.diagnosis import Subject, explain, gather, suspicion, with_surroundings
from fargatectl.rollout.outcome import End, Ended, serving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_ecs.type_defs import ServiceTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.rollout.diagnosis import Places

_FAILED: Sequence[Any] = ("STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "ROLLBACK_IN_PROGRESS")
_FIXES = {
    End.FIRST_FAILED: "or take away what was made: fargatectl destroy",
    End.FIRST_STOPPED: "or take away what was made: fargatectl destroy",
}


def diagnose(aws: Aws, subject: Subject, place: Places) -> Diagnosis:
    """Return why a deployment failed, with what serves now."""
    aws.reads.clear()
    case = gather(aws, subject)
    suspected = suspicion(case)
    if suspected is not None:
        case = with_surroundings(aws, case, suspected.rule.facts)
    service: Any = case.service
    return explain(case, serving(subject.name, service), place)


def failure(aws: Aws, subject: Subject, service: ServiceTypeDef | None, ended: Ended, place: Places) -> RolloutFailed:
    """Return the end of a deployment as an error: how it ended, why, and what serves now."""
    if ended.end.explained:
        evidence = (f"deployment: {ended.reason}",) if ended.reason else ()
        told = Diagnosis(
            subject.name,
            f"The deployment of {subject.name} {ended.end.value}.",
            evidence,
            serving(subject.name, service),
            "deploy again if this is not what was meant",
            "high",
            ended.end.name.lower().replace("_", "-"),
        )
        return RolloutFailed(f"the deployment of {subject.name} {ended.end.value}", diagnosis=told)
    found = diagnose(aws, subject, place)
    message = f"the deployment of {subject.name} {ended.end.value}"
    return RolloutFailed(message, diagnosis=found, hint=_FIXES.get(ended.end, ""))


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
