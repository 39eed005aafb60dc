"""An AWS to try reconcilers on: the local one, in process, with a clock that moves only when somebody sleeps."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.engine.executor import execute
from fargatectl.engine.planner import plan
from fargatectl.model.ownership import Ownership
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.inprocess import LocalAws
from tests.inline import Inline
from tests.local import make_aws as local_aws

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from fargatectl.aws.session import Aws
    from fargatectl.engine.executor import Outcome
    from fargatectl.engine.planner import Planning
    from fargatectl.engine.stack import Stack
    from fargatectl.model.values import Address
    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call


def nothing_settles(address: Address, outputs: object, *, changed: bool) -> Future[Any]:
    """Stand where a rollout would be followed: with it, a deploy also drops what it no longer needs."""
    message = f"{address} settles: {outputs}, {changed}"
    raise AssertionError(message)


class Converger:
    """Plans and applies stacks as the CLI does, one step after the other."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.executor = Inline()

    def plan(self, stack: Stack, *, absent: bool = False) -> Planning:
        self.aws.reads.clear()
        return plan(stack, self.aws, self.executor, absent=absent)

    def apply(self, stack: Stack, *, absent: bool = False) -> Outcome:
        planning = self.plan(stack, absent=absent)
        outcome = execute(planning, self.aws, self.executor, emit=lambda _: None, settle=nothing_settles)
        assert outcome.complete, (outcome.failed, outcome.skipped)
        return outcome

    def changes(self, stack: Stack, *, absent: bool = False) -> dict[str, str]:
        """Return address -> action of what a plan would change."""
        return {change.address: str(change.action) for change in self.plan(stack, absent=absent).plan.changes}


class Refusals:
    """Makes the local AWS refuse calls of an operation, so many times."""

    def __init__(self, local: LocalAws) -> None:
        self.local = local
        self.planned: dict[str, list[AwsError]] = {}
        local.intercept(self._answer)

    def add(self, operation: str, code: str, message: str = "refused", *, times: int = 1, **members: Any) -> None:
        self.planned.setdefault(operation, []).extend([AwsError(code, message, **members)] * times)

    def _answer(self, call: Call, apply: Callable[[], Response]) -> Response:
        if self.planned.get(call.operation):
            raise self.planned[call.operation].pop(0)
        return apply()


@pytest.fixture
def show_tagged(local: LocalAws) -> Callable[[dict[str, dict[str, str]]], None]:
    """Make the tagging API show ARN -> tags, whatever it knows by itself."""

    def show(resources: dict[str, dict[str, str]]) -> None:
        listed = [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            for arn, tags in resources.items()
        ]

        def answer(call: Call, apply: Callable[[], Response]) -> Response:
            response = apply()
            if call.operation == "GetResources":
                return replace(response, body=json.dumps({"ResourceTagMappingList": listed}).encode())
            return response

        local.intercept(answer)

    return show


@pytest.fixture
def refusals(local: LocalAws) -> Refusals:
    return Refusals(local)


@pytest.fixture
def local() -> LocalAws:
    return LocalAws()


@pytest.fixture
def make_aws(local: LocalAws) -> Callable[..., Aws]:
    return partial(local_aws, local)


@pytest.fixture
def aws(make_aws: Callable[..., Aws]) -> Aws:
    return make_aws()


@pytest.fixture
def owner() -> Ownership:
    return Ownership("shop", None)


@pytest.fixture
def converger(aws: Aws) -> Converger:
    return Converger(aws)
