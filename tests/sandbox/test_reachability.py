from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene


def rule(port: int, **peer: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}


class Groups:
    """One group for the load balancer and one for the tasks, without rules between them."""

    def __init__(self, scene: Scene) -> None:
        self.ec2 = scene.ec2
        self.scene = scene
        self.alb, self.task = (
            scene.ec2.create_security_group(GroupName=name, Description=name, VpcId=scene.vpc)["GroupId"]
            for name in ("alb", "task")
        )
        self.target_group = scene.balance()
        scene.elb.set_security_groups(LoadBalancerArn=scene.balancer["LoadBalancerArn"], SecurityGroups=[self.alb])

    def admit(self, permission: dict[str, Any]) -> None:
        self.ec2.authorize_security_group_ingress(GroupId=self.task, IpPermissions=[permission])

    def from_alb(self) -> dict[str, Any]:
        return rule(80, UserIdGroupPairs=[{"GroupId": self.alb}])

    def serve(self) -> None:
        network = {"subnets": self.scene.subnets, "securityGroups": [self.task], "assignPublicIp": "ENABLED"}
        self.scene.serve(
            self.scene.define(),
            group=self.target_group,
            desiredCount=1,
            networkConfiguration={"awsvpcConfiguration": network},
            healthCheckGracePeriodSeconds=600,
        )
        self.scene.wait(120)

    def health(self) -> list[tuple[str, str]]:
        shown = self.scene.elb.describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        return [(one["TargetHealth"]["State"], one["TargetHealth"].get("Reason", "")) for one in shown]


@pytest.fixture
def groups(scene: Scene) -> Groups:
    return Groups(scene)


def test_without_a_rule_for_the_load_balancer_checks_time_out(groups: Groups) -> None:
    groups.serve()
    assert groups.health() == [("unhealthy", "Target.Timeout")]


def test_the_rule_may_name_the_group_or_the_addresses(groups: Groups) -> None:
    groups.admit(groups.from_alb())
    groups.serve()
    assert groups.health() == [("healthy", "")]
    groups.admit(rule(80, IpRanges=[{"CidrIp": "172.31.0.0/16"}]))
    groups.ec2.revoke_security_group_ingress(GroupId=groups.task, IpPermissions=[groups.from_alb()])
    groups.scene.wait(60)
    assert groups.health() == [("healthy", "")]


@pytest.mark.parametrize("port", [79, 81])
def test_another_port_does_not_help(port: int, groups: Groups) -> None:
    groups.admit(rule(port, IpRanges=[{"CidrIp": "0.0.0.0/0"}]))
    groups.serve()
    assert groups.health() == [("unhealthy", "Target.Timeout")]


def test_a_part_of_the_load_balancers_addresses_is_not_enough(groups: Groups) -> None:
    groups.admit(rule(80, IpRanges=[{"CidrIp": "172.31.0.0/28"}]))
    groups.serve()
    assert groups.health() == [("unhealthy", "Target.Timeout")]


def test_the_load_balancer_must_be_let_out(groups: Groups) -> None:
    groups.admit(groups.from_alb())
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    groups.ec2.revoke_security_group_egress(GroupId=groups.alb, IpPermissions=[everything])
    groups.serve()
    assert groups.health() == [("unhealthy", "Target.Timeout")]
    task = rule(80, UserIdGroupPairs=[{"GroupId": groups.task}])
    groups.ec2.authorize_security_group_egress(GroupId=groups.alb, IpPermissions=[task])
    groups.scene.wait(60)
    assert groups.health() == [("healthy", "")]


def test_a_port_of_the_health_check_itself_counts(groups: Groups) -> None:
    groups.scene.elb.modify_target_group(TargetGroupArn=groups.target_group, HealthCheckPort="8080")
    groups.admit(groups.from_alb())
    groups.serve()
    assert groups.health() == [("unhealthy", "Target.Timeout")]
    groups.admit(rule(8080, UserIdGroupPairs=[{"GroupId": groups.alb}]))
    groups.scene.wait(60)
    assert groups.health() == [("healthy", "")]
