from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

import pytest

from fargatectl.engine.generations import LEASE_SECONDS
from fargatectl.engine.lock import LOOKS, MARGIN_SECONDS, RENEWAL_SECONDS, Lock, World
from fargatectl.errors import AwsFailure, LeaseLost, LockHeld, Refused
from fargatectl.model.lock import Holder, Listing, State
from tests.engine.interleaving import START, Clock, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FIRST = int(START.timestamp())


@dataclass
class Desk:
    """One run's view of the shelf. `meanwhile` happens after its next write or sleep; the others are its bad luck."""

    shelf: Shelf
    name: str
    dead: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    staleness: list[int] = field(default_factory=list)
    broken: bool = False
    loses_answers: bool = False
    meanwhile: Callable[[], object] | None = None

    @property
    def lock(self) -> Lock:
        world = World(self.seconds, self.sleep, Random(1), lambda holder: holder.nonce in self.dead)  # noqa: S311
        return Lock(self, "shop", world)

    @property
    def holder(self) -> Holder:
        return Holder(self.name, "host", "fargatectl deploy", START, nonce=self.name)

    def seconds(self) -> float:
        return self.shelf.clock.seconds

    def sleep(self, seconds: float) -> None:
        self.shelf.clock.seconds += seconds
        self._happen()

    def look(self) -> Listing:
        self._call("look")
        return self.shelf.list(self.staleness.pop(0) if self.staleness else 0)

    def create(self, number: int, holder: Holder, state: State) -> bool:
        self._call("create")
        if number in self.shelf.now:
            return False
        self.shelf.write(number, holder, state)
        self._happen()
        return not self.loses_answers

    def put(self, number: int, holder: Holder, state: State) -> None:
        self._call("put")
        self.shelf.write(number, holder, state)
        self._happen()

    def delete(self, numbers: Sequence[int]) -> None:
        self._call("delete")
        self.shelf.drop(numbers)

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if self.broken:
            raise AwsFailure("AWS could not be reached")

    def _happen(self) -> None:
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            happening()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf(clock: Clock) -> Shelf:
    return Shelf(clock)


@pytest.fixture
def ann(shelf: Shelf) -> Desk:
    return Desk(shelf, "ann")


@pytest.fixture
def bob(shelf: Shelf) -> Desk:
    return Desk(shelf, "bob")


def states(shelf: Shelf) -> dict[int, State]:
    return {number: generation.state for number, generation in shelf.now.items()}


def test_taking_is_three_calls_and_the_first_generation_is_aws_date(ann: Desk, shelf: Shelf) -> None:
    lease = ann.lock.take(ann.holder)
    assert lease.number == FIRST
    assert ann.calls == ["look", "create", "look"]
    assert states(shelf) == {FIRST: State.HELD}
    assert (lease.taken_from, lease.quiet_for) == (None, None)


def test_a_release_lets_the_next_have_the_next_generation_and_keeps_only_the_newest(
    ann: Desk, bob: Desk, shelf: Shelf
) -> None:
    ann.lock.take(ann.holder).release()
    assert states(shelf) == {FIRST: State.RELEASED}
    shelf.clock.seconds += 30
    lease = bob.lock.take(bob.holder)
    assert (lease.number, lease.quiet_for, lease.taken_from) == (FIRST + 1, 30, None)
    lease.release()
    assert states(shelf) == {FIRST + 1: State.RELEASED}


def test_who_comes_second_is_told_who_has_it_and_for_how_long(ann: Desk, bob: Desk, shelf: Shelf) -> None:
    ann.lock.take(ann.holder)
    shelf.clock.seconds += 30
    before = states(shelf)
    with pytest.raises(
        LockHeld, match=r"shop is locked by ann at host \(fargatectl deploy\) since .*100 s more"
    ) as held:
        bob.lock.take(bob.holder)
    assert f"fargatectl unlock {FIRST}" in held.value.hint
    assert states(shelf) == before
    assert bob.calls == ["look"]


def test_who_is_patient_gets_it_after_the_release(ann: Desk, bob: Desk) -> None:
    lease = ann.lock.take(ann.holder)
    told: list[str] = []
    bob.meanwhile = lease.release
    assert bob.lock.take(bob.holder, patience=60, on_wait=told.append).number == FIRST + 1
    assert told == [f"the app shop is locked by {ann.holder}"]


def test_patience_ends(ann: Desk, bob: Desk, clock: Clock) -> None:
    ann.lock.take(ann.holder)
    with pytest.raises(LockHeld):
        bob.lock.take(bob.holder, patience=60)
    assert 60 <= clock.seconds < 61


