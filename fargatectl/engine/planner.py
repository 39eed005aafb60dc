"""Planning: compare what is wanted with what is there, and decide. Reads only.

`diff` shows the plan, `deploy` executes it, `destroy` is the same walk with *absent*. There is no second code path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.engine.observer import observe
from fargatectl.engine.sweep import Swept, sweep
from fargatectl.errors import ConfigError, FargatectlError, NotFoundError, Problem, Refused
from fargatectl.model.change import Action, Change, Delta, creation, worst
from fargatectl.model.ownership import owner_of
from fargatectl.model.plan import Plan
from fargatectl.model.spec import Effect, resolve
from fargatectl.model.values import fill, sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set as AbstractSet
    from concurrent.futures import Executor

    from fargatectl.aws.session import Aws
    from fargatectl.engine.observer import Observation
    from fargatectl.engine.reconciler import AnyLive, Resource
    from fargatectl.engine.stack import Stack
    from fargatectl.model.spec import Spec
    from fargatectl.model.values import Address


@dataclass(frozen=True, slots=True)
class Planned:
    """The decision for one declared resource, and the live half that it was made from."""

    change: Change
    live: AnyLive | None


@dataclass
class Planning:
    """A plan with what it takes to execute it; the live objects never leave the engine."""

    stack: Stack
    plan: Plan
    planned: dict[Address, Planned]
    swept: list[Swept]
    outputs: dict[Address, Any]
    read_at: float
    kept: tuple[str, ...] = ()


@dataclass
class _Decisions:
    planned: dict[Address, Planned] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)
    failures: dict[Address, FargatectlError] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)


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
    all others as they are, and delete nothing that the file no longer names (`--service`).

    Raises `Refused` for what is not ours, `NotFoundError`/`ConfigError` for what the file names and AWS lacks, and
    `AwsFailure` for what could not be read.
    """
    read_at = aws.monotonic()
    looking = executor.submit(aws.tagged, stack.owner.tags())
    seen = observe(stack, aws, executor)
    looking.exception()  # the sweep asks for it again, and raises what went wrong
    failures = {a: e for a, e in seen.failures.items() if not (absent and a in stack.sources)}
    _raise(stack, failures)
    outputs = {address: seen.outputs[address] for address in stack.sources if address in seen.outputs}
    decisions = _Decisions()
    for address in stack.in_order():
        _decide(stack, address, seen, outputs, decisions, absent=absent, adopt=adopt, only=only)
    _raise(stack, decisions.failures)
    if decisions.foreign:
        raise _not_ours(decisions.foreign)
    claimed = {live.id for live in seen.lives.values() if live is not None}
    claimed |= {p.live.id for p in decisions.planned.values() if p.live is not None}
    swept = sweep(stack, aws, claimed, executor, absent=absent) if only is None else []
    decisions.kept += [orphan.change.summary for orphan in swept if orphan.kept]
    swept = [orphan for orphan in swept if not orphan.kept]
    changes = [
        *(decisions.planned[a].change for a in stack.resources if decisions.planned[a].change.action != Action.NOOP),
        *(orphan.change for orphan in swept),
    ]
    identity = aws.identity()
    made = Plan(
        app=stack.owner.app,
        environment=stack.owner.environment,
        account=identity.account,
        region=aws.region,
        changes=tuple(changes),
        unchanged=sum(1 for p in decisions.planned.values() if p.change.action == Action.NOOP and p.live),
        notes=() if absent else _notes(stack, outputs),
    )
    return Planning(stack, made, decisions.planned, swept, outputs, read_at, tuple(dict.fromkeys(decisions.kept)))


def _decide(  # noqa: PLR0913 - one decision needs all that was seen
    stack: Stack,
    address: Address,
    seen: Observation,
    outputs: dict[Address, Any],
    decisions: _Decisions,
    *,
    absent: bool,
    adopt: AbstractSet[Address],
    only: AbstractSet[Address] | None,
) -> None:
    resource = stack.resources[address]
    live = seen.lives[address]
    try:
        spec = resource.spec if absent else resolve(resource.spec, outputs)
    except FargatectlError as error:
        decisions.failures[address] = error
        return
    if live is not None:
        live = resource.reconciler.match(spec, live)
    mine = live is None or not resource.reconciler.taggable or stack.owner.owns(live.spec.tags)
    if absent or (only is not None and address not in only):
        keep = not absent or live is None or not mine
        action, delta = (Action.NOOP if keep else Action.DELETE), Delta()
        live = None if absent and not mine else live
    elif live is not None and not mine and address not in adopt:
        decisions.foreign.append(
            f"{resource.reconciler.summary(spec)} ({address}) belongs to {owner_of(live.spec.tags)}"
        )
        action, delta = Action.NOOP, Delta()
    else:
        action, delta = _compare(resource, spec, live, adopting=not mine)
    if live is not None and action != Action.REPLACE and not (delta and resource.reconciler.renews(delta)):
        outputs[address] = live.out
    decisions.planned[address] = Planned(_change(resource, spec, action, delta), live)


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
