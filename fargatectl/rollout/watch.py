"""One deployment that is followed: what is known of it, and how far it is."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from fargatectl.dataclass import dataclass
from fargatectl.model.events import RolloutProgress
from fargatectl.model.rollout import UNCHECKED_SECONDS
from fargatectl.model.status import ServiceState
from fargatectl.reconcilers.service.health import health_of
from fargatectl.rollout.diagnosis import Subject
from fargatectl.rollout.stages import stage_of

if TYPE_CHECKING:
    from concurrent.futures import Future
    from datetime import datetime

    from types_boto3_ecs.type_defs import ServiceTypeDef

    from fargatectl.model.status import ServiceStatus, ServiceView, TargetCounts
    from fargatectl.reconcilers.service import ServiceOut
    from fargatectl.reconcilers.service.health import ServiceHealth
    from fargatectl.rollout.estimate import Forecast
    from fargatectl.rollout.outcome import Ended

_LIFTED_SECONDS = 60.0
_UNDONE = frozenset({"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})


@dataclass
class Watch:
    """A deployment and its latest answers. `began` and `deadline` of watching it are of the monotonic clock.

    `began_at` is when the deployment itself began.

    `wanted` is the desired count that the deployment began with; `record` is ECS's service deployment of it, where
    there is one; `first` says that no version before it ever served (None: not known yet); `stopped` is why we stopped
    it; `sick` keeps what the load balancer said of targets, which it forgets when they leave; `mine` says that this
    run has set the deployment going, so that it may stop it; `lifted` that the autoscaler gave its tasks to a
    deployment that had begun without any.
    """

    view: ServiceView
    out: ServiceOut
    end: Future[ServiceStatus]
    began: float
    began_at: datetime
    deadline: float
    entrance: dict[str, Any] = field(default_factory=dict)
    mine: bool = True
    wanted: int = 0
    service_deployment: str = ""
    record: Any = None
    service: ServiceTypeDef | None = None
    targets: TargetCounts | None = None
    image: str = ""
    images: dict[str, str] = field(default_factory=dict)
    first: bool | None = None
    sick: dict[str, Any] = field(default_factory=dict)
    stopped: str = ""
    proofs_seen: tuple[object, ...] = ()
    last: RolloutProgress | None = None
    told_until: datetime | None = None
    told_count: int | None = None
    forecast: Forecast | None = None
    lifted: bool = False
    healthy_since: float | None = None

    @property
    def subject(self) -> Subject:
        """What a diagnosis is made of."""
        return Subject(
            name=self.view.name,
            cluster=self.out.cluster,
            service=self.out.name,
            deployment=self.out.deployment_id,
            service_deployment=self.record,
            seen=tuple(self.sick.values()),
        )

    def serves(self, now: float) -> bool:
        """Tell whether all wanted tasks are healthy, for as long as ECS takes to call them so.

        ECS completes a deployment without tasks, and judges none that the autoscaler adds to it afterwards.
        """
        last = self.last
        if last is None or last.healthy < max(self.wanted, last.desired):
            self.healthy_since = None
            return False
        self.healthy_since = now if self.healthy_since is None else self.healthy_since
        return self.targets is not None or now - self.healthy_since >= UNCHECKED_SECONDS

    def awaits_count(self, now: float) -> bool:
        """Tell whether the autoscaler, whose bounds are set beside the rollout, has yet to lift the count from 0."""
        emptied = self.service is not None and not self.service["desiredCount"] and not self.wanted
        return emptied and self.view.min_tasks > 0 and now - self.began < _LIFTED_SECONDS

    def progress(self, ended: Ended | None, now: float) -> RolloutProgress | None:
        """Return how far the rollout is at `now`; None while ECS does not show the service."""
        if self.service is None:
            return None
        health = health_of(self.service)
        running = health.running - health.old_running
        told = RolloutProgress(
            stage=self._stage(health, running, ended),
            revision=health.task_definition,
            desired=health.desired,
            running=running,
            pending=health.pending - health.old_pending,
            healthy=self._healthy(health, running),
            failed=health.deployment.failed_tasks if health.deployment else 0,
            old_revision=health.old_task_definition,
            old_running=health.old_running,
            old_pending=health.old_pending,
            targets=self.targets,
            over=ended is not None,
        )
        if self.forecast is None:
            return told
        self.forecast.see(told, now, shifting=bool(stage_of(self.record)))
        going_well = ended is None and not (self.stopped or told.failed or self._undone(health))
        return replace(told, left=self.forecast.left(now)) if going_well else told

    def _undone(self, health: ServiceHealth) -> bool:
        """Tell whether ECS takes this deployment back: another one is then in its place."""
        if (self.record or {}).get("status") in _UNDONE:
            return True
        mine = health.deployment is None or health.deployment.id == self.out.deployment_id
        return health.state == ServiceState.ROLLING_BACK and not mine

    def _healthy(self, health: ServiceHealth, running: int) -> int:
        # Until the old tasks leave, the healthy targets are of both revisions: the old ones were healthy before.
        if self.targets is None:
            return running
        return max(0, min(running, self.targets.healthy - health.old_running))

    def _stage(self, health: ServiceHealth, running: int, ended: Ended | None) -> str:
        if ended is not None:
            return ended.stage
        if self.stopped:
            return "stopping it: it cannot succeed"
        if self._undone(health):
            return "rolling back"
        if running < health.desired:
            return "starting tasks"
        if self._healthy(health, running) < health.desired:
            return "waiting for healthy targets"
        return stage_of(self.record) or ("stopping old tasks" if health.old_running else "settling")
