"""Following what is no deployment of a new revision: a count that changes, a deployment that is taken back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import explain
from fargatectl.errors import RolloutFailed, StillInProgress
from fargatectl.model.diagnosis import Diagnosis
from fargatectl.model.events import DeploymentEvent, RolloutProgress
from fargatectl.reconcilers.service.health import health_of
from fargatectl.reconcilers.service.reading import describe
from fargatectl.reconcilers.service.strategy import target_groups
from fargatectl.rollout.estimate import TIMEOUT_WITHOUT_PACE_SECONDS
from fargatectl.rollout.follow import POLL_SECONDS
from fargatectl.rollout.outcome import serving
from fargatectl.rollout.status import Parts, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from types_boto3_ecs.type_defs import ServiceTypeDef

    from fargatectl.model.status import ServiceStatus, ServiceView
    from fargatectl.model.values import Address
    from fargatectl.reconcilers.service import ServiceOut
    from fargatectl.rollout.context import RunContext


class Settling(ABC):
    """Looks at a service until it is where it shall be; it is the engine's `Settle`. Parameters as in `Follower`."""

    stage = ""
    """What goes on, in people's words."""

    def __init__(
        self, context: RunContext, views: Sequence[ServiceView], timeouts: Mapping[str, float | None] = {}
    ) -> None:
        self._context = context
        self._aws = context.aws
        self._views = {view.service: view for view in views}
        self._timeouts = timeouts

    def __call__(self, address: Address, outputs: Mapping[Address, Any], *, changed: bool) -> Future[ServiceStatus]:
        """Return a future of the end: the service's status, or `RolloutFailed` or `StillInProgress`."""
        del changed
        return self._context.executor.submit(self._until, self._views[address], outputs[address])

    @abstractmethod
    def over(self, view: ServiceView, out: ServiceOut, service: ServiceTypeDef) -> bool:
        """Tell whether the service is where it shall be. Raises `RolloutFailed` where it never will be."""

    def _until(self, view: ServiceView, out: ServiceOut) -> ServiceStatus:
        deadline = self._aws.monotonic() + (self._timeouts.get(view.name) or TIMEOUT_WITHOUT_PACE_SECONDS)
        last: RolloutProgress | None = None
        while True:
            service, over = self._look(view, out)
            status = status_of(view, Parts(health_of(service)))
            progress = self._progress(service, over=over)
            if progress != last:
                self._context.emit(DeploymentEvent(status, self._aws.now(), progress))
                last = progress
            if over:
                return status
            if self._context.stopped() or self._aws.monotonic() >= deadline:
                message = f"{view.name} is still on its way, and goes on in AWS"
                raise StillInProgress(message, hint="`fargatectl status --watch` shows how it goes on")
            self._aws.sleep(POLL_SECONDS)

    def _look(self, view: ServiceView, out: ServiceOut) -> tuple[ServiceTypeDef, bool]:
        self._aws.reads.clear()
        try:
            service = describe(self._aws, [(out.cluster, out.name)]).get((out.cluster, out.name))
            there = service if service is not None and service["status"] == "ACTIVE" else None
            over = there is not None and self.over(view, out, there)
        except Exception as error:
            raise explain(error, view.service) from error
        if there is None:
            raise failed(view.name, None, f"{view.name} was deleted meanwhile", "deleted")
        return there, over

    def _progress(self, service: ServiceTypeDef, *, over: bool) -> RolloutProgress:
        health = health_of(service)
        running = health.running - health.old_running
        return RolloutProgress(
            stage="steady" if over else self.stage,
            revision=health.task_definition,
            desired=health.desired,
            running=running,
            pending=health.pending,
            healthy=running,
            failed=health.deployment.failed_tasks if health.deployment else 0,
            old_revision=health.old_task_definition,
            old_running=health.old_running,
        )


class Counting(Settling):
    """Follows a service until as many tasks run as are wanted, and get requests if there is a load balancer."""

    stage = "scaling"

    def over(self, view: ServiceView, out: ServiceOut, service: ServiceTypeDef) -> bool:
        """Tell whether all wanted tasks run, and their targets are healthy."""
        del view, out
        if service["runningCount"] != service["desiredCount"] or service["pendingCount"]:
            return False
        groups = target_groups(service)
        healthy = sum(self._healthy(group) for group in groups)
        return not groups or healthy >= service["desiredCount"]

    def _healthy(self, group: str) -> int:
        listed = self._aws.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return sum(one["TargetHealth"].get("State") == "healthy" for one in listed)


class Reversal(Settling):
    """Follows a service deployment that is stopped, until ECS has rolled it back. `deployment` is its ARN."""

    stage = "rolling back"

    def __init__(
        self,
        context: RunContext,
        views: Sequence[ServiceView],
        timeouts: Mapping[str, float | None] = {},
        *,
        deployment: str,
    ) -> None:
        super().__init__(context, views, timeouts)
        self._deployment = deployment

    def over(self, view: ServiceView, out: ServiceOut, service: ServiceTypeDef) -> bool:
        """Tell whether ECS is through with the rollback. Raises `RolloutFailed` where there was none."""
        del out
        asked = [self._deployment]
        found = self._aws.ecs.describe_service_deployments(serviceDeploymentArns=asked)["serviceDeployments"]
        status = found[0]["status"] if found else ""
        if status in {"STOPPED", "ROLLBACK_FAILED", "SUCCESSFUL"}:
            reason = found[0].get("statusReason", "")
            said = "succeeded before it could be stopped" if status == "SUCCESSFUL" else "could not be rolled back"
            raise failed(view.name, service, f"the deployment of {view.name} {said}", "not-rolled-back", reason)
        return status == "ROLLBACK_SUCCESSFUL"


def failed(name: str, service: ServiceTypeDef | None, cause: str, code: str, evidence: str = "") -> RolloutFailed:
    """Return an end that is not what was asked for, with what serves now."""
    said = (f"deployment: {evidence}",) if evidence else ()
    fix = f"fargatectl history {name} shows how it stands"
    return RolloutFailed(cause, diagnosis=Diagnosis(name, cause, said, serving(name, service), fix, "high", code))
