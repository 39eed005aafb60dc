"""The steps of a plan, and which of them wait for which.

- *make* comes after the makes of what the resource takes values from.
- *prepare* is what must go well before a resource gets a new deployment (a job), after all that its make needs.
- *settle* follows a make that is not over with the call (a rollout). A make that says so comes after the settle, too.
- *retire* is the second half of an update in place that takes something away: it waits for all settles.
- *drop* comes after the drops of its users; a create-first replacement drops after its users have moved, and every
  drop of a deploy waits for all settles: what the old revision still needs must live until the new one serves.
- Swept deletes come last, in reverse order of kinds; what holds something of a resource goes before that is made.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, NamedTuple

from fargatectl.dataclass import dataclass
from fargatectl.model.change import Action
from fargatectl.model.spec import resolve
from fargatectl.model.values import Address

if TYPE_CHECKING:
    from collections.abc import Mapping, Set as AbstractSet

    from fargatectl.engine.planner import Planning
    from fargatectl.engine.sweep import Swept


class Step(NamedTuple):
    """A unit of execution. `place` tells swept deletes apart; for all others it is 0."""

    verb: Literal["prepare", "make", "settle", "retire", "drop"]
    address: Address
    place: int = 0


_MOVES: tuple[Literal["make", "retire"], ...] = ("make", "retire")
"""The steps after which a user of something that was replaced needs the old one no longer."""


@dataclass
class Order:
    """Every step with the steps that it waits for; the deletes among them that were swept, and what is `postponed`: it
    would have to wait for settles that nobody follows."""

    waits: dict[Step, set[Step]] = field(default_factory=dict)
    swept: dict[Step, Swept] = field(default_factory=dict)
    postponed: list[Address] = field(default_factory=list)


def order(planning: Planning, *, follows: bool, prepares: bool) -> Order:
    """Return the steps of `planning`. `follows` says that settles are waited for, `prepares` that jobs can be run.

    Raises ValueError where a job comes first and none can be run.
    """
    return _Ordering(planning, follows=follows, prepares=prepares).order()


class _Ordering:
    def __init__(self, planning: Planning, *, follows: bool, prepares: bool) -> None:
        self.planning = planning
        self.stack = planning.stack
        self.follows = follows
        self.prepares = prepares
        self.needs: Mapping[Address, AbstractSet[Address]] = self.stack.edges()
        only = planning.only
        self.actions: dict[Address, Action] = {
            a: one.change.action for a, one in planning.planned.items() if only is None or a in only
        }
        self.result = Order()
        self.waits = self.result.waits
        self.settles: set[Step] = set()

    def order(self) -> Order:
        self._add_makes()
        if self.follows:
            self._add_settles()
        self._add_preludes()
        self._add_retirements()
        self._add_drops()
        self._add_swept()
        return self.result

    def _add_makes(self) -> None:
        wanted = {a for a, action in self.actions.items() if action != Action.DELETE and not self._is_unwanted(a)}
        for address in self.actions:
            if address in wanted:
                self.waits[Step("make", address)] = {Step("make", need) for need in self.needs[address] & wanted}

    def _is_unwanted(self, address: Address) -> bool:
        """A resource that is not there and is not to be made: a destroy's NOOP."""
        planned = self.planning.planned[address]
        return planned.change.action == Action.NOOP and planned.live is None

    def _add_settles(self) -> None:
        makes = list(self.waits)
        self.settles = {Step("settle", s.address) for s in makes if self.stack.resources[s.address].reconciler.settles}
        for make in makes:
            needed = self.stack.resources[make.address].spec.settled_needs()
            self.waits[make] |= {Step("settle", address) for address in needed} & self.settles
        self.waits |= {settling: {Step("make", settling.address)} for settling in self.settles}

    def _add_preludes(self) -> None:
        for address in self.stack.preludes:
            make, prepare = Step("make", address), Step("prepare", address)
            if make in self.waits and self.planning.planned[address].change.deploys:
                if not self.prepares:
                    message = f"nobody is there to do what precedes {address}"
                    raise ValueError(message)
                self.waits[prepare] = set(self.waits[make])
                self.waits[make].add(prepare)

    def _add_retirements(self) -> None:
        for address in filter(self._retires, self.actions):
            if self.follows:
                self.waits[Step("retire", address)] = {Step("make", address), *self.settles}
            else:
                self.result.postponed.append(address)

    def _retires(self, address: Address) -> bool:
        """Tell whether the update of a resource takes something away that may be needed until the rollouts are over."""
        planned = self.planning.planned[address]
        if planned.live is None or planned.change.action not in {Action.UPDATE, Action.ADOPT}:
            return False
        resource = self.stack.resources[address]
        spec = resolve(resource.spec, self.planning.outputs)
        return bool(resource.reconciler.meanwhile(spec, planned.live) != spec)

    def _add_drops(self) -> None:
        users: dict[Address, set[Address]] = {}
        for user, needed in self.needs.items():
            for address in needed:
                users.setdefault(address, set()).add(user)
        dropped = [a for a, action in self.actions.items() if action in {Action.DELETE, Action.REPLACE}]
        for address in dropped:
            drop, own = Step("drop", address), Step("make", address)
            waits = {Step("drop", user) for user in users.get(address, ()) if user in dropped}
            waits |= {Step("drop", other) for other in self._behind(address, users) if other in dropped}
            if own in self.waits and not self.stack.resources[address].reconciler.create_first:
                self.waits[own].add(drop)
                waits |= {Step("prepare", address)} & self.waits.keys()
                waits |= self._made_before(address) & self.waits.keys()
            elif own in self.waits:
                if not self.follows:
                    self.result.postponed.append(address)
                    continue
                moves = {Step(verb, user) for user in users.get(address, ()) for verb in _MOVES} & self.waits.keys()
                waits |= {own, *moves, *self.settles}
            self.waits[drop] = waits

    def _behind(self, address: Address, users: Mapping[Address, AbstractSet[Address]]) -> set[Address]:
        """Return what uses the parents of a way in that is to be closed: first it goes, for it may have to stay."""
        resource = self.stack.resources[address]
        if not resource.reconciler.closes_last:
            return set()
        found = {user for parent in resource.spec.parents() for user in users.get(parent, ())}
        return {user for user in found if not self.stack.resources[user].reconciler.closes_last}

    def _made_before(self, address: Address) -> set[Step]:
        """Return the makes to wait for before what cannot stand beside its replacement is dropped.

        So the gap is short, and what a failure keeps from being made anew is kept. Needs that wait for this very drop
        are left out.
        """

        def waits_for_drops(need: Address) -> bool:
            first = need in self.actions and self.stack.resources[need].reconciler.create_first
            replaced = self.actions.get(need) == Action.REPLACE and not first
            return replaced or any(waits_for_drops(deeper) for deeper in self.needs[need])

        return {Step("make", need) for need in self.needs[address] if not waits_for_drops(need)}

    def _add_swept(self) -> None:
        swept = self.result.swept
        swept |= {Step("drop", one.change.address, place + 1): one for place, one in enumerate(self.planning.swept)}
        declared = set(self.waits)
        makes = any(step.verb == "make" for step in declared)
        for step, orphan in swept.items():
            user = self._holds(orphan)
            if user in declared:
                self.waits[user].add(step)
                self.waits[step] = set()
            elif makes and not self.follows:
                self.result.postponed.append(step.address)
            else:
                self.waits[step] = declared | {s for s, other in swept.items() if other.rank > orphan.rank}

    @staticmethod
    def _holds(orphan: Swept) -> Step:
        """Return the make of what cannot be as it should while `orphan` is there."""
        return Step("make", Address(f"{orphan.reconciler.holds}/{orphan.change.address.partition('/')[2]}"))
