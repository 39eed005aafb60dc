"""Running a job: start its task, read its lines, and tell how it ended.

RunTask takes a token, so that a call whose answer was lost starts no second task. A task says nothing when it ends:
DescribeTasks is asked until ECS shows it as STOPPED (ECS API Reference, RunTask and Task).
"""

from __future__ import annotations

import threading
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, explain, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.observer import observe
from fargatectl.errors import AwsFailure, JobFailed, JobGoesOn, Refused
from fargatectl.model.capacity import as_request
from fargatectl.model.events import StepEvent
from fargatectl.model.jobs import JobEnd, JobRun, JobStatus
from fargatectl.model.values import Address, fill, known, sources
from fargatectl.rollout.diagnosis import explain as explain_case, gather_task, suspicion, with_surroundings
from fargatectl.rollout.tail import LATE, Selection, Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor, Future
    from datetime import datetime

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Stack
    from fargatectl.errors import FargatectlError
    from fargatectl.model.diagnosis import Diagnosis
    from fargatectl.model.events import StepState
    from fargatectl.model.jobs import JobView
    from fargatectl.model.logs import LogLine
    from fargatectl.rollout.context import RunContext
    from fargatectl.rollout.diagnosis import Places

_POLL_SECONDS = 2.0
_LONGEST_SECONDS = 86_400.0
"""So long a job without a `timeout` is waited for: as long as the longest that may be set."""
_UNSEEN_SECONDS = 300.0
_STOPPING_SECONDS = 900.0  # StopTask leaves a container its stop timeout, two minutes at most, and its driver some time
_QUIET_LOOKS = 2  # so often nothing new, after the end, means that there is nothing more
_TOKEN = 32
# ECS API Reference, RunTask: the role was made a moment ago, and is not known everywhere.
_ROLE_NOT_READY = Transient("ClientException", "unable to assume the role")
_BEFORE = "fargatectl-before"
_STATUSES: tuple[Literal["RUNNING", "STOPPED"], ...] = ("RUNNING", "STOPPED")
_TASKS_MAX = 100  # ECS API Reference, DescribeTasks: tasks


@dataclass(frozen=True)
class NotPlaced:
    """ECS took the request and started nothing; `reason` is its own word."""

    reason: str

    def as_task(self, view: JobView) -> Mapping[str, Any]:
        """Return it in the form of a task that could not start, for the diagnosis."""
        definition = known(view.definition_arn)
        return {"stopCode": "TaskFailedToStart", "stoppedReason": self.reason, "taskDefinitionArn": definition}


def locate(aws: Aws, stack: Stack, executor: Executor, view: JobView) -> JobView:
    """Return `view` with all its late values known, as AWS has them now.

    Raises `Refused` for the wrong account, for what has not been deployed, and for what is not ours.
    """
    wanted = _needed(stack, view)
    part = stack.only(wanted)
    part.sources = {a: source for a, source in stack.sources.items() if a in wanted or a.startswith("sts.")}
    seen = observe(part, aws, executor)
    for failure in seen.failures.values():
        raise failure
    for address in sorted(part.resources):
        live = seen.lives.get(address)
        if live is None:
            message = f"the job {view.name} has not been deployed: {address} does not exist"
            raise Refused(message, hint="deploy it first: fargatectl deploy")
        if not stack.owner.owns(live.spec.tags):
            raise Refused(f"{address} belongs to {part.resources[address].reconciler.whose(live)}")
    located: JobView = fill(view, seen.outputs)
    return located


def _needed(stack: Stack, view: JobView) -> set[Address]:
    """Return where the values of `view` come from, and what these are found by."""
    found: set[Address] = set()
    todo = set(sources(view))
    while todo:
        address = todo.pop()
        found.add(address)
        if address in stack.sources:
            todo |= set(stack.sources[address].spec.needs()) - found
        else:
            todo |= set(stack.resources[address].spec.identity_needs()) - found
    return found


def token_of(aws: Aws, view: JobView) -> str:
    """Return the token of one invocation: all attempts to start its task bear it, and nothing else does."""
    seed = "\n".join((aws.identity().arn, view.family, known(view.definition_arn), aws.now().isoformat()))
    return sha256(seed.encode()).hexdigest()[:_TOKEN]