def test_a_silent_holder_is_followed_when_its_lease_has_ended_on_awss_clock(
    ann: Desk, bob: Desk, shelf: Shelf, clock: Clock
) -> None:
    lost = ann.lock.take(ann.holder)
    clock.seconds = LEASE_SECONDS + MARGIN_SECONDS - 1
    with pytest.raises(LockHeld):
        bob.lock.take(bob.holder)
    clock.seconds += 1
    lease = bob.lock.take(bob.holder)
    assert lease.taken_from == shelf.now[FIRST]
    assert lease.quiet_for == 0
    with pytest.raises(LeaseLost):
        lost.check(0)


def test_a_dead_holder_is_followed_at_once(ann: Desk, bob: Desk) -> None:
    ann.lock.take(ann.holder)
    bob.dead.add("ann")
    lease = bob.lock.take(bob.holder)
    assert lease.taken_from is not None
    assert lease.taken_from.holder == ann.holder


def test_a_holder_stops_before_others_may_begin(ann: Desk, clock: Clock) -> None:
    lease = ann.lock.take(ann.holder)
    lease.check(25)
    clock.seconds = LEASE_SECONDS - MARGIN_SECONDS - 25
    with pytest.raises(LeaseLost, match="could not be renewed"):
        lease.check(25)


def test_the_deadline_counts_from_before_the_call_was_sent(ann: Desk, clock: Clock) -> None:
    def slow() -> None:
        clock.seconds += 60

    ann.meanwhile = slow
    lease = ann.lock.take(ann.holder)
    clock.seconds = LEASE_SECONDS - MARGIN_SECONDS
    with pytest.raises(LeaseLost):
        lease.check(0)


def test_a_renewal_comes_when_it_is_due_and_not_before(ann: Desk, bob: Desk, clock: Clock) -> None:
    lease = ann.lock.take(ann.holder)
    ann.calls.clear()
    clock.seconds = RENEWAL_SECONDS - 1
    lease.renew()
    assert ann.calls == []
    for _ in range(20):
        clock.seconds += RENEWAL_SECONDS
        lease.renew()
        lease.check(25)
    with pytest.raises(LockHeld):
        bob.lock.take(bob.holder)


def test_one_failed_renewal_is_tried_again_and_many_lose_the_lease(ann: Desk, clock: Clock) -> None:
    lease = ann.lock.take(ann.holder)
    clock.seconds = RENEWAL_SECONDS
    ann.broken = True
    lease.renew()
    lease.check(25)
    ann.broken = False
    clock.seconds += 5
    lease.renew()
    clock.seconds += RENEWAL_SECONDS + 30
    lease.check(25)
    ann.broken = True
    for _ in range(20):
        clock.seconds += 5
        lease.renew()
    with pytest.raises(LeaseLost):
        lease.check(0)


def test_near_the_end_of_the_lease_a_thread_waits_for_the_one_that_renews_it(ann: Desk, clock: Clock) -> None:
    lease = ann.lock.take(ann.holder)
    refusals: list[LeaseLost] = []

    def call() -> None:
        lease.renew()
        try:
            lease.check(25)
        except LeaseLost as error:
            refusals.append(error)

    other = threading.Thread(target=call)

    def another_thread_wants_to_write() -> None:
        clock.seconds = LEASE_SECONDS - MARGIN_SECONDS - 20
        other.start()
        other.join(0.1)  # it has been refused by then, or waits

    clock.seconds = RENEWAL_SECONDS
    ann.meanwhile = another_thread_wants_to_write
    lease.renew()
    other.join()
    assert not refusals


def test_who_wakes_up_after_the_lease_renews_nothing(ann: Desk, bob: Desk, shelf: Shelf, clock: Clock) -> None:
    lease = ann.lock.take(ann.holder)
    clock.seconds = 300
    bob.lock.take(bob.holder)
    ann.calls.clear()
    lease.renew()
    assert ann.calls == []
    with pytest.raises(LeaseLost, match="ended before"):
        lease.check(0)
    before = states(shelf)
    lease.release()
    assert states(shelf) == before


def test_a_renewal_that_old_lists_do_not_show_does_not_count(ann: Desk, clock: Clock) -> None:
    lease = ann.lock.take(ann.holder)
    clock.seconds = RENEWAL_SECONDS
    ann.staleness = [1]
    lease.renew()
    clock.seconds = LEASE_SECONDS
    with pytest.raises(LeaseLost):
        lease.check(0)


def test_a_lost_answer_to_our_own_success_is_no_rival(ann: Desk) -> None:
    ann.loses_answers = True
    assert ann.lock.take(ann.holder).number == FIRST


def test_of_two_with_the_same_number_one_gets_it(ann: Desk, bob: Desk, shelf: Shelf) -> None:
    ann.lock.take(ann.holder)
    bob.staleness = [1]
    with pytest.raises(LockHeld, match="locked by ann"):
        bob.lock.take(bob.holder)
    assert shelf.now[FIRST].holder == ann.holder


