"""Executing a plan: each step after the steps that it waits for (see `steps`).

A failed step skips what depends on it and nothing else.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from fargatectl.aws.errors import explain
from fargatectl.dataclass import dataclass
from fargatectl.engine.fresh import Proofs
from fargatectl.engine.graph import walk
from fargatectl.engine.secrecy import withhold
from fargatectl.engine.steps import order
from fargatectl.errors import FargatectlError, PlanChanged, Stopped
from fargatectl.model.change import Action, Delta
from fargatectl.model.events import StepEvent
from fargatectl.model.spec import resolve
from fargatectl.model.values import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor, Future

    from fargatectl.aws.session import Aws
    from fargatectl.engine.planner import Planning
    from fargatectl.engine.reconciler import AnyLive, AnyReconciler
    from fargatectl.engine.steps import Step
    from fargatectl.model.events import Emit, StepState, StepVerb


class Settle(Protocol):
    """Follows what a make has set going, such as a rollout; `rollout` implements it, `cli` injects it."""

    def __call__(self, address: Address, outputs: Mapping[Address, Any], *, changed: bool) -> Future[Any]:
        """Return a future of the end: its result when it went well, its exception when not.

        `outputs` are those of the resource at `address` and of all that it needs.
        """
        ...


class Prepare(Protocol):
    """Does what must come before a new deployment; `rollout` implements it, `cli` injects it."""

    def __call__(self, name: str, outputs: Mapping[Address, Any]) -> Future[Any]:
        """Return a future of the end of `name`; with an exception the resource is left as it is.

        `outputs` are those of all that has been made or read so far.
        """
        ...


@dataclass
class Outcome:
    """What became of an execution. `applied` counts steps that changed AWS.

    `postponed` is what nobody waits for the rollouts to take away: the next run does it.
    """

    applied: int = 0
    failed: dict[Address, FargatectlError] = field(default_factory=dict)
    skipped: dict[Address, Address] = field(default_factory=dict)
    left: tuple[Address, ...] = ()
    postponed: tuple[Address, ...] = ()
    outputs: dict[Address, Any] = field(default_factory=dict)
    settled: dict[Address, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Tell whether everything that was planned has been done."""
        return not (self.failed or self.skipped or self.left)


def execute(  # noqa: PLR0913 - the environment of an execution
    planning: Planning,
    aws: Aws,
    executor: Executor,
    *,
    emit: Emit,
    settle: Settle | None = None,
    prepare: Prepare | None = None,
    stopped: Callable[[], bool] = lambda: False,
    wide: int | None = None,
) -> Outcome:
    """Carry out `planning`, at most `wide` steps at the same time. Without `settle` nothing is followed, and drops are
    left to the next run.

    `prepare` may be left out for a stack in which nothing precedes anything: else ValueError.

    When `stopped` says so (Ctrl-C), no new step begins and the running ones end; `Outcome.left` names the rest.
    """
    return _Execution(planning, aws, executor, emit, settle, prepare, stopped).run(wide)


