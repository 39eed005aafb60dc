"""What Route 53 and ACM refuse, and load balancers that log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.sandbox.refusals.row import Refusal
from tests.sandbox.test_dns import Zone, alias, cname

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene
    from tests.sandbox.test_dns import Change

R53, ACM = "Route 53 API Reference", "ACM API Reference"
BATCH, CHANGE = "InvalidChangeBatch", f"{R53}, ChangeResourceRecordSets"
LOGS = "ALB guide, Enable access logs for your Application Load Balancer"
CONFIGURATION, HERE = "InvalidConfigurationRequest", "eu-central-1"


def change(*changes: Change) -> Callable[[Scene], Any]:
    return lambda scene: [Zone(scene).change(one) for one in changes]


def twice(first: Change, second: Change) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        zone = Zone(scene)
        zone.change(first)
        zone.change(second)

    return act


def alias_into(zone: str) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        scene.balance()
        record = alias(scene, "a.example.com")
        record["AliasTarget"]["HostedZoneId"] = zone
        Zone(scene).change(("UPSERT", record))

    return act


def same_reference(scene: Scene) -> None:
    for name in ("a.example.com", "b.example.com"):
        scene.client("route53").create_hosted_zone(Name=name, CallerReference="once")


def zone_in_use(scene: Scene) -> None:
    zone = Zone(scene)
    zone.change(("CREATE", cname("a.example.com")))
    zone.client.delete_hosted_zone(Id=zone.id)


def certificate(**settings: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.client("acm").request_certificate(ValidationMethod="DNS", **settings)


def log_to(
    bucket: str, *, make: bool = True, account: str = "", region: str = "eu-central-1"
) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        scene.balance()
        if make:
            s3 = scene.client("s3", region=region)
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
            path = f"arn:aws:s3:::{bucket}/AWSLogs/{account}/*"
            principal = {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
            statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:PutObject", "Resource": path}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        attributes = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": bucket}
        given = [{"Key": key, "Value": value} for key, value in attributes.items()]
        arn = scene.balancer["LoadBalancerArn"]
        scene.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=given)

    return act


EDGE = [
    Refusal("A caller reference makes one zone", f"{R53}, CreateHostedZone", "HostedZoneAlreadyExists", same_reference),
    Refusal("A zone with records stays", f"{R53}, DeleteHostedZone", "HostedZoneNotEmpty", zone_in_use),
    Refusal(
        "A record that exists is not created",
        CHANGE,
        BATCH,
        twice(("CREATE", cname("a.example.com")), ("CREATE", cname("A.example.com"))),
        "but it already exists",
    ),
    Refusal(
        "A record is deleted by all its values",
        CHANGE,
        BATCH,
        twice(("CREATE", cname("a.example.com")), ("DELETE", cname("a.example.com", ttl=5))),
        "the values provided do not match the current values",
    ),
    Refusal(
        "A CNAME stands alone at its name",
        CHANGE,
        BATCH,
        twice(
            ("CREATE", cname("a.example.com")),
            ("CREATE", {"Name": "a.example.com", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "192.0.2.1"}]}),
        ),
        "conflicts with other records",
    ),
    Refusal("A zone's own name has no CNAME", CHANGE, BATCH, change(("CREATE", cname("example.com"))), "at apex"),
    Refusal(
        "A record is within its zone",
        CHANGE,
        BATCH,
        change(("CREATE", cname("a.example.org"))),
        "is not permitted in zone example.com.",
    ),
    Refusal(
        "A record has values or an alias",
        CHANGE,
        "InvalidInput",
        change(("CREATE", {"Name": "a.example.com", "Type": "A"})),
        "Expected exactly one of",
    ),
    Refusal(
        "A load balancer's alias names the load balancer's zone",
        f"{R53}, AliasTarget",
        BATCH,
        alias_into("Z0000000000000"),
        "does not lie within the target zone",
    ),
    Refusal(
        "A change is known",
        f"{R53}, GetChange",
        "NoSuchChange",
        lambda scene: scene.client("route53").get_change(Id="C1"),
    ),
    Refusal(
        "A certificate is for domain names",
        f"{ACM}, RequestCertificate",
        "ValidationException",
        certificate(DomainName="a b.example.com"),
    ),
    Refusal("A bucket for logs exists", LOGS, CONFIGURATION, log_to("no-bucket", make=False)),
    Refusal(
        "A bucket for logs is in the load balancer's Region",
        LOGS,
        CONFIGURATION,
        log_to("far", account="123456789012", region="eu-west-1"),
        "same region",
    ),
    Refusal(
        "A bucket's policy lets load balancers write their logs",
        LOGS,
        CONFIGURATION,
        log_to("shut", account="210987654321"),
        "Access Denied for bucket: shut",
    ),
]
