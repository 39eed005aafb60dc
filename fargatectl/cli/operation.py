"""What `rollback`, `restart` and `scale` share: a small plan about running services, carried out like a deploy's.

What is wanted is what is there, with what the command changes: the file only says which services there are. The engine
proves ownership, takes the steps and tells them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fargatectl.cli.confirm import confirm_deploy
from fargatectl.cli.converge import carry_out
from fargatectl.cli.locking import locked, patience
from fargatectl.cli.timeouts import timeout_of
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
    from fargatectl.cli.options import OperationOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.executor import Settle
    from fargatectl.engine.planner import Planning
    from fargatectl.engine.reconciler import AnyReconciler
    from fargatectl.model.status import ServiceView
    from fargatectl.model.values import Address


@dataclass(frozen=True)
class Act:
    """What is done to one resource: what it shall be, and the reconciler that brings it about.

    `shown` are further differences to show, which follow from the change; `cause` says why.
    """

    reconciler: AnyReconciler
    spec: Any
    shown: Delta = Delta()
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
    """Return the live resource of the file at `address`. Raises `Refused` where AWS has none."""
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
    stack = replace(there.stack, resources=resources, sources=who, notes=list(notes))
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
    made = planning.plan
    if surroundings.json:
        surroundings.voice.event(machine.plan_event(made))
    elif made and operation.asks:
        width = width_of(surroundings.voice.err)
        surroundings.voice.prose(plan_screen.screen(made, file=there.file, width=width, verbose=options.verbose))
    if operation.asks:
        confirm_deploy(made, surroundings, yes=getattr(options, "yes", True), max_deletes=None)
    timeouts = {view.name: timeout or there.config.services[view.name].deploy.timeout for view in views}
    with locked(made, there, options, surroundings, operation.command) as turn:
        planning = turn.still_true(planning, there, operation.look)
        follows = operation.follower is not None
        done = carry_out(
            planning,
            there if not follows else replace(there, services=tuple(views)),
            surroundings,
            timeouts=timeouts if follows and made else None,
            hand_over=options.no_wait,
            follower=operation.follower or Follower,
        )
    ending = done.ending
    if surroundings.json:
        surroundings.voice.event(done.result())
        return ending.exit_code
    width = width_of(surroundings.voice.err)
    if ending.exit_code != ExitCode.DONE:
        surroundings.voice.prose(outcome.bad(ending, width=width))
        return ending.exit_code
    handed = "It goes on in AWS: fargatectl status --watch shows how."
    sentence = operation.unchanged if not made else handed if ending.handed_over else operation.done
    surroundings.voice.prose(outcome.well(sentence, ending.seconds if made else None))
    if made and operation.after:
        surroundings.voice.aside(operation.after)
    shown = replace(ending, services=[one for one in ending.services if one.name in {v.name for v in views}])
    _, table = outcome.good(shown, width=width_of(surroundings.voice.out))
    surroundings.voice.flush()
    surroundings.voice.data(table)
    return ending.exit_code
