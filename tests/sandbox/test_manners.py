from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.ecs_scene import TRUST
from tests.sandbox.refusals.edge import log_to

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene

FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def new_group(scene: Scene, name: str = "other", **settings: Any) -> str:
    wish = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": scene.vpc, "TargetType": "ip", **settings}
    return str(scene.elb.create_target_group(**wish)["TargetGroups"][0]["TargetGroupArn"])


def new_rule(scene: Scene, priority: int, *actions: dict[str, Any]) -> str:
    return str(
        scene.elb.create_rule(
            ListenerArn=scene.listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{priority}"]}}],
            Actions=list(actions) or [FIXED],
        )["Rules"][0]["RuleArn"]
    )


def test_a_load_balancer_is_made_once(scene: Scene) -> None:
    wish = {"Name": "public", "Subnets": scene.subnets, "Tags": [{"Key": "a", "Value": "b"}]}
    first = scene.elb.create_load_balancer(**wish)["LoadBalancers"][0]
    assert scene.elb.create_load_balancer(**wish)["LoadBalancers"][0]["LoadBalancerArn"] == first["LoadBalancerArn"]
    with pytest.raises(ClientError) as caught:
        scene.elb.create_load_balancer(**wish, Scheme="internal")
    assert code(caught) == "DuplicateLoadBalancerName"
    assert len(scene.elb.describe_load_balancers()["LoadBalancers"]) == 1
    assert first["Scheme"] == "internet-facing"
    assert len(first["SecurityGroups"]) == 1


def test_a_load_balancer_is_provisioned_for_a_while(scene: Scene) -> None:
    scene.elb.create_load_balancer(Name="public", Subnets=scene.subnets)

    def state() -> str:
        return str(scene.elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"])

    assert state() == "provisioning"
    scene.wait(60)
    assert state() == "provisioning"
    scene.wait(60)
    assert state() == "active"


@pytest.mark.parametrize(
    ("name", "zones", "expected"),
    [("public", 1, "ValidationError"), ("internal-x", 2, "ValidationError"), ("x" * 33, 2, "ValidationError")],
)
def test_impossible_load_balancers_are_refused(name: str, zones: int, expected: str, scene: Scene) -> None:
    with pytest.raises(ClientError) as caught:
        scene.elb.create_load_balancer(Name=name, Subnets=scene.subnets[:zones])
    assert code(caught) == expected


def test_unknown_subnets_and_groups_have_errors_of_their_own(scene: Scene) -> None:
    with pytest.raises(ClientError) as caught:
        scene.elb.create_load_balancer(Name="a", Subnets=[scene.subnets[0], "subnet-0000000000000000f"])
    assert code(caught) == "SubnetNotFound"
    with pytest.raises(ClientError) as caught:
        scene.elb.create_load_balancer(Name="a", Subnets=scene.subnets, SecurityGroups=["sg-0000000000000000f"])
    assert code(caught) == "InvalidSecurityGroup"


def test_deletion_protection_protects(scene: Scene) -> None:
    scene.balance()
    arn = scene.balancer["LoadBalancerArn"]
    protection = {"Key": "deletion_protection.enabled", "Value": "true"}
    scene.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[protection])
    with pytest.raises(ClientError) as caught:
        scene.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert code(caught) == "OperationNotPermitted"
    scene.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{**protection, "Value": "false"}])
    scene.elb.delete_load_balancer(LoadBalancerArn=arn)
    scene.elb.delete_load_balancer(LoadBalancerArn=arn)


def test_a_target_group_is_made_once(scene: Scene) -> None:
    arn = new_group(scene)
    assert new_group(scene) == arn
    with pytest.raises(ClientError) as caught:
        new_group(scene, Port=81)
    assert code(caught) == "DuplicateTargetGroupName"


def test_a_target_group_in_use_stays_and_a_missing_one_is_deleted(scene: Scene) -> None:
    group = scene.balance()
    with pytest.raises(ClientError) as caught:
        scene.elb.delete_target_group(TargetGroupArn=group)
    assert code(caught) == "ResourceInUse"
    scene.elb.delete_listener(ListenerArn=scene.listener)
    scene.elb.delete_target_group(TargetGroupArn=group)
    scene.elb.delete_target_group(TargetGroupArn=group)


