"""Every answer of ours against botocore's output model, service by service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.answer_shapes import Observer
from tests.sandbox.ecs_scene import TRUST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.ecs_scene import Scene

TARGET = {"ServiceNamespace": "ecs", "ResourceId": "service/c/web", "ScalableDimension": "ecs:service:DesiredCount"}


@pytest.fixture
def checker(scene: Scene) -> Observer:
    checker = Observer()
    scene.local.observe(checker)
    scene.local.intercept(checker.intercept)
    return checker


def test_autoscaling(scene: Scene, checker: Observer) -> None:
    scaling = scene.client("application-autoscaling")
    scene.serve(scene.define())
    arn = scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4, Tags={"a": "b"})["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"c": "d"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    scaling.list_tags_for_resource(ResourceARN=arn)
    metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    tracking = {"TargetValue": 50.0, "PredefinedMetricSpecification": metric}
    scaling.put_scaling_policy(
        **TARGET, PolicyName="p", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=tracking
    )
    action = {"MinCapacity": 2, "MaxCapacity": 3}
    scaling.put_scheduled_action(
        **TARGET, ScheduledActionName="a", Schedule="rate(1 hour)", ScalableTargetAction=action
    )
    scene.local.set("count.c/web=3")
    scaling.describe_scalable_targets(ServiceNamespace="ecs")
    scaling.describe_scaling_policies(ServiceNamespace="ecs")
    scaling.describe_scheduled_actions(ServiceNamespace="ecs")
    scaling.describe_scaling_activities(ServiceNamespace="ecs")
    scaling.delete_scheduled_action(**TARGET, ScheduledActionName="a")
    scaling.delete_scaling_policy(**TARGET, PolicyName="p")
    scaling.deregister_scalable_target(**TARGET)
    assert (checker.problems, checker.missed("application-autoscaling")) == ([], set())


def namespaces(scene: Scene, cloudmap: Any) -> Mapping[str, str]:
    cloudmap.create_http_namespace(Name="http")
    cloudmap.create_public_dns_namespace(Name="example.com")
    cloudmap.create_private_dns_namespace(Name="c.internal", Vpc=scene.vpc, Tags=[{"Key": "a", "Value": "b"}])
    scene.wait(60)
    found = {one["Name"]: one["Id"] for one in cloudmap.list_namespaces()["Namespaces"]}
    for operation, name in (("private_dns", "c.internal"), ("public_dns", "example.com"), ("http", "http")):
        update = getattr(cloudmap, f"update_{operation}_namespace")
        identifier = update(Id=found[name], Namespace={"Description": "d"})["OperationId"]
        cloudmap.get_operation(OperationId=identifier)
    scene.wait(60)
    cloudmap.list_operations()
    return found


def test_cloud_map(scene: Scene, checker: Observer) -> None:
    cloudmap = scene.client("servicediscovery")
    home = namespaces(scene, cloudmap)["c.internal"]
    arn = cloudmap.get_namespace(Id=home)["Namespace"]["Arn"]
    cloudmap.tag_resource(ResourceARN=arn, Tags=[{"Key": "c", "Value": "d"}])
    cloudmap.untag_resource(ResourceARN=arn, TagKeys=["a"])
    cloudmap.list_tags_for_resource(ResourceARN=arn)
    records = {"DnsRecords": [{"Type": "A", "TTL": 10}]}
    service = cloudmap.create_service(Name="web", NamespaceId=home, DnsConfig=records, HealthCheckCustomConfig={})
    identifier = service["Service"]["Id"]
    cloudmap.get_service(Id=identifier)
    cloudmap.list_services()
    cloudmap.update_service(Id=identifier, Service={"DnsConfig": records})
    instance = {"ServiceId": identifier, "InstanceId": "i"}
    cloudmap.register_instance(**instance, Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
    scene.wait(60)
    cloudmap.get_instance(**instance)
    cloudmap.list_instances(ServiceId=identifier)
    cloudmap.update_instance_custom_health_status(**instance, Status="UNHEALTHY")
    cloudmap.get_instances_health_status(ServiceId=identifier)
    cloudmap.discover_instances(NamespaceName="c.internal", ServiceName="web")
    cloudmap.deregister_instance(**instance)
    scene.wait(60)
    cloudmap.delete_service(Id=identifier)
    cloudmap.delete_namespace(Id=home)
    assert (checker.problems, checker.missed("servicediscovery")) == ([], set())


def test_the_smaller_services(scene: Scene, checker: Observer) -> None:
    secrets, logs, ssm = scene.client("secretsmanager"), scene.client("logs"), scene.client("ssm")
    tags = [{"Key": "a", "Value": "b"}]
    secrets.create_secret(Name="s", SecretString="x", Tags=tags)
    secrets.put_secret_value(SecretId="s", SecretString="y")
    secrets.tag_resource(SecretId="s", Tags=tags)
    secrets.untag_resource(SecretId="s", TagKeys=["a"])
    secrets.update_secret(SecretId="s", Description="d")
    secrets.delete_secret(SecretId="s")
    logs.create_log_group(logGroupName="/a", tags={"a": "b"})
    logs.put_retention_policy(logGroupName="/a", retentionInDays=30)
    logs.associate_kms_key(logGroupName="/a", kmsKeyId="arn:aws:kms:eu-central-1:123456789012:key/k")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/a")["logGroups"]
    logs.tag_resource(resourceArn=group["logGroupArn"], tags={"c": "d"})
    logs.untag_resource(resourceArn=group["logGroupArn"], tagKeys=["c"])
    logs.list_tags_for_resource(resourceArn=group["logGroupArn"])
    logs.disassociate_kms_key(logGroupName="/a")
    query = {"logGroupName": "/a", "startTime": 0, "endTime": 9, "queryString": "fields @message"}
    identifier = logs.start_query(**query)["queryId"]
    logs.describe_queries()
    logs.get_query_results(queryId=identifier)
    logs.stop_query(queryId=identifier)
    logs.delete_log_group(logGroupName="/a")
    ssm.put_parameter(Name="/a/b", Value="x", Type="String")
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/a/b", Tags=tags)
    ssm.get_parameter(Name="/a/b")
    ssm.get_parameters(Names=["/a/b", "/no"])
    ssm.get_parameters_by_path(Path="/a")
    scene.client("resourcegroupstaggingapi").get_resources()
    assert checker.problems == []
    assert checker.missed("secretsmanager") == {"RotateSecret"}
    assert checker.missed("logs") | checker.missed("ssm") | checker.missed("resourcegroupstaggingapi") == set()


def test_alarms_and_dashboards(scene: Scene, checker: Observer) -> None:
    cloudwatch = scene.client("cloudwatch")
    metric = {"MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    rule = {"Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName="a", **metric, **rule, Tags=[{"Key": "a", "Value": "b"}])
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule="ALARM(a)", ActionsEnabled=False)
    cloudwatch.disable_alarm_actions(AlarmNames=["a"])
    cloudwatch.enable_alarm_actions(AlarmNames=["a"])
    cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="r", StateReasonData="{}")
    shown = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    arn = shown["MetricAlarms"][0]["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "c", "Value": "d"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["c"])
    cloudwatch.list_tags_for_resource(ResourceARN=arn)
    cloudwatch.put_dashboard(DashboardName="d", DashboardBody='{"widgets": []}')
    cloudwatch.get_dashboard(DashboardName="d")
    cloudwatch.list_dashboards()
    cloudwatch.delete_dashboards(DashboardNames=["d"])
    cloudwatch.delete_alarms(AlarmNames=["a", "all"])
    counted = {"Namespace": "ECS/ContainerInsights", "MetricName": "CpuUtilized"}
    measured = {"Id": "a", "MetricStat": {"Metric": counted, "Period": 60, "Stat": "Average"}}
    cloudwatch.get_metric_data(MetricDataQueries=[measured], StartTime=0, EndTime=60)
    assert (checker.problems, checker.missed("cloudwatch")) == ([], set())


def test_schedules(scene: Scene, checker: Observer) -> None:
    scheduler, iam = scene.client("scheduler"), scene.client("iam")
    trust = json.dumps(TRUST).replace("ecs-tasks", "scheduler")
    role = iam.create_role(RoleName="runs", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    scene.wait(15)
    target = {
        "Arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/c",
        "RoleArn": role,
        "EcsParameters": {"TaskDefinitionArn": scene.define(), "LaunchType": "FARGATE"},
    }
    arn = scheduler.create_schedule_group(Name="g", Tags=[{"Key": "a", "Value": "b"}])["ScheduleGroupArn"]
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["c"])
    scheduler.list_tags_for_resource(ResourceArn=arn)
    wish = {"Name": "s", "GroupName": "g", "ScheduleExpression": "rate(1 day)", "Target": target}
    window = {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}}
    scheduler.create_schedule(**wish, **window, StartDate=1_900_000_000, EndDate=2_000_000_000, Description="d")
    scheduler.update_schedule(**wish, **window)
    scheduler.get_schedule(Name="s", GroupName="g")
    scheduler.list_schedules()
    scheduler.get_schedule_group(Name="g")
    scheduler.list_schedule_groups()
    scheduler.delete_schedule(Name="s", GroupName="g")
    scheduler.delete_schedule_group(Name="g")
    assert (checker.problems, checker.missed("scheduler")) == ([], set())


def policy_of(allowed: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]})


def test_roles(scene: Scene, checker: Observer) -> None:
    iam = scene.client("iam")
    managed = iam.create_policy(PolicyName="p", PolicyDocument=policy_of("s3:*"))["Policy"]["Arn"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "a", "Value": "b"}])
    iam.tag_role(RoleName="r", Tags=[{"Key": "c", "Value": "d"}])
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=json.dumps(TRUST))
    iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=managed)
    iam.put_role_policy(RoleName="r", PolicyName="i", PolicyDocument=policy_of("logs:*"))
    iam.attach_role_policy(RoleName="r", PolicyArn=managed)
    iam.get_policy(PolicyArn=managed)
    iam.list_policy_versions(PolicyArn=managed)
    iam.get_policy_version(PolicyArn=managed, VersionId="v1")
    iam.list_entities_for_policy(PolicyArn=managed)
    iam.list_roles()
    iam.create_service_linked_role(AWSServiceName="elasticloadbalancing.amazonaws.com")
    iam.detach_role_policy(RoleName="r", PolicyArn=managed)
    iam.delete_role_policy(RoleName="r", PolicyName="i")
    iam.delete_role(RoleName="r")
    scene.client("sts").get_caller_identity()
    assert checker.problems == []
    assert checker.missed("iam") | checker.missed("sts") == set()


def test_groups(scene: Scene, checker: Observer) -> None:
    group = scene.ec2.create_security_group(GroupName="g", Description="d", VpcId=scene.vpc)["GroupId"]
    rules = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    for name in ("authorize", "revoke"):
        getattr(scene.ec2, f"{name}_security_group_ingress")(GroupId=group, IpPermissions=rules)
        getattr(scene.ec2, f"{name}_security_group_egress")(GroupId=group, IpPermissions=rules)
    scene.ec2.delete_security_group(GroupId=group)
    for kind in ("vpcs", "subnets", "route_tables", "vpc_endpoints", "security_groups", "network_interfaces"):
        getattr(scene.ec2, f"describe_{kind}")()
    assert (checker.problems, checker.missed("ec2")) == ([], set())


def test_zones_and_certificates(scene: Scene, checker: Observer) -> None:
    route53, acm = scene.client("route53"), scene.client("acm")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="a")["HostedZone"]["Id"]
    plain = zone.rpartition("/")[2]
    certificate = acm.request_certificate(DomainName="example.com", ValidationMethod="DNS")["CertificateArn"]
    acm.add_tags_to_certificate(CertificateArn=certificate, Tags=[{"Key": "a", "Value": "b"}])
    scene.wait(10)
    (option,) = acm.describe_certificate(CertificateArn=certificate)["Certificate"]["DomainValidationOptions"]
    proof = option["ResourceRecord"]
    record = {"Name": proof["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": proof["Value"]}]}
    for action in ("UPSERT", "DELETE"):
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        change = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]["Id"]
        route53.get_change(Id=change)
        route53.list_resource_record_sets(HostedZoneId=zone)
        scene.wait(120)
        acm.describe_certificate(CertificateArn=certificate)
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=plain, AddTags=[{"Key": "a", "Value": "b"}])
    route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=plain)
    route53.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[plain])
    route53.get_hosted_zone(Id=zone)
    route53.list_hosted_zones()
    route53.list_hosted_zones_by_name(DNSName="example.com")
    route53.list_hosted_zones_by_vpc(VPCId=scene.vpc, VPCRegion="eu-central-1")
    route53.delete_hosted_zone(Id=zone)
    acm.list_certificates()
    acm.delete_certificate(CertificateArn=certificate)
    assert checker.problems == []
    assert checker.missed("route53") | checker.missed("acm") == set()


def test_load_balancing(scene: Scene, checker: Observer) -> None:
    elb, group = scene.elb, scene.balance()
    scene.serve(scene.define(), group=group, desiredCount=1)
    scene.wait(100)
    arn = scene.balancer["LoadBalancerArn"]
    security = scene.ec2.create_security_group(GroupName="g", Description="d", VpcId=scene.vpc)["GroupId"]
    elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[security])
    elb.set_subnets(LoadBalancerArn=arn, Subnets=scene.subnets[:2])
    elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="ipv4")
    elb.describe_listener_certificates(ListenerArn=scene.listener)
    elb.describe_load_balancers()
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "30"}]
    )
    elb.describe_load_balancer_attributes(LoadBalancerArn=arn)
    elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/up")
    elb.describe_target_groups()
    elb.describe_target_group_attributes(TargetGroupArn=group)
    elb.describe_target_health(TargetGroupArn=group)
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "172.31.0.9", "Port": 80}])
    elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "172.31.0.9", "Port": 80}])
    redirect = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTPS"}}
    elb.modify_listener(ListenerArn=scene.listener, DefaultActions=[redirect])
    elb.describe_listeners(LoadBalancerArn=arn)
    rule = elb.create_rule(
        ListenerArn=scene.listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/a"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Rules"][0]["RuleArn"]
    elb.modify_rule(RuleArn=rule, Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example"]}}])
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": rule, "Priority": 5}])
    elb.describe_rules(ListenerArn=scene.listener)
    elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "a", "Value": "b"}])
    elb.describe_tags(ResourceArns=[arn, group])
    elb.delete_rule(RuleArn=rule)
    elb.delete_listener(ListenerArn=scene.listener)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    other = elb.create_target_group(Name="b", Protocol="HTTP", Port=80, VpcId=scene.vpc, TargetType="ip")
    elb.delete_target_group(TargetGroupArn=other["TargetGroups"][0]["TargetGroupArn"])
    assert checker.problems == []
    assert checker.missed("elbv2") == {"AddListenerCertificates", "RemoveListenerCertificates"}
