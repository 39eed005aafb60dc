"""A target group that is in use is exchanged: at no moment do requests go where nobody answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.errors import Refused, RolloutFailed
from fargatectl.model.change import Action
from fargatectl.model.spec import Effect
from fargatectl.model.values import Address
from fargatectl.reconcilers.alb import TargetGroups
from fargatectl.sandbox.inprocess import LocalAws
from tests.forked import in_a_copy
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call

FILE = """
app = "shop"
region = "eu-central-1"
[load_balancers.public]
[services.web]
image = "public.ecr.aws/nginx/nginx:stable"
port = 80
count = 2
http = { host = "shop.example.com", protocol_version = "HTTP1" }
"""
API = """
[services.api]
image = "public.ecr.aws/nginx/nginx:stable"
port = 80
http = { protocol_version = "HTTP1" }
"""
CHANGED = FILE.replace("HTTP1", "HTTP2")
GROUP = Address("alb.target_group/web")


class Stopped(BaseException):
    """The process is gone."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One service behind a rule of a load balancer; change it in a copy."""
    world = World(LocalAws(), tmp_path_factory.mktemp("exchange"))
    world.deploy(FILE)
    return world


def forwards(world: World) -> list[dict[str, int]]:
    """Return the weights of all that forwards, by protocol version of the target group."""
    aws = world.aws
    versions = {g["TargetGroupArn"]: g["ProtocolVersion"] for g in aws.elb.describe_target_groups()["TargetGroups"]}
    return [{versions[arn]: weight for arn, weight in one.items()} for one in weights(world)]


def weights(world: World) -> list[dict[str, int]]:
    found: list[Any] = []
    for balancer in world.aws.elb.describe_load_balancers()["LoadBalancers"]:
        arn = balancer["LoadBalancerArn"]
        for listener in world.aws.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
            rules: Any = world.aws.elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            found += [rule["Actions"][0].get("ForwardConfig", {}).get("TargetGroups", []) for rule in rules]
    return [{group["TargetGroupArn"]: group["Weight"] for group in groups} for groups in found]


def unanswered(world: World) -> list[str]:
    """Return the target groups that get requests and have no healthy target."""
    receiving = {arn for one in weights(world) for arn, weight in one.items() if weight}
    health = world.aws.elb.describe_target_health
    return [
        arn
        for arn in sorted(receiving)
        if not any(
            one["TargetHealth"]["State"] == "healthy" for one in health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        )
    ]


def watch(world: World, *, stop_at: int | None = None) -> list[str]:
    """Look at the load balancer after every write; die after the one with number `stop_at`. Return what was called."""
    written: list[str] = []

    def look(call: Call, apply: Callable[[], Response]) -> Response:
        answer = apply()
        if call.mutating:
            world.local.intercept(None)
            assert unanswered(world) == [], call.operation
            written.append(call.operation)
            if len(written) == stop_at:
                raise Stopped
            world.local.intercept(look)
        return answer

    world.local.intercept(look)
    return written


@in_a_copy
def test_requests_are_answered_at_every_step(world: World) -> None:
    world.deploy(FILE + API)
    changed = (FILE + API).replace("HTTP1", "HTTP2")
    plan = world.plan(changed).plan
    (change,) = [one for one in plan.changes if one.address == GROUP]
    assert (change.action, change.effect) == (Action.REPLACE, Effect.REPLACEMENT)
    assert "exchange" in change.fields.paths
    written = watch(world)
    world.deploy(changed)
    assert written.count("UpdateService") == 4  # each of the two services: into both groups, and out of the old one
    world.local.intercept(None)
    assert forwards(world) == [{"HTTP2": 1}, {"HTTP2": 1}]
    assert len(world.aws.elb.describe_target_groups()["TargetGroups"]) == 2
    assert not world.plan(changed).plan


@pytest.mark.parametrize(
    ("stop_at", "then"),
    [(1, CHANGED), (3, CHANGED), (4, CHANGED), (5, CHANGED), (6, CHANGED), (3, FILE), (4, FILE), (5, FILE), (6, FILE)],
)
@in_a_copy
def test_a_run_that_died_is_taken_up_or_taken_back(world: World, stop_at: int, then: str) -> None:
    """Whatever write is the last one, the next run goes on, or goes back, and still nobody is left unanswered."""
    watch(world, stop_at=stop_at)
    with pytest.raises(Stopped):
        world.deploy(CHANGED)
    watch(world)
    world.deploy(then)
    world.local.intercept(None)
    (forward,) = [one for one in forwards(world) if one]
    assert forward == {"HTTP2" if then == CHANGED else "HTTP1": 1}
    assert len(world.aws.elb.describe_target_groups()["TargetGroups"]) == 1
    assert not world.plan(then).plan


@in_a_copy
def test_tasks_that_do_not_answer_in_the_new_one_leave_requests_where_they_were(world: World) -> None:
    (before,) = [one for one in forwards(world) if one]
    world.local.set("health.shop/shop-web=failing")
    outcome = world.try_to_deploy(CHANGED)
    error = outcome.failed[GROUP]
    assert isinstance(error, RolloutFailed)
    assert "protocol" in error.diagnosis.fix
    assert Address("alb.rule/web") in outcome.skipped
    (after,) = [one for one in forwards(world) if one]
    assert after == {**before, "HTTP2": 0}
    world.local.set("health.shop/shop-web=")
    world.local.clock.sleep(600)
    world.deploy(FILE)
    assert [one for one in forwards(world) if one] == [before]
    assert not world.plan(FILE).plan


@in_a_copy
def test_a_group_whose_weights_belong_to_ecs_is_not_exchanged(world: World) -> None:
    spec, live = (world.plan(text) for text in (CHANGED, FILE))
    wanted = spec.stack.resources[GROUP].spec
    planned = live.planned[GROUP].live
    assert planned is not None
    consumer = replace(wanted.consumer, rolling=False)
    with pytest.raises(Refused, match="shifts"):
        TargetGroups().compare(replace(wanted, consumer=consumer), planned)
