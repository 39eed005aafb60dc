"""No two runs write at the same time, however their calls fall: by three hundred seeds, and by trying everything."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.engine.interleaving import Actor, Crew

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SEEDS = range(300)
ODD = {"pause": 0.12, "stale": 0.3, "lost answer": 0.15, "failure": 0.1}
"""How often something other than the unremarkable happens."""


class Dice:
    """Chance by a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - repeatable

    def pick(self, what: str, options: int) -> int:
        if what in ODD and self.random.random() >= ODD[what]:
            return 0
        return self.random.randrange(options)


def play(seed: int, *, guarded: bool = True) -> Crew:
    dice = Dice(seed)
    crew = Crew(dice, guarded=guarded)
    actors = []
    for name in ("ann", "bob", "cid")[: 2 + seed % 2]:
        dies = dice.random.choice([-1, -1, 2])
        patience = dice.random.choice([0, 60, 400])
        actors.append(Actor(crew, name, writes=5, pause=dice.random.choice([1, 15, 30]), patience=patience, dies=dies))
    crew.run(*actors)
    return crew


def test_no_two_generations_write_at_the_same_time() -> None:
    crews = [play(seed) for seed in SEEDS]
    assert [seed for seed, crew in zip(SEEDS, crews, strict=True) if crew.interleaved()] == []
    # The seeds must be worth something: every kind of end occurs, and turns do follow one another.
    ends = {actor.outcome for crew in crews for actor in crew.actors}
    assert ends >= {"done", "LockHeld", "LeaseLost", "Killed"}
    assert sum(len({write.generation for write in crew.writes}) > 1 for crew in crews) > len(SEEDS) / 4


def test_without_the_check_before_each_write_some_do() -> None:
    assert [seed for seed in SEEDS if play(seed, guarded=False).interleaved()] != []


def test_a_seed_is_played_the_same_way_again() -> None:
    assert play(7).writes == play(7).writes


class Path:
    """Chance by trying everything: each run follows a path, and notes where it could have gone.

    `limits` are how often in a run something other than the unremarkable may be picked, by its name.
    """

    def __init__(self, path: list[int], limits: Mapping[str, int]) -> None:
        self.path = path
        self.limits = dict(limits)
        self.options: list[int] = []
        self.taken: list[int] = []

    def pick(self, what: str, options: int) -> int:
        if options < 2 or not self.limits.get(what, 0):
            return 0
        place = len(self.taken)
        picked = self.path[place] if place < len(self.path) else 0
        if picked:
            self.limits[what] -= 1
        self.options.append(options)
        self.taken.append(picked)
        return picked


def every(limits: Mapping[str, int], *, guarded: bool = True) -> Iterator[Crew]:
    todo: list[list[int]] = [[]]
    while todo:
        start = todo.pop()
        path = Path(start, limits)
        crew = Crew(path, guarded=guarded)
        crew.run(*(Actor(crew, name, writes=1, pause=1) for name in ("ann", "bob")))
        yield crew
        for place in range(len(start), len(path.taken)):
            todo += [[*path.taken[:place], other] for other in range(1, path.options[place])]


@pytest.mark.parametrize(
    "limits",
    [
        {"actor": 8},
        {"actor": 4, "stale": 1},
        {"actor": 3, "pause": 1},
        {"actor": 4, "lost answer": 2},
        {"actor": 2, "failure": 1, "pause": 1},
        {"actor": 1, "delay": 1, "pause": 1, "stale": 1},
    ],
    ids=lambda limits: " ".join(f"{name}={most}" for name, most in limits.items()),
)
def test_every_schedule_with_few_surprises_is_safe(limits: Mapping[str, int]) -> None:
    tried = wrote = 0
    for crew in every(limits):
        assert not crew.interleaved()
        tried += 1
        wrote += bool(crew.writes)
    assert tried > 50
    assert wrote > tried / 2


def test_without_surprises_somebody_always_gets_through() -> None:
    assert all("done" in {actor.outcome for actor in crew.actors} for crew in every({"actor": 8}))
