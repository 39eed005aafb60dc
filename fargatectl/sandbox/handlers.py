"""The seam for everything that is ours: handlers of single operations, in front of moto.

A handler answers itself, refuses with `AwsError`, or calls `forward()` and amends what comes back. Several handlers of
one operation form a chain in the order of their registration; the last `forward` is moto. A package adds its handlers
by decorating functions with `HANDLERS.handles(service, operation)` and being named in `services`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

Answer = dict[str, Any]


class Forward(Protocol):
    """What comes after this handler; `params` replaces the call's own. Raises AwsError for a refusal."""

    def __call__(self, params: Mapping[str, Any] | None = None) -> Answer:
        """Return the answer."""


Handler: TypeAlias = "Callable[[Region, Call, Forward], Answer]"


class Handlers:
    """The handlers by service and operation."""

    def __init__(self) -> None:
        self._chains: dict[tuple[str, str], list[Handler]] = defaultdict(list)

    def handles(self, service: str, *operations: str) -> Callable[[Handler], Handler]:
        """Register a handler for these operations of a service (botocore's names)."""

        def register(handler: Handler) -> Handler:
            for operation in operations:
                self._chains[service, operation].append(handler)
            return handler

        return register

    def of(self, service: str, operation: str) -> list[Handler]:
        """Return the chain of an operation; empty where moto answers alone."""
        return self._chains.get((service, operation), [])

    def handled(self) -> Iterator[tuple[str, str]]:
        """Yield every service and operation that has a handler."""
        return iter(self._chains)


HANDLERS = Handlers()
