"""The contract between the engine and the concerns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from fargatectl.dataclass import dataclass
from fargatectl.model.change import Action, Delta, diff
from fargatectl.model.ownership import owner_of
from fargatectl.model.spec import Effect, Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet
    from datetime import datetime

    from fargatectl.aws.session import Aws
    from fargatectl.errors import FargatectlError
    from fargatectl.model.ownership import Ownership
    from fargatectl.model.values import Address

S = TypeVar("S", bound=Spec)
O = TypeVar("O")


@dataclass(frozen=True)
class Live(Generic[S, O]):
    """A resource as AWS shows it: its settings in the desired type, its outputs apart, and its physical id.

    `id` (an ARN, or what else is unique in the account) tells the two halves of an unfinished replacement apart.
    `beside` are ids of its other half, where that is going to be needed: what is wanted, but does not serve yet.
    """

    spec: S
    out: O
    id: str
    beside: frozenset[str] = frozenset()


class Reconciler(ABC, Generic[S, O]):
    """Reads and changes one kind of AWS resource. Stateless; called from any thread.

    Ordering, ownership, comparison, progress and error words are the engine's: an implementation has none of them.
    """

    kind: ClassVar[str]
    """`<concern>.<kind>`: the first part of the addresses."""

    noun: ClassVar[str]
    """What people call it: "target group"."""

    create_first: ClassVar[bool] = False
    """On replacement, make the new one before the old one goes (its name must differ then). Needed for every kind
    that others use while they live."""

    taggable: ClassVar[bool] = True
    """False where AWS takes no tags; then the parent's tags prove ownership and the engine does not ask."""

    settles: ClassVar[bool] = False
    """True where a make is not over with the call: a rollout follows (see `engine.executor`)."""

    closes_last: ClassVar[bool] = False
    """True for a way in to what its parent stands before: it goes after all that uses the parent, of which somebody
    else may have a part that stays."""

    outlives_deploy: ClassVar[bool] = False
    """True where only a destroy deletes it: a deploy leaves it, even if the file no longer names it."""

    holds: ClassVar[str] = ""
    """A kind: the resource of that kind and of the same name cannot be as it should while one of these is there that
    the file no longer has. That one goes first, then."""

    tagged_as: ClassVar[str | None] = None
    """Its type in the Resource Groups Tagging API, or AWS's service where that is exact enough; "" for what that API
    never shows or what takes no tags. The sweep asks for these types, unless a kind does not say."""

    foresees: ClassVar[bool] = False
    """True where `foresee` has something to ask beside the first reads."""

    effects: ClassVar[Mapping[Action, Effect]] = {}
    """What creating and deleting does to traffic, where it is not nothing."""

    @abstractmethod
    def read(self, aws: Aws, specs: Sequence[S]) -> Sequence[Live[S, O] | None | FargatectlError]:
        """Return what is there, one answer per spec and in their order; None for absent.

        Makes no mutating call. Only the identity of a spec is sure to be known; other fields may hold Refs. Being gone
        includes AWS's half-lives (an INACTIVE service, a secret scheduled for deletion).
        """

    def look_again(self, aws: Aws, live: Live[S, O]) -> Live[S, O] | None | FargatectlError:
        """Return `live` as it is now. Override where something else may be what `read` finds by its settings."""
        (found,) = self.read(aws, [live.spec])
        return found

    @abstractmethod
    def create(self, aws: Aws, spec: S) -> O:
        """Make it, tags in the creating call wherever AWS lets us. Must cope with its own earlier success."""

    def replace(self, aws: Aws, live: Live[S, O], spec: S) -> O:
        """Make it anew. With `create_first`, `live` is there still, and goes once its users have moved."""
        del live
        return self.create(aws, spec)

    @abstractmethod
    def update(self, aws: Aws, live: Live[S, O], spec: S, delta: Delta) -> O:
        """Bring what `delta` names to `spec`, in place. Must not touch what `delta` does not name."""

    @abstractmethod
    def delete(self, aws: Aws, live: Live[S, O]) -> None:
        """Delete it and return when it is gone. "Already gone" is success."""

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[Live[S, O]]:
        """Return what carries `owner`'s tags, except what has a physical id in `known`."""
        del aws, owner, known
        return ()

    def foresee(self, aws: Aws, owner: Ownership) -> None:
        """Ask for what `owned` is going to ask for whatever is found; `aws.reads` keeps the answers."""

    def compare(self, spec: S, live: Live[S, O]) -> Delta:
        """Return what differs. Override only to add what no field can say."""
        return diff(spec, live.spec)

    def match(self, spec: S, live: Live[S, O]) -> Live[S, O]:
        """Return the live half to compare with `spec`, where `read` found more than one."""
        del spec
        return live

    def meanwhile(self, spec: S, live: Live[S, O]) -> S:
        """Return what an update makes of `live` until every rollout is over: `spec`, and what the old revision needs.

        What `spec` takes away from running tasks (a right, a way in) goes once these are gone. `spec` itself means
        that nothing need stay.
        """
        del live
        return spec

    def health(self, aws: Aws, lives: Sequence[Live[S, O]]) -> Sequence[object]:
        """Return what `status` shows of each, one answer per live resource and in their order."""
        del aws
        return [None for _ in lives]

    def renews(self, delta: Delta) -> bool:
        """Tell whether an update of `delta` yields a new physical thing, so that its outputs are unknown until then."""
        del delta
        return False

    def kept(self, live: Live[S, O]) -> bool:
        """Tell whether it outlives its app because the file once said so; then it is told as kept, never deleted."""
        del live
        return False

    def is_empty(self, live: Live[S, O]) -> bool:
        """Tell whether only what it hangs on is there, so that nothing is left of it to delete."""
        del live
        return False

    def loss(self, live: Live[S, O], successor: S | None) -> Effect:
        """Return what deleting `live` does to traffic, once everything that is wanted has been made.

        `successor` is what the file wants at the address of `live`, where that is now another resource; values that
        nobody knows yet are Refs.
        """
        del live, successor
        return self.effects.get(Action.DELETE, Effect.NONE)

    def whose(self, live: Live[S, O]) -> str:
        """Say in a phrase whose `live` is; for a refusal."""
        return owner_of(live.spec.tags)

    def summary(self, spec: S) -> str:
        """Return a phrase for `spec`: "target group for web"."""
        return f"{self.noun} {getattr(spec, 'name', '')}".strip()

    def farewell(self, live: Live[S, O], now: datetime) -> str:
        """Return what is to be said of what was deleted just now, such as how long it can be had back, or nothing."""
        del live, now
        return ""

    def detail(self, out: O) -> str:
        """Return a short result to show when a step is done ("shop-web:8"), or nothing."""
        del out
        return ""


class Lookup(ABC, Generic[S, O]):
    """Finds what exists already and is not ours: a VPC, a certificate, a secret. Read, never owned.

    `guards` says that its failure stops a destroy too, which else needs nothing of what it finds.
    """

    kind: ClassVar[str]
    guards: ClassVar[bool] = False

    @abstractmethod
    def read(self, aws: Aws, specs: Sequence[S]) -> Sequence[O | FargatectlError]:
        """Return what was found, one answer per spec and in their order; `NotFoundError` for what does not exist."""


AnyReconciler = Reconciler[Any, Any]
AnyLookup = Lookup[Any, Any]
AnyLive = Live[Any, Any]


@dataclass(frozen=True)
class Resource(Generic[S, O]):
    """One declared resource: where it stands in the stack, what is wanted, and who brings it about."""

    address: Address
    reconciler: Reconciler[S, O]
    spec: S
    group: str


@dataclass(frozen=True)
class Source(Generic[S, O]):
    """One declared look-up."""

    address: Address
    lookup: Lookup[S, O]
    spec: S
