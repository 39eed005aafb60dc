"""The deployments of a service as ECS remembers them: when, what, how they ended."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class DeploymentOutcome(StrEnum):
    """How a deployment ended, or that it has not."""

    RUNNING = "in_progress"
    ROLLING_BACK = "rolling_back"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    STOPPED = "stopped"

    @property
    def ended(self) -> bool:
        """Whether ECS works on it no more."""
        return self not in {DeploymentOutcome.RUNNING, DeploymentOutcome.ROLLING_BACK}


@dataclass(frozen=True, kw_only=True)
class PastDeployment:
    """One deployment of a service. `id` and `revision` are the ARNs of its service deployment and service revision.

    `task_definition` is an ARN. `digest` is that of the main container's image, where ECS resolved one. `registered_by`
    is the ARN of whoever registered the task definition: who deployed it is not known to ECS. `settings` are the
    members of the revision that a rollback brings back, in ECS's words.
    """

    service: str
    id: str
    revision: str
    outcome: DeploymentOutcome
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str = ""
    task_definition: str = ""
    image: str = ""
    digest: str = ""
    registered_by: str = ""
    current: bool = False
    """Whether this is the newest deployment of the revision that the service is to run now."""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """`family:revision`, as people write it."""
        return self.task_definition.rpartition("/")[2]

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it goes on."""
        if self.finished_at is None:
            return None
        return (self.finished_at - (self.started_at or self.created_at)).total_seconds()
