"""Following deployments to their end: one poller for all services of a run.

The outcome is that of *our* deployment id, never of "the service is stable": after a rollback a service is stable
again, with the old version. ECS's service deployments say it outright; where they may not be read, the deployments
that DescribeServices shows do (ECS API Reference, DescribeServiceDeployments and Deployment).
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, explain, is_passing
from fargatectl.errors import AwsFailure
from fargatectl.model.events import DeploymentEvent
from fargatectl.model.status import ServiceState, ServiceStatus
from fargatectl.reconcilers.service.health import health_of
from fargatectl.rollout import stopping
from fargatectl.rollout.estimate import Forecast, timeout_of
from fargatectl.rollout.failure import failure, still_going
from fargatectl.rollout.outcome import judge
from fargatectl.rollout.pause import pause_of, waiting
from fargatectl.rollout.poll import Poller
from fargatectl.rollout.status import Parts, status_of
from fargatectl.rollout.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.errors import FargatectlError
    from fargatectl.model.status import ServiceView
    from fargatectl.model.values import Address
    from fargatectl.reconcilers.service import ServiceOut
    from fargatectl.rollout.context import RunContext
    from fargatectl.rollout.outcome import Ended

POLL_SECONDS = 5.0  # ECS answers 20 DescribeServices a second and account; one call takes ten services
_FEW = 10  # so many services are looked at with one call
_SHARE = 0.2  # of a rollout's age: so long the next look may wait
_LEAST_SECONDS = 1.0
_OUT_OF_SIGHT_SECONDS = 120.0  # so long a network may be away before following is given up
_SPREAD_SECONDS = 2.0  # runs that began together do not stay in step


class Follower:
    """Follows the rollouts of one run; it is the engine's `Settle`.

    `timeouts` are the seconds to wait for the rollout of a service, by its name; None for what its pace says.
    """

    def __init__(
        self, context: RunContext, views: Sequence[ServiceView], timeouts: Mapping[str, float | None] = {}
    ) -> None:
        self._context = context
        self._aws = context.aws
        self._views = {view.service: view for view in views}
        self._timeouts = timeouts
        self._poller = Poller(context)
        self._watched: list[Watch] = []
        self._lock = threading.Lock()
        self._polling = False
        self._lost_at: float | None = None

    def __call__(self, address: Address, outputs: Mapping[Address, Any], *, changed: bool) -> Future[ServiceStatus]:
        """Return a future of the rollout's end: the service's status, or `RolloutFailed` or `StillInProgress`.

        A service that was not changed and whose deployment is over is at its end at once, without a call. One that was
        not changed is never stopped: somebody else has set its deployment going.
        """
        view, out = self._views[address], outputs[address]
        balancer = outputs.get(view.load_balancer) if view.load_balancer else None
        if not changed and out.health.state == ServiceState.STEADY:
            end: Future[ServiceStatus] = Future()
            end.set_result(status_of(view, Parts(out.health, **_entrance(balancer))))
            return end
        made = outputs.get(view.task_definition)
        return self.follow(view, out, balancer, mine=changed, images={made.arn: made.image} if made else {})

    def follow(
        self,
        view: ServiceView,
        out: ServiceOut,
        balancer: Any,  # noqa: ANN401 - ours, or one that was found
        *,
        mine: bool,
        images: Mapping[str, str] = {},
    ) -> Future[ServiceStatus]:
        """Follow the deployment `out.deployment_id`; `mine` says that this run has set it going, and may stop it.

        `balancer` is what is known of the service's load balancer, if it has one; `images` maps task definitions that
        are known already to their images.
        """
        now, at = self._aws.monotonic(), self._aws.now()
        seconds = self._timeouts.get(view.name) or timeout_of(view.pace, out.health.desired)
        made = out.health.deployment.started_at if out.health.deployment else None
        began_at = at if mine or made is None else min(made, at)
        watch = Watch(
            view,
            out,
            Future(),
            began=now,
            began_at=began_at,
            deadline=now + seconds,
            forecast=Forecast(view.pace, now - (at - began_at).total_seconds()) if view.pace else None,
            entrance=_entrance(balancer),
            images=dict(images),
            mine=mine,
            wanted=out.health.desired,
        )
        with self._lock:
            self._watched.append(watch)
            start = not self._polling
            self._polling = True
        if start:
            self._context.executor.submit(self._run)
        return watch.end

    def _run(self) -> None:
        while watched := self._still_watched():
            try:
                self._poller.look(watched)
                self._lost_at = None
            except Exception as error:  # noqa: BLE001 - every watcher must learn that nobody looks any more
                self._lose_sight(watched, error)
            else:
                for watch in watched:
                    self._try_to_take_in(watch)
            self._aws.sleep(self._pause(watched))

    def _pause(self, watched: Sequence[Watch]) -> float:
        """Return seconds until the next look: few at first, for what fails at once is told at once."""
        age = self._aws.monotonic() - max(watch.began for watch in watched)
        if len(watched) <= _FEW and age < POLL_SECONDS / _SHARE:
            return max(_LEAST_SECONDS, age * _SHARE)
        return POLL_SECONDS + (self._context.jitter() - 0.5) * _SPREAD_SECONDS

    def _lose_sight(self, watched: Sequence[Watch], error: Exception) -> None:
        """Look again later where AWS may be in reach again: the rollouts go on meanwhile. Else tell every watcher."""
        now = self._aws.monotonic()
        if self._lost_at is None:
            self._lost_at = now
            if is_passing(error):
                self._context.caution(f"{explain(error)}; the rollout goes on in AWS, and is looked at again")
        if not is_passing(error) or self._context.stopped() or now - self._lost_at >= _OUT_OF_SIGHT_SECONDS:
            for watch in watched:
                _fail(watch, error)

    def _try_to_take_in(self, watch: Watch) -> None:
        try:
            self._take_in(watch)
        except Exception as error:  # noqa: BLE001 - as above, for this one
            _fail(watch, error)

    def _still_watched(self) -> list[Watch]:
        with self._lock:
            self._watched = [watch for watch in self._watched if not watch.end.done()]
            self._polling = bool(self._watched)
            return list(self._watched)

    def _judge(self, watch: Watch) -> Ended | None:
        count = watch.service["desiredCount"] if watch.service else 0
        if watch.awaits_count(self._aws.monotonic()):
            return None
        if not watch.wanted and min(count, watch.view.min_tasks):
            # Nothing serves that one could go back to, and what ECS has completed it does not roll back.
            watch.wanted, watch.lifted, watch.first = min(count, watch.view.min_tasks), True, True
        ended = judge(
            watch.service,
            watch.out.deployment_id,
            watch.record,
            first=bool(watch.first),
            stopped_by_us=bool(watch.stopped),
            wanted=watch.wanted,
            since=watch.out.health.deployment.started_at if watch.out.health.deployment else None,
        )
        well = ended is not None and not ended.failed
        return None if well and watch.lifted and not watch.serves(self._aws.monotonic()) else ended

    def _take_in(self, watch: Watch) -> None:
        ended = self._judge(watch)
        self._tell(watch, ended)
        pause = pause_of(watch.record) if ended is None else None
        if pause is not None:
            watch.end.set_exception(waiting(watch.view.name, pause))
        elif ended is None:
            self._stop_if_hopeless(watch)
            leaving = self._context.stopped()
            if leaving or self._aws.monotonic() >= watch.deadline:
                watch.end.set_exception(still_going(self._aws, watch, self._context.place, leaving=leaving))
        elif ended.failed:
            told = failure(self._aws, watch.subject, watch.service, ended, self._context.place)
            watch.end.set_exception(told)
        elif watch.service is not None:
            watch.end.set_result(self._status(watch))

    def _stop_if_hopeless(self, watch: Watch) -> None:
        """Stop a deployment that cannot heal. That this cannot be done is told, and ECS gives up in its own time."""
        try:
            cause = stopping.hopeless(self._aws, watch)
            if not cause or self._context.stopped():
                return
            done = stopping.stop(self._aws, watch)
        except ClientError as error:
            message = f"{watch.view.name} cannot become healthy, and could not be stopped: {explain(error)}"
            self._context.caution(message)
            return
        watch.stopped = cause
        self._context.caution(f"{watch.view.name} cannot become healthy: {cause} So {done}.")

    def _tell(self, watch: Watch, ended: Ended | None) -> None:
        if watch.service is None:
            return
        self._tell_of_count(watch)
        progress = watch.progress(ended, self._aws.monotonic())
        newest = next((event["createdAt"] for event in watch.service.get("events", ())), None)
        if progress is not None and (progress != watch.last or newest != watch.told_until):
            watch.last, watch.told_until = progress, newest
            self._context.emit(DeploymentEvent(self._status(watch), self._aws.now(), progress, watch.began_at))

    def _tell_of_count(self, watch: Watch) -> None:
        """Say that somebody, or the autoscaler, moved the desired count under the rollout."""
        count = watch.service["desiredCount"] if watch.service else 0
        before, watch.told_count = watch.told_count, count
        # An answer may be older than our own update: a count that becomes what we asked for is no news.
        if before is not None and count not in {before, watch.wanted} and not watch.stopped:
            said = f"the desired count of {watch.view.name} was changed from {before} to {count} meanwhile"
            self._context.caution(said)

    @staticmethod
    def _status(watch: Watch) -> ServiceStatus:
        assert watch.service is not None  # noqa: S101 - asked for services that ECS shows only
        parts = Parts(health_of(watch.service), watch.image, targets=watch.targets, **watch.entrance)
        return status_of(watch.view, parts)


def _entrance(balancer: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """Return what `Parts` needs of a load balancer; only one that is not ours tells whether it speaks HTTPS."""
    name = balancer.dns_name if balancer else ""
    return {"load_balancer_name": name, "https": getattr(balancer, "https", None)}


def _out_of_sight(error: FargatectlError) -> FargatectlError:
    """Say of what AWS does not answer any more that it goes on there, whatever the rest of the run could not do."""
    if not isinstance(error, AwsFailure):
        return error
    message = f"its rollout goes on in AWS, and cannot be followed any more: {error.message}"
    return AwsFailure(message, operation=error.operation, code=error.code, address=error.address, hint=error.hint)


def _fail(watch: Watch, error: Exception) -> None:
    if watch.end.done():
        return
    try:
        told: BaseException = _out_of_sight(explain(error, watch.view.service))
    except Exception as unforeseen:  # noqa: BLE001 - a bug of ours: it must end the wait, and be told as one
        told = unforeseen
    watch.end.set_exception(told)
