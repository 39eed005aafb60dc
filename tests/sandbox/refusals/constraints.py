"""What services refuse of names, sizes, tags and values, before they look at anything else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.sandbox.ecs_scene import TRUST
from tests.sandbox.refusals.others import (
    DNS,
    IAM,
    LOGS,
    MALFORMED,
    MAP,
    SCALING,
    SECRETS,
    TARGET,
    VALIDATION,
    namespace,
    scale_a_service,
)
from tests.sandbox.refusals.row import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene

SSM = "Systems Manager API Reference"
FIFTY_ONE = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]
CPU = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}


def role(**settings: Any) -> Callable[[Scene], Any]:
    wish = {"RoleName": "r", "AssumeRolePolicyDocument": json.dumps(TRUST), **settings}
    return lambda scene: scene.client("iam").create_role(**wish)


def inline(**statement: str) -> Callable[[Scene], Any]:
    wish = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **statement}
    document = json.dumps({"Version": "2012-10-17", "Statement": [wish]})
    return lambda scene: scene.client("iam").put_role_policy(
        RoleName="execution", PolicyName="x", PolicyDocument=document
    )


def secret(name: str = "s", value: str = "x") -> Callable[[Scene], Any]:
    return lambda scene: scene.client("secretsmanager").create_secret(Name=name, SecretString=value)


def parameter(**settings: Any) -> Callable[[Scene], Any]:
    wish = {"Name": "/a", "Value": "x", "Type": "String", **settings}
    return lambda scene: scene.client("ssm").put_parameter(**wish)


def discovery(**settings: Any) -> Callable[[Scene], Any]:
    wish = {"Name": "web", "DnsConfig": DNS, **settings}
    return lambda scene: scene.client("servicediscovery").create_service(NamespaceId=namespace(scene), **wish)


def track(*configurations: dict[str, Any]) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        scale_a_service(1, 2)(scene)
        for number, configuration in enumerate(configurations):
            scene.client("application-autoscaling").put_scaling_policy(
                **TARGET,
                PolicyName=f"p{number}",
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration={"TargetValue": 50.0, **configuration},
            )

    return act


def record(kind: str, value: str) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        route53 = scene.client("route53")
        zone = route53.create_hosted_zone(Name="example.com", CallerReference="a")["HostedZone"]["Id"]
        wish = {"Name": "a.example.com", "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        changes = [{"Action": "UPSERT", "ResourceRecordSet": wish}]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    return act


def tag_by_asterisk(scene: Scene) -> None:
    logs = scene.client("logs")
    arn = logs.describe_log_groups()["logGroups"][0]["arn"]
    logs.tag_resource(resourceArn=arn, tags={"a": "b"})


CONSTRAINTS = [
    Refusal(
        "A role's name has at most 64 characters", f"{IAM}, CreateRole", "ValidationError", role(RoleName="r" * 65)
    ),
    Refusal("A role's path is one", f"{IAM}, CreateRole", "ValidationError", role(Path="tasks")),
    Refusal(
        "A permissions boundary exists",
        f"{IAM}, CreateRole",
        "NoSuchEntity",
        role(PermissionsBoundary="arn:aws:iam::123456789012:policy/no"),
    ),
    Refusal("A statement's id has letters and digits", f"{IAM}, PutRolePolicy", MALFORMED, inline(Sid="a-b"), "SID"),
    Refusal("An action has its service", f"{IAM}, PutRolePolicy", MALFORMED, inline(Action="GetObject")),
    Refusal("A resource is an ARN", f"{IAM}, PutRolePolicy", MALFORMED, inline(Resource="bucket")),
    Refusal(
        "A log group's tags have few characters",
        f"{LOGS}, CreateLogGroup",
        "InvalidParameterException",
        lambda scene: scene.client("logs").create_log_group(logGroupName="/a", tags={"a": "b#c"}),
    ),
    Refusal(
        "A tag's value has at most 256 characters",
        f"{LOGS}, CreateLogGroup",
        "InvalidParameterException",
        lambda scene: scene.client("logs").create_log_group(logGroupName="/a", tags={"a": "b" * 257}),
    ),
    Refusal(
        "A load balancer's tags have few characters",
        "ELB API Reference, Tag",
        "ValidationError",
        lambda scene: scene.elb.add_tags(ResourceArns=[scene.balance()], Tags=[{"Key": "a", "Value": "{}"}]),
    ),
    Refusal(
        "A role's tags have few characters",
        f"{IAM}, Tag",
        "ValidationError",
        role(Tags=[{"Key": "a", "Value": "{}"}]),
    ),
    Refusal("A secret's name has few characters", f"{SECRETS}, CreateSecret", VALIDATION, secret("a b")),
    Refusal("A secret has at most 64 KB", f"{SECRETS}, CreateSecret", VALIDATION, secret(value="x" * 65_537)),
    Refusal("A parameter's name has few characters", f"{SSM}, PutParameter", VALIDATION, parameter(Name="/a b")),
    Refusal("A standard parameter has at most 4 KB", f"{SSM}, PutParameter", VALIDATION, parameter(Value="x" * 4097)),
    Refusal(
        "Parameters that exist are overwritten on request",
        f"{SSM}, PutParameter",
        "ParameterAlreadyExists",
        lambda scene: [parameter()(scene), parameter()(scene)],
    ),
    Refusal(
        "Tags and overwriting exclude each other",
        f"{SSM}, PutParameter",
        VALIDATION,
        parameter(Overwrite=True, Tags=[{"Key": "a", "Value": "b"}]),
    ),
    Refusal("A discovery service's name is a host's", f"{MAP}, CreateService", "InvalidInput", discovery(Name="a b")),
    Refusal(
        "A private namespace has no health checks of Route 53",
        f"{MAP}, CreateService",
        "InvalidInput",
        discovery(HealthCheckConfig={"Type": "HTTP"}),
    ),
    Refusal(
        "A namespace of a service exists",
        f"{MAP}, CreateService",
        "NamespaceNotFound",
        lambda scene: scene.client("servicediscovery").create_service(Name="a", NamespaceId="ns-no"),
    ),
    Refusal(
        "A page of Cloud Map has at most a hundred",
        f"{MAP}, ListNamespaces",
        "InvalidInput",
        lambda scene: scene.client("servicediscovery").list_namespaces(MaxResults=101),
    ),
    Refusal(
        "A namespace has at most fifty tags",
        f"{MAP}, CreateHttpNamespace",
        "TooManyTagsException",
        lambda scene: scene.client("servicediscovery").create_http_namespace(Name="h", Tags=FIFTY_ONE),
    ),
    Refusal(
        "A target group has at most fifty tags",
        "ELB v2 API Reference, AddTags",
        "TooManyTags",
        lambda scene: scene.elb.add_tags(ResourceArns=[scene.balance()], Tags=FIFTY_ONE),
    ),
    Refusal(
        "Tags want a log group's ARN without asterisk",
        f"{LOGS}, TagResource",
        "InvalidParameterException",
        tag_by_asterisk,
    ),
    Refusal(
        "Target tracking has one metric", f"{SCALING}, TargetTrackingScalingPolicyConfiguration", VALIDATION, track({})
    ),
    Refusal(
        "A metric is tracked once",
        f"{SCALING}, PutScalingPolicy",
        VALIDATION,
        track(CPU, CPU),
        "Only one TargetTrackingScaling policy",
    ),
    Refusal(
        "The value of an A record is an address",
        "Route 53 API Reference, ResourceRecord",
        "InvalidChangeBatch",
        record("A", "home"),
        "not a valid IPv4 address",
    ),
    Refusal(
        "Types of things are of known services",
        "Resource Groups Tagging API Reference, GetResources",
        "InvalidParameterException",
        lambda scene: scene.client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["lego:brick"]),
    ),
]
