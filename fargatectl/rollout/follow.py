"""Following deployments to their end: one poller for all services of a run.

The outcome is that of *our* deployment id, never of "the service is stable": after a rollback a service is stable
again, with the old version. ECS's service deployments say it outright; where they may not be read, the deployments
that DescribeServices shows do (ECS API Reference, DescribeServiceDeployments and Deployment).
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, explain
from fargatectl.errors import StillInProgress
from fargatectl.model.events import DeploymentEvent, LogEvent, RolloutProgress
from fargatectl.model.status import ServiceState, ServiceStatus, TargetCounts
from fargatectl.reconcilers.service.health import ServiceHealth, health_of
from fargatectl.reconcilers.service.reading import describe
from fargatectl.rollout.diagnosis import Subject
from fargatectl.rollout.failure import failure
from fargatectl.rollout.outcome import Ended, is_first, judge
from fargatectl.rollout.status import Parts, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from types_boto3_ecs.type_defs import ServiceTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.events import Emit
    from fargatectl.model.status import ServiceView
    from fargatectl.model.values import Address
    from fargatectl.reconcilers.service import ServiceOut
    from fargatectl.rollout.diagnosis import Places

POLL_SECONDS = 5.0  # ECS answers 20 DescribeServices a second and account; one call takes ten services
DEFAULT_TIMEOUT_SECONDS = 1200.0
_LIST_MAX = 20


@dataclass
class _Watch:
    """One deployment that is followed."""

    view: ServiceView
    out: ServiceOut
    load_balancer_name: str
    end: Future[ServiceStatus]
    deadline: float
    service_deployment: str = ""
    last: RolloutProgress | None = None
    images: dict[str, str] = field(default_factory=dict)
    record: Any = None
    first: bool | None = None
    sick: dict[str, Any] = field(default_factory=dict)
    https: bool | None = None


class Follower:
    """Follows the rollouts of one run; it is the engine's `Settle`.

    timeout: seconds to wait for one rollout, where the service's own is not given. stopped: says that the user wants
    to leave; what goes on in AWS goes on. place: says where a key of the file stands.
    """

    def __init__(  # noqa: PLR0913 - the environment of a run, each part injected
        self,
        aws: Aws,
        views: Sequence[ServiceView],
        executor: Executor,
        *,
        emit: Emit,
        timeouts: Mapping[str, float | None],
        stopped: Callable[[], bool] = lambda: False,
        place: Places = lambda _: "",
    ) -> None:
        self._aws = aws
        self._views = {view.service: view for view in views}
        self._executor = executor
        self._emit = emit
        self._timeouts = timeouts
        self._stopped = stopped
        self._place = place
        self._watched: list[_Watch] = []
        self._lock = threading.Lock()
        self._polling = False
        self._told_of_refusal = False

    def __call__(self, address: Address, outputs: Mapping[Address, Any], *, changed: bool) -> Future[ServiceStatus]:
        """Return a future of the rollout's end: the service's status, or `RolloutFailed` or `StillInProgress`.

        A service that was not changed and whose deployment is over is at its end at once, without a call.
        """
        view, out = self._views[address], outputs[address]
        balancer = outputs.get(view.load_balancer) if view.load_balancer else None
        dns_name = balancer.dns_name if balancer else ""
        https: bool | None = getattr(balancer, "https", None)  # only one that is not ours tells
        end: Future[ServiceStatus] = Future()
        if not changed and out.health.state == ServiceState.STEADY:
            end.set_result(status_of(view, Parts(health=out.health, load_balancer_name=dns_name, https=https)))
            return end
        seconds = self._timeouts.get(view.name) or DEFAULT_TIMEOUT_SECONDS
        made = outputs.get(view.task_definition)
        images = {made.arn: made.image} if made else {}
        self._watch(_Watch(view, out, dns_name, end, self._aws.monotonic() + seconds, https=https, images=images))
        return end

    def _watch(self, watch: _Watch) -> None:
        with self._lock:
            self._watched.append(watch)
            start = not self._polling
            self._polling = True
        if start:
            self._executor.submit(self._run)

    def _run(self) -> None:
        while watched := self._still_watched():
            try:
                self._poll(watched)
            except Exception as error:  # noqa: BLE001 - every watcher must learn that nobody looks any more
                for watch in watched:
                    _fail(watch, error)
                continue
            self._aws.sleep(POLL_SECONDS)

    def _still_watched(self) -> list[_Watch]:
        with self._lock:
            self._watched = [watch for watch in self._watched if not watch.end.done()]
            self._polling = bool(self._watched)
            return list(self._watched)

    def _poll(self, watched: list[_Watch]) -> None:
        self._aws.reads.clear()
        found = describe(self._aws, ((w.out.cluster, w.out.name) for w in watched))
        deployments = self._service_deployments(watched)
        for watch in watched:
            service = found.get((watch.out.cluster, watch.out.name))
            watch.record = deployments.get(watch.service_deployment)
            if watch.first is None:
                watch.first = is_first(service, watch.out.deployment_id)
            ended = judge(service, watch.out.deployment_id, watch.record, first=watch.first)
            self._tell(watch, service, ended)
            self._end(watch, service, ended)

    def _end(self, watch: _Watch, service: ServiceTypeDef | None, ended: Ended | None) -> None:
        if ended is None and (self._stopped() or self._aws.monotonic() >= watch.deadline):
            message = f"the rollout of {watch.view.name} is still in progress and goes on in AWS"
            watch.end.set_exception(StillInProgress(message, hint="`fargatectl status --watch` shows how it goes on"))
        elif ended is not None and ended.failed:
            watch.end.set_exception(failure(self._aws, self._subject(watch), service, ended, self._place))
        elif ended is not None and service is not None:
            watch.end.set_result(self._status(watch, service))

    @staticmethod
    def _subject(watch: _Watch) -> Subject:
        return Subject(
            name=watch.view.name,
            cluster=watch.out.cluster,
            service=watch.out.name,
            deployment=watch.out.deployment_id,
            service_deployment=watch.record,
            seen=tuple(watch.sick.values()),
        )

    def _service_deployments(self, watched: list[_Watch]) -> dict[str, Any]:
        """Return ARN → service deployment of those that can be found and read."""
        try:
            for watch in watched:
                watch.service_deployment = watch.service_deployment or self._find(watch)
            arns = [watch.service_deployment for watch in watched if watch.service_deployment]
            found: dict[str, Any] = {}
            for start in range(0, len(arns), _LIST_MAX):
                batch = arns[start : start + _LIST_MAX]
                answer = self._aws.ecs.describe_service_deployments(serviceDeploymentArns=batch)
                found |= {one["serviceDeploymentArn"]: one for one in answer["serviceDeployments"]}
        except ClientError as error:
            self._tell_of_refusal(error)
            return {}
        return found

    def _tell_of_refusal(self, error: ClientError) -> None:
        if not self._told_of_refusal:
            self._told_of_refusal = True
            message = f"{explain(error)}; the rollout is followed by DescribeServices instead"
            self._emit(LogEvent(message, self._aws.now(), "warning"))

    def _find(self, watch: _Watch) -> str:
        """Find the service deployment that belongs to a deployment id; it may take seconds to appear."""
        number = watch.out.deployment_id.rpartition("/")[2]
        answer = self._aws.ecs.list_service_deployments(cluster=watch.out.cluster, service=watch.out.name)
        mine = (d for d in answer["serviceDeployments"] if number and number in d["targetServiceRevisionArn"])
        return next((d["serviceDeploymentArn"] for d in mine), "")

    def _tell(self, watch: _Watch, service: ServiceTypeDef | None, ended: Ended | None) -> None:
        if service is None:
            return
        health = health_of(service)
        targets = self._targets(watch, service)
        progress = _progress(health, targets, ended)
        if progress != watch.last:
            watch.last = progress
            status = self._status(watch, service, targets)
            self._emit(DeploymentEvent(status, self._aws.now(), progress))

    def _status(self, watch: _Watch, service: ServiceTypeDef, targets: TargetCounts | None = None) -> ServiceStatus:
        image = self._image(watch, service["taskDefinition"])
        parts = Parts(health_of(service), image, watch.load_balancer_name, targets, https=watch.https)
        return status_of(watch.view, parts)

    def _image(self, watch: _Watch, arn: str) -> str:
        if arn not in watch.images:
            found = self._aws.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
            mains = [c["image"] for c in found["containerDefinitions"] if c["name"] == watch.view.name]
            watch.images[arn] = mains[0] if mains else found["containerDefinitions"][0]["image"]
        return watch.images[arn]

    def _targets(self, watch: _Watch, service: ServiceTypeDef) -> TargetCounts | None:
        groups = [t["targetGroupArn"] for t in service.get("loadBalancers", ()) if "targetGroupArn" in t]
        if not groups:
            return None
        found = [
            target
            for group in groups
            for target in self._aws.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        ]
        states = [target["TargetHealth"].get("State", "") for target in found]
        # After a rollback the sick targets are gone, and with them the reason: it is kept for the diagnosis.
        watch.sick |= {t["Target"]["Id"]: t for t in found if t["TargetHealth"].get("State") in {"unhealthy", "unused"}}
        return TargetCounts(
            healthy=states.count("healthy"),
            unhealthy=states.count("unhealthy"),
            initial=states.count("initial"),
            draining=states.count("draining"),
        )


def _progress(health: ServiceHealth, targets: TargetCounts | None, ended: Ended | None) -> RolloutProgress:
    running = health.running - health.old_running
    return RolloutProgress(
        stage=_stage(health, targets, running, ended),
        revision=health.task_definition,
        desired=health.desired,
        running=running,
        pending=health.pending,
        # Until the old tasks leave, the healthy targets are of both revisions: the old ones were healthy before.
        healthy=running if targets is None else max(0, min(running, targets.healthy - health.old_running)),
        failed=health.deployment.failed_tasks if health.deployment else 0,
        old_revision=health.old_task_definition,
        old_running=health.old_running,
    )


def _stage(health: ServiceHealth, targets: TargetCounts | None, running: int, ended: Ended | None) -> str:
    if ended is not None:
        return ended.stage
    if health.state == ServiceState.ROLLING_BACK:
        return "rolling back"
    if running < health.desired:
        return "starting tasks"
    if targets is not None and targets.healthy < health.desired:
        return "waiting for healthy targets"
    return "stopping old tasks" if health.old_running else "settling"


def _fail(watch: _Watch, error: Exception) -> None:
    if not watch.end.done():
        watch.end.set_exception(explain(error, watch.view.service))
