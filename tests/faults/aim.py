"""Which calls of a flow a fault hits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.kinds import Kind


@dataclass(frozen=True)
class Aim:
    """Which calls are hit: the call `only`, those of the operation `on`, or `every` n-th; and the first call of each
    operation that `first` holds for.

    `then` is what the rerun meets, at a call that the seed decides; the run after that must converge. With a `seed`,
    steps that are ready run in an order that it decides.
    """

    only: int | None = None
    on: str | None = None
    every: int = 1
    first: Callable[[str], bool] = lambda _: False
    then: str | None = None
    seed: int | None = None

    @property
    def second(self) -> Kind | None:
        return KINDS[self.then] if self.then else None

    @property
    def is_wide(self) -> bool:
        """Whether it is no single call, nor those of one operation."""
        return self.only is None and self.on is None

    def hits(self, k: int, call: str, *, is_first: bool) -> bool:
        in_turn = k % self.every == 0 or (is_first and self.first(call))
        return self.only in {None, k} and self.on in {None, call} and in_turn

    def __str__(self) -> str:
        then = f" --then {self.then}" if self.then else ""
        return then if self.seed is None else f"{then} --seed {self.seed}"
