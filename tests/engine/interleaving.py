"""Runs that want one lock, in every order that a scheduler chooses: one thread runs at a time, from call to call.

Time moves when a call is made, when everybody sleeps, and when the scheduler has somebody's machine stand still.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fargatectl.aws.session import ATTEMPT_SECONDS
from fargatectl.engine.generations import LEASE_SECONDS
from fargatectl.engine.lock import Lease, Lock, World
from fargatectl.errors import AwsFailure, LeaseLost, LockHeld
from fargatectl.model.lock import Generation, Holder, Listing, State

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 1, 1, tzinfo=UTC)
CALL_SECONDS = 0.05
NAME = "shop · prod"


class Write(NamedTuple):
    """A write to AWS of a run that has a generation, at the moment when AWS carried it out."""

    landed_at: float
    generation: int


class Chance(Protocol):
    """Who decides: by a seed, or by trying everything."""

    def pick(self, what: str, options: int) -> int:
        """Return one of 0 … options - 1; 0 is the unremarkable one."""
        ...


class Killed(BaseException):
    """The machine of an actor went away."""


@dataclass
class Shelf:
    """A store that remembers all its states, so that a list may be an old one."""

    clock: Clock
    states: list[dict[int, Generation]] = field(default_factory=lambda: [{}])

    @property
    def now(self) -> dict[int, Generation]:
        return self.states[-1]

    def change(self) -> dict[int, Generation]:
        self.states.append(dict(self.now))
        return self.now

    def list(self, staleness: int = 0) -> Listing:
        state = self.states[max(0, len(self.states) - 1 - staleness)]
        return Listing(tuple(state[number] for number in sorted(state)), self.clock.date())

    def write(self, number: int, holder: Holder, state: State) -> None:
        self.change()[number] = Generation(number, holder, state, LEASE_SECONDS, self.clock.date())

    def drop(self, numbers: Sequence[int]) -> None:
        state = self.change()
        for number in numbers:
            state.pop(number, None)


@dataclass
class Clock:
    seconds: float = 0.0

    def date(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


def _closed() -> threading.Lock:
    """Return a gate: who acquires it waits until somebody releases it."""
    gate = threading.Lock()
    gate.acquire()
    return gate


class Crew:
    """Actors that share a store; `guarded` is whether they look at their lease before they write."""

    def __init__(self, chance: Chance, *, guarded: bool = True) -> None:
        self.clock = Clock()
        self.shelf = Shelf(self.clock)
        self.chance = chance
        self.guarded = guarded
        self.writes: list[Write] = []
        self.dead: set[str] = set()
        self.actors: list[Actor] = []
        self._current = 0
        self._over = _closed()

    def run(self, *actors: Actor) -> None:
        """Run all actors to their end."""
        self.actors = list(actors)
        self.go_on()
        self._over.acquire()
        for actor in self.actors:
            actor.thread.join()
            if actor.bug is not None:
                raise actor.bug

    def go_on(self, here: Actor | None = None) -> None:
        """Choose who goes on, and wait until `here`, who asks for it, is chosen again; at once if it is now.

        The one who runs decides: threads are switched only from one actor to another.
        """
        alive = [actor for actor in self.actors if not actor.finished]
        if not alive:
            self._over.release()
            return
        chosen = self._next(alive)
        self._current = self.actors.index(chosen)
        if chosen is not here:
            chosen.resume()
            if here is not None:
                here.wait()

    def _next(self, alive: list[Actor]) -> Actor:
        """Choose who goes on: first the one that just ran, then the others in turn."""
        turn = sorted(alive, key=lambda actor: (self.actors.index(actor) - self._current) % len(self.actors))
        ready = [actor for actor in turn if actor.wakes_at <= self.clock.seconds]
        if not ready:
            self.clock.seconds = min(actor.wakes_at for actor in alive)
            ready = [actor for actor in turn if actor.wakes_at <= self.clock.seconds]
        return ready[self.chance.pick("actor", len(ready))]

    def interleaved(self) -> bool:
        """Tell whether a generation wrote after another one had begun to."""
        order = [write.generation for write in sorted(self.writes)]
        changes = [number for place, number in enumerate(order) if place == 0 or order[place - 1] != number]
        return len(changes) != len(set(changes))


class Actor:
    """A run: takes the lock, writes some times, releases it. Implements `LockStore` from its own point of view."""

    def __init__(  # noqa: PLR0913 - what a run is like
        self, crew: Crew, name: str, *, writes: int, pause: float, patience: float = 0, dies: int = -1
    ) -> None:
        self.crew = crew
        self.name = name
        self.plan = (writes, pause, patience)
        self.dies = dies
        self.holder = Holder(name, "host", "fargatectl deploy", START, nonce=name)
        self.thread = threading.Thread(target=self._main, daemon=True)
        self.finished = False
        self.outcome = ""
        self.bug: BaseException | None = None
        self.wakes_at = 0.0
        self._go = _closed()

    def resume(self) -> None:
        """Have it begin, or go on."""
        if self.thread.ident is None:
            self.thread.start()
        else:
            self._go.release()

    def wait(self) -> None:
        """Stand still until somebody resumes it."""
        self._go.acquire()

    def _main(self) -> None:
        try:
            self._work()
        except (LockHeld, LeaseLost, AwsFailure, Killed) as end:
            self.outcome = type(end).__name__
            if isinstance(end, Killed):
                self.crew.dead.add(self.name)
        except BaseException as bug:  # noqa: BLE001 - shown by the test's own thread
            self.bug = bug
        self.finished = True
        self.crew.go_on()

    def _work(self) -> None:
        writes, pause, patience = self.plan
        world = World(lambda: self.crew.clock.seconds, self.sleep, Random(self.name), self.is_dead)  # noqa: S311
        lease = Lock(self, NAME, world).take(self.holder, patience=patience)
        for number in range(writes):
            if number == self.dies:
                raise Killed
            self._write(lease)
            self.sleep(pause)
        lease.release()
        self.outcome = "done"

    def _write(self, lease: Lease) -> None:
        self._point()
        lease.renew()
        if self.crew.guarded:
            lease.check(ATTEMPT_SECONDS)
        delay = (0.0, ATTEMPT_SECONDS * 0.5, ATTEMPT_SECONDS)[self.crew.chance.pick("delay", 3)]
        self.crew.writes.append(Write(self.crew.clock.seconds + delay, lease.number))
        self.sleep(delay)

    def is_dead(self, holder: Holder) -> bool:
        return holder.nonce in self.crew.dead

    def sleep(self, seconds: float) -> None:
        self.wakes_at = self.crew.clock.seconds + seconds
        self._point()

    def look(self) -> Listing:
        self._point()
        return self.crew.shelf.list(self.crew.chance.pick("stale", min(4, len(self.crew.shelf.states))))

    def create(self, number: int, holder: Holder, state: State) -> bool:
        self._point()
        if number in self.crew.shelf.now:
            return False
        self.crew.shelf.write(number, holder, state)
        return self.crew.chance.pick("lost answer", 2) == 0  # a lost answer is asked again: "exists already"

    def put(self, number: int, holder: Holder, state: State) -> None:
        self._point()
        if self.crew.chance.pick("failure", 2):
            raise AwsFailure("the answer was lost")
        self.crew.shelf.write(number, holder, state)

    def delete(self, numbers: Sequence[int]) -> None:
        self._point()
        self.crew.shelf.drop(numbers)

    def _point(self) -> None:
        """Let somebody else go on; perhaps this machine stands still meanwhile."""
        stands_still = (0.0, 5.0, 40.0, 90.0, 200.0)[self.crew.chance.pick("pause", 5)]
        self.crew.clock.seconds += CALL_SECONDS
        self.wakes_at = max(self.wakes_at, self.crew.clock.seconds + stands_still)
        self.crew.go_on(self)
