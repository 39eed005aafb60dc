from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.engine.stack import Stack
from fargatectl.errors import ExitCode, Refused
from fargatectl.reconcilers import identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger


def test_the_right_account_goes_through(converger: Converger, owner: Ownership, local: LocalAws) -> None:
    stack = Stack(owner, kinds=[])
    declared = identity.declare(stack, local.account)

    outputs = converger.plan(stack).outputs

    assert outputs[declared.address].account == local.account
    assert declared.ref(lambda found: found.partition).pick(outputs[declared.address]) == "aws"


def test_another_account_is_refused_with_both_named(converger: Converger, owner: Ownership, local: LocalAws) -> None:
    stack = Stack(owner, kinds=[])
    identity.declare(stack, "210987654321")

    with pytest.raises(Refused) as refusal:
        converger.plan(stack)

    assert refusal.value.exit_code is ExitCode.REFUSED
    assert "210987654321" in refusal.value.message
    assert local.account in refusal.value.message
    assert "--profile" in refusal.value.hint


def test_without_an_account_any_will_do(make_aws: Callable[..., Aws]) -> None:
    aws = make_aws(account="999999999999")

    (found,) = identity.Identities().read(aws, [identity.IdentityQuery()])

    assert not isinstance(found, Exception)
    assert found.account == "999999999999"
