"""The column "A change" of `docs/config.md`: each example is planned on a running app, and the plan is what counts."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.model.change import worst
from fargatectl.sandbox.inprocess import LocalAws
from tests.docs.reading import Row, rows
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

BASE = """
app = "shop"
region = "eu-central-1"
[network]
vpc = { tag = { Name = "old" } }
[network.security_groups.metrics]
[[network.security_groups.metrics.ingress]]
from = "192.168.0.0/16"
port = 9090
[cluster]
capacity = [{ provider = "FARGATE" }]
exec = { bucket = "shop-old" }
[registries.hub]
match = "docker.io/acme/*"
secret = "shop/hub"
[discovery]
namespace = "shop.internal"
[load_balancers.public]
certificates = "example.com"
[load_balancers.public.default]
[services.web]
image = "docker.io/acme/web:1.0.0"
port = 8080
count = 2
subnets = "private"
capacity = [{ provider = "FARGATE", weight = 2 }]
secrets = { TOKEN = { secret = "shop/db", key = "password" } }
health_check = { command = ["CMD-SHELL", "true"] }
volumes.data = { mount = { web = "/data" }, efs = { file_system = "fs-0123456789abcdef0" } }
sidecars.agent.image = "shop/agent:1"
sidecars.agent.secrets = { TOKEN = { secret = "shop/db", key = "password" } }
sidecars.agent.health_check = { command = ["CMD-SHELL", "true"] }
http = { host = "shop.example.com" }
discovery = {}
[services.web.scaling]
min = 2
max = 10
cpu = 70
[[services.web.scaling.custom]]
metric = { namespace = "Shop", name = "Backlog" }
target = 10
[[services.web.scaling.step]]
name = "burst"
metric = { namespace = "Shop", name = "Load" }
above = 1.5
steps = [{ from = 0, by = 1 }]
[[services.web.scaling.schedule]]
name = "night"
cron = "0 20 * * ? *"
min = 1
max = 5
[[services.web.permissions.allow]]
actions = "s3:ListBucket"
resources = "arn:aws:s3:::shop-old"
[services.spare]
image = "shop/spare:1"
[jobs.nightly]
from = "web"
command = "./report"
schedule = "cron(0 3 * * ? *)"
[alarms]
notify = "arn:aws:sns:eu-central-1:123456789012:old"
cpu_above = 80
"""
WITHOUT = {
    "services.NAME.count": "services.web.scaling",
    "services.NAME.roles.task": "services.web.permissions",
    "services.NAME.scaling.step.below": "services.web.scaling.step.above",
    "services.NAME.secrets.VARIABLE.parameter": "services.web.secrets.TOKEN",
}
"""What the file must lack for the key to make sense."""
CHANGES = {
    "\N{EN DASH}": None,
    "none": "none",
    "new deployment": "new_deployment",
    "replacement": "replacement",
    "interruption": "interruption",
}
"""The column's words and the plan's effect; None where nothing changes. Other words point to a text."""
PLACES = {
    "volumes": "data",
    "load_balancers": "public",
    "security_groups": "metrics",
    "registries": "hub",
    "services": "web",
    "jobs": "nightly",
    "sidecars": "agent",
    "secrets": "TOKEN",
}
ROWS = [row for row in rows(once=True) if row.change in CHANGES]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(LocalAws(), tmp_path_factory.mktemp("app"))
    made.deploy(BASE)
    return made


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_change_does_what_the_reference_says(row: Row, world: World) -> None:
    plan = world.plan(changed(row)).plan
    assert (worst(change.effect for change in plan.changes) if plan else None) == CHANGES[row.change], plan


def test_the_base_itself_changes_nothing(world: World) -> None:
    assert not world.plan(BASE).plan


def changed(row: Row) -> str:
    """Return the base with the row's example in its place."""
    data: dict[str, Any] = tomllib.loads(BASE)
    if gone := WITHOUT.get(str(row)):
        *parents, last = gone.split(".")
        del _table(data, parents)[last]
    *path, key = _concrete(row.path)
    _table(data, path)[key] = tomllib.loads(f"value = {row.example}")["value"]
    return "\n".join(f"{name} = {_inline(value)}" for name, value in data.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_inline(part)}" for name, part in value.items()) + "}"
    return f"[{', '.join(map(_inline, value))}]" if isinstance(value, list) else json.dumps(value)


def _table(data: dict[str, Any], path: Iterable[str]) -> Any:
    """Return the table at `path`, of a list of tables the first one; it is made where it is missing."""
    found: Any = data
    for part in path:
        found = found.setdefault(part, {})
        found = found[0] if isinstance(found, list) else found
    return found


def _concrete(path: tuple[str, ...]) -> list[str]:
    return [PLACES[path[place - 1]] if part in {"NAME", "VARIABLE"} else part for place, part in enumerate(path)]
