from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest

from fargatectl.sandbox.inprocess import LocalAws
from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Shell

ENVIRONMENTS = FILE + "\n[environments.staging]\n"
STEPS = {"create": {"create"}, "update": {"update"}, "replace": {"create", "delete"}, "delete": {"delete"}}


def kept(shell: Shell) -> dict[str, object]:
    document: dict[str, object] = json.loads((shell.directory / "plan.json").read_text())
    return document


EDITS: dict[str, Callable[[str], str]] = {
    "create": lambda text: text,
    "image": lambda text: text.replace("web:1", "web:2"),
    "port": lambda text: text.replace("port = 80", "port = 81"),
    "replace": lambda text: text.replace('"/" }', '"/", protocol_version = "HTTP2" }'),
    "delete": lambda text: text.replace('http = { health_check = "/" }', ""),
    "add": lambda text: text + '\n[services.api]\nimage = "shop/api:1"\nport = 90\n',
}


def test_what_a_kept_plan_shows_is_what_its_deploy_does(shell: Shell) -> None:
    for name, edit in EDITS.items():
        shell.write(edit(FILE))
        assert shell("diff", "--out", "plan.json").code == 0
        done = shell("deploy", "--yes", "--json", "--plan", "plan.json")
        assert done.code == 0, done.out
        changes = {change["address"]: change["action"] for change in done.events[0]["changes"]}
        assert [change["address"] for change in kept(shell)["changes"]] == [*changes]  # type: ignore[attr-defined]
        steps = {(e["address"], e["verb"]) for e in done.events if e["event"] == "step" and e["state"] == "done"}
        shown = {(address, verb) for address, action in changes.items() for verb in STEPS[action]}
        if name == "replace":  # exchanging a target group in use moves its listener within the same step
            shown.discard(("alb.listener/public:80", "update"))
        assert steps == shown
        assert changes


def test_so_it_is_for_any_edits_at_once(shell: Shell) -> None:
    random = Random(7)  # noqa: S311 - repeatable
    before: list[str] = []
    for _ in range(4):
        chosen = random.sample([name for name in EDITS if name not in {"create", "replace"}], k=random.randint(1, 3))
        text = FILE
        for name in chosen:
            text = EDITS[name](text)
        shell.write(text)
        assert shell("diff", "--out", "plan.json").code == 0
        kept_changes = kept(shell)["changes"]
        done = shell("deploy", "--yes", "--json", "--plan", "plan.json")
        assert done.code == 0, (before, chosen, done.out)
        assert done.events[0]["changes"] == kept_changes
        steps = {(e["address"], e["verb"]) for e in done.events if e["event"] == "step" and e["state"] == "done"}
        assert steps == {(c["address"], verb) for c in done.events[0]["changes"] for verb in STEPS[c["action"]]}
        assert shell("diff", "--exit-code").code == 0, (before, chosen)
        before = chosen


def test_a_plan_that_is_done_is_not_done_again(shell: Shell) -> None:
    shell("diff", "--out", "plan.json")
    assert shell("deploy", "--yes", "--plan", "plan.json").code == 0
    shell.local.calls.clear()
    done = shell("deploy", "--yes", "--plan", "plan.json")
    assert done.code == 4
    assert "cluster.cluster/shop was to create, and is to stay as it is now" in " ".join(done.err.split())
    assert shell.writes() == []


def test_choices_are_kept_with_the_plan_and_not_said_twice(shell: Shell) -> None:
    shell.write(FILE + '\n[services.api]\nimage = "shop/api:1"\nport = 90\n')
    shell("diff", "--out", "plan.json", "--service", "web", "--image", "web=shop/web:7")
    assert shell("deploy", "--yes", "--plan", "plan.json", "--image", "web=shop/web:8").code == 1
    done = shell("deploy", "--yes", "--json", "--plan", "plan.json")
    assert (done.code, done.events[-1]["services"][0]["image"]) == (0, "shop/web:7")
    assert "service.service/api" not in {change["address"] for change in done.events[0]["changes"]}


def test_a_plan_that_is_not_true_any_more_is_refused_and_what_moved_is_told(shell: Shell) -> None:
    shell.write(ENVIRONMENTS)
    shell("deploy", "--yes")
    shell.write(ENVIRONMENTS.replace("web:1", "web:2"))
    shell("diff", "--out", "plan.json")
    shell.local.calls.clear()

    def refused(*arguments: str) -> str:
        done = shell("deploy", "--yes", "--plan", "plan.json", *arguments)
        assert (done.code, shell.writes()) == (4, [])
        return " ".join(done.err.split())

    assert "no environment, and this is the environment staging" in refused("-e", "staging")
    assert "for the region eu-central-1, and this is the region us-east-1" in refused("--region", "us-east-1")

    region = shell.local.cloud.region(shell.local.account, shell.local.region)
    region.ask("logs", "PutRetentionPolicy", logGroupName="/shop/web", retentionInDays=1)
    shell.local.calls.clear()
    assert "logs.group/shop/web was to stay as it is, and is to update now" in refused().replace("//", "/")

    shell.write(ENVIRONMENTS.replace("web:1", "web:3"))
    assert "fargatectl.toml has changed" in refused()
    shell.write(ENVIRONMENTS.replace("web:1", "web:2").replace('"shop"', '"shop2"'))
    assert "for the app shop, and this is the app shop2; fargatectl.toml has changed" in refused()


def test_the_plan_of_another_account_is_refused(shell: Shell) -> None:
    shell("diff", "--out", "plan.json")
    shell.local = LocalAws(account="210987654321")
    shell.local.provision({"vpc": {"default": True}})
    shell.local.calls.clear()
    done = shell("deploy", "--yes", "--plan", "plan.json")
    assert (done.code, shell.writes()) == (4, [])
    assert "for the account 123456789012, and this is the account 210987654321" in " ".join(done.err.split())


def test_only_its_user_may_read_it(shell: Shell) -> None:
    shell("diff", "--out", "plan.json")
    assert (shell.directory / "plan.json").stat().st_mode & 0o077 == 0
    assert shell("diff", "--out", "no/such/folder/plan.json").code == 1


PLAN = {"version": 1, "app": "a", "environment": None, "account": "1", "region": "r", "changes": []}
MADE = {"sha256": "x", "service": [], "image": [], "adopt": []}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"changes": 1}',
        '{"version": 99, "changes": []}',
        "[" * 100000,
        json.dumps(PLAN),
        json.dumps({**PLAN, "made": {**MADE, "image": [1]}}),
        json.dumps({**PLAN, "made": MADE, "changes": [{"address": 1, "fields": []}]}),
        json.dumps({**PLAN, "made": MADE, "changes": [{"address": "a", "fields": [1]}]}),
        "\x00\xff",
    ],
)
def test_a_file_that_is_no_plan_is_a_mistake_of_usage(shell: Shell, text: str) -> None:
    shell.write(text, "plan.json")
    assert shell("deploy", "--yes", "--plan", "plan.json").code == 1
    assert shell("deploy", "--yes", "--plan", "nowhere.json").code == 1
