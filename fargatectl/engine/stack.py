"""The stack: everything that one file declares, with the edges that follow from the values it shares."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Resource, Source
from fargatectl.model.spec import Spec
from fargatectl.model.values import Address, Late, Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.engine.reconciler import AnyReconciler, Lookup, Reconciler
    from fargatectl.model.ownership import Ownership

S = TypeVar("S", bound=Spec)
O = TypeVar("O")
T = TypeVar("T")


@dataclass(frozen=True)
class Declared(Generic[O]):
    """A handle on something declared: gives late values of its outputs."""

    address: Address

    def ref(self, pick: Callable[[O], T]) -> Ref[T]:
        """Return the value that `pick` takes from the outputs once they are known."""
        return Ref(self.address, pick)


@dataclass(frozen=True)
class Prelude:
    """What must go well before a resource gets a new deployment: its `name`, and what the plan says of it."""

    name: str
    says: str


@dataclass
class Stack:
    """What one file wants. `kinds` is every kind there is, in the order of creation: the sweep goes backward.

    `extra_tags` are the user's own, set on everything that takes tags.
    """

    owner: Ownership
    kinds: Sequence[AnyReconciler]
    extra_tags: Mapping[str, str] = field(default_factory=dict)
    resources: dict[Address, Resource[Any, Any]] = field(default_factory=dict)
    sources: dict[Address, Source[Any, Any]] = field(default_factory=dict)
    notes: list[Late[str]] = field(default_factory=list)
    preludes: dict[Address, Prelude] = field(default_factory=dict)

    def add(self, reconciler: Reconciler[S, O], name: str, spec: S, *, group: str) -> Declared[O]:
        """Declare a resource; our tags are put on it here, and nowhere else. `group` is its headline in a plan."""
        address = Address(f"{reconciler.kind}/{name}")
        if address in self.resources:
            message = f"{address} is declared twice"
            raise ValueError(message)
        if reconciler.taggable:
            spec = replace(spec, tags={**self.extra_tags, **spec.tags, **self.owner.tags(address)})
        self.resources[address] = Resource(address, reconciler, spec, group)
        return Declared(address)

    def find(self, lookup: Lookup[S, O], name: str, spec: S) -> Declared[O]:
        """Declare something that exists already; declared twice with the same name, it is the same."""
        address = Address(f"{lookup.kind}/{name}")
        self.sources.setdefault(address, Source(address, lookup, spec))
        return Declared(address)

    def note(self, sentence: Late[str]) -> None:
        """Have the plan say `sentence`; an empty one is left out."""
        self.notes.append(sentence)

    def precede(self, address: Address, name: str, says: str) -> None:
        """Have `name` (see `engine.executor.Prepare`) come before every new deployment of the resource at `address`."""
        self.preludes[address] = Prelude(name, says)

    def only(self, addresses: Iterable[Address]) -> Stack:
        """Return a stack of the resources at `addresses`, with all look-ups."""
        wanted = set(addresses)
        resources = {address: resource for address, resource in self.resources.items() if address in wanted}
        preludes = {address: prelude for address, prelude in self.preludes.items() if address in wanted}
        return replace(self, resources=resources, preludes=preludes)

    def edges(self) -> dict[Address, AbstractSet[Address]]:
        """Return, per resource, the resources (not the look-ups) that it takes a value from."""
        declared = self.resources.keys()
        return {address: resource.spec.needs() & declared for address, resource in self.resources.items()}

    def in_order(self) -> list[Address]:
        """Return all addresses so that each comes after what it needs; equal ones in the order of declaration."""
        edges = self.edges()
        rank = {address: place for place, address in enumerate(self.resources)}
        done: dict[Address, None] = {}

        def visit(address: Address) -> None:
            if address not in done:
                for need in sorted(edges[address], key=rank.__getitem__):
                    visit(need)
                done[address] = None

        for address in self.resources:
            visit(address)
        return list(done)

    def tagged_types(self, *, absent: bool) -> tuple[str, ...]:
        """Return the types that the sweep of a deploy, or of a destroy, asks the tagging API for; none for all."""
        types = {kind.tagged_as for kind in self.kinds if kind.taggable and (absent or not kind.outlives_deploy)}
        return () if None in types else tuple(sorted(one for one in types if one))

    def check(self) -> None:
        """Raise `ValueError` when a value is taken from something that nobody declared: a bug of ours."""
        for address, resource in self.resources.items():
            if lost := resource.spec.needs() - self.resources.keys() - self.sources.keys():
                message = f"{address} needs {sorted(lost)}, which nobody declared"
                raise ValueError(message)
