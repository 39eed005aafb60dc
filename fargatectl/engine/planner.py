"""Planning: compare what is wanted with what is there, and decide. Reads only.

`diff` shows the plan, `deploy` executes it, `destroy` is the same walk with *absent*. There is no second code path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.dataclass import dataclass
from fargatectl.engine.observer import observe
from fargatectl.engine.sweep import Swept, sweep
from fargatectl.errors import ConfigError, FargatectlError, NotFoundError, Problem, Refused
from fargatectl.model.change import Action, Change, Delta, creation, worst
from fargatectl.model.ownership import ADDRESS
from fargatectl.model.plan import Plan
from fargatectl.model.spec import Effect, resolve
from fargatectl.model.values import fill, sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set as AbstractSet
    from concurrent.futures import Executor, Future

    from fargatectl.aws.session import Aws
    from fargatectl.engine.observer import Observation
    from fargatectl.engine.reconciler import AnyLive, Resource
    from fargatectl.engine.stack import Stack
    from fargatectl.model.spec import Spec
    from fargatectl.model.values import Address


@dataclass(frozen=True)
class Planned:
    """The decision for one declared resource, and the live half that it was made from."""

    change: Change
    live: AnyLive | None


@dataclass
class Planning:
    """A plan with what it takes to execute it; the live objects never leave the engine.

    `only` are the resources that it is about, None for all; the others are read and left as they are.
    """

    stack: Stack
    plan: Plan
    planned: dict[Address, Planned]
    swept: list[Swept]
    outputs: dict[Address, Any]
    read_at: float
    kept: tuple[str, ...] = ()
    only: AbstractSet[Address] | None = None


def plan(  # noqa: PLR0913 - what the four commands ask of it
    stack: Stack,
    aws: Aws,
    executor: Executor,
    *,
    absent: bool = False,
    adopt: AbstractSet[Address] = frozenset(),
    only: AbstractSet[Address] | None = None,
) -> Planning:
    """Read everything and decide what to do about it.

    absent: nothing is wanted any more (`destroy`). adopt: resources to take over from whoever has them. only: leave
    all others as they are, those included that the file no longer names (`--service`).

    Raises `Refused` for what is not ours, `NotFoundError`/`ConfigError` for what the file names and AWS lacks, and
    `AwsFailure` for what could not be read.
    """
    read_at = aws.monotonic()
    looking: list[Future[Any]] = [
        executor.submit(aws.tagged, stack.owner.tags(), stack.tagged_types(absent=absent)),
        *(executor.submit(kind.foresee, aws, stack.owner) for kind in stack.kinds if kind.foresees),
    ]
    seen = observe(stack, aws, executor)
    for future in looking:
        future.exception()  # the sweep asks for it again, and raises what went wrong
    needless = {a for a, source in stack.sources.items() if absent and not source.lookup.guards}
    _raise(stack, {a: e for a, e in seen.failures.items() if a not in needless})
    decisions = _Decisions(stack, seen, absent=absent, adopt=adopt, only=only)
    for address in stack.in_order():
        decisions.decide(address)
    _raise(stack, decisions.failures)
    if decisions.foreign:
        raise _not_ours(decisions.foreign.values())
    swept: list[Swept] = []
    if only is None or absent:
        lives = [live for live in seen.lives.values() if live is not None]
        claimed = decisions.claimed | {live.id for live in lives}
        claimed |= set() if absent else {id_ for live in lives for id_ in live.beside}
        swept = sweep(stack, aws, claimed, executor, absent=absent, outputs=decisions.outputs)
    if only is not None:
        swept = [orphan for orphan in swept if orphan.live.spec.tags.get(ADDRESS) in only]
    kept = [*decisions.kept, *(orphan.change.summary for orphan in swept if orphan.kept)]
    swept = [orphan for orphan in swept if not orphan.kept]
    planned = decisions.planned
    made = Plan(
        app=stack.owner.app,
        environment=stack.owner.environment,
        account=aws.identity().account,
        region=aws.region,
        changes=(
            *(planned[a].change for a in stack.resources if planned[a].change.action != Action.NOOP),
            *(orphan.change for orphan in swept),
        ),
        unchanged=sum(1 for one in planned.values() if one.change.action == Action.NOOP and one.live),
        notes=() if absent else (*_notes(stack, decisions.outputs), *_preludes(stack, planned)),
    )
    return Planning(stack, made, planned, swept, decisions.outputs, read_at, tuple(dict.fromkeys(kept)), only)


class _Decisions:
    """Decides about one resource after the other, each after what it needs: a decision makes outputs known or not."""

    def __init__(
        self,
        stack: Stack,
        seen: Observation,
        *,
        absent: bool,
        adopt: AbstractSet[Address],
        only: AbstractSet[Address] | None,
    ) -> None:
        self.stack = stack
        self.seen = seen
        self.absent = absent
        self.adopt = adopt
        self.only = only
        self.outputs = {address: seen.outputs[address] for address in stack.sources if address in seen.outputs}
        self.planned: dict[Address, Planned] = {}
        self.foreign: dict[Address, str] = {}
        self.failures: dict[Address, FargatectlError] = {}
        self.kept: list[str] = []
        self._others: set[Address] = set()

    @property
    def claimed(self) -> set[str]:
        """The physical ids that declared resources live in: the sweep leaves them alone."""
        return {one.live.id for one in self.planned.values() if one.live is not None}

    def decide(self, address: Address) -> None:
        """Decide about the resource at `address`; what it needs has been decided about."""
        resource = self.stack.resources[address]
        live = self.seen.lives[address]
        try:
            spec = resource.spec if self.absent else resolve(resource.spec, self.outputs)
            live = live and resource.reconciler.match(spec, live)
            action, delta, live = self._decide(resource, spec, live)
        except FargatectlError as error:
            self.failures[address] = error
            return
        if live is not None and action != Action.REPLACE and not (delta and resource.reconciler.renews(delta)):
            self.outputs[address] = live.out
        self.planned[address] = Planned(_change(resource, spec, action, delta), live)

    def _decide(
        self, resource: Resource[Any, Any], spec: Spec, live: AnyLive | None
    ) -> tuple[Action, Delta, AnyLive | None]:
        mine = live is None or self._is_mine(resource, live)
        if self.only is not None and resource.address not in self.only:
            return Action.NOOP, Delta(), live
        if self.absent:
            return self._drop(resource, live, mine=mine)
        if live is not None and not mine and resource.address not in self.adopt:
            owner = resource.reconciler.whose(live)
            self.foreign[resource.address] = (
                f"{resource.reconciler.summary(spec)} ({resource.address}) belongs to {owner}"
            )
            return Action.NOOP, Delta(), live
        return *_compare(resource, spec, live, adopting=not mine), live

    def _is_mine(self, resource: Resource[Any, Any], live: AnyLive) -> bool:
        """Tags prove it; of what takes none, the tags of its parents. Who adopts these adopts it, too."""
        if resource.reconciler.taggable:
            mine = self.stack.owner.owns(live.spec.tags)
        else:
            mine = self._others.isdisjoint(resource.spec.parents())
        if not mine and resource.address not in self.adopt:
            self._others.add(resource.address)
        return mine

    def _drop(
        self, resource: Resource[Any, Any], live: AnyLive | None, *, mine: bool
    ) -> tuple[Action, Delta, AnyLive | None]:
        if live is None or not mine or resource.reconciler.is_empty(live):
            return Action.NOOP, Delta(), None
        if resource.reconciler.kept(live):
            self.kept.append(resource.reconciler.summary(live.spec))
            return Action.NOOP, Delta(), None
        return Action.DELETE, Delta(), live


def _compare(resource: Resource[Any, Any], spec: Spec, live: AnyLive | None, *, adopting: bool) -> tuple[Action, Delta]:
    if live is None:
        return Action.CREATE, creation(spec)
    delta = resource.reconciler.compare(spec, live)
    moved = any(next(sources(getattr(spec, name)), None) is not None for name in spec.identity)
    if moved or delta.forces_replacement:
        return Action.REPLACE, delta
    if adopting:
        return Action.ADOPT, delta
    return (Action.UPDATE, delta) if delta else (Action.NOOP, delta)


def _change(resource: Resource[Any, Any], spec: Spec, action: Action, delta: Delta) -> Change:
    effect = worst([resource.reconciler.effects.get(action, Effect.NONE)])
    if action in {Action.UPDATE, Action.ADOPT}:
        effect = delta.effect
    elif action == Action.REPLACE:
        effect = worst([effect, Effect.REPLACEMENT])
    return Change(resource.address, action, effect, resource.reconciler.summary(spec), delta, group=resource.group)


def _notes(stack: Stack, outputs: Mapping[Address, Any]) -> tuple[str, ...]:
    said = (fill(note, outputs) for note in stack.notes)
    return tuple(dict.fromkeys(sentence for sentence in said if isinstance(sentence, str) and sentence))


def _preludes(stack: Stack, planned: Mapping[Address, Planned]) -> list[str]:
    return [prelude.says for address, prelude in stack.preludes.items() if planned[address].change.deploys]


def _not_ours(foreign: Iterable[str]) -> Refused:
    lines = list(foreign)
    message = "not ours, and left alone: " + "; ".join(lines)
    hint = "rename yours in the file, or take it over with --adopt ADDRESS"
    return Refused(message, hint=hint)


def _raise(stack: Stack, failures: Mapping[Address, FargatectlError]) -> None:
    """Raise what went wrong: all missing references at once, else the first failure in the file's order."""
    if not failures:
        return
    order = {address: place for place, address in enumerate([*stack.sources, *stack.resources])}
    errors = list(dict.fromkeys(failures[address] for address in sorted(failures, key=order.__getitem__)))
    refusal = next((error for error in errors if isinstance(error, Refused)), None)
    if refusal is not None:
        raise refusal
    missing = [error for error in errors if isinstance(error, NotFoundError)]
    if len(missing) == len(errors) and len(missing) > 1:
        problems = [Problem(error.message, path=error.path, hint=error.hint) for error in missing]
        message = f"the file names {len(missing)} things that do not exist"
        raise ConfigError(message, problems)
    raise next((error for error in errors if not isinstance(error, NotFoundError)), errors[0])
