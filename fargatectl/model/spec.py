"""Specs: the desired settings of one resource, in the form in which its live settings are read as well.

The conventions that make one generic diff possible:

- `None` means "not ours": it is never compared and never sent.
- Canonical form is made in `__post_init__`, so that both sides get it.
- A property of a field (immutable, sensitive, its effect on traffic) is said once, with `setting`.
- Tuples of dataclasses that have a `key` are compared by that key, all other tuples as a whole.
"""

from __future__ import annotations

from dataclasses import field, fields, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from fargatectl.dataclass import dataclass
from fargatectl.model.values import Address, fill, sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Set as AbstractSet

S = TypeVar("S", bound="Spec")


class Effect(StrEnum):
    """What a change does to traffic, from harmless to harmful."""

    NONE = "none"
    NEW_DEPLOYMENT = "new_deployment"
    REPLACEMENT = "replacement"
    INTERRUPTION = "interruption"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return _RANKS[self]


_RANKS = {effect: place for place, effect in enumerate(Effect)}


def setting(  # noqa: PLR0913 - one keyword for each property of a field
    *,
    immutable: bool = False,
    effect: Effect = Effect.NONE,
    sensitive: bool = False,
    create_only: bool = False,
    wiring: bool = False,
    partial: bool = False,
    whole: bool = False,
    settled: bool = False,
    **rest: Any,  # noqa: ANN401 - `default`, `default_factory` and the like, as dataclasses.field takes them
) -> Any:  # noqa: ANN401 - like dataclasses.field
    """Declare a field of a spec and say what a change of it means.

    immutable: AWS cannot change it in place; the resource is replaced.
    effect: what changing it in place does to traffic.
    sensitive: its values are never shown.
    create_only: sent when the resource is made, neither compared nor sent afterwards.
    wiring: no setting of the resource but what its reconciler needs beside it, or what must exist before it; neither
    compared nor shown.
    partial: a mapping of which only the keys that we set are ours (tags).
    whole: all of it is ours, so that None at or below it means "absent" and is compared.
    settled: what it takes values from must not only be made but have settled (a rollout that went well).
    """
    said = {
        "immutable": immutable,
        "effect": effect,
        "sensitive": sensitive,
        "create_only": create_only,
        "wiring": wiring,
        "partial": partial,
        "whole": whole,
        "settled": settled,
    }
    return field(metadata=said, **rest)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """Desired settings of a resource. `identity` names the fields that are needed to find it in AWS."""

    identity: ClassVar[tuple[str, ...]] = ("name",)

    tags: Mapping[str, str] = setting(partial=True, default_factory=dict)

    def late(self) -> Mapping[str, AbstractSet[Address]]:
        """Return, per field, the resources that it still waits for."""
        return self._late

    @cached_property
    def _late(self) -> dict[str, frozenset[Address]]:
        # Asked for again and again, and always the same: a spec never changes.
        found = {f.name: frozenset(sources(getattr(self, f.name))) for f in fields(self)}
        return {name: waits for name, waits in found.items() if waits}

    def needs(self) -> AbstractSet[Address]:
        """Return all resources that this one takes a value from."""
        return set().union(*self.late().values())

    def identity_needs(self) -> AbstractSet[Address]:
        """Return the resources without which this one cannot be looked for."""
        late = self.late()
        return set().union(*(late.get(name, set()) for name in self.identity))

    def settled_needs(self) -> AbstractSet[Address]:
        """Return the resources that must have settled before this one is touched."""
        late = self.late()
        return set().union(*(late.get(f.name, set()) for f in fields(self) if f.metadata.get("settled")))

    def parents(self) -> AbstractSet[Address]:
        """Return what this one belongs to, where it takes no tags: what it is found by, or else all that it needs."""
        return self.identity_needs() or self.needs()


def resolve(spec: S, outputs: Mapping[Address, Any]) -> S:
    """Fill in what is known by now. Refs to what is not known stay, and mean "known after apply"."""
    filled = {name: fill(getattr(spec, name), outputs) for name in spec.late()}
    return replace(spec, **filled) if filled else spec