def start(
    aws: Aws, view: JobView, *, token: str, command: Sequence[str] = (), started_by: str = "fargatectl"
) -> Any | NotPlaced:  # noqa: ANN401 - ECS's task
    """Start the task of a job, with `command` instead of its own where that is given; all of `view` is known."""
    subnets: tuple[str, ...] = known(view.subnets)
    network = {
        "subnets": list(subnets),
        "securityGroups": [known(group) for group in view.security_groups],
        "assignPublicIp": "ENABLED" if known(view.public_ip) else "DISABLED",
    }
    request: dict[str, Any] = {
        "cluster": view.cluster,
        "taskDefinition": known(view.definition_arn),
        "count": 1,
        "networkConfiguration": {"awsvpcConfiguration": network},
        "clientToken": token,
        "startedBy": started_by,
        "tags": tags.ecs_pairs(view.tags),
    }
    if view.capacity:
        request["capacityProviderStrategy"] = as_request(view.capacity)
    else:
        request["launchType"] = "FARGATE"
    if command:
        request["overrides"] = {"containerOverrides": [{"name": view.name, "command": list(command)}]}
    answer = retrying(aws, lambda: aws.ecs.run_task(**request), _ROLE_NOT_READY)
    if answer["tasks"]:
        return answer["tasks"][0]
    reasons = [f"{one.get('reason', '')} {one.get('detail', '')}".strip() for one in answer["failures"]]
    return NotPlaced("; ".join(reasons) or "ECS started no task and gave no reason")


class Watch:
    """Follows one task to its end.

    No wait is without an end: `AwsFailure` for a task that ECS does not show any more (it forgets what has stopped an
    hour ago, which a machine may have slept through), or does not stop; `JobGoesOn` after a day.

    lines: is given what its container says; moved: its state, when that changes. stopped: says that the user wants to
    leave; then the task is stopped or, with `leaves`, goes on in AWS, and `JobGoesOn` is raised.
    """

    def __init__(  # noqa: PLR0913 - what a run is given
        self,
        aws: Aws,
        view: JobView,
        task: Mapping[str, Any],
        *,
        lines: Callable[[LogLine], object] | None = None,
        moved: Callable[[str], object] = lambda _: None,
        warn: Callable[[str], object] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
        leaves: bool = False,
    ) -> None:
        self._aws = aws
        self._view = view
        self._task = task
        self._leaves = leaves
        self._moved = moved
        self._warn = warn
        self._stopped = stopped
        self._lines = lines
        self._tail: Tail | None = None
        if lines is not None and not view.output.silent:
            selection = Selection(view.output, view.name, task["taskArn"].rpartition("/")[2])
            self._tail = Tail(aws, [selection], task["createdAt"] - LATE)
        self._ending = ""
        self._seen_at = self._asked_at = aws.monotonic()

    def run(self) -> JobEnd:
        """Return the end of the task; raises botocore's errors where ECS cannot be asked."""
        began, state = self._aws.monotonic(), ""
        while self._task.get("lastStatus") != "STOPPED":
            if state != (state := str(self._task.get("lastStatus"))):
                self._moved(state)
            self._look()
            self._end_if_due(began)
            self._aws.sleep(_POLL_SECONDS)
            self._task = self._again()
        self._drain()
        return JobEnd(
            task=self._task,
            exit_code=exit_code_of(self._task, self._view.name),
            seconds=self._aws.monotonic() - began,
            timed_out=self._ending == "timeout",
            interrupted=self._ending == "interrupted",
        )

    def _again(self) -> Mapping[str, Any]:
        arn = self._task["taskArn"]
        answer = self._aws.ecs.describe_tasks(cluster=self._view.cluster, tasks=[arn])
        if answer["tasks"]:
            self._seen_at = self._aws.monotonic()
            return answer["tasks"][0]
        # A task that was just started may not be shown yet (ECS API Reference, RunTask: eventual consistency).
        if self._aws.monotonic() - self._seen_at > _UNSEEN_SECONDS:
            name = arn.rpartition("/")[2]
            message = (
                f"ECS does not show the task {name} of the job {self._view.name} any more: how it ended is unknown"
            )
            hint = "its lines may tell: fargatectl logs; then run the same command again"
            raise AwsFailure(message, operation="ecs:DescribeTasks", code="MISSING", hint=hint)
        return self._task

    def _end_if_due(self, began: float) -> None:
        if self._ending:
            self._require_stopping()
            return
        timeout = self._view.timeout
        if self._stopped() and self._leaves:
            message = f"the job {self._view.name} still runs, and goes on in AWS"
            raise JobGoesOn(message, hint="the next deploy waits for its end")
        if self._stopped():
            self._stop("interrupted", "interrupted by whoever ran it")
        elif timeout is not None and self._aws.monotonic() - began >= timeout:
            self._stop("timeout", f"it ran longer than its timeout of {timeout:.0f} s")
        elif self._aws.monotonic() - began >= _LONGEST_SECONDS:
            message = f"the job {self._view.name} still runs after a day, and goes on in AWS"
            raise JobGoesOn(message, hint="give it a `timeout`, or run the same command again to go on waiting")

    def _require_stopping(self) -> None:
        if self._aws.monotonic() - self._asked_at > _STOPPING_SECONDS:
            message = f"ECS has not stopped the task of the job {self._view.name} within {_STOPPING_SECONDS:.0f} s"
            hint = "look at it in the console, then run the same command again"
            raise AwsFailure(message, operation="ecs:StopTask", code="Timeout", hint=hint)

    def _stop(self, why: str, reason: str) -> None:
        self._ending, self._asked_at = why, self._aws.monotonic()
        self._aws.ecs.stop_task(cluster=self._view.cluster, task=self._task["taskArn"], reason=f"fargatectl: {reason}")

    def _look(self) -> int:
        if self._tail is None or self._lines is None:
            return 0
        said = 0
        try:
            for line in self._tail.lines():
                self._lines(line)
                said += 1
        except AwsFailure as error:
            self._tail = None  # the job goes on all the same
            self._warn(f"its lines cannot be read: {error}")
        return said

    def _drain(self) -> None:
        """Read what the container's driver was still sending when it ended."""
        quiet = 0
        while self._tail is not None and quiet < _QUIET_LOOKS:
            quiet = 0 if self._look() else quiet + 1
            if quiet < _QUIET_LOOKS:
                self._aws.sleep(_POLL_SECONDS)


