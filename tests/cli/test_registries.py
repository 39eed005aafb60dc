"""Credentials from this machine's environment, through the command line: they arrive, and are seen nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.faults.canaries import CANARY, sings

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

FILE = """\
app = "shop"
region = "eu-central-1"

[registries.gitlab]
match    = "registry.gitlab.com/acme/*"
username = { env = "GITLAB_USER" }
password = { env = "GITLAB_TOKEN" }

[services.web]
image = "registry.gitlab.com/acme/web:1"
"""


@pytest.fixture
def shell(shell: Shell) -> Shell:
    shell.write(FILE)
    shell.environ = {"GITLAB_USER": "acme", "GITLAB_TOKEN": CANARY}
    return shell


def held(shell: Shell) -> object:
    region = shell.local.cloud.region(shell.local.account, shell.local.region)
    with shell.local.cloud.moto.active():
        value = region.ask("secretsmanager", "GetSecretValue", SecretId="shop/registry/gitlab")
    return json.loads(value["SecretString"])


@pytest.mark.parametrize("command", [("deploy", "--yes"), ("diff",)])
@pytest.mark.parametrize("value", ["", None])
def test_a_missing_variable_is_told_with_its_place_before_any_call(
    shell: Shell, command: tuple[str, ...], value: str | None
) -> None:
    shell.environ = {"GITLAB_USER": "acme"} | ({"GITLAB_TOKEN": value} if value is not None else {})
    done = shell(*command, "--json")
    assert done.code == 1
    told = done.json if command == ("diff",) else done.events[-1]
    (problem,) = told["error"]["problems"]
    assert (problem["line"], problem["path"]) == (7, "registries.gitlab.password")
    assert "GITLAB_TOKEN" in problem["message"]
    assert shell.local.calls == []


def test_only_what_compares_needs_the_variables(shell: Shell) -> None:
    assert shell("deploy", "--yes").code == 0
    shell.environ = {}
    shell.local.calls.clear()
    assert shell("status").code == 0
    done = shell("validate", "--json")
    assert (done.code, [problem["severity"] for problem in done.json["problems"]]) == (0, ["warning"] * 2)
    assert shell("destroy", "--yes").code == 0
    assert "GetSecretValue" not in {call.operation for call in shell.local.calls}


def test_a_new_value_arrives_and_is_seen_nowhere(shell: Shell) -> None:
    seen = [shell("deploy", "--yes", "-v"), shell("deploy", "--yes", "--json")]
    assert held(shell) == {"username": "acme", "password": CANARY}
    shell.environ["GITLAB_TOKEN"] = f"{CANARY}-2"
    seen += [shell("diff"), shell("diff", "--json"), shell("diff", "--format", "markdown")]
    seen.append(shell("diff", "--out", "plan.json"))
    assert "changes" in seen[2].out
    assert [field["path"] for field in seen[3].json["changes"][0]["fields"]] == ["credentials"]
    shell.environ["GITLAB_TOKEN"] = f"{CANARY}-3"  # a plan holds no values: the present ones are written
    seen.append(shell("deploy", "--yes", "--plan", "plan.json", "--report", "report.md"))
    assert [done.code for done in seen] == [0] * len(seen)
    assert held(shell) == {"username": "acme", "password": f"{CANARY}-3"}
    written = [path.read_text() for path in shell.directory.rglob("*") if path.is_file()]
    assert not any(sings(text) for text in [*written, *(done.out + done.err for done in seen)])


def test_a_plan_without_the_change_is_not_true_once_a_value_changes(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell.write(FILE.replace("web:1", "web:2"))
    shell("diff", "--out", "plan.json")
    shell.environ["GITLAB_TOKEN"] = "another"
    done = shell("deploy", "--yes", "--plan", "plan.json")
    assert done.code == 4
    assert "registry.secret/gitlab" in done.err


def test_destroy_says_until_when_the_secret_can_be_had_back(shell: Shell) -> None:
    shell("deploy", "--yes")
    done = shell("destroy", "--yes")
    assert "the next deploy restores it until 20" in " ".join(done.err.split())
