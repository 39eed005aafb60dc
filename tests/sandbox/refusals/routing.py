"""What Elastic Load Balancing refuses of actions, conditions, attributes and health checks, and EC2 of questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.refusals.load_balancing import ELB, FIXED, INVALID, PATH, QUOTAS, balanced, listener, rule
from tests.sandbox.refusals.others import group
from tests.sandbox.refusals.row import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene

EC2 = "EC2 API Reference"
VALUE = "InvalidParameterValue"


def action(**settings: Any) -> Callable[[Scene], Any]:
    return balanced(lambda scene, _: listener(scene, DefaultActions=[settings]))


def condition(*conditions: dict[str, Any]) -> Callable[[Scene], Any]:
    return balanced(lambda scene, _: rule(scene, Conditions=list(conditions)))


def hosts(*names: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(names)}}


def paths(*patterns: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}


def targets(**settings: Any) -> Callable[[Scene], Any]:
    return lambda scene: target_group(scene, **settings)


def target_group(scene: Scene, name: str = "t", **settings: Any) -> str:
    wish = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": scene.vpc, "TargetType": "ip"}
    return str(scene.elb.create_target_group(**{**wish, **settings})["TargetGroups"][0]["TargetGroupArn"])


def forward(*weights: int) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        scene.balance()
        groups = [
            {"TargetGroupArn": target_group(scene, f"t{number}"), "Weight": weight}
            for number, weight in enumerate(weights)
        ]
        listener(scene, DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])

    return act


def attribute(key: str, value: str) -> Callable[[Scene], Any]:
    attributes = [{"Key": key, "Value": value}]
    return balanced(
        lambda scene, arn: scene.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
    )


def other_vpc(scene: Scene) -> str:
    return str(scene.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"])


def foreign_targets(scene: Scene) -> None:
    scene.balance()
    arn = target_group(scene, VpcId=other_vpc(scene))
    listener(scene, DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}])


def shared_targets(scene: Scene) -> None:
    arn = scene.balance()
    other = scene.elb.create_load_balancer(Name="other", Subnets=scene.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    actions = [{"Type": "forward", "TargetGroupArn": arn}]
    scene.elb.create_listener(LoadBalancerArn=other, Port=80, Protocol="HTTP", DefaultActions=actions)


def island(scene: Scene) -> None:
    vpc = other_vpc(scene)
    zones = [one["ZoneName"] for one in scene.ec2.describe_availability_zones()["AvailabilityZones"]]
    subnets = [
        scene.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=zones[number])
        for number in range(2)
    ]
    scene.elb.create_load_balancer(Name="a", Subnets=[one["Subnet"]["SubnetId"] for one in subnets])


def many_certificates(scene: Scene) -> None:
    arns = [f"arn:aws:acm:eu-central-1:123456789012:certificate/{number}" for number in range(26)]
    scene.balance()
    certificates = [{"CertificateArn": arn} for arn in arns]
    scene.elb.add_listener_certificates(ListenerArn=scene.listener, Certificates=certificates)


def pending_certificate(scene: Scene) -> None:
    scene.local.provision({"certificates": ["a.example.com"]})
    acm = scene.client("acm")
    issued = acm.list_certificates()["CertificateSummaryList"][0]["CertificateArn"]
    pending = acm.request_certificate(DomainName="b.example.com", ValidationMethod="DNS")["CertificateArn"]
    scene.balance()
    made = listener(scene, Port=443, Protocol="HTTPS", Certificates=[{"CertificateArn": issued}])["Listeners"][0]
    certificates = [{"CertificateArn": pending}]
    scene.elb.add_listener_certificates(ListenerArn=made["ListenerArn"], Certificates=certificates)


def admit_other_vpc(scene: Scene) -> None:
    stranger = scene.ec2.create_security_group(GroupName="s", Description="d", VpcId=other_vpc(scene))["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": stranger}]}
    scene.ec2.authorize_security_group_ingress(GroupId=group(scene), IpPermissions=[permission])


def referenced_group(scene: Scene) -> None:
    arn = group(scene, "a")
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": arn}]}
    scene.ec2.authorize_security_group_ingress(GroupId=group(scene, "b"), IpPermissions=[permission])
    scene.ec2.delete_security_group(GroupId=arn)


def lingering_group(scene: Scene) -> None:
    arn = group(scene)
    made = scene.elb.create_load_balancer(Name="a", Subnets=scene.subnets, SecurityGroups=[arn])["LoadBalancers"][0]
    scene.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    scene.ec2.delete_security_group(GroupId=arn)


SECURITY = [
    Refusal(
        "A group that another one's rule names stays",
        f"{EC2}, DeleteSecurityGroup",
        "DependencyViolation",
        referenced_group,
    ),
    Refusal(
        "A group stays while a load balancer that is gone lets go of it",
        f"{EC2}, DeleteSecurityGroup",
        "DependencyViolation",
        lingering_group,
    ),
    Refusal(
        "A rule names groups of its own VPC",
        f"{EC2}, AuthorizeSecurityGroupIngress",
        "InvalidGroup.NotFound",
        admit_other_vpc,
        "different networks",
    ),
    Refusal(
        "Filters have known names",
        f"{EC2}, DescribeSubnets",
        VALUE,
        lambda scene: scene.ec2.describe_subnets(Filters=[{"Name": "colour", "Values": ["red"]}]),
        "colour",
    ),
    Refusal(
        "A page of EC2 has five to a thousand",
        f"{EC2}, DescribeSecurityGroups",
        VALUE,
        lambda scene: scene.ec2.describe_security_groups(MaxResults=1001),
    ),
    Refusal(
        "What is asked for by its id has no pages",
        f"{EC2}, DescribeSubnets",
        "InvalidParameterCombination",
        lambda scene: scene.ec2.describe_subnets(SubnetIds=scene.subnets, MaxResults=5),
    ),
    Refusal(
        "An id has its kind's beginning",
        f"{EC2}, DescribeSecurityGroups",
        "InvalidGroupId.Malformed",
        lambda scene: scene.ec2.describe_security_groups(GroupIds=["web"]),
    ),
    Refusal(
        "A group that is asked for exists",
        f"{EC2}, DescribeSecurityGroups",
        "InvalidGroup.NotFound",
        lambda scene: scene.ec2.describe_security_groups(GroupIds=["sg-0123456789abcdef0"]),
        "'sg-0123456789abcdef0'",
    ),
]

ROUTING = [
    Refusal(
        "A redirect leads elsewhere",
        f"{ELB}, RedirectActionConfig",
        "InvalidLoadBalancerAction",
        action(Type="redirect", RedirectConfig={"StatusCode": "HTTP_301"}),
        "loop",
    ),
    Refusal(
        "A redirect is permanent or temporary",
        f"{ELB}, RedirectActionConfig",
        INVALID,
        action(Type="redirect", RedirectConfig={"StatusCode": "HTTP_307", "Protocol": "HTTPS"}),
    ),
    Refusal(
        "A fixed response has at most 1,024 characters",
        f"{ELB}, FixedResponseActionConfig",
        INVALID,
        action(Type="fixed-response", FixedResponseConfig={"StatusCode": "404", "MessageBody": "x" * 1025}),
    ),
    Refusal(
        "One action ends a request",
        f"{ELB}, Action",
        "InvalidLoadBalancerAction",
        balanced(lambda scene, _: listener(scene, DefaultActions=[FIXED, FIXED])),
    ),
    Refusal("A rule has an action", f"{ELB}, CreateRule", INVALID, balanced(lambda scene, _: rule(scene, Actions=[]))),
    Refusal("A target group weighs at most 999", f"{ELB}, TargetGroupTuple", INVALID, forward(1000)),
    Refusal("A forward goes to at most five target groups", QUOTAS, INVALID, forward(*[1] * 6)),
    Refusal("Targets are in the load balancer's VPC", f"{ELB}, CreateListener", INVALID, foreign_targets),
    Refusal(
        "A target group has one load balancer", f"{ELB}, CreateListener", "TargetGroupAssociationLimit", shared_targets
    ),
    Refusal(
        "A listener's port is one",
        f"{ELB}, CreateListener",
        INVALID,
        balanced(lambda scene, _: listener(scene, Port=70_000)),
    ),
    Refusal(
        "A load balancer has at most fifty listeners",
        QUOTAS,
        "TooManyListeners",
        balanced(lambda scene, _: [listener(scene, Port=port) for port in range(1000, 1050)]),
    ),
    Refusal(
        "A load balancer has at most a hundred rules",
        QUOTAS,
        "TooManyRules",
        balanced(lambda scene, _: [rule(scene, Priority=number) for number in range(1, 102)]),
    ),
    Refusal("A listener has at most 25 certificates beside its own", QUOTAS, "TooManyCertificates", many_certificates),
    Refusal(
        "A certificate is issued before it is added",
        f"{ELB}, AddListenerCertificates",
        "UnsupportedCertificate",
        pending_certificate,
    ),
    Refusal(
        "A rule's listener exists",
        f"{ELB}, CreateRule",
        "ListenerNotFound",
        balanced(
            lambda scene, _: scene.elb.create_rule(
                ListenerArn=f"{scene.listener[:-4]}0000", Priority=1, Conditions=[PATH], Actions=[FIXED]
            )
        ),
    ),
    Refusal("A host name has a dot", f"{ELB}, RuleCondition", INVALID, condition(hosts("localhost"))),
    Refusal(
        "A rule has one condition of a kind",
        f"{ELB}, RuleCondition",
        INVALID,
        condition(hosts("a.example"), hosts("b.example")),
    ),
    Refusal("A rule has at most six wildcards", QUOTAS, INVALID, condition(paths("/*/*/*/*", "/*/*/*"))),
    Refusal(
        "A source is a block of addresses",
        f"{ELB}, RuleCondition",
        INVALID,
        condition({"Field": "source-ip", "SourceIpConfig": {"Values": ["home"]}}),
    ),
    Refusal(
        "Health is checked every five minutes at least",
        f"{ELB}, CreateTargetGroup",
        INVALID,
        targets(HealthCheckIntervalSeconds=301),
    ),
    Refusal(
        "A check ends before the next begins",
        f"{ELB}, CreateTargetGroup",
        INVALID,
        targets(HealthCheckIntervalSeconds=10, HealthCheckTimeoutSeconds=10),
    ),
    Refusal(
        "At most ten checks make a target healthy",
        f"{ELB}, CreateTargetGroup",
        INVALID,
        targets(HealthyThresholdCount=11),
    ),
    Refusal(
        "A health check's path begins with a slash", f"{ELB}, CreateTargetGroup", INVALID, targets(HealthCheckPath="up")
    ),
    Refusal(
        "Healthy answers have codes from 200 to 499",
        f"{ELB}, Matcher",
        INVALID,
        targets(Matcher={"HttpCode": "200-599"}),
    ),
    Refusal(
        "Targets drain for an hour at most",
        f"{ELB}, TargetGroupAttribute",
        INVALID,
        attribute("deregistration_delay.timeout_seconds", "3601"),
    ),
    Refusal(
        "A slow start takes half a minute at least",
        f"{ELB}, TargetGroupAttribute",
        INVALID,
        attribute("slow_start.duration_seconds", "10"),
    ),
    Refusal(
        "An algorithm is one",
        f"{ELB}, TargetGroupAttribute",
        INVALID,
        attribute("load_balancing.algorithm.type", "magic"),
    ),
    Refusal(
        "A load balancer on the internet has a gateway to it",
        f"{ELB}, CreateLoadBalancer",
        "InvalidSubnet",
        island,
        "internet gateway",
    ),
    Refusal(
        "Addresses of IPv6 come from subnets that have them",
        f"{ELB}, SetIpAddressType",
        INVALID,
        balanced(
            lambda scene, _: scene.elb.set_ip_address_type(
                LoadBalancerArn=scene.balancer["LoadBalancerArn"], IpAddressType="dualstack"
            )
        ),
    ),
    Refusal(
        "A load balancer keeps a security group",
        f"{ELB}, SetSecurityGroups",
        INVALID,
        balanced(
            lambda scene, _: scene.elb.set_security_groups(
                LoadBalancerArn=scene.balancer["LoadBalancerArn"], SecurityGroups=[]
            )
        ),
    ),
    Refusal(
        "A page of ELB has at most four hundred",
        f"{ELB}, DescribeTargetGroups",
        INVALID,
        lambda scene: scene.elb.describe_target_groups(PageSize=401),
    ),
]
