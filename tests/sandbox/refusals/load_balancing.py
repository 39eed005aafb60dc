"""What Elastic Load Balancing refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.refusals.row import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene

ELB, QUOTAS, INVALID = "ELB v2 API Reference", "ALB guide, Quotas", "ValidationError"
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
PATH = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}


def balanced(then: Callable[[Scene, str], Any]) -> Callable[[Scene], Any]:
    return lambda scene: then(scene, scene.balance())


def listener(scene: Scene, **settings: Any) -> dict[str, Any]:
    wish = {"Port": 8080, "Protocol": "HTTP", "DefaultActions": [FIXED], **settings}
    made: dict[str, Any] = scene.elb.create_listener(LoadBalancerArn=scene.balancer["LoadBalancerArn"], **wish)
    return made


def rule(scene: Scene, **settings: Any) -> dict[str, Any]:
    wish = {"Priority": 1, "Conditions": [PATH], "Actions": [FIXED], **settings}
    made: dict[str, Any] = scene.elb.create_rule(ListenerArn=scene.listener, **wish)["Rules"][0]
    return made


def default_rule(scene: Scene) -> str:
    rules = scene.elb.describe_rules(ListenerArn=scene.listener)["Rules"]
    return str(next(one["RuleArn"] for one in rules if one["IsDefault"]))


def certificate(scene: Scene) -> str:
    acm = scene.client("acm")
    return str(acm.request_certificate(DomainName="a.example.com", ValidationMethod="DNS")["CertificateArn"])


def protect(scene: Scene) -> str:
    arn = str(scene.balancer["LoadBalancerArn"])
    attribute = {"Key": "deletion_protection.enabled", "Value": "true"}
    scene.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
    return arn


BALANCERS = [
    Refusal(
        "Another load balancer of that name is refused",
        f"{ELB}, CreateLoadBalancer",
        "DuplicateLoadBalancerName",
        balanced(
            lambda scene, _: scene.elb.create_load_balancer(Name="public", Subnets=scene.subnets, Scheme="internal")
        ),
    ),
    Refusal(
        "A load balancer has subnets in two zones",
        f"{ELB}, CreateLoadBalancer",
        INVALID,
        lambda scene: scene.elb.create_load_balancer(Name="a", Subnets=scene.subnets[:1]),
    ),
    Refusal(
        "Dual stack wants subnets with IPv6",
        f"{ELB}, CreateLoadBalancer",
        INVALID,
        lambda scene: scene.elb.create_load_balancer(Name="a", Subnets=scene.subnets, IpAddressType="dualstack"),
    ),
    Refusal(
        "Dual stack is not for a load balancer whose subnets have no IPv6",
        f"{ELB}, SetIpAddressType",
        INVALID,
        balanced(
            lambda scene, _: scene.elb.set_ip_address_type(
                LoadBalancerArn=scene.balancer["LoadBalancerArn"], IpAddressType="dualstack"
            )
        ),
    ),
    Refusal(
        "A load balancer has one subnet in a zone",
        f"{ELB}, CreateLoadBalancer",
        "InvalidConfigurationRequest",
        lambda scene: scene.elb.create_load_balancer(
            Name="a",
            Subnets=[
                *scene.subnets,
                scene.ec2.create_subnet(VpcId=scene.vpc, CidrBlock="172.31.128.0/24", AvailabilityZone="eu-central-1a")[
                    "Subnet"
                ]["SubnetId"],
            ],
        ),
    ),
    Refusal(
        "A load balancer's name has letters, digits and hyphens",
        f"{ELB}, CreateLoadBalancer",
        INVALID,
        lambda scene: scene.elb.create_load_balancer(Name="a_b", Subnets=scene.subnets),
    ),
    Refusal(
        "Deletion protection protects",
        f"{ELB}, DeleteLoadBalancer",
        "OperationNotPermitted",
        balanced(lambda scene, _: scene.elb.delete_load_balancer(LoadBalancerArn=protect(scene))),
    ),
    Refusal(
        "Attributes have known names",
        f"{ELB}, ModifyLoadBalancerAttributes",
        INVALID,
        balanced(
            lambda scene, _: scene.elb.modify_load_balancer_attributes(
                LoadBalancerArn=scene.balancer["LoadBalancerArn"], Attributes=[{"Key": "no", "Value": "1"}]
            )
        ),
    ),
    Refusal(
        "At most twenty load balancers are described at once",
        f"{ELB}, DescribeLoadBalancers",
        INVALID,
        balanced(
            lambda scene, _: scene.elb.describe_load_balancers(
                LoadBalancerArns=[scene.balancer["LoadBalancerArn"]] * 21
            )
        ),
    ),
    Refusal(
        "At most twenty things' tags are described at once",
        f"{ELB}, DescribeTags",
        INVALID,
        balanced(lambda scene, arn: scene.elb.describe_tags(ResourceArns=[arn] * 21)),
    ),
    Refusal(
        "What is gone has no tags",
        f"{ELB}, DescribeTags",
        "TargetGroupNotFound",
        balanced(lambda scene, arn: scene.elb.describe_tags(ResourceArns=[f"{arn[:-4]}0000"])),
    ),
    Refusal(
        "A port has one listener",
        f"{ELB}, CreateListener",
        "DuplicateListener",
        balanced(lambda scene, _: listener(scene, Port=80)),
    ),
    Refusal(
        "A listener does not move to a port that is taken",
        f"{ELB}, ModifyListener",
        "DuplicateListener",
        balanced(
            lambda scene, _: scene.elb.modify_listener(
                ListenerArn=listener(scene)["Listeners"][0]["ListenerArn"], Port=80
            )
        ),
    ),
    Refusal(
        "HTTPS needs a certificate",
        f"{ELB}, CreateListener",
        INVALID,
        balanced(lambda scene, _: listener(scene, Protocol="HTTPS")),
        "certificate must be specified",
    ),
    Refusal(
        "A certificate is issued before it is used",
        f"{ELB}, CreateListener",
        "UnsupportedCertificate",
        balanced(
            lambda scene, _: listener(scene, Protocol="HTTPS", Certificates=[{"CertificateArn": certificate(scene)}])
        ),
    ),
    Refusal(
        "A security policy exists",
        f"{ELB}, ModifyListener",
        "SSLPolicyNotFound",
        balanced(
            lambda scene, _: scene.elb.modify_listener(ListenerArn=scene.listener, SslPolicy="ELBSecurityPolicy-0")
        ),
    ),
    Refusal(
        "A listener forwards to what exists",
        f"{ELB}, ModifyListener",
        "TargetGroupNotFound",
        balanced(
            lambda scene, arn: scene.elb.modify_listener(
                ListenerArn=scene.listener,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": f"{arn[:-4]}0000"}],
            )
        ),
    ),
    Refusal(
        "A rule has at most five condition values",
        QUOTAS,
        INVALID,
        balanced(
            lambda scene, _: rule(
                scene, Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [*"abcdef"]}}]
            )
        ),
    ),
    Refusal(
        "A rule has a condition", f"{ELB}, CreateRule", INVALID, balanced(lambda scene, _: rule(scene, Conditions=[]))
    ),
    Refusal(
        "Priorities go up to 50,000",
        f"{ELB}, CreateRule",
        INVALID,
        balanced(lambda scene, _: rule(scene, Priority=50_001)),
    ),
    Refusal(
        "A priority has one rule",
        f"{ELB}, CreateRule",
        "PriorityInUse",
        balanced(lambda scene, _: [rule(scene), rule(scene)]),
    ),
    Refusal(
        "A default rule stays",
        f"{ELB}, DeleteRule",
        "OperationNotPermitted",
        balanced(lambda scene, _: scene.elb.delete_rule(RuleArn=default_rule(scene))),
    ),
    Refusal(
        "A target group in use stays",
        f"{ELB}, DeleteTargetGroup",
        "ResourceInUse",
        balanced(lambda scene, arn: scene.elb.delete_target_group(TargetGroupArn=arn)),
    ),
]
