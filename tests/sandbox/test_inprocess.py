from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from boto3.session import Session
from botocore.exceptions import ClientError, ConnectionClosedError

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.inprocess import LocalAws
from tests.sandbox.ecs_scene import TRUST

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call


def test_the_access_key_carries_the_account(client: Callable[..., Any]) -> None:
    assert client("sts").get_caller_identity()["Account"] == "123456789012"
    assert client("sts", account="210987654321").get_caller_identity()["Account"] == "210987654321"


def test_accounts_and_regions_are_separate(client: Callable[..., Any]) -> None:
    client("secretsmanager").create_secret(Name="s", SecretString="x")
    assert not client("secretsmanager", account="210987654321").list_secrets()["SecretList"]
    assert not client("secretsmanager", region="us-east-1").list_secrets()["SecretList"]
    arn = client("secretsmanager").describe_secret(SecretId="s")["ARN"]
    assert arn.startswith("arn:aws:secretsmanager:eu-central-1:123456789012:secret:s-")


def test_every_local_aws_has_a_state_of_its_own(local: LocalAws, client: Callable[..., Any]) -> None:
    client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
    core = botocore.session.Session()
    core.set_credentials("x", "y")
    LocalAws().attach(core)
    assert not Session(botocore_session=core).client("iam").list_roles()["Roles"]
    assert [role["RoleName"] for role in client("iam").list_roles()["Roles"]] == ["r"]
    local.reset()
    assert not client("iam").list_roles()["Roles"]


def test_calls_are_recorded_with_their_members(local: LocalAws, client: Callable[..., Any]) -> None:
    client("logs").create_log_group(logGroupName="/a")
    client("elbv2").describe_load_balancers(PageSize=7)
    with pytest.raises(ClientError):
        client("secretsmanager").describe_secret(SecretId="missing")
    assert [(call.service, call.operation, call.mutating) for call in local.calls] == [
        ("logs", "CreateLogGroup", True),
        ("elbv2", "DescribeLoadBalancers", False),
        ("secretsmanager", "DescribeSecret", False),
    ]
    assert local.calls[0].params == {"logGroupName": "/a"}
    assert local.calls[1].params == {"PageSize": 7}
    assert local.calls[2].error == "ResourceNotFoundException"


def test_what_moto_lacks_is_an_error_of_aws_and_not_retried(local: LocalAws, client: Callable[..., Any]) -> None:
    with pytest.raises(ClientError, match="NotImplemented"):
        client("iam").simulate_principal_policy(PolicySourceArn="arn:aws:iam::123456789012:role/r", ActionNames=["a:b"])
    assert len(local.calls) == 1


@pytest.mark.parametrize("service", ["ecs", "elbv2", "ec2", "iam"])
def test_an_interceptor_refuses_in_the_words_of_every_protocol(
    service: str, local: LocalAws, client: Callable[..., Any]
) -> None:
    def deny(_call: Call, _apply: Callable[[], Response]) -> Response:
        raise AwsError("AccessDeniedException", "User is not authorized <here>", status=403)

    local.intercept(deny)
    operation = {
        "ecs": "list_clusters",
        "elbv2": "describe_load_balancers",
        "ec2": "describe_vpcs",
        "iam": "list_roles",
    }
    with pytest.raises(ClientError) as caught:
        getattr(client(service), operation[service])()
    assert caught.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": "User is not authorized <here>",
    } | ({"Type": "Sender"} if service in ("elbv2", "iam") else {})


def test_an_answer_can_be_lost_after_it_took_effect(local: LocalAws, client: Callable[..., Any]) -> None:
    def lose(call: Call, apply: Callable[[], Response]) -> Response:
        response = apply()
        if call.operation == "CreateSecret":
            raise ConnectionClosedError(endpoint_url="https://secretsmanager.eu-central-1.amazonaws.com")
        return response

    local.intercept(lose)
    secrets = client("secretsmanager")
    with pytest.raises(ConnectionClosedError):
        secrets.create_secret(Name="s", SecretString="x")
    assert secrets.describe_secret(SecretId="s")["Name"] == "s"


def test_threads_may_share_it(client: Callable[..., Any]) -> None:
    iam = client("iam")

    def make(number: int) -> None:
        iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=json.dumps(TRUST))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(40)))
    assert len(iam.list_roles()["Roles"]) == 40


def test_an_operation_of_ours_that_is_missing_is_never_answered_from_an_empty_moto(client: Callable[..., Any]) -> None:
    with pytest.raises(ClientError, match="does not know this operation of ecs: ListContainerInstances"):
        client("ecs").list_container_instances()
