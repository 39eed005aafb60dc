"""What `rollback`, `restart` and `scale` share: a small plan about running services, carried out like a deploy's.

What is wanted is what is there, with what the command changes: the file only says which services there are. The engine
proves ownership, takes the steps and tells them.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from fargatectl.cli.confirm import confirm_deploy
from fargatectl.cli.context import require_account
from fargatectl.cli.converge import carry_out
from fargatectl.cli.locking import locked, patience
from fargatectl.cli.timeouts import timeout_of
from fargatectl.dataclass import dataclass
from fargatectl.engine.planner import plan
from fargatectl.engine.reconciler import Live, Resource
from fargatectl.errors import ExitCode, Refused
from fargatectl.model.change import Delta
from fargatectl.render import machine, outcome, plan as plan_screen
from fargatectl.render.console import width_of
from fargatectl.rollout.follow import Follower

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fargatectl.cli.context import Target
    from fargatectl.cli.converge import Run
    from fargatectl.cli.options import OperationOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.executor import Settle
    from fargatectl.engine.planner import Planning
    from fargatectl.engine.reconciler import AnyReconciler
    from fargatectl.model.status import ServiceView
    from fargatectl.model.values import Address

_HANDED_OVER = "It goes on in AWS: `fargatectl status --watch` shows how."


@dataclass(frozen=True)
class Act:
    """What is done to one resource: what it shall be, and the reconciler that brings it about.

    `shown` are further differences to show, which follow from the change; `cause` says why.
    """

    reconciler: AnyReconciler
    spec: Any
    shown: Delta = field(default_factory=Delta)
    cause: str = ""


@dataclass(frozen=True)
class Operation:
    """A command about running services. `look` plans it, afresh each time; `done` is the sentence of a good end.

    `after` is said behind it; `follower` as in `carry_out`, None where nothing is to be followed.
    """

    command: str
    look: Callable[[], Planning]
    done: str
    unchanged: str = "Nothing to change."
    after: str = ""
    asks: bool = False
    follower: Callable[..., Settle] | None = Follower


def live_of(there: Target, address: Address) -> Live[Any, Any]:
    """Return the live resource of the file at `address`. Raises `Refused` where AWS has none, or is another account."""
    require_account(there)
    resource = there.stack.resources[address]
    (found,) = resource.reconciler.read(there.aws, [resource.spec])
    if not isinstance(found, Live):
        message = f"{resource.reconciler.summary(resource.spec)} is not in AWS"
        raise Refused(message, hint="deploy it first: fargatectl deploy")
    return found


def plan_acts(there: Target, acts: Mapping[Address, Act], notes: Sequence[str] = ()) -> Planning:
    """Plan `acts` alone. Raises what `engine.planner.plan` does: `Refused` for what is not ours among them."""
    resources = {
        address: Resource(address, act.reconciler, act.spec, f"service {address.partition('/')[2]}")
        for address, act in acts.items()
    }
    who = {address: source for address, source in there.stack.sources.items() if address.startswith("sts.")}
    stack = replace(there.stack, resources=resources, sources=who, notes=list(notes), preludes={})
    made = plan(stack, there.aws, there.executor, only=frozenset(resources))
    for address, act in acts.items():
        one = made.planned[address]
        if one.change.fields:
            fields = Delta((*one.change.fields, *act.shown))
            made.planned[address] = replace(one, change=replace(one.change, fields=fields, cause=act.cause))
    shown = {address: one.change for address, one in made.planned.items()}
    made.plan = replace(made.plan, changes=tuple(shown[change.address] for change in made.plan.changes))
    return made


def operate(
    operation: Operation,
    views: Sequence[ServiceView],
    there: Target,
    options: OperationOptions,
    surroundings: Surroundings,
) -> ExitCode:
    """Show, confirm where that is asked for, carry out under the lock, follow, and tell the end."""
    timeout = timeout_of(options.timeout)
    patience(options)
    planning = operation.look()
    made, follows = planning.plan, operation.follower is not None
    _show(operation, planning, there, options, surroundings)
    if operation.asks:
        confirm_deploy(made, surroundings, yes=getattr(options, "yes", True), max_deletes=None)
    timeouts = {view.name: timeout or there.config.services[view.name].deploy.timeout for view in views}
    with locked(made, there, options, surroundings, operation.command) as turn:
        planning = turn.still_true(planning, there, operation.look)
        done = carry_out(
            planning,
            replace(there, services=tuple(views)),
            surroundings,
            timeouts=timeouts if follows and made else None,
            hand_over=options.no_wait,
            follower=operation.follower or Follower,
        )
    _tell(operation, done, surroundings)
    return done.ending.exit_code


def _show(
    operation: Operation, planning: Planning, there: Target, options: OperationOptions, surroundings: Surroundings
) -> None:
    if surroundings.json:
        surroundings.voice.event(machine.plan_event(planning.plan))
    elif planning.plan and operation.asks:
        width = width_of(surroundings.voice.err)
        shown = plan_screen.screen(planning.plan, file=there.file, width=width, verbose=options.verbose)
        surroundings.voice.prose(shown)


def _tell(operation: Operation, done: Run, surroundings: Surroundings) -> None:
    ending = done.ending
    if surroundings.json:
        surroundings.voice.event(done.result())
        return
    if ending.exit_code != ExitCode.DONE:
        surroundings.voice.prose(outcome.bad(ending, width=width_of(surroundings.voice.err)))
        return
    if ending.handed_over:
        surroundings.voice.prose(outcome.well(_HANDED_OVER, None))
    elif ending.plan:
        surroundings.voice.prose(outcome.well(operation.done, ending.seconds))
    else:
        surroundings.voice.prose(outcome.well(operation.unchanged, None))
    if ending.plan and operation.after:
        surroundings.voice.aside(operation.after)
    _, table = outcome.good(ending, width=width_of(surroundings.voice.out))
    surroundings.voice.flush()
    surroundings.voice.data(table)
