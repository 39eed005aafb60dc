"""Access logs of load balancers: the bucket must let Elastic Load Balancing write before they are turned on.

AWS: Application Load Balancer guide, "Enable access logs for your Application Load Balancer".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox import permissions
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"
_KINDS = ("access_logs.s3", "connection_logs.s3")


@HANDLERS.handles("elbv2", "ModifyLoadBalancerAttributes")
def check_buckets(region: Region, call: Call, forward: Forward) -> Answer:
    """Refuse logs into a bucket that cannot be written."""
    arn = call.params["LoadBalancerArn"]
    given = {one["Key"]: one["Value"] for one in call.params.get("Attributes") or []}
    if any(given.get(f"{kind}.enabled") == "true" or f"{kind}.bucket" in given for kind in _KINDS):
        held = region.moto("elbv2", "DescribeLoadBalancerAttributes", LoadBalancerArn=arn)["Attributes"]
        merged = {**{one["Key"]: one["Value"] for one in held}, **given}
        for kind in _KINDS:
            if merged.get(f"{kind}.enabled") == "true":
                _check(region, merged.get(f"{kind}.bucket", ""), merged.get(f"{kind}.prefix", ""))
    return forward()


def _check(region: Region, bucket: str, prefix: str) -> None:
    try:
        place = region.moto("s3", "HeadBucket", Bucket=bucket)["BucketRegion"]
    except AwsError as error:
        raise _refused(f"S3Bucket: {bucket} does not exist") from error
    if place != region.name:
        raise _refused(f"S3Bucket: {bucket} is not located in the same region with ELB: {region.name}")
    path = "/".join(part for part in (prefix.strip("/"), "AWSLogs", region.account, "x") if part)
    if _uses_kms(region, bucket) or not permissions.bucket_admits(region, bucket, DELIVERY, "s3:PutObject", path):
        raise _refused(f"Access Denied for bucket: {bucket}. Please check S3bucket permission")


def _refused(message: str) -> AwsError:
    return AwsError("InvalidConfigurationRequest", message)


def _uses_kms(region: Region, bucket: str) -> bool:
    try:
        found = region.moto("s3", "GetBucketEncryption", Bucket=bucket)["ServerSideEncryptionConfiguration"]
    except AwsError:
        return False
    rules = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in found.get("Rules", [])]
    return any(rule.get("SSEAlgorithm", "AES256") != "AES256" for rule in rules)
