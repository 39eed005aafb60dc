"""A kind of resource that lives in a dictionary: the engine's tests need no AWS."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Live, Lookup, Reconciler
from fargatectl.errors import AwsFailure, FargatectlError
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.values import Late, known

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set as AbstractSet

    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership


@dataclass(frozen=True, kw_only=True)
class Thing(Spec):
    name: str
    size: int = 1
    shape: str = setting(immutable=True, default="round")
    parent: Late[str] | None = None
    count: int | None = None
    slow: int = setting(effect=Effect.NEW_DEPLOYMENT, default=0)


@dataclass(frozen=True, kw_only=True)
class Child(Thing):
    identity: ClassVar[tuple[str, ...]] = ("name", "parent")


@dataclass
class World:
    """What exists, by physical id, and what was done to it."""

    things: dict[str, Thing] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    serial: int = 0

    def make(self, spec: Thing) -> str:
        self.serial += 1
        made = f"{spec.name}#{self.serial}"
        self.things[made] = spec
        return made


class Things(Reconciler[Thing, str]):
    kind = "fake.thing"
    noun = "thing"

    def __init__(self, world: World) -> None:
        self.world = world

    def read(self, aws: Any, specs: Sequence[Thing]) -> Sequence[Live[Thing, str] | None | FargatectlError]:
        del aws
        self.world.calls.append(f"read {self.kind} {' '.join(spec.name for spec in specs)}")
        return [self._find(spec) for spec in specs]

    def _find(self, spec: Thing) -> Live[Thing, str] | None:
        for made, have in self.world.things.items():
            same_parent = "parent" not in spec.identity or have.parent == spec.parent
            if have.name == spec.name and type(have) is type(spec) and same_parent:
                return Live(have, made, made)
        return None

    def create(self, aws: Any, spec: Thing) -> str:
        del aws
        self._call("create", spec.name)
        for f in ("parent",):
            known(getattr(spec, f))
        return self.world.make(spec)

    def update(self, aws: Any, live: Live[Thing, str], spec: Thing, delta: Delta) -> str:
        del aws
        self._call("update", f"{spec.name} {','.join(sorted(delta.paths))}")
        tags = {**self.world.things[live.id].tags, **spec.tags}
        count = spec.count if spec.count is not None else self.world.things[live.id].count
        self.world.things[live.id] = replace(spec, tags=tags, count=count)
        return live.out

    def delete(self, aws: Any, live: Live[Thing, str]) -> None:
        del aws
        self._call("delete", live.spec.name)
        self.world.things.pop(live.id, None)

    def owned(self, aws: Any, owner: Ownership, known: AbstractSet[str]) -> Iterable[Live[Thing, str]]:
        del aws
        for made, have in list(self.world.things.items()):
            mine = have.tags.get("fargatectl:address", "").startswith(f"{self.kind}/")
            if mine and made not in known and owner.owns(have.tags):
                yield Live(have, made, made)

    def _call(self, verb: str, what: str) -> None:
        self.world.calls.append(f"{verb} {what}")
        if what.split(maxsplit=1)[0] in self.world.broken:
            raise AwsFailure(f"AWS broke {what}", operation=f"fake:{verb}", code="Broken")


class LastingThings(Things):
    kind = "fake.lasting"
    noun = "lasting thing"
    create_first = True


class Children(Things):
    kind = "fake.child"
    noun = "child"


class Place(Lookup[Thing, str]):
    kind = "fake.place"

    def __init__(self, found: dict[str, str | FargatectlError]) -> None:
        self.found = found

    def read(self, aws: Any, specs: Sequence[Thing]) -> Sequence[str | FargatectlError]:
        del aws
        return [self.found[spec.name] for spec in specs]
