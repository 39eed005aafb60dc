"""A secret arrives where it belongs, and is seen nowhere else, whatever goes wrong on its way (I16)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fargatectl.sandbox.faults import AwsError
from tests.faults import canaries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Done, Shell

FILE = """
app = "shop"
region = "eu-central-1"

[registries.gitlab]
match    = "registry.gitlab.com/acme/*"
username = { env = "GITLAB_USER" }
password = { env = "GITLAB_TOKEN" }

[services.web]
image = "registry.gitlab.com/acme/web:1"
env   = { SIGNING_KEY = "${env.SIGNING_KEY}", HARMLESS = "${env.SIGNING_KEY}" }

[services.web.secrets]
DATABASE_URL = "shop/db"
"""
DIGITS = "0123456789"


@pytest.fixture
def shell(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shell.write(FILE)
    shell.environ = {"GITLAB_USER": "acme", "GITLAB_TOKEN": canaries.CANARY, "SIGNING_KEY": canaries.CANARY}
    shell.local.provision({"secrets": [{"name": "shop/db"}]})
    canaries.release(shell.local)
    shell.local.calls.clear()
    return shell


def require_silence(shell: Shell, *said: Done) -> None:
    """Nothing sings in what was said and written, nor in any call but where the values go."""
    for done in said:
        assert not canaries.sings(done.out), done.out
        assert not canaries.sings(done.err), done.err
    for path in shell.directory.rglob("*"):
        assert not path.is_file() or not canaries.sings(path.read_text()), path
    for call in shell.local.calls:
        assert not canaries.sings(json.dumps(list(_elsewhere(call.params)), default=str)), call


def _elsewhere(value: object) -> Iterator[object]:
    """Yield the parts of a call's parameters, but for the two places that values are sent to."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in {"SecretString", "environment"}:
                yield key
                yield from _elsewhere(part)
    elif isinstance(value, list):
        for part in value:
            yield from _elsewhere(part)
    else:
        yield value


def test_in_a_whole_life_no_secret_is_seen(shell: Shell, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "fargatectl")
    said = [
        shell(*command.split())
        for command in (
            "validate --expanded",
            "diff -vv --out plan.json",
            "diff --json",
            "diff --format markdown",
            "deploy --yes -vv --plan plan.json --report report.md",
            "deploy --yes --json --report report.json --image registry.gitlab.com/acme/web:crash",
            "why -v",
            "why --json",
            "status --json",
        )
    ]
    assert [done.code for done in said] == [0, 0, 0, 0, 0, 3, 0, 0, 0], [done.err for done in said]
    shell.environ = {**shell.environ, "GITLAB_TOKEN": canaries.CANARY + DIGITS, "SIGNING_KEY": canaries.CANARY + DIGITS}
    said += [
        shell("diff", "-v"),
        shell("diff", "--json"),
        shell("deploy", "--yes", "-v"),
        shell("destroy", "--yes", "-v"),
    ]
    assert [done.code for done in said[-4:]] == [0] * 4, [done.err for done in said[-4:]]
    require_silence(shell, *said)
    assert not canaries.sings(caplog.text)


@pytest.mark.parametrize("operation", ["CreateSecret", "RegisterTaskDefinition", "CreateService"])
@pytest.mark.parametrize("way", [str, json.dumps], ids=["as-python", "as-json"])
def test_a_refusal_that_quotes_what_it_refuses_is_shown_without_it(
    shell: Shell, operation: str, way: Callable[[object], str]
) -> None:
    def quote(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == operation:
            raise AwsError("InvalidParameterException", f"this is not valid: {way(call.params)}")
        return apply()

    shell.local.intercept(quote)
    said = [shell("deploy", "--yes", "-v", "--report", "report.md"), shell("deploy", "--yes", "--json")]
    assert [done.code for done in said] == [5, 5]
    assert "this is not valid" in said[0].err
    require_silence(shell, *said)


def test_a_bug_of_ours_tells_no_secret(shell: Shell) -> None:
    def break_off(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "RegisterTaskDefinition":
            raise RuntimeError(str(call.params))
        return apply()

    shell.local.intercept(break_off)
    said = [shell("deploy", "--yes", "-v"), shell("deploy", "--yes", "--json")]
    assert [done.code for done in said] == [70, 70]
    require_silence(shell, *said)
