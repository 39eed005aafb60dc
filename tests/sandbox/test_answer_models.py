"""Every answer of ours against botocore's output model, service by service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import botocore.session

from fargatectl.sandbox.handlers import HANDLERS
from fargatectl.sandbox.services import load
from tests.sandbox.answer_shapes import unmodelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.sandbox.ecs_scene import Scene

TARGET = {"ServiceNamespace": "ecs", "ResourceId": "service/c/web", "ScalableDimension": "ecs:service:DesiredCount"}


class Checker:
    """Looks at what goes out; XML is left to botocore's own parser, which drops what it does not know."""

    def __init__(self, scene: Scene) -> None:
        self.problems: list[str] = []
        self.seen: dict[str, set[str]] = {}
        self._loader = botocore.session.get_session()
        scene.local.intercept(self)

    def __call__(self, call: Call, apply: Callable[[], Response]) -> Response:
        response = apply()
        self.seen.setdefault(call.service, set()).add(call.operation)
        shape: Any = self._loader.get_service_model(call.service).operation_model(call.operation).output_shape
        if shape is not None and call.protocol == "json" and response.status == 200:
            body = json.loads(response.body or b"{}")
            self.problems += [f"{call.service}:{call.operation}{one}" for one in unmodelled(shape, body)]
        return response

    def missed(self, service: str) -> set[str]:
        """Return our operations of a service that were not called."""
        load()
        ours = {operation for owner, operation in HANDLERS.handled() if owner == service}
        return ours - self.seen.get(service, set())


def test_autoscaling(scene: Scene) -> None:
    checker, scaling = Checker(scene), scene.client("application-autoscaling")
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


def test_cloud_map(scene: Scene) -> None:
    checker, cloudmap = Checker(scene), scene.client("servicediscovery")
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


def test_the_smaller_services(scene: Scene) -> None:
    checker = Checker(scene)
    secrets, logs, ssm = scene.client("secretsmanager"), scene.client("logs"), scene.client("ssm")
    tags = [{"Key": "a", "Value": "b"}]
    secrets.create_secret(Name="s", SecretString="x", Tags=tags)
    secrets.put_secret_value(SecretId="s", SecretString="y")
    secrets.tag_resource(SecretId="s", Tags=tags)
    secrets.untag_resource(SecretId="s", TagKeys=["a"])
    secrets.delete_secret(SecretId="s")
    logs.create_log_group(logGroupName="/a", tags={"a": "b"})
    logs.put_retention_policy(logGroupName="/a", retentionInDays=30)
    logs.associate_kms_key(logGroupName="/a", kmsKeyId="arn:aws:kms:eu-central-1:123456789012:key/k")
    logs.describe_log_groups()
    logs.disassociate_kms_key(logGroupName="/a")
    logs.delete_log_group(logGroupName="/a")
    ssm.put_parameter(Name="/a/b", Value="x", Type="String")
    ssm.get_parameter(Name="/a/b")
    ssm.get_parameters(Names=["/a/b", "/no"])
    ssm.get_parameters_by_path(Path="/a")
    scene.client("resourcegroupstaggingapi").get_resources()
    assert checker.problems == []
    assert checker.missed("secretsmanager") == {"RotateSecret"}
    assert checker.missed("logs") | checker.missed("ssm") | checker.missed("resourcegroupstaggingapi") == set()
