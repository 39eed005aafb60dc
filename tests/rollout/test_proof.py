"""When a deployment is beyond help: what proves it, and what only looks like it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from fargatectl.rollout.diagnosis import Case, proven
from tests.rollout.diagnosed import CREATED, examples

AT = datetime.fromisoformat(CREATED)
MISSING = "CannotPullContainerError: pull image manifest has been retried: failed to resolve ref shop/web:9: not found"
DENIED = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    "to retrieve secret from asm: AccessDeniedException: not authorized to perform: secretsmanager:GetSecretValue"
)
OUT_OF_REACH = "CannotPullContainerError: dial tcp 10.0.0.1:443: i/o timeout"


def task(reason: str, *, after: float = 0, **more: Any) -> dict[str, Any]:
    return {
        "taskArn": f"arn:aws:ecs:eu-central-1:123456789012:task/shop/{after}",
        "startedBy": "ecs-svc/2",
        "createdAt": AT + timedelta(seconds=after),
        "stopCode": "TaskFailedToStart",
        "stoppedReason": reason,
        "containers": [{"name": "web"}],
        **more,
    }


def crash(code: int, seconds: float, *, after: float = 0) -> dict[str, Any]:
    start = AT + timedelta(seconds=after)
    return task(
        "Essential container in task exited",
        after=after,
        stopCode="EssentialContainerExited",
        startedAt=start,
        executionStoppedAt=start + timedelta(seconds=seconds),
        containers=[{"name": "web", "exitCode": code}],
    )


def case(*tasks: dict[str, Any], log: str = "") -> Case:
    template = next(one.case for one in examples())
    logs = {f"{one['taskArn'].rpartition('/')[2]}/web": [log] for one in tasks} if log else {}
    return replace(template, tasks=tasks, logs=logs)


@pytest.mark.parametrize(
    ("tasks", "beyond"),
    [
        ([task(MISSING)], False),
        ([task(MISSING), task(MISSING, after=30)], True),
        ([task(OUT_OF_REACH), task(OUT_OF_REACH), task(OUT_OF_REACH)], False),
        ([task(DENIED), task(DENIED, after=60), task(DENIED, after=110)], False),
        ([task(DENIED, after=60), task(DENIED, after=130), task(DENIED, after=160)], True),
        ([crash(1, 3), crash(1, 3)], False),
        ([crash(1, 3), crash(1, 4), crash(1, 2)], True),
        ([crash(1, 3), crash(2, 4), crash(1, 2)], False),
        ([crash(1, 30), crash(1, 40), crash(1, 20)], False),
        ([crash(0, 3), crash(0, 3), crash(0, 3)], False),
        ([crash(127, 0), crash(127, 0)], True),
        ([task(MISSING), task(MISSING, startedBy="ecs-svc/1")], False),
    ],
)
def test_what_proves_it(tasks: list[dict[str, Any]], beyond: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    assert proven(case(*tasks)) is beyond


def test_what_is_out_of_reach_may_come_back() -> None:
    assert not proven(case(crash(1, 3), crash(1, 3), crash(1, 3), log="Error: connect ECONNREFUSED 10.0.0.7:5432"))
