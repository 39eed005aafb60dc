from __future__ import annotations

import pytest

from fargatectl.sandbox.inprocess import LocalAws
from tests.scenarios.blocks import BASE, PUBLIC, VARIABLES
from tests.world import World


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world in which the base is deployed; change it only in a copy."""
    return _deployed(BASE, tmp_path_factory)


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world with a public service; change it only in a copy."""
    return _deployed(PUBLIC, tmp_path_factory)


def _deployed(text: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(LocalAws(), tmp_path_factory.mktemp("base"), variables=VARIABLES)
    world.deploy(text)
    return world
