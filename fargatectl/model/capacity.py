"""Capacity provider strategies: how the tasks of a service are spread over FARGATE and FARGATE_SPOT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """One item of a strategy: the first `base` tasks, then `weight` parts of the rest (ECS API Reference,
    CapacityProviderStrategyItem)."""

    key: ClassVar[str] = "provider"

    provider: str
    base: int = 0
    weight: int = 0


def from_answer(strategy: Iterable[Any] | None) -> tuple[Capacity, ...]:
    """Return a strategy as ECS answers it, in one order: ECS keeps none."""
    items = (
        Capacity(provider=item["capacityProvider"], base=item.get("base", 0), weight=item.get("weight", 0))
        for item in strategy or ()
    )
    return tuple(sorted(items, key=lambda item: item.provider))


def as_request(strategy: Iterable[Capacity]) -> list[Any]:
    """Return a strategy as ECS takes it."""
    return [{"capacityProvider": item.provider, "base": item.base, "weight": item.weight} for item in strategy]
