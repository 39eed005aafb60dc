"""What EC2, IAM and the smaller services refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.sandbox.ecs_scene import TRUST
from tests.sandbox.refusals.row import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene

EC2, IAM, LOGS = "EC2 API Reference", "IAM API Reference", "CloudWatch Logs API Reference"
MAP, SECRETS = "Cloud Map API Reference", "Secrets Manager API Reference"
SCALING, IAM_QUOTAS = "Application Auto Scaling API Reference", "IAM user guide, IAM quotas"
VALUE, MALFORMED, REQUEST = "InvalidParameterValue", "MalformedPolicyDocument", "InvalidRequestException"
BAD, VALIDATION = "InvalidParameterException", "ValidationException"
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
DNS = {"DnsRecords": [{"Type": "A", "TTL": 10}]}
TARGET = {"ServiceNamespace": "ecs", "ResourceId": "service/c/web", "ScalableDimension": "ecs:service:DesiredCount"}
PER_TARGET = {
    "TargetValue": 1.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"},
}


def group(scene: Scene, name: str = "g", text: str = "d") -> str:
    return str(scene.ec2.create_security_group(GroupName=name, Description=text, VpcId=scene.vpc)["GroupId"])


def admit(first: int, last: int, *, number: int = 1, text: str = "") -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        ranges = [
            {"CidrIp": f"10.{index}.0.0/16", **({"Description": text} if text else {})} for index in range(number)
        ]
        permission = {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, "IpRanges": ranges}
        scene.ec2.authorize_security_group_ingress(GroupId=group(scene), IpPermissions=[permission])

    return act


def default_group(scene: Scene) -> str:
    filters = [{"Name": "group-name", "Values": ["default"]}]
    return str(scene.ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])


def group_of_a_balancer(scene: Scene) -> None:
    arn = group(scene)
    scene.elb.create_load_balancer(Name="a", Subnets=scene.subnets, SecurityGroups=[arn])
    scene.ec2.delete_security_group(GroupId=arn)


def trust(document: object) -> Callable[[Scene], Any]:
    text = document if isinstance(document, str) else json.dumps(document)
    return lambda scene: scene.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=text)


def trusting(**principal: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def inline(scene: Scene) -> None:
    resources = [f"arn:aws:s3:::{'b' * 60}{number}" for number in range(150)]
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resources}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    scene.client("iam").put_role_policy(RoleName="execution", PolicyName="big", PolicyDocument=document)


def eleven_policies(scene: Scene) -> None:
    iam = scene.client("iam")
    for number in range(11):
        document = json.dumps(ANYTHING)
        arn = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="execution", PolicyArn=arn)


def secret(scene: Scene, **how: bool) -> Any:
    secrets = scene.client("secretsmanager")
    secrets.create_secret(Name="s", SecretString="x")
    secrets.delete_secret(SecretId="s", **how)
    return secrets


def namespace(scene: Scene) -> str:
    cloudmap = scene.client("servicediscovery")
    cloudmap.create_private_dns_namespace(Name="c.internal", Vpc=scene.vpc)
    scene.wait(60)
    return str(cloudmap.list_namespaces()["Namespaces"][0]["Id"])


def discovery(scene: Scene, records: list[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = scene.client("servicediscovery").create_service(
        Name="web", NamespaceId=namespace(scene), DnsConfig={"DnsRecords": records}
    )["Service"]
    return made


def discovery_twice(scene: Scene) -> None:
    home = discovery(scene, DNS["DnsRecords"])["DnsConfig"]["NamespaceId"]
    scene.client("servicediscovery").create_service(Name="WEB", NamespaceId=home, DnsConfig=DNS)


def discovery_in_use(scene: Scene) -> None:
    cloudmap, found = scene.client("servicediscovery"), discovery(scene, DNS["DnsRecords"])
    attributes = {"AWS_INSTANCE_IPV4": "10.0.0.1"}
    cloudmap.register_instance(ServiceId=found["Id"], InstanceId="i", Attributes=attributes)
    scene.wait(60)
    cloudmap.delete_service(Id=found["Id"])


def namespace_in_use(scene: Scene) -> None:
    home = discovery(scene, DNS["DnsRecords"])["DnsConfig"]["NamespaceId"]
    scene.client("servicediscovery").delete_namespace(Id=home)


def scale(least: int, most: int) -> Callable[[Scene], Any]:
    return lambda scene: scene.client("application-autoscaling").register_scalable_target(
        **TARGET, MinCapacity=least, MaxCapacity=most
    )


def serve(scene: Scene) -> None:
    scene.serve(scene.register())


def scale_a_service(least: int, most: int) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        serve(scene)
        scale(least, most)(scene)

    return act


def track(scene: Scene) -> None:
    scale_a_service(1, 2)(scene)
    scene.client("application-autoscaling").put_scaling_policy(
        **TARGET,
        PolicyName="p",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=PER_TARGET,
    )


GROUPS = [
    Refusal(
        "A group's name does not begin with sg-",
        f"{EC2}, CreateSecurityGroup",
        VALUE,
        lambda scene: group(scene, "sg-a"),
    ),
    Refusal(
        "A description has few special characters",
        f"{EC2}, CreateSecurityGroup",
        VALUE,
        lambda scene: group(scene, "g", "it's"),
    ),
    Refusal("A rule's description has them too", f"{EC2}, IpRange", VALUE, admit(80, 80, text="it's")),
    Refusal(
        "A VPC has one group of a name",
        f"{EC2}, CreateSecurityGroup",
        "InvalidGroup.Duplicate",
        lambda scene: [group(scene), group(scene)],
    ),
    Refusal("A port range goes up", f"{EC2}, IpPermission", VALUE, admit(90, 80)),
    Refusal(
        "A group has at most sixty rules a direction",
        "VPC guide, Quotas",
        "RulesPerSecurityGroupLimitExceeded",
        admit(80, 80, number=61),
    ),
    Refusal(
        "A default group stays",
        f"{EC2}, DeleteSecurityGroup",
        "CannotDelete",
        lambda scene: scene.ec2.delete_security_group(GroupId=default_group(scene)),
    ),
    Refusal("A group in use stays", f"{EC2}, DeleteSecurityGroup", "DependencyViolation", group_of_a_balancer),
]

ROLES = [
    Refusal("A trust policy is JSON", f"{IAM}, CreateRole", MALFORMED, trust("no"), "invalid Json"),
    Refusal("A trust policy has statements", f"{IAM}, CreateRole", MALFORMED, trust({})),
    Refusal("A trusted service is one", f"{IAM}, CreateRole", MALFORMED, trust(trusting(Service="no.example.com"))),
    Refusal(
        "A trusted role exists",
        f"{IAM}, CreateRole",
        MALFORMED,
        trust(trusting(AWS="arn:aws:iam::123456789012:role/no")),
        "Invalid principal",
    ),
    Refusal(
        "A trust policy has at most 2,048 characters", IAM_QUOTAS, "LimitExceeded", trust({**TRUST, "Id": "x" * 2048})
    ),
    Refusal(
        "Role names differ in more than capitals",
        f"{IAM}, CreateRole",
        "EntityAlreadyExists",
        lambda scene: scene.client("iam").create_role(RoleName="EXECUTION", AssumeRolePolicyDocument=json.dumps(TRUST)),
    ),
    Refusal("A role's inline policies have at most 10,240 characters", IAM_QUOTAS, "LimitExceeded", inline),
    Refusal("A role has at most ten managed policies", IAM_QUOTAS, "LimitExceeded", eleven_policies),
    Refusal(
        "A role with policies stays",
        f"{IAM}, DeleteRole",
        "DeleteConflict",
        lambda scene: scene.client("iam").delete_role(RoleName="execution"),
    ),
    Refusal(
        "A service-linked role stays",
        f"{IAM}, DeleteRole",
        "UnmodifiableEntity",
        lambda scene: scene.client("iam").delete_role(RoleName="AWSServiceRoleForECS"),
    ),
    Refusal(
        "There is one service-linked role of a service",
        f"{IAM}, CreateServiceLinkedRole",
        "InvalidInput",
        lambda scene: scene.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com"),
    ),
]

REST = [
    Refusal(
        "A name scheduled for deletion is taken",
        f"{SECRETS}, CreateSecret",
        REQUEST,
        lambda scene: secret(scene).create_secret(Name="s", SecretString="y"),
        "scheduled for deletion",
    ),
    Refusal(
        "A name is free only a little after its deletion",
        f"{SECRETS}, DeleteSecret",
        REQUEST,
        lambda scene: secret(scene, ForceDeleteWithoutRecovery=True).create_secret(Name="s", SecretString="y"),
    ),
    Refusal(
        "A secret scheduled for deletion does not change",
        f"{SECRETS}, PutSecretValue",
        REQUEST,
        lambda scene: secret(scene).put_secret_value(SecretId="s", SecretString="y"),
    ),
    Refusal(
        "A secret scheduled for deletion is not read",
        f"{SECRETS}, GetSecretValue",
        REQUEST,
        lambda scene: secret(scene).get_secret_value(SecretId="s"),
    ),
    Refusal(
        "Retention is one of AWS's numbers of days",
        f"{LOGS}, PutRetentionPolicy",
        BAD,
        lambda scene: scene.client("logs").put_retention_policy(logGroupName="/c/web", retentionInDays=31),
    ),
    Refusal(
        "Names that begin with aws/ are AWS's",
        f"{LOGS}, CreateLogGroup",
        BAD,
        lambda scene: scene.client("logs").create_log_group(logGroupName="aws/a"),
    ),
    Refusal(
        "A namespace has one service of a name, whatever its capitals",
        f"{MAP}, CreateService",
        "ServiceAlreadyExists",
        discovery_twice,
    ),
    Refusal("A discovery service with instances stays", f"{MAP}, DeleteService", "ResourceInUse", discovery_in_use),
    Refusal("A namespace with services stays", f"{MAP}, DeleteNamespace", "ResourceInUse", namespace_in_use),
    Refusal(
        "CNAME stands alone",
        f"{MAP}, DnsRecord",
        "InvalidInput",
        lambda scene: discovery(scene, [{"Type": "A", "TTL": 1}, {"Type": "CNAME", "TTL": 1}]),
    ),
    Refusal(
        "A scalable target's service exists",
        f"{SCALING}, RegisterScalableTarget",
        VALIDATION,
        scale(1, 2),
        "doesn't exist",
    ),
    Refusal(
        "A scalable target's minimum is not above its maximum",
        f"{SCALING}, RegisterScalableTarget",
        VALIDATION,
        scale_a_service(3, 2),
    ),
    Refusal(
        "Requests per target need to know the target group",
        f"{SCALING}, PredefinedMetricSpecification",
        VALIDATION,
        track,
        "resource label",
    ),
    Refusal(
        "What is not scalable cannot be deregistered",
        f"{SCALING}, DeregisterScalableTarget",
        "ObjectNotFoundException",
        lambda scene: scene.client("application-autoscaling").deregister_scalable_target(**TARGET),
    ),
]