def test_a_target_group_knows_the_load_balancer_that_sends_to_it_now(scene: Scene) -> None:
    scene.balance()
    other = new_group(scene)

    def balancers() -> list[str]:
        (shown,) = scene.elb.describe_target_groups(TargetGroupArns=[other])["TargetGroups"]
        return list(shown["LoadBalancerArns"])

    assert balancers() == []
    forward = {"Type": "forward", "TargetGroupArn": other}
    rule = new_rule(scene, 1, forward)
    assert balancers() == [scene.balancer["LoadBalancerArn"]]
    scene.elb.modify_rule(RuleArn=rule, Actions=[FIXED])
    assert balancers() == []
    scene.elb.modify_listener(ListenerArn=scene.listener, DefaultActions=[forward])
    assert balancers() == [scene.balancer["LoadBalancerArn"]]
    found = scene.elb.describe_target_groups(LoadBalancerArn=scene.balancer["LoadBalancerArn"])["TargetGroups"]
    assert [one["TargetGroupArn"] for one in found] == [other]


def test_a_target_group_belongs_to_one_load_balancer(scene: Scene) -> None:
    group = scene.balance()
    second = scene.elb.create_load_balancer(Name="second", Subnets=scene.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    with pytest.raises(ClientError) as caught:
        scene.elb.create_listener(
            LoadBalancerArn=second,
            Port=80,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
    assert code(caught) == "TargetGroupAssociationLimit"


def test_a_listener_is_made_once(scene: Scene) -> None:
    group = scene.balance()
    wish = {
        "LoadBalancerArn": scene.balancer["LoadBalancerArn"],
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
    }
    assert scene.elb.create_listener(**wish)["Listeners"][0]["ListenerArn"] == scene.listener
    with pytest.raises(ClientError) as caught:
        scene.elb.create_listener(**{**wish, "DefaultActions": [FIXED]})
    assert code(caught) == "DuplicateListener"


def test_actions_are_read_back_in_canonical_form(scene: Scene) -> None:
    group = scene.balance()
    (listener,) = scene.elb.describe_listeners(ListenerArns=[scene.listener])["Listeners"]
    assert "SslPolicy" not in listener
    (action,) = listener["DefaultActions"]
    assert action["TargetGroupArn"] == group
    assert action["ForwardConfig"] == {
        "TargetGroups": [{"TargetGroupArn": group, "Weight": 1}],
        "TargetGroupStickinessConfig": {"Enabled": False},
    }
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    scene.elb.modify_listener(ListenerArn=scene.listener, DefaultActions=[redirect])
    (action,) = scene.elb.describe_listeners(ListenerArns=[scene.listener])["Listeners"][0]["DefaultActions"]
    assert action["RedirectConfig"] == {
        "Protocol": "HTTPS",
        "Port": "443",
        "StatusCode": "HTTP_301",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
    }


def test_weighted_forwards_show_their_groups_and_no_single_one(scene: Scene) -> None:
    first, second = scene.balance(), new_group(scene)
    groups = [{"TargetGroupArn": first, "Weight": 100}, {"TargetGroupArn": second, "Weight": 0}]
    rule = new_rule(scene, 1, {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}})
    (action,) = scene.elb.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]
    assert "TargetGroupArn" not in action
    assert [one["Weight"] for one in action["ForwardConfig"]["TargetGroups"]] == [100, 0]


def test_https_needs_an_issued_certificate(scene: Scene) -> None:
    group = scene.balance()
    wish = {
        "LoadBalancerArn": scene.balancer["LoadBalancerArn"],
        "Port": 443,
        "Protocol": "HTTPS",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
    }
    with pytest.raises(ClientError, match="certificate must be specified"):
        scene.elb.create_listener(**wish)
    acm = scene.client("acm")
    pending = acm.request_certificate(DomainName="pending.example.com", ValidationMethod="DNS")["CertificateArn"]
    with pytest.raises(ClientError) as caught:
        scene.elb.create_listener(**wish, Certificates=[{"CertificateArn": pending}])
    assert code(caught) == "UnsupportedCertificate"
    with pytest.raises(ClientError) as caught:
        scene.elb.create_listener(**wish, Certificates=[{"CertificateArn": pending[:-1] + "x"}])
    assert code(caught) == "CertificateNotFound"
    scene.local.provision({"certificates": ["issued.example.com"]})
    summaries = acm.list_certificates()["CertificateSummaryList"]
    issued = next(one["CertificateArn"] for one in summaries if one["DomainName"] == "issued.example.com")
    made = scene.elb.create_listener(**wish, Certificates=[{"CertificateArn": issued}])["Listeners"][0]
    assert made["SslPolicy"]
    assert made["Certificates"] == [{"CertificateArn": issued}]