def exit_code_of(task: Mapping[str, Any], container: str) -> int | None:
    """Return the exit code of a container of a task; None if it never started."""
    found = (one.get("exitCode") for one in task.get("containers", ()) if one.get("name") == container)
    return next(found, None)


def how(end: JobEnd) -> str:
    """Return how a task ended, as the predicate of a sentence."""
    if end.timed_out:
        return f"was stopped at its timeout, after {end.seconds:.0f} s"
    if end.interrupted:
        return "was stopped"
    if end.exit_code is None:
        return "never started"
    said = next((one["reason"] for one in end.task.get("containers", ()) if one.get("reason")), "")
    return f"ended with exit code {end.exit_code}" + (f" ({said})" if said else "")


def running(aws: Aws, view: JobView, *, started_by: str) -> list[Any]:
    """Return the tasks of a job's family that `started_by` started and that have not ended."""
    arns = aws.ecs.list_tasks(cluster=view.cluster, startedBy=started_by)["taskArns"]
    if not arns:
        return []
    found: list[Any] = aws.ecs.describe_tasks(cluster=view.cluster, tasks=arns)["tasks"]
    mine = [one for one in found if one["taskDefinitionArn"].rpartition("/")[2].rpartition(":")[0] == view.family]
    return [one for one in mine if one["lastStatus"] != "STOPPED"]


def job_statuses(aws: Aws, views: Sequence[JobView]) -> tuple[JobStatus, ...]:
    """Return what ECS remembers of the runs of jobs. Raises AwsFailure."""
    try:
        return tuple(aws.each(lambda view: _status(aws, view), views))
    except ClientError as error:
        raise explain(error) from error


def _status(aws: Aws, view: JobView) -> JobStatus:
    tasks = _remembered(aws, view)
    runs = sorted((_run(task, view.name) for task in tasks), key=lambda run: run[0])
    return JobStatus(
        name=view.name,
        service=view.service,
        schedule=view.schedule,
        timezone=view.timezone,
        running=sum(task["lastStatus"] != "STOPPED" for task in tasks),
        last=runs[-1][1] if runs else None,
    )


