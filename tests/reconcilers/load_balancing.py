"""A load balancer as the tests of its parts declare it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.engine.executor import execute
from fargatectl.engine.stack import Stack
from fargatectl.reconcilers import alb, network

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from tests.reconcilers.conftest import Converger

WEB = alb.Route(service="web", port=8080)
API = alb.Route(service="api", port=9090, path=("/api/*",))


def stack(owner: Ownership, *routes: alb.Route, name: str = "public", vpc: Any = "default", **settings: Any) -> Stack:
    made = Stack(owner, kinds=[*network.KINDS, *alb.KINDS])
    found = network.declare(made, vpc=vpc)
    vpc_id = found.ref(lambda it: it.vpc_id)
    wanted = alb.Settings(**settings)
    group = network.load_balancer_group(made, name, vpc_id=vpc_id, ports=wanted.ports, allow_from=("0.0.0.0/0",))
    subnets = found.ref(lambda it: network.load_balancer_subnets(it, wanted.scheme))
    alb.declare(made, name, wanted, vpc_id=vpc_id, subnets=subnets, security_groups=[group], routes=routes)
    return made


def load_balancers(aws: Aws) -> list[Any]:
    return list(aws.elb.describe_load_balancers()["LoadBalancers"])


def attributes(aws: Aws) -> dict[str, str]:
    (balancer,) = load_balancers(aws)
    listed = aws.elb.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]
    return {attribute["Key"]: attribute["Value"] for attribute in listed}


def target_groups(aws: Aws) -> list[Any]:
    return list(aws.elb.describe_target_groups()["TargetGroups"])


def listeners(aws: Aws) -> dict[int, Any]:
    return {
        listener["Port"]: listener
        for balancer in load_balancers(aws)
        for listener in aws.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    }


def rules(aws: Aws, port: int = 80) -> list[Any]:
    """Return the rules of a listener but its default one, lowest priority first."""
    found = aws.elb.describe_rules(ListenerArn=listeners(aws)[port]["ListenerArn"])["Rules"]
    return sorted((rule for rule in found if not rule["IsDefault"]), key=lambda rule: int(rule["Priority"]))


def forwards_to(aws: Aws, thing: Any) -> str:
    """Return the target group that a listener or a rule forwards to, by the service in its address."""
    (action,) = thing.get("Actions") or thing["DefaultActions"]
    (group,) = action["ForwardConfig"]["TargetGroups"]
    return tags(aws, group["TargetGroupArn"])["fargatectl:address"].partition("/")[2]


def tags(aws: Aws, arn: str) -> dict[str, str]:
    (found,) = aws.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return {tag["Key"]: tag["Value"] for tag in found["Tags"]}


def apply_without_drops(aws: Aws, converger: Converger, wanted: Stack) -> None:
    """Apply as a deploy does that does not follow its rollouts: what was replaced is left to the next run."""
    outcome = execute(converger.plan(wanted), aws, converger.executor, emit=lambda _: None)
    assert outcome.complete, (outcome.failed, outcome.skipped)
