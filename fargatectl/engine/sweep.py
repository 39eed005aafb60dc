"""The sweep: what we own and no longer want, or left half made.

It compares physical ids: owned, and not the live half of a declared address. So it also finds what a crash left behind
in the middle of a create-first replacement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import explain
from fargatectl.dataclass import dataclass
from fargatectl.model.change import Action, Change, Delta
from fargatectl.model.ownership import ADDRESS
from fargatectl.model.spec import resolve
from fargatectl.model.values import Address

if TYPE_CHECKING:
    from collections.abc import Mapping, Set as AbstractSet
    from concurrent.futures import Executor

    from fargatectl.aws.session import Aws
    from fargatectl.engine.reconciler import AnyLive, AnyReconciler
    from fargatectl.engine.stack import Stack


@dataclass(frozen=True)
class Swept:
    """Something of ours that goes. `rank` is its kind's place in the order of creation."""

    change: Change
    reconciler: AnyReconciler
    live: AnyLive
    rank: int
    kept: bool = False


def sweep(  # noqa: PLR0913 - what is wanted, what is there, and how to look
    stack: Stack,
    aws: Aws,
    claimed: AbstractSet[str],
    executor: Executor,
    *,
    absent: bool,
    outputs: Mapping[Address, Any],
) -> list[Swept]:
    """Return what `stack`'s owner has in AWS besides what lives at a declared address, in a stable order.

    `outputs` are those of what is wanted, as far as they are known.
    """

    def look(kind: AnyReconciler) -> list[AnyLive]:
        return [live for live in kind.owned(aws, stack.owner, claimed) if live.id not in claimed]

    found: list[Swept] = []
    looked_at = [(rank, kind) for rank, kind in enumerate(stack.kinds) if absent or not kind.outlives_deploy]
    pending = [(rank, kind, executor.submit(look, kind)) for rank, kind in looked_at]
    for rank, kind, future in pending:
        try:
            lives = future.result()
        except Exception as error:
            raise explain(error, kind.kind) from error
        found += [_swept(stack, kind, live, rank, outputs) for live in sorted(lives, key=lambda live: live.id)]
    return found


def _swept(stack: Stack, kind: AnyReconciler, live: AnyLive, rank: int, outputs: Mapping[Address, Any]) -> Swept:
    named = live.spec.tags.get(ADDRESS, "")
    name = named.removeprefix(f"{kind.kind}/") if named.startswith(f"{kind.kind}/") else _name_of(live)
    address = Address(f"{kind.kind}/{name}")
    cause, successor = "no longer in the file", None
    if address in stack.resources:
        cause, successor = "left over from a replacement", resolve(stack.resources[address].spec, outputs)
        address = Address(f"{address}@{_name_of(live)}")
    change = Change(
        address=address,
        action=Action.DELETE,
        effect=kind.loss(live, successor),
        summary=kind.summary(live.spec),
        fields=Delta(),
        group=f"no longer in the file: {name}" if cause.startswith("no") else stack.resources[Address(named)].group,
        cause=cause,
    )
    return Swept(change, kind, live, rank, kept=kind.kept(live))


def _name_of(live: AnyLive) -> Any:  # noqa: ANN401 - a spec's name, where it has one
    return getattr(live.spec, "name", live.id)
