"""What others have in the same account: things whose names begin like ours, and the same app in another environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT

if TYPE_CHECKING:
    from fargatectl.sandbox.inprocess import LocalAws

_TRUST = """{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"""


def plant(local: LocalAws, app: str) -> None:
    """Plant neighbours of `app`; no run of ours may change any of them."""
    region = local.cloud.region(local.account, local.region)
    tags = {APP: app, ENVIRONMENT: "production"}
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    ecs_pairs: list[Any] = [{"key": key, "value": value} for key, value in tags.items()]
    with local.cloud.moto.active():
        vpc = region.ask("ec2", "DescribeVpcs")["Vpcs"][0]["VpcId"]
        subnets = region.ask("ec2", "DescribeSubnets", Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        for name, said in ((f"{app}-legacy", []), (f"{app}-production", pairs)):
            region.ask(
                "ec2",
                "CreateSecurityGroup",
                GroupName=name,
                Description="theirs",
                VpcId=vpc,
                TagSpecifications=[{"ResourceType": "security-group", "Tags": said}] if said else [],
            )
            path = f"/fargatectl/{app}/"
            region.ask("iam", "CreateRole", RoleName=name, Path=path, AssumeRolePolicyDocument=_TRUST, Tags=said)
            region.ask("elbv2", "CreateTargetGroup", Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
        region.ask("logs", "CreateLogGroup", logGroupName=f"/{app}-production/web", tags=tags)
        region.ask("logs", "CreateLogGroup", logGroupName=f"/{app}/legacy")
        region.ask("ecs", "CreateCluster", clusterName=f"{app}-production", tags=ecs_pairs)
        region.ask(
            "ecs",
            "RegisterTaskDefinition",
            family=f"{app}-production",
            containerDefinitions=[{"name": "web", "image": "theirs", "memory": 64}],
            tags=[*ecs_pairs, {"key": ADDRESS, "value": "service.task_definition/web"}],
        )
        ids = [subnet["SubnetId"] for subnet in subnets[:2]]
        made = region.ask("elbv2", "CreateLoadBalancer", Name=f"{app}-legacy", Subnets=ids, Tags=pairs)
        region.ask(
            "elbv2",
            "CreateListener",
            LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
        )
        region.ask(
            "servicediscovery",
            "CreatePrivateDnsNamespace",
            Name=f"legacy.{app}.internal",
            Vpc=vpc,
            CreatorRequestId="theirs",
            Tags=pairs,
        )
