from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.aws.session import Identity, Reads
from fargatectl.engine.stack import Stack
from fargatectl.model.ownership import Ownership
from tests.engine.fakes import Children, LastingThings, Things, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class NoAws:
    """What the engine itself asks of AWS: who we are, what time it is, what carries our tags."""

    region = "eu-central-1"

    def __init__(self) -> None:
        self.reads = Reads()

    def identity(self) -> Identity:
        return Identity("123456789012", "arn:aws:iam::123456789012:user/dev")

    def doubt(self, tags: Mapping[str, str]) -> None:
        del tags
        self.reads.clear()

    def monotonic(self) -> float:
        return 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def tagged(self, tags: Mapping[str, str], types: Sequence[str] = ()) -> dict[str, dict[str, str]]:
        del tags, types
        return {}


@pytest.fixture
def aws() -> Any:
    return NoAws()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def new_stack(world: World) -> Callable[[], Stack]:
    def make(environment: str | None = None) -> Stack:
        kinds = [LastingThings(world), Things(world), Children(world)]
        return Stack(Ownership("shop", environment), kinds)

    return make
