"""Whose a thing is: the tags of what calls name, as the local AWS itself has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import tagging
from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region


def tags_of(region: Region, service: str, target: str) -> dict[str, str] | None:
    """Return the tags of what a call to `service` names as `target`; None where there is no such thing."""
    if service == "iam":
        return _role_tags(region, target)
    if ":task/" in target:
        return _tags_of_definition(region, target)
    if service == "secretsmanager":
        return _secret_tags(region, target)
    if service == "application-autoscaling" and target.startswith("arn:"):
        return _scaling_tags(region, target)
    arns = _arns(region, service, target)
    found = next((tags for arn, tags in tagging.tagged(region) if arn.removesuffix(":*") in arns), None)
    if found is None and service == "ecs":  # what is INACTIVE has its tags still
        answer = or_none(region, "ecs", "ListTagsForResource", resourceArn=arns[0])
        return None if answer is None else {tag["key"]: tag["value"] for tag in answer["tags"]}
    return found


def _arns(region: Region, service: str, target: str) -> list[str]:
    """Return what the ARN of `target` may be."""
    if target.startswith("arn:"):
        return [target]
    if target.startswith("dashboard/"):  # dashboards are global
        return [f"arn:aws:cloudwatch::{region.account}:{target}"]
    kinds = _ARNS[service] if "/" not in target or service == "logs" else ("ecs", "service/")
    return [region.arn(kinds[0], f"{kind}{target}") for kind in kinds[1:]]


_ARNS: Mapping[str, tuple[str, ...]] = {
    # By the service that is called: the service in the ARN, and what comes before the name.
    "ecs": ("ecs", "cluster/"),
    "ec2": ("ec2", "security-group/"),
    "logs": ("logs", "log-group:"),
    "cloudwatch": ("cloudwatch", "alarm:"),
    "scheduler": ("scheduler", "schedule-group/"),
    "servicediscovery": ("servicediscovery", "service/", "namespace/"),
}


def _role_tags(region: Region, target: str) -> dict[str, str] | None:
    answer = or_none(region, "iam", "ListRoleTags", RoleName=target)
    return None if answer is None else {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


def _tags_of_definition(region: Region, task: str) -> dict[str, str] | None:
    """Return the tags of the definition that a task was made of: who owns it may stop the task."""
    cluster = task.split("/")[-2]
    found = or_none(region, "ecs", "DescribeTasks", cluster=cluster, tasks=[task])
    tasks = found["tasks"] if found else []
    return tags_of(region, "ecs", tasks[0]["taskDefinitionArn"]) if tasks else None


def _secret_tags(region: Region, target: str) -> dict[str, str] | None:
    answer = or_none(region, "secretsmanager", "DescribeSecret", SecretId=target)
    return None if answer is None else {tag["Key"]: tag["Value"] for tag in answer.get("Tags") or ()}


def _scaling_tags(region: Region, target: str) -> dict[str, str] | None:
    answer = or_none(region, "application-autoscaling", "ListTagsForResource", ResourceARN=target)
    return None if answer is None else dict(answer["Tags"])


def or_none(region: Region, service: str, operation: str, **params: Any) -> dict[str, Any] | None:
    """Return what AWS answers, None where it refuses."""
    try:
        return region.ask(service, operation, **params)
    except AwsError:
        return None