def test_who_saw_an_old_list_gives_way_and_takes_nothing_from_the_holder(
    ann: Desk, bob: Desk, shelf: Shelf, clock: Clock
) -> None:
    lease = ann.lock.take(ann.holder)
    clock.seconds = 30
    bob.staleness = [1]
    with pytest.raises(LockHeld, match="locked by ann"):
        bob.lock.take(bob.holder)
    assert states(shelf) == {FIRST: State.HELD, FIRST + 30: State.WITHDRAWN}
    clock.seconds = RENEWAL_SECONDS + 30
    lease.renew()
    clock.seconds = LEASE_SECONDS
    lease.check(0)
    lease.release()
    assert bob.lock.take(bob.holder).number == FIRST + 31


def test_of_two_first_runs_the_lower_goes_on_if_it_looked_before_the_other_came(
    ann: Desk, bob: Desk, shelf: Shelf, clock: Clock
) -> None:
    def rival() -> None:
        clock.seconds += 1
        bob.staleness = [1]
        with pytest.raises(LockHeld, match="locked by ann"):
            bob.lock.take(bob.holder)

    ann.meanwhile = rival
    assert ann.lock.take(ann.holder).number == FIRST
    assert states(shelf) == {FIRST: State.HELD, FIRST + 1: State.WITHDRAWN}


def test_of_two_first_runs_the_higher_goes_on_once_the_lower_gave_way(
    ann: Desk, bob: Desk, shelf: Shelf, clock: Clock
) -> None:
    def give_way() -> None:
        shelf.write(FIRST, ann.holder, State.WITHDRAWN)

    shelf.write(FIRST, ann.holder, State.HELD)
    clock.seconds = 1
    bob.staleness = [1]
    bob.meanwhile = lambda: setattr(bob, "meanwhile", give_way)
    assert bob.lock.take(bob.holder).number == FIRST + 1


def test_lists_that_never_show_our_own_are_not_trusted(ann: Desk, shelf: Shelf) -> None:
    ann.staleness = [0, *[1] * LOOKS]
    with pytest.raises(LockHeld, match="another run is taking"):
        ann.lock.take(ann.holder)
    assert states(shelf) == {FIRST: State.WITHDRAWN}


def test_an_interruption_while_taking_leaves_nothing_held(ann: Desk, shelf: Shelf) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    ann.meanwhile = interrupt
    with pytest.raises(KeyboardInterrupt):
        ann.lock.take(ann.holder)
    assert states(shelf) == {FIRST: State.WITHDRAWN}


def test_unlocking_needs_the_exact_number(ann: Desk, bob: Desk, shelf: Shelf) -> None:
    with pytest.raises(Refused, match="not locked"):
        bob.lock.unlock(FIRST, bob.holder)
    ann.lock.take(ann.holder)
    before = states(shelf)
    with pytest.raises(Refused, match=f"generation {FIRST}, not {FIRST + 1}") as refused:
        bob.lock.unlock(FIRST + 1, bob.holder)
    assert f"fargatectl unlock {FIRST}" in refused.value.hint
    assert states(shelf) == before


def test_who_was_unlocked_stops_and_the_next_goes_on(ann: Desk, bob: Desk, shelf: Shelf, clock: Clock) -> None:
    lease = ann.lock.take(ann.holder)
    assert bob.lock.unlock(FIRST, bob.holder).holder == ann.holder
    assert states(shelf) == {FIRST + 1: State.RELEASED}
    clock.seconds = RENEWAL_SECONDS
    lease.renew()
    with pytest.raises(LeaseLost, match="somebody else had it meanwhile"):
        lease.check(0)
    assert states(shelf) == {FIRST + 1: State.RELEASED}
    assert bob.lock.take(bob.holder).number == FIRST + 2


def test_an_app_that_is_gone_leaves_no_trace(ann: Desk, bob: Desk, shelf: Shelf) -> None:
    ann.lock.take(ann.holder).release()
    bob.lock.take(bob.holder).release(gone=True)
    assert states(shelf) == {}


def test_what_finished_runs_left_is_forgotten_and_what_stands_is_not(ann: Desk, bob: Desk, shelf: Shelf) -> None:
    lease = ann.lock.take(ann.holder)
    bob.lock.forget()
    assert states(shelf) == {FIRST: State.HELD}
    lease.release()
    bob.lock.forget()
    assert states(shelf) == {}


def test_a_record_with_a_longer_lease_is_waited_for_longer(ann: Desk, bob: Desk, shelf: Shelf, clock: Clock) -> None:
    ann.lock.take(ann.holder)
    shelf.change()[FIRST] = replace(shelf.now[FIRST], lease_seconds=600)
    clock.seconds = 500
    with pytest.raises(LockHeld):
        bob.lock.take(bob.holder)
