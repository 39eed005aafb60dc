from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.ecs_scene import TRUST

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene

OURS = {"Key": "fargatectl:app", "Value": "shop"}
LOWER = [{"key": OURS["Key"], "value": OURS["Value"]}]


def kinds(scene: Scene, *types: str, **filters: Any) -> list[str]:
    wish = {"TagFilters": [{"Key": OURS["Key"], "Values": [OURS["Value"]]}], **filters}
    pages = scene.client("resourcegroupstaggingapi").get_paginator("get_resources")
    found = [
        one["ResourceARN"]
        for page in pages.paginate(ResourceTypeFilters=list(types), **wish)
        for one in page["ResourceTagMappingList"]
    ]
    return sorted(f"{arn.split(':')[2]}:{arn.split(':', 5)[5].replace(':', '/').partition('/')[0]}" for arn in found)


def make_one_of_each(scene: Scene) -> None:
    scene.ecs.create_cluster(clusterName="shop", tags=LOWER)
    service = scene.serve(scene.define(), group=scene.balance(), tags=LOWER)
    scene.ecs.tag_resource(resourceArn=service["taskDefinition"], tags=LOWER)
    rule = scene.elb.create_rule(
        ListenerArn=scene.listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Rules"][0]["RuleArn"]
    group = service["loadBalancers"][0]["targetGroupArn"]
    for arn in (scene.balancer["LoadBalancerArn"], scene.listener, rule, group):
        scene.elb.add_tags(ResourceArns=[arn], Tags=[OURS])
    cloudmap = scene.client("servicediscovery")
    cloudmap.create_private_dns_namespace(Name="shop.internal", Vpc=scene.vpc, Tags=[OURS])
    scene.wait(60)
    namespace = cloudmap.list_namespaces()["Namespaces"][0]["Id"]
    records = {"DnsRecords": [{"Type": "A", "TTL": 10}]}
    cloudmap.create_service(Name="web", NamespaceId=namespace, DnsConfig=records, Tags=[OURS])
    specification = [{"ResourceType": "security-group", "Tags": [OURS]}]
    scene.ec2.create_security_group(GroupName="g", Description="g", VpcId=scene.vpc, TagSpecifications=specification)
    scene.client("logs").create_log_group(logGroupName="/shop/web", tags={OURS["Key"]: OURS["Value"]})
    scene.client("secretsmanager").create_secret(Name="s", SecretString="x", Tags=[OURS])
    scene.client("ecr").create_repository(repositoryName="shop", tags=[OURS])
    scene.client("iam").create_role(RoleName="shop", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[OURS])


def test_everything_but_roles_is_found_by_its_tags(scene: Scene) -> None:
    make_one_of_each(scene)
    assert kinds(scene) == [
        "ec2:security-group",
        "ecr:repository",
        "ecs:cluster",
        "ecs:service",
        "ecs:task-definition",
        "elasticloadbalancing:listener",
        "elasticloadbalancing:listener-rule",
        "elasticloadbalancing:loadbalancer",
        "elasticloadbalancing:targetgroup",
        "logs:log-group",
        "secretsmanager:secret",
        "servicediscovery:namespace",
        "servicediscovery:service",
    ]


def test_types_narrow_the_search(scene: Scene) -> None:
    make_one_of_each(scene)
    assert kinds(scene, "ecs") == ["ecs:cluster", "ecs:service", "ecs:task-definition"]
    assert kinds(scene, "ecs:service", "logs:log-group") == ["ecs:service", "logs:log-group"]
    assert kinds(scene, TagFilters=[{"Key": "other"}]) == []


def test_what_is_deleted_is_not_found(scene: Scene) -> None:
    scene.ecs.create_cluster(clusterName="shop", tags=LOWER)
    scene.ecs.delete_cluster(cluster="shop")
    assert kinds(scene) == []


def test_pages(scene: Scene) -> None:
    make_one_of_each(scene)
    tagging = scene.client("resourcegroupstaggingapi")
    first = tagging.get_resources(ResourcesPerPage=10, TagFilters=[{"Key": OURS["Key"]}])
    second = tagging.get_resources(
        ResourcesPerPage=10, TagFilters=[{"Key": OURS["Key"]}], PaginationToken=first["PaginationToken"]
    )
    assert (len(first["ResourceTagMappingList"]), len(second["ResourceTagMappingList"])) == (10, 3)
    assert second["PaginationToken"] == ""
    with pytest.raises(ClientError, match="between 1 and 100"):
        tagging.get_resources(ResourcesPerPage=200)


def test_it_may_learn_of_tags_and_deletions_late(scene: Scene) -> None:
    scene.local.set("tagging_lag=30")
    scene.ecs.create_cluster(clusterName="shop", tags=LOWER)
    assert kinds(scene) == []
    scene.wait(31)
    assert kinds(scene) == ["ecs:cluster"]
    scene.ecs.delete_cluster(cluster="shop")
    assert kinds(scene) == ["ecs:cluster"]
    scene.wait(31)
    assert kinds(scene) == []
    scene.ecs.create_cluster(clusterName="late", tags=LOWER)
    scene.local.set("tagging_lag=")
    assert kinds(scene) == ["ecs:cluster"]
