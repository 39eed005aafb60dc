"""Taking our tags off, as if somebody had made everything by hand: what `--adopt` is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT
from fargatectl.sandbox import tagging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.inprocess import LocalAws

_OURS = [APP, ENVIRONMENT, ADDRESS]

# Rules and certificates have no name but their tags, and a revision is not adopted but registered anew.
_ADOPTABLE = (
    ":cluster/",
    ":service/",
    ":loadbalancer/",
    ":listener/",
    ":targetgroup/",
    ":log-group:",
    ":namespace/",
    ":secret:",
    ":alarm:",
    ":dashboard/",
    ":schedule-group/",
)
_GROUP = ":security-group/"


def strip(local: LocalAws, owner: Ownership) -> frozenset[str]:
    """Take our tags off what can be adopted; return what calls name it by."""
    region = local.cloud.region(local.account, local.region)
    targets: set[str] = set()
    with local.cloud.moto.active():
        local.cloud.catch_up()
        carriers = [arn for arn, tags in tagging.tagged(region) if owner.owns(tags)]
        for arn in carriers:
            if any(part in arn for part in (*_ADOPTABLE, _GROUP)):
                targets |= {arn, _untag(region, arn, _OURS)}
        for role in region.ask("iam", "ListRoles")["Roles"]:
            name = role["RoleName"]
            if owner.owns(_role_tags(region, name)):
                targets.add(name)
                region.ask("iam", "UntagRole", RoleName=name, TagKeys=_OURS)
    return frozenset(targets)


def forget_addresses(local: LocalAws, owner: Ownership) -> int:
    """Take the address off everything of `owner`, app and environment stay; return how much there was."""
    region = local.cloud.region(local.account, local.region)
    with local.cloud.moto.active():
        local.cloud.catch_up()
        carriers = [arn for arn, tags in tagging.tagged(region) if owner.owns(tags)]
        carriers = [arn for arn in carriers if ":application-autoscaling:" not in arn]
        for arn in carriers:
            _untag(region, arn, [ADDRESS])
        names = [role["RoleName"] for role in region.ask("iam", "ListRoles")["Roles"]]
        ours = [name for name in names if owner.owns(_role_tags(region, name))]
        for name in ours:
            region.ask("iam", "UntagRole", RoleName=name, TagKeys=[ADDRESS])
    return len(carriers) + len(ours)


def mark(local: LocalAws, owner: Ownership, tags: Mapping[str, str]) -> int:
    """Give everything of `owner` these tags too, as another version of the tool might; return how much there was."""
    region = local.cloud.region(local.account, local.region)
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    with local.cloud.moto.active():
        local.cloud.catch_up()
        carriers = [arn for arn, carried in tagging.tagged(region) if owner.owns(carried)]
        for arn in carriers:
            _tag(region, arn, tags, pairs)
        roles = [role["RoleName"] for role in region.ask("iam", "ListRoles")["Roles"]]
        ours = [name for name in roles if owner.owns(_role_tags(region, name))]
        for name in ours:
            region.ask("iam", "TagRole", RoleName=name, Tags=pairs)
    return len(carriers) + len(ours)


def _role_tags(region: Region, name: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in region.ask("iam", "ListRoleTags", RoleName=name)["Tags"]}


def _tag(region: Region, arn: str, tags: Mapping[str, str], pairs: list[dict[str, str]]) -> None:
    service, resource = arn.split(":", 5)[2], arn.split(":", 5)[5]
    if service == "ecs":
        listed = [{"key": key, "value": value} for key, value in tags.items()]
        region.ask("ecs", "TagResource", resourceArn=arn, tags=listed)
    elif service == "elasticloadbalancing":
        region.ask("elbv2", "AddTags", ResourceArns=[arn], Tags=pairs)
    elif service == "ec2":
        region.ask("ec2", "CreateTags", Resources=[resource.partition("/")[2]], Tags=pairs)
    elif service == "logs":
        region.ask("logs", "TagResource", resourceArn=arn.removesuffix(":*"), tags=dict(tags))
    elif service in {"servicediscovery", "cloudwatch"}:
        region.ask(service, "TagResource", ResourceARN=arn, Tags=pairs)
    elif service == "secretsmanager":
        region.ask("secretsmanager", "TagResource", SecretId=arn, Tags=pairs)
    elif service == "scheduler":
        region.ask("scheduler", "TagResource", ResourceArn=arn, Tags=pairs)


def _untag(region: Region, arn: str, keys: list[str]) -> str:
    """Take tags off one thing and return what calls name it by."""
    service, resource = arn.split(":", 5)[2], arn.split(":", 5)[5]
    path, bare = resource.partition("/")[2], arn.removesuffix(":*")
    without: dict[str, tuple[str, str, dict[str, Any], str]] = {
        "ecs": ("ecs", "UntagResource", {"resourceArn": arn, "tagKeys": keys}, path),
        "elasticloadbalancing": ("elbv2", "RemoveTags", {"ResourceArns": [arn], "TagKeys": keys}, arn),
        "secretsmanager": ("secretsmanager", "UntagResource", {"SecretId": arn, "TagKeys": keys}, arn),
        "cloudwatch": (
            "cloudwatch",
            "UntagResource",
            {"ResourceARN": arn, "TagKeys": keys},
            resource.removeprefix("alarm:"),
        ),
        "scheduler": ("scheduler", "UntagResource", {"ResourceArn": arn, "TagKeys": keys}, path),
        "ec2": ("ec2", "DeleteTags", {"Resources": [path], "Tags": [{"Key": key} for key in keys]}, path),
        "logs": (
            "logs",
            "UntagResource",
            {"resourceArn": bare, "tagKeys": keys},
            resource.removesuffix(":*").partition(":")[2],
        ),
        "servicediscovery": ("servicediscovery", "UntagResource", {"ResourceARN": arn, "TagKeys": keys}, path),
    }
    client, operation, params, name = without[service]
    region.ask(client, operation, **params)
    return name
