"""Fresh proof: what was read a minute ago is read again before it is changed or deleted.

Planning proves that a resource is ours. A run may come to it much later, after a load balancer or a rollout took its
time; by then somebody may have taken our tags off, or put another resource in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.errors import FargatectlError, Refused
from fargatectl.model.ownership import owner_of

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.engine.planner import Planning
    from fargatectl.engine.reconciler import AnyLive, AnyReconciler
    from fargatectl.model.values import Address

FRESH_SECONDS = 60
"""What was read longer ago proves nothing any more."""


class Proofs:
    """Proves for one execution of a plan that what it writes to is still ours."""

    def __init__(self, planning: Planning, aws: Aws) -> None:
        self._planning = planning
        self._aws = aws

    @property
    def expired(self) -> bool:
        """Tell whether what the plan was made from is too old to prove anything."""
        return self._aws.monotonic() - self._planning.read_at > FRESH_SECONDS

    def again(self, how: AnyReconciler, live: AnyLive, *, adopting: bool = False) -> AnyLive | None:
        """Return `live` as it is now, None if it is gone. Raises `Refused` if it is not ours any more.

        What takes no tags belongs to its parent: see `parents`. With `adopting` it need not be ours.
        """
        found = self._read(how, live)
        if found is not None and how.taggable and not adopting:
            self._require_ours(how, found)
        return found

    def parents(self, address: Address) -> None:
        """Raise `Refused` unless what the untaggable resource at `address` belongs to is still ours."""
        for need in sorted(self._planning.stack.resources[address].spec.parents()):
            planned = self._planning.planned.get(need)
            if planned is None or planned.live is None:
                continue
            how = self._planning.stack.resources[need].reconciler
            found = self._read(how, planned.live) if how.taggable else None
            if found is not None:
                self._require_ours(how, found)

    def _read(self, how: AnyReconciler, live: AnyLive) -> AnyLive | None:
        self._aws.doubt(self._planning.stack.owner.tags())
        found = how.look_again(self._aws, live)
        if isinstance(found, FargatectlError):
            raise found
        return found if found is not None and found.id == live.id else None

    def _require_ours(self, how: AnyReconciler, found: AnyLive) -> None:
        if not self._planning.stack.owner.owns(found.spec.tags):
            message = f"{how.summary(found.spec)} was ours when the plan was made, and now belongs to "
            message += owner_of(found.spec.tags)
            raise Refused(message, hint="run the same command again to see a new plan")
