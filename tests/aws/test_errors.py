"""What AWS refuses becomes words: the code, AWS's own sentence, and what to do."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from fargatectl.aws.errors import SERVICE, explain
from fargatectl.errors import AwsFailure

ME = "User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: "
ROLE = "arn:aws-us-gov:iam::123456789012:role/fargatectl/shop/shop-web-task"
SCP = "arn:aws:organizations::111122223333:policy/o-abc/service_control_policy/p-xyz"


def told(service: str, operation: str, code: str, message: str) -> AwsFailure:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {SERVICE: service, "RetryAttempts": 5}}
    found = explain(ClientError(answer, operation))  # type: ignore[arg-type]
    assert isinstance(found, AwsFailure)
    assert found.code == code
    assert found.operation == f"{service}:{operation}"
    return found


@pytest.mark.parametrize(
    ("service", "operation", "code", "message", "hint"),
    [
        # The right that is missing is not always that of the call.
        (
            "ecs",
            "RegisterTaskDefinition",
            "AccessDeniedException",
            f"{ME}iam:PassRole on resource: {ROLE} because no identity-based policy allows the iam:PassRole action",
            f"allow the action iam:PassRole on {ROLE} to whoever deploys, or use another profile",
        ),
        (
            "elbv2",
            "CreateLoadBalancer",
            "AccessDenied",
            f"{ME}elasticloadbalancing:AddTags because no identity-based policy allows the action",
            "allow the action elasticloadbalancing:AddTags to whoever deploys",
        ),
        # Names of services and of their actions differ.
        ("elbv2", "CreateRule", "AccessDenied", "", "allow the action elasticloadbalancing:CreateRule to"),
        ("efs", "DescribeFileSystems", "AccessDeniedException", "", "the action elasticfilesystem:DescribeFileSystems"),
        ("resourcegroupstaggingapi", "GetResources", "AccessDeniedException", "", "allow the action tag:GetResources"),
        # No policy of one's own helps against these.
        (
            "ecs",
            "CreateCluster",
            "AccessDeniedException",
            f"{ME}ecs:CreateCluster on resource: * with an explicit deny in a service control policy: {SCP}",
            "a service control policy forbids ecs:CreateCluster, whatever others allow: whoever administers the",
        ),
        (
            "iam",
            "CreateRole",
            "AccessDenied",
            f"{ME}iam:CreateRole on resource: {ROLE} because no permissions boundary allows the iam:CreateRole action",
            f"a permissions boundary does not allow iam:CreateRole on {ROLE}: whoever set it for your role or user",
        ),
        (
            "logs",
            "CreateLogGroup",
            "AccessDeniedException",
            f"{ME}logs:CreateLogGroup with an explicit deny in an identity-based policy",
            "an identity-based policy forbids logs:CreateLogGroup, whatever others allow: whoever wrote it",
        ),
        ("ec2", "CreateTags", "UnauthorizedOperation", f"{ME}ec2:CreateTags with an explicit deny", "a policy forbids"),
        # Credentials, clocks, Regions.
        ("sts", "GetCallerIdentity", "ExpiredToken", "The security token has expired", "the credentials have expired"),
        ("ec2", "DescribeVpcs", "RequestExpired", "Request has expired.", "the credentials have expired"),
        (
            "sts",
            "GetCallerIdentity",
            "SignatureDoesNotMatch",
            "Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z",
            "the clock of this machine is wrong",
        ),
        (
            "ecs",
            "DescribeClusters",
            "InvalidSignatureException",
            "Signature not yet current: 20260101T000000Z is still later than 20251231T230000Z",
            "the clock of this machine is wrong",
        ),
        (
            "s3",
            "GetBucketPolicy",
            "RequestTimeTooSkewed",
            "The difference between the request time and ours is large.",
            "the clock of this machine",
        ),
        ("ssm", "PutParameter", "InvalidSignatureException", "The signature does not match", "check AWS_PROFILE"),
        (
            "sts",
            "GetCallerIdentity",
            "InvalidClientTokenId",
            "The token is invalid",
            "the account turned the Region on",
        ),
        ("ec2", "DescribeVpcs", "OptInRequired", "You are not subscribed", "turn the Region on"),
        (
            "ecs",
            "CreateService",
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
            "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com",
        ),
        (
            "elbv2",
            "CreateTargetGroup",
            "TooManyTargetGroups",
            "No more.",
            "ask for more in Service Quotas",
        ),
        (
            "ec2",
            "CreateSecurityGroup",
            "SecurityGroupLimitExceeded",
            "No more.",
            "a quota of the account",
        ),
        ("ec2", "DescribeVpcs", "RequestLimitExceeded", "Request limit exceeded.", "AWS throttled all 6 attempts"),
        ("iam", "CreateRole", "Throttling", "Rate exceeded", "AWS throttled all 6 attempts"),
        ("ecs", "CreateService", "InvalidParameterException", "That cannot be.", ""),
    ],
)
def test_a_refusal_says_what_to_do(service: str, operation: str, code: str, message: str, hint: str) -> None:
    found = told(service, operation, code, message)
    assert hint in found.hint
    assert bool(hint) == bool(found.hint)
    assert found.message == f"AWS answered {service}:{operation} with {code}: {message or code}"


def test_what_ec2_encodes_is_left_out_where_its_words_say_enough() -> None:
    words = f"You are not authorized. {ME}ec2:CreateSecurityGroup because no policy allows it."
    blob = " Encoded authorization failure message: Rz3x-a_lot_of_letters"
    assert told("ec2", "CreateSecurityGroup", "UnauthorizedOperation", words + blob).message.endswith(words)
    old = "You are not authorized to perform this operation." + blob
    assert told("ec2", "CreateSecurityGroup", "UnauthorizedOperation", old).message.endswith(old)
