"""Names and tags at the edge of what the file takes: AWS takes what is made of them, and nothing is left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.sandbox.inprocess import LocalAws
from tests.scenarios.requests import breaches
from tests.world import World

if TYPE_CHECKING:
    from pathlib import Path

ODD = """
region = "eu-central-1"

[tags]
"Kostenstelle Nord" = "Größe: 3/x=y+z@w -_."

[discovery]
namespace = "a.b-c.internal"

[load_balancers.X__y]

[services.W__w]
image     = "docker.io/acme/web:1"
port      = 8080
http      = { path = "/a*", host = "*.Example.com", health_check = "/healthz?x=1&y=%20" }
discovery = { name = "w-1", records = ["SRV"] }
logs      = { group = "/W.-_/w" }
scaling   = { min = 1, max = 3, cpu = 50, requests = 100 }

[services.-]
image = "docker.io/acme/api:1"
port  = 80
http  = {}

[jobs._]
from     = "-"
schedule = "cron(0 3 * * ? *)"
command  = "true"
"""


@pytest.mark.parametrize("app", ["internal-", "-"])
def test_the_oddest_names_are_taken(tmp_path: Path, app: str) -> None:
    world = World(LocalAws(), tmp_path)
    file = f'app = "{app}"\n{ODD}'
    world.deploy(file)
    assert not world.plan(file).plan.changes
    world.destroy(file)
    assert breaches(world.local.calls) == set()
    assert world.aws.elb.describe_target_groups()["TargetGroups"] == []
    assert world.aws.ecs.list_clusters()["clusterArns"] == []
