from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from fargatectl.aws.secrets import SecretOut
from fargatectl.engine.stack import Stack
from fargatectl.errors import NotFoundError, Refused
from fargatectl.reconcilers import registry

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger

NAME = "shop/registry/hub"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"


def test_credentials_are_an_existing_secret(aws: Aws, converger: Converger, owner: Ownership) -> None:
    arn = aws.secrets.create_secret(Name="best/registry", SecretString="{}")["ARN"]
    stack = Stack(owner, kinds=[])

    declared = registry.declare(stack, "private", secret="best/registry", path="registries.private.secret")

    assert converger.plan(stack).outputs[declared.address] == SecretOut(arn, "best/registry")


def test_missing_credentials_are_told_with_their_place(converger: Converger, owner: Ownership) -> None:
    stack = Stack(owner, kinds=[])
    registry.declare(stack, "private", secret="best/registry", path="registries.private.secret")

    with pytest.raises(NotFoundError) as missing:
        converger.plan(stack)

    assert missing.value.path == "registries.private.secret"


def own(owner: Ownership, *, user: str | None = "acme", code: str | None = "first", key: str | None = None) -> Stack:
    stack = Stack(owner, kinds=[registry.RegistrySecrets()])
    registry.declare_own(stack, "hub", username=user, password=code, kms_key=key)
    return stack


def held(aws: Aws) -> object:
    return json.loads(aws.secrets.get_secret_value(SecretId=NAME)["SecretString"])


def test_credentials_are_made_as_ecs_reads_them(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(own(owner))

    assert held(aws) == {"username": "acme", "password": "first"}
    assert converger.changes(own(owner)) == {}


def test_another_value_is_written_once_and_nothing_tells_what_it_is(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(own(owner))
    changed = own(owner, code="second")

    (change,) = converger.plan(changed).plan.changes
    assert "second" not in repr(change)
    assert "first" not in repr(change)
    assert [field.path for field in change.fields] == ["credentials"]
    converger.apply(changed)

    found = aws.secrets.describe_secret(SecretId=NAME)
    assert held(aws) == {"username": "acme", "password": "second"}
    assert not any(sha256(text.encode()).hexdigest()[:8] in str(found) for text in ("second", json.dumps(held(aws))))
    assert len(found["VersionIdsToStages"]) == 2


def test_without_the_values_nothing_is_read_or_changed(local: LocalAws, converger: Converger, owner: Ownership) -> None:
    converger.apply(own(owner))
    local.calls.clear()

    assert converger.changes(own(owner, user=None, code=None)) == {}
    assert "GetSecretValue" not in [call.operation for call in local.calls]


def test_the_key_is_changed_in_place_and_back(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(own(owner))
    converger.apply(own(owner, key=KEY))

    assert aws.secrets.describe_secret(SecretId=NAME)["KmsKeyId"] == KEY
    assert converger.changes(own(owner, key=KEY)) == {}
    converger.apply(own(owner))
    assert converger.changes(own(owner)) == {}


def test_a_deleted_secret_is_restored_with_todays_values(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(own(owner))
    before = aws.secrets.describe_secret(SecretId=NAME)["ARN"]
    converger.apply(own(owner), absent=True)
    assert (aws.secrets.describe_secret(SecretId=NAME)["DeletedDate"].date() - aws.now().date()).days in {6, 7, 8}

    converger.apply(own(owner, code="second"))

    assert aws.secrets.describe_secret(SecretId=NAME)["ARN"] == before
    assert held(aws) == {"username": "acme", "password": "second"}


def test_somebody_elses_secret_is_left_alone_even_while_it_is_being_deleted(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    aws.secrets.create_secret(Name=NAME, SecretString="theirs")
    with pytest.raises(Refused):
        converger.plan(own(owner))
    aws.secrets.delete_secret(SecretId=NAME, RecoveryWindowInDays=7)

    with pytest.raises(Refused, match="its name is taken"):
        converger.plan(own(owner))

    assert "DeletedDate" in aws.secrets.describe_secret(SecretId=NAME)
