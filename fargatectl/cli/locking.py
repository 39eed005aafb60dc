"""The lock around what a command writes: taken after the consent, before the first write, released at the end.

A plan is as good as what was read for it. Once the lock is ours, a plan that is old, or older than the end of another
run, is made again; it must be the one that was consented to.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fargatectl.aws.lockstore import ParameterRecords
from fargatectl.config.scalars import Seconds
from fargatectl.engine.fresh import FRESH_SECONDS
from fargatectl.engine.generations import LEASE_SECONDS, Generations
from fargatectl.engine.lock import Lock, World
from fargatectl.errors import FargatectlError, PlanChanged, UsageError
from fargatectl.model.change import Action
from fargatectl.model.events import LogEvent
from fargatectl.model.names import lock_path
from fargatectl.render import machine
from fargatectl.render.words import stack_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal

    from fargatectl.cli.context import Target
    from fargatectl.cli.options import LockOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.lock import Lease
    from fargatectl.engine.planner import Planning
    from fargatectl.model.plan import Plan

_CLOCK_SECONDS = 2  # AWS's Date header has whole seconds, and an answer takes its time
_PATIENCE = Seconds(0, 86400)
_NO_LOCK = "--no-lock: another run may change the same things at the same time"


class Held:
    """What a command knows of its turn: whether plans are still good, and that everything of the app is gone."""

    def __init__(self, lease: Lease | None) -> None:
        self._lease = lease
        self.gone = False
        """Whether the lock goes too, without a trace: set by a destroy that left nothing."""

    def still_true(self, planning: Planning, there: Target, again: Callable[[], Planning]) -> Planning:
        """Return a plan that is fresh; raise `PlanChanged` if AWS is no longer what was shown while somebody thought.

        `again` plans once more.
        """
        age = there.aws.monotonic() - planning.read_at
        if age <= FRESH_SECONDS and not self._others_wrote(planning.plan, age):
            return planning
        there.aws.reads.clear()
        fresh = again()
        if machine.plan(fresh.plan) != machine.plan(planning.plan):
            message = "AWS has changed since the plan was made; nothing was changed by this run"
            raise PlanChanged(message, hint="run the same command again to see a new plan")
        return fresh

    def _others_wrote(self, plan: Plan, age: float) -> bool:
        """Tell whether another run may have written in the last `age` seconds."""
        if self._lease is None:
            return False
        if self._lease.quiet_for is None:  # the first run; or an app that another run destroyed meanwhile
            return bool(plan.unchanged) or any(change.action is not Action.CREATE for change in plan.changes)
        return self._lease.quiet_for <= age + _CLOCK_SECONDS


def patience(options: LockOptions) -> int:
    """Return the seconds to wait for the lock. Raises UsageError."""
    text = options.lock_timeout
    try:
        return _PATIENCE.parse(int(text) if text.isdecimal() else text)
    except ValueError as error:
        raise UsageError(f"--lock-timeout: {error}") from error


@contextmanager
def locked(plan: Plan, there: Target, options: LockOptions, surroundings: Surroundings, command: str) -> Iterator[Held]:
    """Have the lock while this lasts, if `plan` has something to write. Raises `LockHeld`, `AwsFailure`.

    From then on the first signal ends the run in good order: what it did and did not do is told, the lock released.
    """
    if not plan:
        yield Held(None)
        return
    if options.no_lock:
        _say(_NO_LOCK, there, surroundings, "warning")
        with _to_the_end(surroundings):
            yield Held(None)
        return
    holder = surroundings.machine.holder(command, surroundings.environ, there.aws.now(), surroundings.random)
    lock = lock_of(there, surroundings)
    lease = lock.take(
        holder,
        patience=patience(options),
        on_wait=lambda whom: _say(f"waiting for the lock: {whom}", there, surroundings),
    )
    held = Held(lease)
    there.aws.lease = lease
    try:
        if (dead := lease.taken_from) is not None:
            _say(f"took over the lock from a run that ended without releasing it: {dead.holder}", there, surroundings)
        with _to_the_end(surroundings):
            yield held
    finally:
        there.aws.lease = None
        _release(lease, held, there, surroundings)


@contextmanager
def _to_the_end(surroundings: Surroundings) -> Iterator[None]:
    surroundings.signals.writing = True
    with surroundings.signals.deferred(lambda: None):
        yield


def lock_of(there: Target, surroundings: Surroundings) -> Lock:
    """Return the lock of what a command works on."""
    owner = there.stack.owner
    store = Generations(ParameterRecords(there.aws, lock_path(owner)), owner)
    world = World(there.aws.monotonic, there.aws.sleep, surroundings.random, surroundings.machine.is_dead)
    return Lock(store, stack_name(owner.app, owner.environment), world)


def forget(there: Target, options: LockOptions, surroundings: Surroundings) -> None:
    """Delete what finished runs left of the lock, of an app of which nothing else is left."""
    if options.no_lock:
        return
    try:
        lock_of(there, surroundings).forget()
    except FargatectlError as error:
        _say(f"what is left of the lock could not be looked for: {error.message}", there, surroundings, "warning")


def _release(lease: Lease, held: Held, there: Target, surroundings: Surroundings) -> None:
    """Release the lock; that it cannot be done is no failure of the run, for its lease ends by itself."""
    try:
        with surroundings.signals.deferred(lambda: None):
            lease.release(gone=held.gone)
    except FargatectlError as error:
        message = f"the lock was not released, and ends by itself in {LEASE_SECONDS:.0f} s: {error.message}"
        _say(message, there, surroundings, "warning")


def _say(message: str, there: Target, surroundings: Surroundings, level: Literal["info", "warning"] = "info") -> None:
    if surroundings.json:
        surroundings.voice.event(machine.event(LogEvent(message, there.aws.now(), level)))
    else:
        surroundings.voice.prose(message, "bold yellow" if level == "warning" else "dim")
