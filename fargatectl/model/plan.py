"""The plan: all that a run would change, as one value that can be shown, counted, stored and compared."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass
from fargatectl.model.change import Action, Change, worst

if TYPE_CHECKING:
    from fargatectl.model.spec import Effect


@dataclass(frozen=True)
class Plan:
    """Changes in the order in which a person reads them (the file's order), and the count of what stays as it is.

    `notes` are sentences about choices that fargatectl made by itself (subnets, a default load balancer).
    """

    app: str
    environment: str | None
    account: str
    region: str
    changes: tuple[Change, ...]
    unchanged: int
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.changes)

    def count(self, action: Action) -> int:
        """Return how many resources `action` is done to."""
        return Counter(change.action for change in self.changes)[action]

    @property
    def effect(self) -> Effect:
        """The worst effect on traffic among all changes."""
        return worst(change.effect for change in self.changes)

    @property
    def deletes(self) -> tuple[Change, ...]:
        """The changes that take something away for good."""
        return tuple(change for change in self.changes if change.action is Action.DELETE)
