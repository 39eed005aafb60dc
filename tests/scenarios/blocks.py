"""Parts of the file that come and go: what one is, and what must hold of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fargatectl.model.change import Action, worst
from tests.scenarios.account import contents

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.world import World

BASE = """\
app     = "shop"
region  = "eu-central-1"
account = "123456789012"

[services.web]
image = "docker.io/acme/web:1"
port  = 8080
count = 2
sidecars.agent.image = "docker.io/acme/agent:1"

[services.api]
image = "docker.io/acme/api:1"
port  = 9090
"""
PUBLIC = BASE.replace("count = 2", 'count = 2\nhttp.host = "shop.example.com"')
VARIABLES = {"HUB_USER": "acme", "HUB_TOKEN": "token"}
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Block:
    """A part of the file. `deletes` are the resources that go with it; `holds` looks at the account while it is there.

    `effect` is what putting it in does to traffic.
    """

    name: str
    text: str
    effect: str = "new_deployment"
    deletes: frozenset[str] = frozenset()
    holds: Callable[[World], bool] = lambda _: True

    def within(self, base: str) -> str:
        """Return `base` with the block in it: dotted keys go into the service `web`, tables behind it."""
        lines = [line.strip() for line in self.text.strip().splitlines()]
        first = next((place for place, line in enumerate(lines) if line.startswith("[")), len(lines))
        keys = "".join(f"{line.removeprefix('services.web.')}\n" for line in lines[:first])
        tables = "".join(f"{line}\n" for line in lines[first:])
        return base.replace("[services.web]\n", f"[services.web]\n{keys}") + tables


def comes_and_goes(world: World, base: str, block: Block) -> None:
    """Put a block into the deployed `base` and take it out again: that settles, and all is as it was."""
    text = block.within(base)
    plan = world.plan(text).plan
    effects = {change.address: change.effect for change in plan.changes}
    assert worst(effects.values()) == block.effect, effects
    begun = contents(world.aws)
    world.deploy(text)
    assert not world.plan(text).plan.changes
    assert block.holds(world)
    plan = world.plan(base).plan
    gone = {change.address.partition("@")[0] for change in plan.changes if change.action == Action.DELETE}
    assert gone == block.deletes, gone ^ block.deletes
    world.deploy(base)
    assert not world.plan(base).plan.changes
    ended = contents(world.aws)
    assert _things(ended) == _things(begun), (begun, ended)


def _things(found: dict[str, set[str]]) -> dict[str, Any]:
    """Return what can be compared: revisions are numbered on, and of a pair of target groups either may have stayed."""
    return {**found, "task definitions": None, "target groups": len(found["target groups"])}


def definition(world: World, service: str = "web") -> Any:
    return world.aws.ecs.describe_task_definition(taskDefinition=f"shop-{service}")["taskDefinition"]


def main(world: World) -> Any:
    return container(world, "web")


def container(world: World, name: str) -> Any:
    return next(one for one in definition(world)["containerDefinitions"] if one["name"] == name)


def service(world: World, name: str = "web") -> Any:
    return world.aws.ecs.describe_services(cluster="shop", services=[f"shop-{name}"])["services"][0]


def task_policy(world: World) -> str:
    return str(world.aws.iam.get_role_policy(RoleName="shop-web-task", PolicyName="fargatectl")["PolicyDocument"])


def execution_policy(world: World) -> str:
    document = world.aws.iam.get_role_policy(RoleName="shop-web-execution", PolicyName="fargatectl")["PolicyDocument"]
    return str(document)
