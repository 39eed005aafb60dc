"""What the contract suite holds every kind to, for the parts that only a strategy that shifts requests has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.model.change import Action
from fargatectl.model.values import Address
from fargatectl.sandbox.inprocess import LocalAws
from tests.world import World

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
app = "shop"
region = "eu-central-1"

[services.web]
image = "shop/web:1"
port = 80
http = { path = "/app", health_check = "/" }

[services.web.deploy]
strategy = "canary"
percent = 10
step_bake = "1m"
bake = "1m"
"""


def forwarding(world: World, rule: str) -> Any:
    (action,) = world.aws.elb.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]
    return {one["TargetGroupArn"]: one["Weight"] for one in action["ForwardConfig"]["TargetGroups"]}


def test_the_parts_of_a_canary_are_healed_and_its_weights_left_to_ecs(tmp_path: Path) -> None:
    world = World(LocalAws(), tmp_path)
    outputs = world.deploy(FILE).outputs
    new = FILE.replace("shop/web:1", "shop/web:2")
    rule = outputs[Address("alb.rule/web")].arn
    before = forwarding(world, rule)
    world.deploy(new)
    weights = forwarding(world, rule)
    assert sorted(weights.values()) == [0, 100]
    assert weights != before, "ECS moved the requests to the other group"
    assert not world.plan(new).plan.changes, "and that is no drift"

    role = outputs[Address("iam.role/web-infrastructure")].arn.rpartition("/")[2]
    (managed,) = world.aws.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    world.aws.iam.detach_role_policy(RoleName=role, PolicyArn=managed["PolicyArn"])
    elsewhere: Any = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/elsewhere"]}}]
    world.aws.elb.modify_rule(RuleArn=rule, Conditions=elsewhere)
    arns = [out.arn for address, out in outputs.items() if address.startswith("alb.target_group/")]
    assert len(arns) == 2
    world.aws.elb.add_tags(ResourceArns=arns, Tags=[{"Key": "theirs", "Value": "x"}])

    drifted = {change.address: change.action for change in world.plan(new).plan.changes}
    assert drifted == {"alb.rule/web": Action.UPDATE, "iam.role/web-infrastructure": Action.UPDATE}
    world.deploy(new)
    assert forwarding(world, rule) == weights, "what is healed beside them leaves the weights alone"
    assert not world.plan(new).plan.changes
    world.destroy(new)
    assert not world.plan(new, absent=True).plan.changes
