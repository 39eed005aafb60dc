"""Taking our tags off, as if somebody had made everything by hand: what `--adopt` is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT
from fargatectl.sandbox import tagging

if TYPE_CHECKING:
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.inprocess import LocalAws

_OURS = [APP, ENVIRONMENT, ADDRESS]

# Rules have no name but their tags, and a revision is not adopted but registered anew.
_ADOPTABLE = (":cluster/", ":service/", ":loadbalancer/", ":listener/", ":targetgroup/", ":log-group:", ":namespace/")
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
                targets.add(_untag(region, arn))
        for role in region.ask("iam", "ListRoles")["Roles"]:
            name = role["RoleName"]
            tags = {tag["Key"]: tag["Value"] for tag in region.ask("iam", "ListRoleTags", RoleName=name)["Tags"]}
            if owner.owns(tags):
                targets.add(name)
                region.ask("iam", "UntagRole", RoleName=name, TagKeys=_OURS)
    return frozenset(targets)


def _untag(region: Region, arn: str) -> str:
    """Take our tags off one thing and return what calls name it by."""
    service, resource = arn.split(":", 5)[2], arn.split(":", 5)[5]
    if service == "ecs":
        region.ask("ecs", "UntagResource", resourceArn=arn, tagKeys=_OURS)
        return resource.partition("/")[2]
    if service == "elasticloadbalancing":
        region.ask("elbv2", "RemoveTags", ResourceArns=[arn], TagKeys=_OURS)
        return arn
    if service == "ec2":
        group = resource.partition("/")[2]
        region.ask("ec2", "DeleteTags", Resources=[group], Tags=[{"Key": key} for key in _OURS])
        return group
    if service == "logs":
        region.ask("logs", "UntagResource", resourceArn=arn.removesuffix(":*"), tagKeys=_OURS)
        return resource.removesuffix(":*").partition(":")[2]
    region.ask("servicediscovery", "UntagResource", ResourceARN=arn, TagKeys=_OURS)
    return resource.partition("/")[2]
