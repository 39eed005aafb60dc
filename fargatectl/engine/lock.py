"""One deployer at a time: a lease in AWS that a run takes before its first write, and renews while it runs.

AWS's calls take no fencing token, so that no lock can be perfect. Correctness rests on ownership, on comparing again
before each write and on deterministic names; the lock keeps two runs from undoing each other's work.

The protocol, over any `LockStore`:

- A turn is a *generation*: a record that is created once, under a number that nobody used before. Of two runs that
  want the same number, the store lets one create it. Only its creator writes to it afterwards.
- After creating it a run looks again. It gives way to any higher generation, and to any lower one that still stands:
  a list may be old, and a holder may have woken up. Giving way is written down too: a withdrawn generation never had
  the lock, and takes it from nobody.
- A generation stands until it is released, or its lease ends by AWS's clock. The holder itself stops earlier, by its
  own monotonic clock, counted from before the call that took or renewed the lease was sent.
- A renewal counts only if a list that shows it shows nothing higher. So whoever takes over either sees the renewal, or
  is seen. In the same way a second look counts only if it shows what it was made for: however old a list is, it shows
  all that was written before that.
- Every attempt of every mutating call asks `Lease.check` first. A run that slept through its lease stops there.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from fargatectl.dataclass import dataclass
from fargatectl.engine.generations import LEASE_SECONDS
from fargatectl.errors import FargatectlError, LeaseLost, LockHeld, Refused
from fargatectl.model.lock import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from fargatectl.model.lock import Generation, Holder, Listing

MARGIN_SECONDS = 10.0
"""What a holder stops before its lease ends, and others wait after it: AWS's Date header has whole seconds, and the
hosts that send it need not agree to the second."""
RENEWAL_SECONDS = 40.0
"""A third of the lease: one renewal may fail and the next still comes in time."""
RETRY_SECONDS = 5.0
"""After a renewal that failed."""
LOOKS = 5
"""Second looks before giving way: a list may lag behind, and a rival that came too late withdraws at once."""
LOOK_SECONDS = 1.0
WAIT_SECONDS = 5.0
"""Between two attempts of a run that waits for its turn."""


class LockStore(Protocol):
    """Where generations are kept. Any method may raise `AwsFailure`; then nothing is known of what it did."""

    def look(self) -> Listing:
        """Return all generations. They may be older than what was written last."""
        ...

    def create(self, number: int, holder: Holder, state: State) -> bool:
        """Make a generation; False if there is one with this number: somebody's, or our own from a lost answer."""
        ...

    def put(self, number: int, holder: Holder, state: State) -> None:
        """Write a generation that we made: held, with a new lease, or over."""
        ...

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete generations; those that are gone already are no failure."""
        ...


@dataclass(frozen=True)
class Blocked:
    """An attempt that did not get the lock: whose it is, as far as is known, and for how many seconds at most."""

    by: Generation | None
    seconds: float


@dataclass(frozen=True)
class World:
    """What the protocol uses of the world: seconds that never jump, waiting, chance, and whether a holder is dead.

    `is_dead` says so only where it is certain.
    """

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    random: Random
    is_dead: Callable[[Holder], bool]

    def jittered(self, seconds: float) -> float:
        """Return about `seconds`, so that two runs that wait for each other fall out of step."""
        return seconds * (0.5 + self.random.random())


class Lock:
    """The right to write to one app in one environment. `name` is what people call these."""

    def __init__(self, store: LockStore, name: str, world: World) -> None:
        self._store = store
        self._name = name
        self._world = world

    def take(self, holder: Holder, *, patience: float = 0, on_wait: Callable[[str], None] = lambda _: None) -> Lease:
        """Return the lease once it is ours; `on_wait` is told once whom we wait for.

        Raises `LockHeld` when it is not ours after `patience` seconds, and `AwsFailure` if the store fails.
        """
        until = self._world.monotonic() + patience
        told = False
        while True:
            found = self._attempt(holder)
            if isinstance(found, Lease):
                return found
            left = until - self._world.monotonic()
            if left <= 0:
                raise self._held(found)
            if not told:
                on_wait(self._sentence(found))
                told = True
            self._world.sleep(min(left, self._world.jittered(WAIT_SECONDS)))

    def unlock(self, number: int, holder: Holder) -> Generation:
        """End generation `number`, whoever has it, and return it: `holder` puts a released one above it.

        Raises `Refused` unless exactly this generation is held, `AwsFailure` if the store fails.
        """
        listing = self._store.look()
        held = listing.latest
        if held is None or held.state is not State.HELD:
            raise Refused(f"the app {self._name} is not locked; nothing was changed")
        if held.number != number:
            message = f"the lock of {self._name} is generation {held.number}, not {number}: held by {held.holder}"
            raise Refused(message, hint=f"if that run is dead: fargatectl unlock {held.number}")
        if not self._store.create(listing.generations[-1].number + 1, holder, State.RELEASED):
            raise Refused(f"another run has just taken the lock of {self._name}; nothing was changed")
        self._store.delete([each.number for each in listing.generations])
        return held

    def forget(self) -> None:
        """Delete what finished runs left in the store. Where one still stands, everything stays."""
        listing = self._store.look()
        if listing.generations and self._standing(listing) is None:
            self._store.delete([each.number for each in listing.generations])

    def _attempt(self, holder: Holder) -> Lease | Blocked:
        before = self._store.look()
        if (standing := self._standing(before)) is not None:
            return _blocked(standing, before)
        # A name that was deleted may not be used again at once (SSM API Reference, DeleteParameter): a first
        # generation takes its number from AWS's clock, and so is higher than all that were deleted before.
        number = before.generations[-1].number + 1 if before.generations else int(before.at.timestamp())
        sent = self._world.monotonic()
        try:
            created = self._store.create(number, holder, State.HELD)
            found = self._second_look(number, holder, created=created)
        except BaseException:
            self._take_back(number, holder)
            raise
        if isinstance(found, Blocked):
            return found
        return Lease(Turn(self._store, self._name, holder, number, before, found), self._world, sent)

    def _second_look(self, number: int, holder: Holder, *, created: bool) -> Listing | Blocked:
        """Return a list that shows `number` as ours and nobody else in the way, or whom we gave way to.

        Whether the generation is ours, `created` does not tell for sure: the answer to our own success may be lost.
        """
        ours, blocked = created, Blocked(None, LEASE_SECONDS)
        for look in range(LOOKS):
            if look:
                self._world.sleep(self._world.jittered(LOOK_SECONDS))
            listing = self._store.look()
            mine = listing.find(number)
            if mine is not None and mine.holder.nonce != holder.nonce:
                return _blocked(mine, listing)
            ours = ours or mine is not None
            if higher := listing.above(number):
                blocked = _blocked(higher[-1], listing)
                break
            rival = self._standing(listing, besides=number)
            if rival is not None:
                blocked = _blocked(rival, listing)
            elif mine is not None:
                return listing
        if ours:
            self._store.put(number, holder, State.WITHDRAWN)
        return blocked

    def _take_back(self, number: int, holder: Holder) -> None:
        """Give way after something went wrong; what that cannot do either, the end of the lease does."""
        try:
            mine = self._store.look().find(number)
            if mine is not None and mine.holder.nonce == holder.nonce:
                self._store.put(number, holder, State.WITHDRAWN)
        except FargatectlError:
            return

    def _standing(self, listing: Listing, *, besides: int | None = None) -> Generation | None:
        """Return the highest generation that somebody alive may still write under."""
        others = [each for each in reversed(listing.generations) if each.number != besides]
        return next((each for each in others if self._stands(each, listing)), None)

    def _stands(self, generation: Generation, listing: Listing) -> bool:
        if generation.state is not State.HELD or self._world.is_dead(generation.holder):
            return False
        return listing.age(generation) < generation.lease_seconds + MARGIN_SECONDS

    def _sentence(self, found: Blocked) -> str:
        if found.by is None:
            return f"another run is taking the lock of {self._name}"
        return f"the app {self._name} is locked by {found.by.holder}"

    def _held(self, found: Blocked) -> LockHeld:
        hint = "wait for it with --lock-timeout 10m"
        if found.by is None:
            return LockHeld(f"{self._sentence(found)}; nothing was changed", hint=hint)
        lease = f"its lease lasts {found.seconds:.0f} s more unless that run renews it"
        return LockHeld(
            f"{self._sentence(found)}; {lease}; nothing was changed",
            hint=f"{hint}; or, if that run is dead, free it: fargatectl unlock {found.by.number}",
        )


@dataclass(frozen=True)
class Turn:
    """A generation that became ours: what there was when we came, and when it was ours."""

    store: LockStore
    name: str
    holder: Holder
    number: int
    before: Listing
    after: Listing


class Lease:
    """A lock that we have. Safe to use from any thread."""

    def __init__(self, turn: Turn, world: World, sent: float) -> None:
        self._turn = turn
        self._world = world
        self._lost = ""
        self._mutex = threading.Lock()
        self._extend(sent, turn.after)

    @property
    def number(self) -> int:
        """The generation."""
        return self._turn.number

    @property
    def taken_from(self) -> Generation | None:
        """The generation of a run that ended without releasing it, if we took over from one."""
        latest = self._turn.before.latest
        return latest if latest is not None and latest.state is State.HELD else None

    @property
    def quiet_for(self) -> float | None:
        """For how many seconds nobody had had the lock when we came, by AWS's clock; None if nobody is known.

        A run that died may have written until the very end: then it is 0.
        """
        latest = self._turn.before.latest
        if latest is None:
            return None
        return 0.0 if latest.state is State.HELD else self._turn.before.age(latest)

    def renew(self) -> None:
        """Renew the lease if that is due. Raises nothing: what fails is tried again, and `check` has the last word.

        Of several threads one renews it. The others go on meanwhile, or wait for it where the lease is near its end:
        their next call would be refused.
        """
        now = self._world.monotonic()
        if self._lost or now < self._due:
            return
        if not self._mutex.acquire(blocking=now > self._deadline - RENEWAL_SECONDS):
            return
        try:
            if self._world.monotonic() >= self._due:  # nobody has done so meanwhile
                self._renew()
        finally:
            self._mutex.release()

    def _renew(self) -> None:
        sent = self._world.monotonic()
        if self._lost or sent >= self._deadline:
            self._lost = self._lost or "it ended before this run got to renew it"
            return
        self._due = sent + RETRY_SECONDS
        turn = self._turn
        try:
            turn.store.put(turn.number, turn.holder, State.HELD)
            listing = turn.store.look()
            higher = listing.above(turn.number)
            if over := next((each for each in higher if each.state is State.RELEASED), None):
                self._lost = f"somebody else had it meanwhile: {over.holder}"
                turn.store.delete([turn.number])  # ours was deleted with that, and is there again
                return
        except FargatectlError:
            return
        mine = listing.find(turn.number)
        if not higher and mine is not None and mine.renewed_at > self._seen.renewed_at:
            self._extend(sent, listing)

    def _extend(self, sent: float, shown: Listing) -> None:
        mine = shown.find(self._turn.number)
        assert mine is not None  # noqa: S101 - a list without it extends nothing
        self._seen = mine
        self._deadline = sent + LEASE_SECONDS - MARGIN_SECONDS
        self._due = sent + RENEWAL_SECONDS

    def check(self, seconds: float) -> None:
        """Raise `LeaseLost` unless the lease holds for another `seconds`: as long as a call may take to reach AWS."""
        if not self._lost and self._world.monotonic() + seconds < self._deadline:
            return
        why = self._lost or "it is about to end and could not be renewed"
        message = f"this run lost the lock of {self._turn.name} (generation {self.number}): {why}"
        raise LeaseLost(message, hint="what was done stays done; run the same command again")

    def release(self, *, gone: bool = False) -> None:
        """Let others have their turn; `gone` leaves no trace, for an app that is destroyed.

        A lease that was lost is nobody's to release. Raises `AwsFailure` if the store fails: then the lease ends by
        itself.
        """
        turn = self._turn
        with self._mutex:
            if self._lost:
                return
            self._lost = "it was released"
            older = [each.number for each in turn.after.generations if each.number < turn.number]
            if gone:
                turn.store.delete([*older, turn.number])
                return
            turn.store.put(turn.number, turn.holder, State.RELEASED)
            if older:
                turn.store.delete(older)


def _blocked(by: Generation, listing: Listing) -> Blocked:
    return Blocked(by, max(0.0, by.lease_seconds + MARGIN_SECONDS - listing.age(by)))
