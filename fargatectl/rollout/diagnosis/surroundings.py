"""Facts of the account that prove or refine a suspicion, each asked only when a rule wants it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, code_of, says
from fargatectl.model.images import is_valid, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fargatectl.aws.session import Aws
    from fargatectl.model.images import Image
    from fargatectl.rollout.diagnosis.case import Case

_IMAGES = 1000  # ECR API Reference, DescribeImages: maxResults
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def _vpc_settings(case: Case) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (case.service or {}).get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    return found


def _subnets(aws: Aws, case: Case) -> Any:  # noqa: ANN401 - AWS's answer, as all below
    ids = list(_vpc_settings(case).get("subnets", ()))
    return aws.ec2.describe_subnets(SubnetIds=ids)["Subnets"] if ids else []


def _in_vpc(aws: Aws, case: Case) -> list[Any]:
    vpcs = sorted({subnet["VpcId"] for subnet in _subnets(aws, case)})
    return [{"Name": "vpc-id", "Values": vpcs}] if vpcs else []


def _route_tables(aws: Aws, case: Case) -> Any:  # noqa: ANN401
    inside = _in_vpc(aws, case)
    return aws.ec2.describe_route_tables(Filters=inside)["RouteTables"] if inside else []


def _endpoints(aws: Aws, case: Case) -> Any:  # noqa: ANN401
    inside = _in_vpc(aws, case)
    return aws.ec2.describe_vpc_endpoints(Filters=inside)["VpcEndpoints"] if inside else []


def _security_groups(aws: Aws, case: Case) -> Any:  # noqa: ANN401
    ids = list(_vpc_settings(case).get("securityGroups", ()))
    return aws.ec2.describe_security_groups(GroupIds=ids)["SecurityGroups"] if ids else []


def _role(aws: Aws, case: Case) -> Any:  # noqa: ANN401
    arn = str((case.definition or {}).get("executionRoleArn") or "")
    name = arn.rpartition("/")[2]
    if not name:
        return None
    try:
        role = aws.iam.get_role(RoleName=name)["Role"]
    except ClientError as error:
        if says(error, "NoSuchEntity"):
            return {"Role": None}
        raise
    policies = aws.iam.list_role_policies(RoleName=name)["PolicyNames"]
    documents = [aws.iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in policies]
    return {"Role": role, "Policies": documents}


def _secrets(aws: Aws, case: Case) -> Any:  # noqa: ANN401
    references = {
        ":".join(secret["valueFrom"].split(":")[:7])
        for container in (case.definition or {}).get("containerDefinitions", ())
        for secret in container.get("secrets", ())
        if ":secretsmanager:" in secret["valueFrom"]
    }
    return [_described(aws, reference) for reference in sorted(references)]


def _described(aws: Aws, reference: str) -> Any:  # noqa: ANN401
    try:
        return aws.secrets.describe_secret(SecretId=reference)
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return {"ARN": reference, "Missing": True}
        raise


def _log_groups(aws: Aws, case: Case) -> Any:  # noqa: ANN401
    groups = {
        options["awslogs-group"]
        for container in (case.definition or {}).get("containerDefinitions", ())
        if (options := (container.get("logConfiguration") or {}).get("options") or {}).get("awslogs-group")
    }
    return [
        found for name in sorted(groups) for found in aws.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    ]


def _target_groups(aws: Aws, case: Case) -> Any:  # noqa: ANN401
    arns = [one["targetGroupArn"] for one in (case.service or {}).get("loadBalancers", ()) if "targetGroupArn" in one]
    return aws.elb.describe_target_groups(TargetGroupArns=arns)["TargetGroups"] if arns else []


def _load_balancer_groups(aws: Aws, case: Case) -> Any:  # noqa: ANN401
    arns = sorted({arn for group in _target_groups(aws, case) for arn in group.get("LoadBalancerArns", ())})
    if not arns:
        return []
    found = aws.elb.describe_load_balancers(LoadBalancerArns=arns)["LoadBalancers"]
    return sorted({group for one in found for group in one.get("SecurityGroups", ())})


def _repository(aws: Aws, case: Case) -> Any:  # noqa: ANN401
    """Return what ECR has of the image that the tasks cannot use; None for images of other registries."""
    image = _image(case)
    if image is None or image.ecr is None:
        return None
    where, there = image.ecr, aws.at(image.ecr.region)
    found: dict[str, Any] = {"name": where.name, "image": image.written, "wanted": image.tag or "latest"}
    if image.digest:
        found["wanted"] = image.digest
    asked: dict[str, Any] = {"registryId": where.account, "repositoryName": where.name}
    try:
        details = there.ecr.describe_images(**asked, filter={"tagStatus": "TAGGED"}, maxResults=_IMAGES)["imageDetails"]
    except ClientError as error:
        if says(error, "RepositoryNotFoundException"):
            return {**found, "exists": False}
        raise
    newest = sorted(details, key=lambda one: one["imagePushedAt"], reverse=True)
    found["tags"] = [tag for one in newest for tag in one.get("imageTags", ())]
    found["complete"] = len(details) < _IMAGES
    if found["wanted"] in found["tags"]:
        answer = there.ecr.batch_get_image(
            **asked, imageIds=[{"imageTag": found["wanted"]}], acceptedMediaTypes=list(_INDEXES)
        )
        found["platforms"] = [one for got in answer.get("images", ()) for one in _platforms(got)]
    return found


def _image(case: Case) -> Image | None:
    """Return the image that the failed tasks speak of, or the main container's."""
    said = " ".join(signal.text for signal in case.signals)
    containers: Any = (case.definition or {}).get("containerDefinitions", ())
    named = [one["image"] for one in containers if one["image"] in said]
    written = next(iter(named), case.container(case.name).get("image", ""))
    return parse(written) if is_valid(written) else None


def _platforms(found: Any) -> Iterator[str]:  # noqa: ANN401
    """Return the platforms of an index (OCI Image Specification, "Image Index"); a lone image does not say its own."""
    index = json.loads(found.get("imageManifest") or "{}")
    for one in index.get("manifests", ()) if isinstance(index, dict) else ():
        platform = one.get("platform") or {}
        if platform.get("os", "unknown") != "unknown":  # attestations are listed beside the images
            yield f"{platform['os']}/{platform.get('architecture', '')}"


SURROUNDINGS: dict[str, dict[str, Callable[[Aws, Case], Any]]] = {
    "network": {
        "subnets": _subnets,
        "route_tables": _route_tables,
        "endpoints": _endpoints,
        "security_groups": _security_groups,
    },
    "execution_role": {"role": _role},
    "secret": {"secrets": _secrets},
    "log_group": {"log_groups": _log_groups},
    "image": {"repository": _repository},
    "target_group": {"target_groups": _target_groups},
    "ingress": {"security_groups": _security_groups, "load_balancer_groups": _load_balancer_groups},
}
"""Name of a fact → what `Case.account` gets for it, by its key."""
