"""Invariants of docs/reliability.md that no other test names."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import Phase, strategies as st

from fargatectl.errors import Refused
from fargatectl.model.events import StepEvent
from fargatectl.model.ownership import ADDRESS
from fargatectl.render import machine
from fargatectl.sandbox.faults import AwsError
from tests.cli.conftest import Shell
from tests.faults import canaries, limits
from tests.faults.account import Account, look
from tests.faults.harness import A_WHILE, attempt, ready, start
from tests.faults.kinds import KINDS, Crash
from tests.faults.scheduler import Shuffled
from tests.faults.stacks import FLOWS, STACKS, Flow, flow
from tests.faults.strip import forget_addresses, mark, strip
from tests.forked import in_a_copy

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.faults.harness import Seam

ROOT = Path(__file__).parents[2]
EDITS = (*STACKS["guide"].update, *STACKS["guide"].replace)
FILES = 9
VERBS = {"create": {"create"}, "update": {"update"}, "replace": {"create", "delete"}, "delete": {"delete"}}


@pytest.fixture
def deployed() -> Seam:
    """The guide, deployed: for flows of a deployed guide, in a copy of this process."""
    return ready(flow("guide", "update"))


@in_a_copy
def test_i5_what_is_not_ours_is_refused_with_all_names_and_nothing_is_written(deployed: Seam) -> None:
    wanted, seam = flow("guide", "update"), deployed
    assert seam.scene.oracles is not None
    assert len(strip(seam.local, seam.scene.oracles.owner)) >= 10
    with pytest.raises(Refused) as caught:
        seam.scene.planned(wanted)
    for kind in ("cluster", "service", "load balancer", "target group", "role", "log group", "namespace"):
        assert kind in caught.value.message
    assert seam.calls == []


@pytest.fixture
def begun(name: str) -> Seam:
    """Where the flow of this name starts: for a copy of this process."""
    return ready(flow("guide", name))


@pytest.mark.parametrize("name", FLOWS)
@in_a_copy
def test_i15_what_the_plan_shows_is_what_is_done(name: str, begun: Seam) -> None:
    wanted, scene = flow("guide", name), begun.scene
    scene.events.clear()
    planning, outcome = scene.run(wanted)
    assert outcome.complete
    done = {str(event.address) for event in scene.events if isinstance(event, StepEvent) and event.state == "done"}
    assert done == {str(change.address) for change in planning.plan.changes}


@in_a_copy
def test_i15_so_it_is_from_any_file_to_any_other(deployed: Seam) -> None:
    """Each file is deployed over the one before."""
    stack, scene = STACKS["guide"], deployed.scene
    found = [look(scene.local).things]

    @hypothesis.settings(max_examples=FILES, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
    @hypothesis.given(st.frozensets(st.integers(0, len(EDITS) - 1), max_size=5))
    def change(edits: frozenset[int]) -> None:
        wanted = Flow(stack, "change", None, stack.edited(tuple(EDITS[number] for number in sorted(edits))))
        scene.events.clear()
        planning, outcome = scene.run(wanted)
        assert outcome.complete
        events = [event for event in scene.events if isinstance(event, StepEvent) and event.state == "done"]
        shown = {(c.address, verb) for c in planning.plan.changes for verb in VERBS[c.action]}
        assert {(event.address, event.verb) for event in events} == shown
        scene.local.clock.sleep(A_WHILE)
        before, left = found[-1], look(scene.local).things
        touched = {name for name in {*before, *left} if _settings(before.get(name)) != _settings(left.get(name))}
        addresses = {_address(left.get(name) or before.get(name)) for name in touched} - {None}
        assert addresses <= {str(change.address) for change in planning.plan.changes}
        found.append(left)

    change()
    assert len(found) == FILES + 1


def _settings(thing: Any) -> Any:
    """Leave out what goes up and down with the tasks, and the rules of groups, which have addresses of their own."""
    return thing and {key: part for key, part in thing.items() if key not in {"targets", "instances", "IpPermissions"}}


def _address(thing: Any) -> str | None:
    tags = thing.get("tags") or thing.get("Tags") or []
    listed = (
        tags.items()
        if isinstance(tags, dict)
        else ((t.get("Key") or t["key"], t.get("Value", t.get("value"))) for t in tags)
    )
    return dict(listed).get(ADDRESS)


def test_i16_no_secret_is_printed_or_written_by_any_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scene = start(flow("guide", "create")).scene
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shell = Shell(tmp_path, scene.local, environ={"CI": "true"})
    file = shell.write(flow("guide", "create").after)
    caplog.set_level("DEBUG", "fargatectl")
    said = [
        shell(*command.split())
        for command in (
            "validate --expanded",
            "diff -v --out plan.json",
            "diff --json",
            "diff --format markdown",
            "deploy --yes -v --report report.md",
            "status --json",
            "deploy --yes --json",
            "destroy --yes -v",
        )
    ]
    assert [done.code for done in said] == [0] * len(said), [done.err for done in said]

    def break_off(call: Call, _: Callable[[], Response]) -> Response:
        raise RuntimeError(canaries.CANARY + str(call.params))

    scene.local.intercept(break_off)
    said.append(shell("deploy", "--yes", "-v"))
    assert said[-1].code == 70
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file() and path != file]
    assert len(written) >= 3  # the plan, the report of the deploy, and that of the bug
    for text in (*written, caplog.text, *(part for done in said for part in (done.out, done.err))):
        assert not canaries.sings(text), text


@pytest.mark.parametrize("name", ["create", "update"])
@in_a_copy
def test_i19_the_same_file_and_account_give_the_same_plan_byte_for_byte(name: str, begun: Seam) -> None:
    wanted, scene = flow("guide", name), begun.scene
    plans = set()
    for seed in (None, 1, 2):
        scene.seed = seed
        plans.add(machine.dump(machine.plan(scene.planned(wanted).plan)))
    assert len(plans) == 1
    assert isinstance(scene.executor(), Shuffled)


def test_i21_a_storm_of_throttles_ends_within_the_budget() -> None:
    wanted = flow("minimal", "create")
    seam = start(wanted)
    asked: Counter[str] = Counter()

    def storm(call: Call, _: Callable[[], Response]) -> Response:
        asked[f"{call.service}:{call.operation}:{call.params}"] += 1
        raise AwsError("Throttling" if call.protocol == "query" else "ThrottlingException", "Rate exceeded")

    seam.fault = storm
    began = seam.local.clock.monotonic()
    assert "throttled" in attempt(seam.scene, wanted) or asked
    readers = 2  # a failure is not shared: the definition and the service both ask for the service
    assert max(asked.values()) <= readers * limits.ATTEMPTS
    assert seam.local.clock.monotonic() - began < 30 * 60
    assert seam.calls == []


def test_i21_a_denial_is_not_asked_for_again() -> None:
    wanted = flow("minimal", "create")
    seam = start(wanted)
    seam.second, seam.then_at = KINDS["denied"], 8
    ended = attempt(seam.scene, wanted)
    assert "not authorized" in ended
    denied = [call for call in seam.local.calls if (call.error or "").startswith(("AccessDenied", "Unauthorized"))]
    assert denied
    asked = Counter(f"{call.operation}:{call.params}" for call in denied)
    assert set(asked.values()) == {1}


@in_a_copy
def test_i23_what_a_dead_run_registered_is_used_by_the_next_one(deployed: Seam) -> None:
    wanted, seam = flow("guide", "update"), deployed
    definitions = look(seam.local).revisions

    def die(call: Call, apply: Callable[[], Response]) -> Response:
        answer = apply()
        if call.operation == "RegisterTaskDefinition":
            raise Crash
        return answer

    seam.fault = die
    assert attempt(seam.scene, wanted) == "crash"
    seam.quiet()
    seam.calls.clear()
    assert attempt(seam.scene, wanted) == "complete"
    assert "ecs:RegisterTaskDefinition" not in seam.calls
    assert seam.calls.count("ecs:UpdateService") == 1
    assert look(seam.local).revisions == {**definitions, "best-app": definitions["best-app"] + 1}


@pytest.mark.parametrize(("name", "k"), [("replace", 2), ("replace", 5), ("replace", 8), ("update", 5), ("update", 10)])
@in_a_copy
def test_i1_after_a_crash_the_file_may_be_turned_back(name: str, k: int, deployed: Seam) -> None:
    stack, seam = STACKS["guide"], deployed
    edits = stack.replace if name == "replace" else stack.update[:-1]  # a tag that left the file is not ours any more
    wanted = Flow(stack, name, stack.text, stack.edited(edits))
    before = look(seam.local)
    seam.second, seam.then_at = KINDS["crash-after"], k
    assert attempt(seam.scene, wanted) == "crash"
    seam.quiet()
    seam.local.clock.sleep(A_WHILE)  # Cloud Map's operation ends before a person has turned the file back
    back = replace(wanted, after=wanted.before or "")
    assert attempt(seam.scene, back) == "complete"
    seam.local.clock.sleep(A_WHILE)
    assert not seam.scene.planned(back).plan.changes
    left = look(seam.local).to_json()
    things = {name: thing for name, thing in left["things"].items() if not name.startswith("task definition")}
    kept = {name: thing for name, thing in before.things.items() if not name.startswith("task definition")}
    assert not Account(kept, {}).differences({"things": things})


@pytest.mark.parametrize("name", ["update", "replace", "destroy"])
@in_a_copy
def test_i24_tags_of_a_newer_version_are_kept_and_no_difference(name: str, deployed: Seam) -> None:
    wanted, seam = flow("guide", name), deployed
    assert seam.scene.oracles is not None
    owner = seam.scene.oracles.owner
    assert mark(seam.local, owner, {"fargatectl:future": "1"}) >= 12
    same = replace(wanted, after=wanted.before or "", absent=False)
    assert not seam.scene.planned(same).plan.changes
    assert attempt(seam.scene, wanted) == "complete"
    seam.local.clock.sleep(A_WHILE)
    things = look(seam.local).things
    marked = [name for name, thing in things.items() if "fargatectl:future" in str(thing)]
    if wanted.absent:
        assert not marked
    else:
        assert {"cluster best-cluster", "service best-app", "namespace best.domain.com"} <= set(marked)


@in_a_copy
def test_i24_what_an_older_version_left_without_an_address_is_ours_and_gets_one(deployed: Seam) -> None:
    wanted, seam = flow("guide", "update"), deployed
    same = replace(wanted, after=wanted.before or "")
    assert seam.scene.oracles is not None
    before = look(seam.local)
    assert forget_addresses(seam.local, seam.scene.oracles.owner) >= 12
    assert attempt(seam.scene, same) == "complete"
    made = {call for call in seam.calls if call.split(":")[1].startswith(("Create", "Delete")) and "Tags" not in call}
    assert made <= {"elbv2:CreateRule", "elbv2:DeleteRule"}  # a rule has no name but its address
    seam.local.clock.sleep(A_WHILE)
    assert not seam.scene.planned(same).plan.changes
    assert not before.differences(look(seam.local).to_json())


def test_every_proof_that_the_page_names_exists() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    assert {f"I{number}" for number in range(1, 25)} <= set(re.findall(r"^\| (I\d+) ", page, re.MULTILINE))
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) >= 20
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(), f"{path} has no {name}"