def test_conditions_are_mirrored(scene: Scene) -> None:
    scene.balance()
    rule = scene.elb.create_rule(
        ListenerArn=scene.listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/a", "/b"]}],
        Actions=[FIXED],
    )["Rules"][0]
    (condition,) = rule["Conditions"]
    assert condition == {
        "Field": "path-pattern",
        "Values": ["/a", "/b"],
        "PathPatternConfig": {"Values": ["/a", "/b"]},
    }


def test_rules_come_in_order_and_may_swap_priorities(scene: Scene) -> None:
    scene.balance()
    late, early = new_rule(scene, 20), new_rule(scene, 10)

    def order() -> list[tuple[str, str]]:
        rules = scene.elb.describe_rules(ListenerArn=scene.listener)["Rules"]
        return [(rule["RuleArn"], rule["Priority"]) for rule in rules if not rule["IsDefault"]]

    assert order() == [(early, "10"), (late, "20")]
    scene.elb.set_rule_priorities(
        RulePriorities=[{"RuleArn": early, "Priority": 20}, {"RuleArn": late, "Priority": 10}]
    )
    assert order() == [(late, "10"), (early, "20")]
    with pytest.raises(ClientError) as caught:
        scene.elb.set_rule_priorities(RulePriorities=[{"RuleArn": early, "Priority": 10}])
    assert code(caught) == "PriorityInUse"
    with pytest.raises(ClientError) as caught:
        new_rule(scene, 10)
    assert code(caught) == "PriorityInUse"


def test_security_groups_in_use_stay(scene: Scene) -> None:
    def group(name: str) -> str:
        return str(scene.ec2.create_security_group(GroupName=name, Description="d", VpcId=scene.vpc)["GroupId"])

    def refused(identifier: str) -> bool:
        try:
            scene.ec2.delete_security_group(GroupId=identifier)
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "DependencyViolation")
        return False

    alb, task = group("alb"), group("task")
    pair = [{"GroupId": alb}]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": pair}
    scene.ec2.authorize_security_group_ingress(GroupId=task, IpPermissions=[rule])
    assert refused(alb)
    balancer = scene.elb.create_load_balancer(Name="a", Subnets=scene.subnets, SecurityGroups=[alb])["LoadBalancers"][0]
    network = {"awsvpcConfiguration": {"subnets": scene.subnets, "securityGroups": [task], "assignPublicIp": "ENABLED"}}
    scene.serve(scene.define(), desiredCount=1, networkConfiguration=network)
    scene.wait(60)
    scene.ec2.revoke_security_group_ingress(GroupId=task, IpPermissions=[rule])
    assert refused(alb)
    assert refused(task)
    scene.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    scene.ecs.delete_service(cluster="c", service="web", force=True)
    assert refused(alb)
    scene.wait(60)
    assert not refused(task)
    assert not refused(alb)


def test_the_groups_of_a_load_balancer_can_change(scene: Scene) -> None:
    scene.balance()
    group = scene.ec2.create_security_group(GroupName="g", Description="d", VpcId=scene.vpc)["GroupId"]
    scene.elb.set_security_groups(LoadBalancerArn=scene.balancer["LoadBalancerArn"], SecurityGroups=[group])
    with pytest.raises(ClientError):
        scene.ec2.delete_security_group(GroupId=group)


def test_managed_policies_exist(scene: Scene) -> None:
    iam = scene.client("iam")
    arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PolicyName"] == "AmazonECSTaskExecutionRolePolicy"
    with pytest.raises(ClientError) as caught:
        iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")
    assert code(caught) == "NoSuchEntity"


