"""The past of a service, read from AWS: its service deployments, and the revisions that they brought.

ECS keeps service deployments for ninety days (ECS Developer Guide, "View service history"); older ones are unknown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import BotoCoreError, ClientError, explain, says
from fargatectl.aws.session import chunks
from fargatectl.model.history import DeploymentOutcome, PastDeployment
from fargatectl.reconcilers.service.reading import describe
from fargatectl.rollout.outcome import nothing_to_go_back_to

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from fargatectl.aws.session import Aws

SHOWN = 20
_PAGE = 100  # ECS API Reference, ListServiceDeployments: maxResults
_DESCRIBE_MAX = 20  # ECS API Reference, DescribeServiceDeployments and DescribeServiceRevisions
_SETTINGS = ("taskDefinition", "networkConfiguration", "capacityProviderStrategy", "launchType")
_OUTCOMES = {
    "PENDING": DeploymentOutcome.RUNNING,
    "IN_PROGRESS": DeploymentOutcome.RUNNING,
    "STOP_REQUESTED": DeploymentOutcome.ROLLING_BACK,
    "ROLLBACK_REQUESTED": DeploymentOutcome.ROLLING_BACK,
    "ROLLBACK_IN_PROGRESS": DeploymentOutcome.ROLLING_BACK,
    "SUCCESSFUL": DeploymentOutcome.SUCCEEDED,
    "ROLLBACK_SUCCESSFUL": DeploymentOutcome.ROLLED_BACK,
    "ROLLBACK_FAILED": DeploymentOutcome.ROLLBACK_FAILED,
    "STOPPED": DeploymentOutcome.STOPPED,
}


def history(  # noqa: PLR0913 - whose, and which
    aws: Aws,
    name: str,
    cluster: str,
    service: str,
    *,
    most: int = SHOWN,
    outcomes: Collection[DeploymentOutcome] = (),
) -> tuple[PastDeployment, ...]:
    """Return the newest `most` deployments of a service, the newest first; only those of `outcomes`, if there are any.

    `name` is what the file calls it. Nothing is returned for a service that does not exist. Raises `AwsFailure` for
    what cannot be read.
    """
    try:
        return _history(aws, name, cluster, service, most, outcomes)
    except (ClientError, BotoCoreError) as error:
        raise explain(error) from error


def _history(  # noqa: PLR0913 - as its caller has it
    aws: Aws, name: str, cluster: str, service: str, most: int, outcomes: Collection[DeploymentOutcome]
) -> tuple[PastDeployment, ...]:
    found = describe(aws, [(cluster, service)]).get((cluster, service))
    if found is None or found["status"] != "ACTIVE":
        return ()
    wanted = [status for status, outcome in _OUTCOMES.items() if outcome in outcomes]
    briefs = _briefs(aws, cluster, service, wanted)[:most]
    revisions = _revisions(aws, [brief["targetServiceRevisionArn"] for brief in briefs])
    definitions = _registrants(aws, {one["taskDefinition"] for one in revisions.values()})
    past = [_past(name, brief, revisions.get(brief["targetServiceRevisionArn"], {}), definitions) for brief in briefs]
    current = next((one for one in past if one.task_definition == found["taskDefinition"]), None)
    return tuple(replace(one, current=one is current) for one in past)


def _briefs(aws: Aws, cluster: str, service: str, wanted: Sequence[str]) -> list[Any]:
    """List service deployments, the newest first: AWS names no order."""
    request: dict[str, Any] = {"cluster": cluster, "service": service, "maxResults": _PAGE}
    if wanted:
        request["status"] = list(wanted)
    answer = aws.ecs.list_service_deployments(**request)
    found: list[Any] = list(answer["serviceDeployments"])
    while token := answer.get("nextToken"):
        answer = aws.ecs.list_service_deployments(**request, nextToken=token)
        found += answer["serviceDeployments"]
    return sorted(found, key=lambda one: one["createdAt"], reverse=True)


def _revisions(aws: Aws, arns: Iterable[str]) -> dict[str, Any]:
    batches = chunks(list(dict.fromkeys(arns)), _DESCRIBE_MAX)

    def ask(batch: Sequence[str]) -> list[Any]:
        return list(aws.ecs.describe_service_revisions(serviceRevisionArns=list(batch))["serviceRevisions"])

    return {one["serviceRevisionArn"]: one for found in aws.each(ask, batches) for one in found}


def _registrants(aws: Aws, arns: Collection[str]) -> dict[str, str]:
    """Return who registered each task definition; one that was deleted says nothing."""

    def ask(arn: str) -> str:
        try:
            return str(aws.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"].get("registeredBy", ""))
        except ClientError as error:
            if says(error, "ClientException"):
                return ""
            raise

    ordered = sorted(arns)
    return dict(zip(ordered, aws.each(ask, ordered), strict=True))


def _past(
    name: str, brief: Mapping[str, Any], revision: Mapping[str, Any], registrants: Mapping[str, str]
) -> PastDeployment:
    definition = str(revision.get("taskDefinition", ""))
    images = revision.get("containerImages", ())
    main = next((one for one in images if one.get("containerName") == name), images[0] if images else {})
    return PastDeployment(
        service=name,
        id=brief["serviceDeploymentArn"],
        revision=brief["targetServiceRevisionArn"],
        outcome=_outcome(brief),
        created_at=brief["createdAt"],
        started_at=brief.get("startedAt"),
        finished_at=brief.get("finishedAt"),
        reason=brief.get("statusReason", ""),
        task_definition=definition,
        image=main.get("image", ""),
        digest=main.get("imageDigest", ""),
        registered_by=registrants.get(definition, ""),
        settings={key: revision[key] for key in _SETTINGS if key in revision},
    )


def _outcome(brief: Mapping[str, Any]) -> DeploymentOutcome:
    """Return how it ended. What fails with nothing to go back to ECS calls a rollback that failed, too."""
    if brief["status"] == "ROLLBACK_FAILED" and nothing_to_go_back_to(brief.get("statusReason", "")):
        return DeploymentOutcome.FAILED
    return _OUTCOMES.get(brief["status"], DeploymentOutcome.RUNNING)
