from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.aws.rates import RATES, Budget
from fargatectl.errors import Stopped
from fargatectl.sandbox.inprocess import LocalAws
from fargatectl.sandbox.throttling import _FAMILIES, _RATES
from tests.local import make_aws

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.aws.session import Aws

CALLS: list[tuple[str, int, Callable[[Aws], Any]]] = [
    ("DescribeServices", 130, lambda aws: aws.ecs.describe_services(cluster="none", services=["web"])),
    ("DescribeTaskDefinition", 70, lambda aws: aws.ecs.describe_task_definition(taskDefinition="none")),
    ("DeregisterTaskDefinition", 30, lambda aws: aws.ecs.deregister_task_definition(taskDefinition="none:1")),
]


@pytest.mark.parametrize(("operation", "number", "call"), CALLS, ids=[one[0] for one in CALLS])
def test_a_run_waits_before_ecs_would_refuse(operation: str, number: int, call: Callable[[Aws], Any]) -> None:
    local = LocalAws()
    local.set("throttling=on")
    aws = make_aws(local)
    for _ in range(number):
        with pytest.raises(aws.ecs.exceptions.ClientError):  # there is no such thing
            call(aws)
    assert [one.operation for one in local.calls] == [operation] * number
    assert "ThrottlingException" not in {one.error for one in local.calls}
    assert local.clock.monotonic() > 0


def test_what_waits_for_its_turn_at_ctrl_c_is_not_sent() -> None:
    local = LocalAws()
    aws = make_aws(local)
    interrupted: list[bool] = []
    aws.stopped = lambda: bool(interrupted)
    aws._sleep = lambda _: interrupted.append(True)  # a signal ends every wait at once
    for _ in range(10):
        with pytest.raises(aws.ecs.exceptions.ClientError):  # there is no such thing
            aws.ecs.deregister_task_definition(taskDefinition="none:1")
    with pytest.raises(Stopped):
        aws.ecs.deregister_task_definition(taskDefinition="none:1")
    assert len(local.calls) == 10


def test_threads_share_what_is_left() -> None:
    waits: list[float] = []
    budget = Budget(lambda: 0.0, waits.append)
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: budget.take("RegisterTaskDefinition"), range(30)))
    assert sorted(waits) == pytest.approx([second / 0.95 for second in range(1, 21)])


def test_other_operations_do_not_wait() -> None:
    waits: list[float] = []
    budget = Budget(lambda: 0.0, waits.append)
    for _ in range(500):
        budget.take("PutAttributes")
    assert waits == []


def test_no_rate_is_above_what_ecs_documents() -> None:
    documented = {operation: _RATES[family] for family, operations in _FAMILIES.items() for operation in operations}
    for rate in RATES:
        for operation in rate.operations:
            burst, per_second = documented.get(operation, (100, 40))
            assert rate.burst <= burst
            assert rate.per_second <= per_second
