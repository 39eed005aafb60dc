from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.aws.secrets import SecretOut
from fargatectl.engine.stack import Stack
from fargatectl.errors import ConfigError, NotFoundError
from fargatectl.reconcilers import secrets
from fargatectl.reconcilers.secrets import ParameterOut, ParameterQuery, Parameters, SecretQuery, Secrets

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger

OUTSIDE = "arn:aws:ssm:us-east-1:210987654321:parameter/theirs"


def secret(aws: Aws, name: str, key: str | None = None) -> str:
    more = {"KmsKeyId": key} if key else {}
    return aws.secrets.create_secret(Name=name, SecretString="hunter2", **more)["ARN"]  # type: ignore[arg-type]


def find(aws: Aws, name: str) -> SecretOut:
    (found,) = Secrets().read(aws, [SecretQuery(name=name, path="services.web.secrets.X")])
    if isinstance(found, Exception):
        raise found
    return found


def test_a_secret_is_found_by_name_and_by_arn(aws: Aws) -> None:
    arn = secret(aws, "shop/db")

    assert find(aws, "shop/db") == find(aws, arn) == SecretOut(arn, "shop/db")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("alias/aws/secretsmanager", None),
        ("1234abcd", "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"),
        ("alias/shop", "arn:aws:kms:eu-central-1:123456789012:alias/shop"),
        ("arn:aws:kms:eu-central-1:1:key/k", "arn:aws:kms:eu-central-1:1:key/k"),
    ],
)
def test_the_key_of_a_secret_is_told_as_an_arn_unless_it_is_awss_own(aws: Aws, key: str, expected: str | None) -> None:
    secret(aws, "shop/db", key)

    assert find(aws, "shop/db").key_arn == expected


def test_a_missing_secret_is_told_with_its_place_in_the_file(aws: Aws) -> None:
    with pytest.raises(NotFoundError) as missing:
        find(aws, "shop/nope")

    assert "shop/nope" in missing.value.message
    assert missing.value.path == "services.web.secrets.X"


def test_a_secret_scheduled_for_deletion_is_missing_and_can_be_restored(aws: Aws) -> None:
    secret(aws, "shop/db")
    date = aws.secrets.delete_secret(SecretId="shop/db", RecoveryWindowInDays=7)["DeletionDate"]

    with pytest.raises(NotFoundError) as missing:
        find(aws, "shop/db")

    assert str(date.year) in missing.value.message
    assert "restore-secret --secret-id shop/db" in missing.value.hint


def test_a_missing_secret_does_not_hide_the_others(aws: Aws) -> None:
    arn = secret(aws, "shop/db")

    missing, found = Secrets().read(aws, [SecretQuery(name="shop/nope"), SecretQuery(name="shop/db")])

    assert isinstance(missing, NotFoundError)
    assert found == SecretOut(arn, "shop/db")


def test_no_value_is_ever_read(aws: Aws, local: LocalAws) -> None:
    secret(aws, "shop/db")
    aws.ssm.put_parameter(Name="/shop/flag", Value="on", Type="String")
    local.calls.clear()

    find(aws, "shop/db")
    Parameters().read(aws, [ParameterQuery(name="/shop/flag")])

    assert {call.operation for call in local.calls} == {"DescribeSecret", "DescribeParameters", "GetCallerIdentity"}


def test_parameters_are_found_by_name_and_by_arn(aws: Aws) -> None:
    aws.ssm.put_parameter(Name="/shop/web/flag", Value="on", Type="String")
    aws.ssm.put_parameter(Name="plain", Value="on", Type="SecureString", KeyId="alias/shop")
    prefix = "arn:aws:ssm:eu-central-1:123456789012:parameter"
    flag = ParameterOut(f"{prefix}/shop/web/flag", "/shop/web/flag")
    plain = ParameterOut(f"{prefix}/plain", "plain", "arn:aws:kms:eu-central-1:123456789012:alias/shop")

    names = ["/shop/web/flag", f"{prefix}/shop/web/flag", "plain", f"{prefix}/plain"]
    found = Parameters().read(aws, [ParameterQuery(name=name) for name in names])

    assert found == [flag, flag, plain, plain]


def test_a_missing_parameter_is_told_with_its_place_in_the_file(aws: Aws) -> None:
    (missing,) = Parameters().read(aws, [ParameterQuery(name="/nope", path="services.web.secrets.FLAG")])

    assert isinstance(missing, NotFoundError)
    assert missing.path == "services.web.secrets.FLAG"
    assert "/nope" in missing.message


def test_a_parameter_elsewhere_is_taken_as_given(aws: Aws) -> None:
    assert Parameters().read(aws, [ParameterQuery(name=OUTSIDE)]) == [ParameterOut(OUTSIDE, "/theirs")]


def test_many_parameters_take_few_calls(aws: Aws, local: LocalAws) -> None:
    for number in range(60):
        aws.ssm.put_parameter(Name=f"/shop/{number}", Value="on", Type="String")
    local.calls.clear()

    found = Parameters().read(aws, [ParameterQuery(name=f"/shop/{number}") for number in range(60)])

    assert [out.name for out in found if isinstance(out, ParameterOut)] == [f"/shop/{n}" for n in range(60)]
    asked = [call.params["ParameterFilters"][0]["Values"] for call in local.calls if "ParameterFilters" in call.params]
    assert sorted({len(names) for names in asked}) == [10, 50]


def test_all_that_is_missing_is_told_at_once(converger: Converger, owner: Ownership) -> None:
    stack = Stack(owner, kinds=[])
    secrets.declare_secret(stack, "shop/nope", path="services.web.secrets.A")
    secrets.declare_parameter(stack, "/shop/nope", path="services.web.secrets.B")

    with pytest.raises(ConfigError) as problems:
        converger.plan(stack)

    assert {problem.path for problem in problems.value.problems} == {"services.web.secrets.A", "services.web.secrets.B"}


def test_a_secret_used_twice_is_looked_up_once(aws: Aws, owner: Ownership) -> None:
    arn = secret(aws, "shop/db")
    stack = Stack(owner, kinds=[])

    first = secrets.declare_secret(stack, f"{arn}:password::", path="services.web.secrets.A")
    second = secrets.declare_secret(stack, arn, path="services.web.secrets.B")

    assert first == second
    assert len(stack.sources) == 1


def test_value_from_keeps_the_place_of_empty_parts() -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:1:secret:a-AbCdEf"

    assert secrets.value_from(arn) == arn
    assert secrets.value_from(arn, key="k") == f"{arn}:k::"
    assert secrets.value_from(arn, stage="AWSPREVIOUS") == f"{arn}::AWSPREVIOUS:"
    assert secrets.value_from(arn, key="k", version="v1") == f"{arn}:k::v1"
    assert secrets.secret_arn(secrets.value_from(arn, key="k")) == arn
    assert secrets.secret_arn("shop/db") == "shop/db"
