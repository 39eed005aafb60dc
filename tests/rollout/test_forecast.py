"""What is said of a rollout's end while it goes on, compared with its end on the local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.model.events import DeploymentEvent
from fargatectl.sandbox.inprocess import LocalAws
from tests.world import World

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
app = "shop"
region = "eu-central-1"

[services.web]
image = "shop/web:{tag}"
count = {count}
{more}
"""
HTTP = (
    'port = 80\nhttp = {{ health_check = {{ path = "/", interval = {interval} }}, deregistration_delay = {drain} }}\n'
)
DEPLOY = "[services.web.deploy]\n"
WAYS = {
    "all at once": (3, HTTP.format(interval=10, drain=30)),
    "old ones first": (4, HTTP.format(interval=10, drain=30) + DEPLOY + "min_healthy = 50\nmax = 100\n"),
    "no load balancer, batches": (2, DEPLOY + "max = 150\n"),
    "canary": (2, HTTP.format(interval=10, drain=30) + DEPLOY + 'strategy = "canary"\nstep_bake = "3m"\nbake = "2m"\n'),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_rollout_ends_when_it_was_said_to(way: str, tmp_path: Path) -> None:
    count, more = WAYS[way]
    world = World(LocalAws(), tmp_path)
    world.deploy(FILE.format(tag=1, count=count, more=more))
    world.events.clear()
    world.deploy(FILE.format(tag=2, count=count, more=more))
    told = [event for event in world.events if isinstance(event, DeploymentEvent)]
    end = told[-1].at
    wrong = {event: event.rollout.left - (end - event.at).total_seconds() for event in told if event.rollout.left}
    # A start is taken for the 45 s that it lasts on Fargate until the first one was seen, which takes less here.
    batches = {"old ones first": 2, "no load balancer, batches": 2}.get(way, 1)
    assert 0 <= wrong[told[0]] <= 35 * batches
    assert max(abs(error) for event, error in wrong.items() if event.rollout.running) <= 12 * batches
    assert told[-1].rollout.left is None
