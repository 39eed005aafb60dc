"""One row of the table of what AWS refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene


@dataclass(frozen=True)
class Refusal:
    """A fact and the page that states it. `act` ends with the call that is refused with `code`."""

    fact: str
    page: str
    code: str
    act: Callable[[Scene], Any]
    says: str = ""
