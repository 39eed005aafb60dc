from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.aws.secrets import SecretOut
from fargatectl.engine.stack import Stack
from fargatectl.errors import NotFoundError
from fargatectl.reconcilers import registry

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from tests.reconcilers.conftest import Converger


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