def _remembered(aws: Aws, view: JobView) -> list[Any]:
    try:
        arns = [
            arn
            for status in _STATUSES
            for arn in aws.ecs.list_tasks(cluster=view.cluster, family=view.family, desiredStatus=status)["taskArns"]
        ]
    except ClientError as error:
        if says(error, "ClusterNotFoundException"):
            return []
        raise
    return aws.ecs.describe_tasks(cluster=view.cluster, tasks=arns[-_TASKS_MAX:])["tasks"] if arns else []


def _run(task: Any, container: str) -> tuple[datetime, JobRun]:  # noqa: ANN401 - ECS's task
    found = JobRun(
        task=task["taskArn"].rpartition("/")[2],
        state=task["lastStatus"],
        started_at=task.get("startedAt"),
        stopped_at=task.get("stoppedAt"),
        exit_code=exit_code_of(task, container),
        reason=task.get("stoppedReason", ""),
    )
    return task["createdAt"], found


def diagnose(aws: Aws, view: JobView, task: Mapping[str, Any], place: Places, serving: str = "") -> Diagnosis:
    """Return why the task of a job failed, by the rules for tasks of services."""
    network = {"subnets": known(view.subnets), "securityGroups": view.security_groups}
    case = gather_task(aws, view.name, task, table=f"services.{view.service}", network=network)
    suspected = suspicion(case)
    if suspected is not None:
        case = with_surroundings(aws, case, suspected.rule.facts)
    return explain_case(case, serving, place)


class Gate:
    """Runs the jobs that come before a deployment; it is the engine's `Prepare`.

    A job runs once in a run, however many services wait for it. One that an earlier run left running is taken up if it
    is of the same revision, and waited for if not: two at once would meet in the same database.
    """

    def __init__(self, context: RunContext, views: Sequence[JobView]) -> None:
        self._context = context
        self._aws = context.aws
        self._views = {view.name: view for view in views}
        self._lock = threading.Lock()
        self._running: dict[str, Future[JobEnd]] = {}

    def __call__(self, name: str, outputs: Mapping[Address, Any]) -> Future[JobEnd]:
        """Return a future of the job's end: `JobFailed` if it did not end with 0."""
        with self._lock:
            if name not in self._running:
                view: JobView = fill(self._views[name], outputs)
                self._running[name] = self._context.executor.submit(self._run, view)
            return self._running[name]

    def _run(self, view: JobView) -> JobEnd:
        self._tell(view, "began")
        try:
            end = self._end_of(view)
        except Exception as error:
            failure = explain(error, f"jobs.task/{view.name}")
            self._tell(view, "failed", error=failure)
            raise failure from error
        self._tell(view, "done", detail=f"exit code {end.exit_code}")
        return end

    def _end_of(self, view: JobView) -> JobEnd:
        task = self._left_running(view)
        if task is None:
            started = start(self._aws, view, token=token_of(self._aws, view), started_by=_BEFORE)
            if isinstance(started, NotPlaced):
                raise self._failure(view, started.as_task(view), f"the job {view.name} could not be started")
            task = started
        end = Watch(self._aws, view, task, stopped=self._context.stopped, leaves=True).run()
        if end.exit_code == 0 and not end.timed_out:
            return end
        raise self._failure(view, end.task, f"the job {view.name} {how(end)}")

    def _left_running(self, view: JobView) -> Any | None:  # noqa: ANN401 - ECS's task
        """Return the task that an earlier run started before a deployment of the same revision."""
        for task in running(self._aws, view, started_by=_BEFORE):
            if task["taskDefinitionArn"] == known(view.definition_arn):
                self._context.tell(f"the job {view.name} runs already, since an earlier run: it is waited for")
                return task
            still = f"the job {view.name} still runs in an older version, since an earlier run"
            self._context.caution(f"{still}: its end is waited for")
            Watch(self._aws, view, task, stopped=self._context.stopped, leaves=True).run()
        return None

    def _failure(self, view: JobView, task: Mapping[str, Any], message: str) -> JobFailed:
        serving = f"What waits for {view.name} was left as it was."
        return JobFailed(message, diagnosis=diagnose(self._aws, view, task, self._context.place, serving))

    def _tell(self, view: JobView, state: StepState, *, detail: str = "", error: FargatectlError | None = None) -> None:
        address = Address(f"jobs.task/{view.name}")
        self._context.emit(StepEvent(address, "run", state, self._aws.now(), f"job {view.name}", detail, error))
