"""A long life, as a state machine: edits of the file, drift, faults, another person's run in the middle of ours.

Whatever happened, one undisturbed deploy reaches what the file says and stays there; a destroy leaves nothing (I1, I2,
I3, I7, I22).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fargatectl.model.ownership import ADDRESS
from fargatectl.sandbox import tagging
from fargatectl.sandbox.faults import AwsError
from tests.faults.account import look
from tests.faults.harness import A_WHILE, Scene, attempt, start
from tests.faults.kinds import KINDS
from tests.faults.stacks import STACKS, Flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.faults.harness import Seam

STACK = STACKS["minimal"]
EDITS = (*STACK.update, *STACK.replace)
FAULTS = ("none", "crash-before", "crash-after", "lost", "error-after", "throttled-3", "denied", "vanished", "signal")
EXAMPLES, STEPS = (300, 20) if os.environ.get("FARGATECTL_TORTURE") else (4, 6)


def flow(edits: set[int], *, absent: bool = False) -> Flow:
    """Return a run with the file that has those edits; of two that want the same place, the first counts."""
    text = STACK.text
    for number in sorted(edits):
        before, after = EDITS[number]
        text = text.replace(before, after)
    return Flow(STACK, "life", None, text, absent=absent)


class Life(RuleBasedStateMachine):
    """One app, its user, a colleague and a careless person in one account."""

    seam: Seam

    @initialize()
    def begin(self) -> None:
        self.edits: set[int] = set()
        self.seam = start(flow(set()))
        self.before = look(self.scene.local)

    @property
    def scene(self) -> Scene:
        return self.seam.scene

    @rule(number=st.integers(0, len(EDITS) - 1))
    def edit(self, number: int) -> None:
        self.edits ^= {number}

    @rule(fault=st.sampled_from(FAULTS), at=st.integers(1, 20))
    def deploy(self, fault: str, at: int) -> None:
        self.run_into(fault, at, flow(self.edits))

    @rule(fault=st.sampled_from(FAULTS), at=st.integers(1, 20))
    def destroy(self, fault: str, at: int) -> None:
        self.run_into(fault, at, flow(self.edits, absent=True))

    @rule(number=st.integers(0, len(EDITS) - 1), at=st.integers(1, 15))
    def colleague(self, number: int, at: int) -> None:
        """Somebody else deploys another edit of the file in the middle of our run."""
        theirs = Scene(self.scene.local, self.scene.directory)
        theirs.__dict__["aws"] = self.scene.aws
        armed = [True]

        def meet(call: Call, apply: Callable[[], Response]) -> Response:
            answer = apply()
            if armed and call.mutating and self.seam.k >= at + begun:
                armed.clear()
                attempt(theirs, flow(self.edits ^ {number}))
            return answer

        begun = self.seam.k
        self.seam.fault = meet
        attempt(self.scene, flow(self.edits))
        self.seam.quiet()

    @rule(number=st.integers(0, 5))
    def drift(self, number: int) -> None:
        """Somebody deletes or changes one of our things by hand."""
        local = self.scene.local
        region = local.cloud.region(local.account, local.region)
        owner = self.scene.blueprint(flow(set()).after).stack.owner
        with local.cloud.moto.active():
            mine = sorted((tags[ADDRESS], arn) for arn, tags in tagging.tagged(region) if owner.owns(tags))
            for address, arn in mine[number :: len(mine) or 1]:
                for operation, params in _mischief(address, arn):
                    try:
                        region.ask(operation.partition(":")[0], operation.partition(":")[2], **params)
                    except AwsError:
                        continue

    @rule()
    def wait(self) -> None:
        self.scene.local.clock.sleep(A_WHILE)

    @invariant()
    def nothing_forbidden_was_done(self) -> None:
        if hasattr(self, "edits") and self.scene.oracles:
            # What a person deletes while a call is under way, the call cannot know.
            found = [line for line in self.scene.oracles.violations if not line.startswith("I10")]
            assert not found, found

    def run_into(self, fault: str, at: int, wanted: Flow) -> None:
        self.seam.then_at = self.seam.k + at if fault != "none" else None
        self.seam.second = KINDS.get(fault)
        attempt(self.scene, wanted)
        self.seam.then_at = None
        self.seam.quiet()

    def teardown(self) -> None:
        if not hasattr(self, "edits"):
            return
        self.scene.local.clock.sleep(A_WHILE)
        assert attempt(self.scene, flow(self.edits)) == "complete"
        self.scene.local.clock.sleep(A_WHILE)
        assert not self.scene.planned(flow(self.edits)).plan.changes
        assert attempt(self.scene, flow(self.edits, absent=True)) == "complete"
        self.scene.local.clock.sleep(A_WHILE)
        left = look(self.scene.local)
        differences = self.before.differences(left.to_json())
        assert not differences, differences
        assert left.revisions == self.before.revisions


def _mischief(address: str, arn: str) -> list[tuple[str, dict[str, Any]]]:
    kind = address.partition("/")[0]
    deletions: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "alb.listener": [("elbv2:DeleteListener", {"ListenerArn": arn})],
        "alb.load_balancer": [("elbv2:DeleteLoadBalancer", {"LoadBalancerArn": arn})],
        "alb.target_group": [("elbv2:ModifyTargetGroup", {"TargetGroupArn": arn, "HealthCheckPath": "/by-hand"})],
        "logs.group": [("logs:DeleteLogGroup", {"logGroupName": arn.partition(":log-group:")[2]})],
        "service.service": [("ecs:UpdateService", {"cluster": "hello", "service": "hello-web", "desiredCount": 3})],
        "cluster.cluster": [("ecs:TagResource", {"resourceArn": arn, "tags": [{"key": "theirs", "value": "x"}]})],
    }
    return deletions.get(kind, [])


def test_whatever_happened_one_deploy_reaches_what_the_file_says() -> None:
    settings = hypothesis.settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    run_state_machine_as_test(Life, settings=settings)