def test_rules_are_revoked_whatever_their_description(scene: Scene) -> None:
    first, second = (
        scene.ec2.create_security_group(GroupName=name, Description=name, VpcId=scene.vpc)["GroupId"]
        for name in ("first", "second")
    )
    ports = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    pair = {**ports, "UserIdGroupPairs": [{"GroupId": second, "Description": "from the second"}]}
    block = {**ports, "IpRanges": [{"CidrIp": "10.1.2.3/8", "Description": "from ten"}]}
    scene.ec2.authorize_security_group_ingress(GroupId=first, IpPermissions=[pair, block])
    (shown,) = scene.ec2.describe_security_groups(GroupIds=[first])["SecurityGroups"][0]["IpPermissions"]
    assert shown["IpRanges"] == [{"CidrIp": "10.0.0.0/8", "Description": "from ten"}]
    plain = {**ports, "UserIdGroupPairs": [{"GroupId": second}], "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    scene.ec2.revoke_security_group_ingress(GroupId=first, IpPermissions=[plain])
    assert scene.ec2.describe_security_groups(GroupIds=[first])["SecurityGroups"][0]["IpPermissions"] == []


def test_a_changed_listener_keeps_its_further_certificates(scene: Scene) -> None:
    group = scene.balance()
    scene.local.provision({"certificates": ["a.example.com", "b.example.com"]})
    summaries = scene.client("acm").list_certificates()["CertificateSummaryList"]
    first, second = (one["CertificateArn"] for one in summaries)
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    arn = scene.elb.create_listener(
        LoadBalancerArn=scene.balancer["LoadBalancerArn"],
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": first}],
        DefaultActions=forward,
    )["Listeners"][0]["ListenerArn"]
    scene.elb.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": second}])
    scene.elb.modify_listener(ListenerArn=arn, DefaultActions=[FIXED])
    scene.elb.modify_listener(ListenerArn=arn, Certificates=[{"CertificateArn": first}])
    shown = scene.elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]
    assert {one["CertificateArn"] for one in shown} == {first, second}


def test_attributes_are_all_shown(scene: Scene) -> None:
    group = scene.balance()
    arn = scene.balancer["LoadBalancerArn"]
    shown = scene.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    values = {one["Key"]: one["Value"] for one in shown}
    assert (values["idle_timeout.timeout_seconds"], values["load_balancing.cross_zone.enabled"]) == ("60", "true")
    shown = scene.elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    values = {one["Key"]: one["Value"] for one in shown}
    assert (values["deregistration_delay.timeout_seconds"], values["slow_start.duration_seconds"]) == ("30", "0")


def test_services_make_roles_of_their_own(scene: Scene) -> None:
    iam = scene.client("iam")

    def known() -> set[str]:
        return {role["RoleName"] for role in iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]}

    assert known() == {"AWSServiceRoleForECS"}
    scene.balance()
    scene.serve(scene.define())
    scene.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId="service/c/web",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=1,
        MaxCapacity=2,
    )
    assert known() == {
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
        "AWSServiceRoleForECS",
        "AWSServiceRoleForElasticLoadBalancing",
    }


def test_a_new_trust_policy_takes_its_moment_too(scene: Scene) -> None:
    iam = scene.client("iam")
    others = json.dumps(TRUST).replace("ecs-tasks", "lambda")
    arn = iam.create_role(RoleName="task", AssumeRolePolicyDocument=others)["Role"]["Arn"]
    definition = scene.register(taskRoleArn=arn)
    scene.wait(60)
    iam.update_assume_role_policy(RoleName="task", PolicyDocument=json.dumps(TRUST))
    scene.serve(definition, desiredCount=1)
    scene.wait(5)
    assert "failed to launch a task" in scene.messages()[0]
    scene.wait(60)
    assert scene.service()["runningCount"] == 1


def test_a_role_with_a_policy_of_aws_starts_tasks(scene: Scene) -> None:
    iam = scene.client("iam")
    iam.delete_role_policy(RoleName="execution", PolicyName="p")
    arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    iam.attach_role_policy(RoleName="execution", PolicyArn=arn)
    scene.serve(scene.define(), desiredCount=1)
    scene.wait(60)
    assert scene.service()["runningCount"] == 1


def test_logs_are_written_where_the_policy_allows_it(scene: Scene) -> None:
    log_to("open", account="123456789012")(scene)
    arn = scene.balancer["LoadBalancerArn"]
    shown = scene.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert {"Key": "access_logs.s3.bucket", "Value": "open"} in shown
    assert scene.local.provision({"buckets": ["placeholder"]}) != []
    bucket = [{"Key": "access_logs.s3.bucket", "Value": "placeholder"}]
    scene.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=bucket)