class _Execution:
    def __init__(  # noqa: PLR0913 - the environment of one execution
        self,
        planning: Planning,
        aws: Aws,
        executor: Executor,
        emit: Emit,
        settle: Settle | None,
        prepare: Prepare | None,
        stopped: Callable[[], bool],
    ) -> None:
        self.planning = planning
        self.stack = planning.stack
        self.aws = aws
        self.executor = executor
        self.emit = emit
        self.settle = settle
        self.prepare = prepare
        self.stopped = stopped
        self.outputs = dict(planning.outputs)
        self.order = order(planning, follows=settle is not None, prepares=prepare is not None)
        self.swept = self.order.swept
        self.proofs = Proofs(planning, aws)
        self.interim: dict[Address, Delta] = {}
        self.outcome = Outcome()

    def run(self, wide: int | None) -> Outcome:
        result = walk(self.order.waits, self.visit, self.executor, wide=wide, stopped=self.stopped, on_skip=self._skip)
        ended = [step for step, error in result.failed.items() if isinstance(error, Stopped)]
        for step in result.failed.keys() - ended:
            self.outcome.failed[step.address] = explain(result.failed[step], step.address)
        for step, blame in result.skipped.items():
            if self._does_something(step) and step.address not in self.outcome.failed:
                self.outcome.skipped.setdefault(step.address, blame.address)
        left = [step.address for step in [*ended, *result.unvisited] if self._does_something(step)]
        self.outcome.left = tuple(dict.fromkeys(left))
        self.outcome.outputs = self.outputs
        self.outcome.postponed = tuple(dict.fromkeys(self.order.postponed))
        return self.outcome

    def _does_something(self, step: Step) -> bool:
        if step.verb != "make":
            return True
        return self.planning.planned[step.address].change.action != Action.NOOP

    def visit(self, step: Step) -> Any:  # noqa: ANN401 - a kind's outputs, or the future of a settle
        if step.verb == "make":
            return self._make(step.address)
        if step.verb == "prepare":
            assert self.prepare is not None  # noqa: S101 - no prepare step is planned without it
            return self.prepare(self.stack.preludes[step.address].name, self.outputs)
        if step.verb == "settle":
            assert self.settle is not None  # noqa: S101 - no settle step is planned without it
            changed = self.planning.planned[step.address].change.action != Action.NOOP
            return self._settled(step.address, self.settle(step.address, self.outputs, changed=changed))
        return self._retire(step.address) if step.verb == "retire" else self._drop(step)

    def _settled(self, address: Address, future: Future[Any]) -> Future[Any]:
        def keep(done: Future[Any]) -> None:
            if done.exception() is None:
                self.outcome.settled[address] = done.result()

        future.add_done_callback(keep)
        return future

    def _make(self, address: Address) -> None:
        resource = self.stack.resources[address]
        planned = self.planning.planned[address]
        action, live = planned.change.action, planned.live
        how, spec = resource.reconciler, resolve(resource.spec, self.outputs)
        if live is None:
            self._step(address, "create", lambda: self._record(address, how.create(self.aws, spec)))
            return
        if action == Action.REPLACE:
            old = live
            self._step(address, "create", lambda: self._record(address, how.replace(self.aws, old, spec)))
            return
        live = how.match(spec, live)
        delta = how.compare(spec, live)
        if delta and self.proofs.expired:
            live = how.match(spec, self._as_it_is_now(address, live, adopting=action == Action.ADOPT))
            delta = how.compare(spec, live)
        self._check_covered(address, planned.change.fields, delta)
        interim = how.meanwhile(spec, live)
        delta = how.compare(interim, live)
        self.interim[address] = delta
        if not delta:
            self.outputs[address] = live.out
            return
        verb: StepVerb = "adopt" if action == Action.ADOPT else "update"
        self._step(address, verb, lambda: self._record(address, how.update(self.aws, live, interim, delta)))

    def _retire(self, address: Address) -> None:
        """Take away what an update left to the old revision, if it is still there."""
        resource, planned = self.stack.resources[address], self.planning.planned[address]
        assert planned.live is not None  # noqa: S101 - only an update in place leaves anything
        how, spec = resource.reconciler, resolve(resource.spec, self.outputs)
        adopting = planned.change.action == Action.ADOPT
        live = how.match(spec, self._as_it_is_now(address, planned.live, adopting=adopting))
        delta = how.compare(spec, live)
        if delta:
            self._check_covered(address, Delta((*planned.change.fields, *self.interim[address])), delta)
            self._step(address, "update", lambda: self._record(address, how.update(self.aws, live, spec, delta)))

    def _as_it_is_now(self, address: Address, live: AnyLive, *, adopting: bool = False) -> AnyLive:
        how = self.stack.resources[address].reconciler
        if not how.taggable and not adopting:
            self.proofs.parents(address)
        found = self.proofs.again(how, live, adopting=adopting)
        if found is None:
            message = f"{address}: {how.summary(live.spec)} is gone since the plan was made"
            raise PlanChanged(message, hint="run the same command again to see a new plan")
        return found

    def _record(self, address: Address, out: Any) -> str:  # noqa: ANN401 - a kind's outputs
        self.outputs[address] = out
        return self.stack.resources[address].reconciler.detail(out)

    def _check_covered(self, address: Address, shown: Delta, found: Delta) -> None:
        """Applying may not contradict what was shown: every change must be at or below a place that the plan named."""
        for change in found:
            if not any(change.path == seen or change.path.startswith((f"{seen}.", f"{seen}[")) for seen in shown.paths):
                message = f"{address}: {change.path} is not what it was when the plan was made"
                raise PlanChanged(message, hint="run the same command again to see a new plan")

    def _drop(self, step: Step) -> None:
        if step in self.swept:
            orphan = self.swept[step]
            self._step(step.address, "delete", lambda: self._delete(orphan.reconciler, orphan.live))
            return
        live = self.planning.planned[step.address].live
        assert live is not None  # noqa: S101 - only what is there is dropped
        how = self.stack.resources[step.address].reconciler
        self._step(step.address, "delete", lambda: self._delete(how, live))

    def _delete(self, how: AnyReconciler, live: AnyLive) -> str:
        now = self.proofs.again(how, live) if self.proofs.expired else live
        if now is None:
            return ""
        how.delete(self.aws, now)
        return how.farewell(now, self.aws.now())

    def _step(self, address: Address, verb: StepVerb, do: Callable[[], str]) -> None:
        self._tell(address, verb, "began")
        try:
            detail = do()
        except Stopped:
            self._tell(address, verb, "skipped")
            raise
        except Exception as error:
            failure = explain(error, address)
            if address in self.stack.resources:
                failure = withhold(failure, self.stack.resources[address].spec)
            self._tell(address, verb, "failed", error=failure)
            raise failure from error
        self.outcome.applied += 1
        self._tell(address, verb, "done", detail=detail)

    def _skip(self, step: Step, blame: Step) -> None:
        if self._does_something(step) and step.verb not in {"settle", "prepare"}:
            verb: StepVerb = "delete" if step.verb == "drop" else self._verb(step.address)
            self._tell(step.address, verb, "skipped", because=self._blamed(blame))

    def _blamed(self, step: Step) -> Address:
        if step.verb == "prepare":
            return Address(f"jobs.task/{self.stack.preludes[step.address].name}")
        return step.address

    def _verb(self, address: Address) -> StepVerb:
        action = self.planning.planned[address].change.action
        verbs: dict[Action, StepVerb] = {Action.CREATE: "create", Action.REPLACE: "create", Action.ADOPT: "adopt"}
        return verbs.get(action, "update")

    def _tell(  # noqa: PLR0913 - the parts of an event
        self,
        address: Address,
        verb: StepVerb,
        state: StepState,
        *,
        detail: str = "",
        error: FargatectlError | None = None,
        because: Address | None = None,
    ) -> None:
        summary = self._summary(address)
        self.emit(StepEvent(address, verb, state, self.aws.now(), summary, detail, error, because))

    def _summary(self, address: Address) -> str:
        if address in self.planning.planned:
            return self.planning.planned[address].change.summary
        return next(orphan.change.summary for orphan in self.planning.swept if orphan.change.address == address)
