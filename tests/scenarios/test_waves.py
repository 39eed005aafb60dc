"""Services that wait for others: each is touched after the rollout of those that it depends on has succeeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.model.values import Address
from fargatectl.sandbox.inprocess import LocalAws
from tests.world import World

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
app    = "shop"
region = "eu-central-1"

[services.web]
image      = "docker.io/acme/web:1"
depends_on = ["api"]

[services.api]
image      = "docker.io/acme/api:1"
depends_on = "db"

[services.db]
image = "docker.io/acme/db:1"

[services.mail]
image = "docker.io/acme/mail:1"
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(LocalAws(), tmp_path)


def images(world: World) -> dict[str, str]:
    return {
        one.name: one.image.rpartition("/")[2]
        for one in world.status(FILE)
        if one.deployment is None or one.deployment.state == "COMPLETED"
    }


def test_each_wave_follows_the_rollout_of_the_one_before(world: World) -> None:
    world.deploy(FILE)
    world.local.calls.clear()
    world.deploy(FILE.replace(":1", ":2"))
    steps = [
        call.params["service"] if call.operation == "UpdateService" else "look"
        for call in world.local.calls
        if call.operation in {"UpdateService", "DescribeServiceDeployments"}
    ]
    db, api, web = (steps.index(f"shop-{name}") for name in ("db", "api", "web"))
    assert "look" in steps[db:api]
    assert "look" in steps[api:web]
    assert images(world) == {"web": "web:2", "api": "api:2", "db": "db:2", "mail": "mail:2"}


def test_a_failed_rollout_holds_what_waits_for_it_and_nothing_else(world: World) -> None:
    world.deploy(FILE)
    outcome = world.try_to_deploy(FILE.replace(":1", ":2").replace("api:2", "api:crash"))
    assert set(outcome.failed) == {"service.service/api"}
    assert outcome.skipped[Address("service.service/web")] == "service.service/api"
    assert {name: image for name, image in images(world).items() if name != "api"} == {
        "web": "web:1",
        "db": "db:2",
        "mail": "mail:2",
    }
