"""How a deployment ended, read from answers in the shapes of the ECS API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fargatectl.model.status import ServiceState
from fargatectl.reconcilers.service.health import health_of
from fargatectl.rollout.outcome import End, judge

AT = datetime(2026, 1, 1, tzinfo=UTC)


def deployment(number: str, status: str, rollout: str, **more: Any) -> dict[str, Any]:
    definition = f"arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-web:{number}"
    return {
        "id": f"ecs-svc/{number}",
        "status": status,
        "rolloutState": rollout,
        "taskDefinition": definition,
        "createdAt": AT,
        "runningCount": 0,
        **more,
    }


def service(*deployments: dict[str, Any], running: int = 2, desired: int = 2, **more: Any) -> Any:
    return {
        "status": "ACTIVE",
        "serviceName": "shop-web",
        "taskDefinition": deployments[0]["taskDefinition"] if deployments else "",
        "desiredCount": desired,
        "runningCount": running,
        "pendingCount": 0,
        "deployments": list(deployments),
        **more,
    }


def test_a_completed_primary_of_ours_is_success() -> None:
    ended = judge(service(deployment("2", "PRIMARY", "COMPLETED")), "ecs-svc/2", None)
    assert ended is not None
    assert not ended.failed


def test_completed_before_all_tasks_run_is_not_over_yet() -> None:
    assert judge(service(deployment("2", "PRIMARY", "COMPLETED"), running=1), "ecs-svc/2", None) is None


def test_a_rollback_that_is_steady_again_is_a_failure() -> None:
    reason = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1."
    shown = service(deployment("1", "PRIMARY", "COMPLETED", rolloutStateReason=reason))
    ended = judge(shown, "ecs-svc/2", None)
    assert ended is not None
    assert ended.failed
    assert ended.end is End.ROLLED_BACK
    assert ended.reason == reason


def test_a_rollback_under_way_is_waited_for() -> None:
    reason = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1."
    shown = service(
        deployment("1", "PRIMARY", "IN_PROGRESS", rolloutStateReason=reason), deployment("2", "ACTIVE", "FAILED")
    )
    assert judge(shown, "ecs-svc/2", None) is None
    assert health_of(shown).state == ServiceState.ROLLING_BACK


def test_a_first_deployment_that_failed_has_failed() -> None:
    shown = service(deployment("1", "PRIMARY", "FAILED", rolloutStateReason="tasks failed to start."), running=0)
    ended = judge(shown, "ecs-svc/1", None)
    assert ended is not None
    assert ended.failed
    assert health_of(shown).failed_with_nothing_serving


def test_another_deployment_on_top_is_told_apart() -> None:
    shown = service(deployment("3", "PRIMARY", "IN_PROGRESS"), deployment("2", "ACTIVE", "IN_PROGRESS"))
    ended = judge(shown, "ecs-svc/2", None)
    assert ended is not None
    assert ended.end is End.SUPERSEDED


def test_an_answer_from_before_our_deployment_ends_nothing() -> None:
    shown = service(deployment("1", "PRIMARY", "COMPLETED", createdAt=AT))
    assert judge(shown, "ecs-svc/2", None, since=AT + timedelta(seconds=9)) is None
    later = service(deployment("3", "PRIMARY", "IN_PROGRESS", createdAt=AT + timedelta(seconds=20)))
    ended = judge(later, "ecs-svc/2", None, since=AT + timedelta(seconds=9))
    assert ended is not None
    assert ended.end is End.SUPERSEDED


def test_a_success_without_tasks_is_none() -> None:
    shown = service(deployment("2", "PRIMARY", "COMPLETED"), running=0, desired=0)
    ended = judge(shown, "ecs-svc/2", {"status": "SUCCESSFUL"}, wanted=2)
    assert ended is not None
    assert ended.end is End.EMPTIED
    assert judge(shown, "ecs-svc/2", {"status": "SUCCESSFUL"}, wanted=0) is not None
    behind = service(deployment("2", "PRIMARY", "COMPLETED"), running=1, desired=3)
    assert judge(behind, "ecs-svc/2", {"status": "SUCCESSFUL"}, wanted=3) is None


@pytest.mark.parametrize("gone", [None, service(status="DRAINING"), service(status="INACTIVE")])
def test_a_deleted_service_ends_the_rollout(gone: Any) -> None:
    ended = judge(gone, "ecs-svc/2", None)
    assert ended is not None
    assert ended.end is End.DELETED


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        ("PENDING", None),
        ("IN_PROGRESS", None),
        ("STOP_REQUESTED", None),
        ("ROLLBACK_REQUESTED", None),
        ("ROLLBACK_IN_PROGRESS", None),
        ("SUCCESSFUL", False),
        ("STOPPED", True),
        ("ROLLBACK_SUCCESSFUL", True),
        ("ROLLBACK_FAILED", True),
    ],
)
def test_the_service_deployment_has_the_last_word(status: str, failed: bool | None) -> None:  # noqa: FBT001
    shown = service(deployment("2", "PRIMARY", "COMPLETED"))
    ended = judge(shown, "ecs-svc/2", {"status": status, "statusReason": "because"})
    assert (None if ended is None else ended.failed) is failed


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        (service(deployment("1", "PRIMARY", "COMPLETED")), ServiceState.STEADY),
        (service(deployment("1", "PRIMARY", "COMPLETED"), running=1), ServiceState.DEPLOYING),
        (service(deployment("2", "PRIMARY", "IN_PROGRESS")), ServiceState.DEPLOYING),
        (service(deployment("2", "PRIMARY", "FAILED")), ServiceState.FAILED),
        (service(deployment("2", "PRIMARY", "COMPLETED"), status="DRAINING"), ServiceState.DRAINING),
        (service(), ServiceState.MISSING),
    ],
)
def test_the_state_is_one_word(shown: Any, state: ServiceState) -> None:
    assert health_of(shown).state == state


def test_tasks_of_older_deployments_are_counted_apart() -> None:
    shown = service(
        deployment("2", "PRIMARY", "IN_PROGRESS", runningCount=1),
        deployment("1", "ACTIVE", "COMPLETED", runningCount=3),
        running=4,
    )
    health = health_of(shown)
    assert (health.old_running, health.old_task_definition) == (3, "shop-web:1")
