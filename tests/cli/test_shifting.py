"""Blue/green, linear and canary through the command line, with an eye on who gets the requests all the while."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Shell

BLUE_GREEN = FILE + 'deploy = { strategy = "blue_green", bake = "5m" }\n'
CANARY = FILE + 'deploy = { strategy = "canary", percent = 10, step_bake = "2m", bake = "1m" }\n'
LINEAR = FILE + 'deploy = { strategy = "linear", percent = 25, step_bake = "1m", bake = "1m" }\n'
PAUSING = FILE + (
    'deploy = { strategy = "blue_green", bake = "1m", hooks = [{ stage = "post_test_traffic_shift", pause = true }] }\n'
)


def client(shell: Shell, name: str) -> Any:
    session: Any = shell._session(None)
    return session.client(name, region_name="eu-central-1")


def service(shell: Shell) -> Any:
    return client(shell, "ecs").describe_services(cluster="shop", services=["shop-web"])["services"][0]


def running(shell: Shell) -> str:
    return str(service(shell)["taskDefinition"]).rpartition("/")[2]


def image(text: str, tag: str) -> str:
    return text.replace("shop/web:1", f"shop/web:{tag}")


@dataclass
class Traffic:
    """Looks at the load balancer all the while: which share goes to which group, and whether somebody answers there."""

    shell: Shell
    shares: list[dict[str, int]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    looking: bool = False

    @cached_property
    def elb(self) -> Any:
        return client(self.shell, "elbv2")

    def __call__(self, call: Call, apply: Callable[[], Response]) -> Response:
        answer = apply()
        if not self.looking and (call.mutating or call.operation == "DescribeServiceDeployments"):
            self.looking = True
            try:
                self.look(f"{call.service}:{call.operation}")
            finally:
                self.looking = False
        return answer

    def look(self, after: str) -> None:
        elb = self.elb
        for balancer in elb.describe_load_balancers()["LoadBalancers"]:
            for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
                rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
                self.judge(elb, after, rules[0]["Actions"])

    def judge(self, elb: Any, after: str, actions: list[Any]) -> None:
        if actions[0]["Type"] != "forward":
            self.gaps.append(f"{after}: nobody is asked")
            return
        groups = actions[0]["ForwardConfig"]["TargetGroups"]
        weights = {one["TargetGroupArn"].split("/")[1]: one["Weight"] for one in groups}
        if not self.shares or self.shares[-1] != weights:
            self.shares.append(weights)
        for one in groups:
            health = elb.describe_target_health(TargetGroupArn=one["TargetGroupArn"])["TargetHealthDescriptions"]
            if one["Weight"] and not any(target["TargetHealth"]["State"] == "healthy" for target in health):
                self.gaps.append(f"{after}: {one['Weight']} to {one['TargetGroupArn']}, where nobody is healthy")

    @property
    def steps(self) -> list[list[int]]:
        return [sorted(weights.values()) for weights in self.shares]


def watched(shell: Shell, *arguments: str) -> tuple[Any, Traffic]:
    """Run a command while its traffic is looked at."""
    traffic = Traffic(shell)
    shell.local.intercept(traffic)
    done = shell(*arguments)
    shell.local.intercept(None)
    return done, traffic


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (CANARY, [[0, 100], [10, 90], [0, 100]]),
        (LINEAR, [[0, 100], [25, 75], [50, 50], [25, 75], [0, 100]]),
    ],
    ids=["canary", "linear"],
)
def test_requests_move_as_the_strategy_says_and_the_weights_are_left_to_ecs(
    shell: Shell, text: str, steps: list[list[int]]
) -> None:
    shell.write(text)
    assert shell("deploy", "--yes").code == 0
    assert shell("diff", "--exit-code").code == 0
    shell.write(image(text, "2"))
    done, traffic = watched(shell, "deploy", "--yes")
    assert (done.code, traffic.gaps, traffic.steps) == (0, [], steps)
    assert "all requests moved, old tasks kept" in done.err
    assert traffic.shares[0] != traffic.shares[-1]
    assert shell("diff", "--exit-code").code == 0
    assert [call.operation for call in shell.local.calls if call.operation == "ModifyRule"] == []


def test_a_service_moves_between_strategies_without_a_gap_whichever_group_serves(shell: Shell) -> None:
    shell("deploy", "--yes")
    moves = [(CANARY, "2"), (FILE, "3"), (BLUE_GREEN, "4")]
    for text, tag in moves:
        shell.write(image(text, tag))
        done, traffic = watched(shell, "deploy", "--yes")
        assert (done.code, traffic.gaps) == (0, []), (text, done.err)
        assert shell("diff", "--exit-code").code == 0, shell("diff").out
        assert service(shell)["runningCount"] == 1
    shell.write(FILE)
    assert "interrupts traffic" not in shell("diff").out
    assert shell("deploy", "--yes").code == 0
    groups = client(shell, "elbv2").describe_target_groups()["TargetGroups"]
    roles = [role["RoleName"] for role in client(shell, "iam").list_roles(PathPrefix="/fargatectl/")["Roles"]]
    assert (len(groups), sorted(roles)) == (1, ["shop-web-execution", "shop-web-task"])
    assert shell("destroy", "--yes").code == 0


def test_the_plan_says_what_happens_to_the_requests(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell.write(CANARY)
    told = " ".join(shell("diff").out.split())
    assert "ECS moves 10 % of the requests to the new tasks, and the rest after 2m" in told
    assert "deployment strategy ROLLING → CANARY" in told


def test_a_deployment_that_pauses_says_so_and_is_answered(shell: Shell) -> None:
    shell.write(PAUSING)
    first = shell("deploy", "--yes")
    assert first.code == 6
    assert "pauses at POST_TEST_TRAFFIC_SHIFT" in first.err
    assert "fargatectl continue web" in first.err
    assert first.err.count("waits for an answer") == 1
    done = shell("continue", "web")
    assert (done.code, "The deployment of web is through" in done.err) == (0, True)
    assert shell("continue", "web").code == 4
    shell.write(image(PAUSING, "2"))
    assert shell("deploy", "--yes", "--json").events[-1]["outcome"] == "detached"
    done, traffic = watched(shell, "abort", "web")
    assert (done.code, traffic.gaps) == (0, [])
    assert (running(shell), service(shell)["runningCount"]) == ("shop-web:1", 1)
    assert shell("history", "--json").json["deployments"][0]["outcome"] == "rolled_back"


def test_a_rollback_in_the_bake_gives_the_requests_back_at_once(shell: Shell) -> None:
    shell.write(BLUE_GREEN)
    shell("deploy", "--yes")
    before = Traffic(shell)
    before.look("before")
    shell.write(image(BLUE_GREEN, "2"))
    shell("deploy", "--yes", "--no-wait")
    shell.local.clock.sleep(120)
    moved = Traffic(shell)
    moved.look("in the bake")
    assert moved.shares[0] != before.shares[0]
    done, traffic = watched(shell, "rollback", "--yes")
    assert (done.code, traffic.gaps) == (0, [])
    assert traffic.shares[-1] == before.shares[0]
    assert running(shell) == "shop-web:1"
    shell.write(BLUE_GREEN)
    assert shell("diff", "--exit-code").code == 0


def test_an_alarm_in_the_bake_takes_the_deployment_back(shell: Shell) -> None:
    text = BLUE_GREEN.replace('bake = "5m"', 'bake = "5m", alarms = ["errors"]')
    shell.local.provision({"alarms": ["errors"]})
    shell.write(text)
    shell("deploy", "--yes")
    shell.write(image(text, "2"))
    shell("deploy", "--yes", "--no-wait")
    shell.local.clock.sleep(120)
    shell.local.set("alarm.errors=ALARM")
    shell.local.clock.sleep(300)
    assert (running(shell), service(shell)["runningCount"]) == ("shop-web:1", 1)
    newest = shell("history", "--json").json["deployments"][0]
    assert (newest["outcome"], "alarm" in newest["reason"].lower()) == ("rolled_back", True)


def test_a_function_that_says_no_fails_the_deployment(shell: Shell) -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:check"
    text = BLUE_GREEN.replace('bake = "5m"', f'bake = "1m", hooks = [{{ stage = "post_scale_up", lambda = "{arn}" }}]')
    shell.write(text)
    assert shell("deploy", "--yes").code == 0
    role = client(shell, "iam").get_role_policy(RoleName="shop-web-infrastructure", PolicyName="fargatectl")
    assert role["PolicyDocument"]["Statement"][0]["Action"] == ["lambda:InvokeFunction"]
    shell.local.set("hook.shop/shop-web=failing")
    shell.write(image(text, "2"))
    done = shell("deploy", "--yes")
    assert (done.code, "rolled it back" in done.err) == (3, True)
    assert running(shell) == "shop-web:1"


def test_test_requests_reach_the_new_tasks_first(shell: Shell) -> None:
    text = BLUE_GREEN.replace('bake = "5m"', 'bake = "1m", test = { host = "next.example.com" }')
    shell.write(text)
    shell("deploy", "--yes")
    advanced = service(shell)["loadBalancers"][0]["advancedConfiguration"]
    rules = client(shell, "elbv2").describe_rules(RuleArns=[advanced["testListenerRule"]])["Rules"]
    assert rules[0]["Conditions"][0]["Values"] == ["next.example.com"]
    assert shell("diff", "--exit-code").code == 0
    shell.write(image(text, "2"))
    assert shell("deploy", "--yes").code == 0
    assert shell("diff", "--exit-code").code == 0


def test_scaling_by_requests_counts_both_groups(shell: Shell) -> None:
    shell.write(CANARY + "scaling = { min = 1, max = 3, requests = 500 }\n")
    assert shell("deploy", "--yes").code == 0
    (policy,) = client(shell, "application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")[
        "ScalingPolicies"
    ]
    metrics = policy["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
    groups = {pair["Value"] for one in metrics[:2] for pair in one["MetricStat"]["Metric"]["Dimensions"]}
    assert (len(groups), metrics[2]["Expression"]) == (3, "FILL(m1, 0) + FILL(m2, 0)")
    assert shell("diff", "--exit-code").code == 0
