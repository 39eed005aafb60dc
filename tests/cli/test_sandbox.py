"""`sandbox` and `--sandbox` as users have them: a process of its own on loopback, found again by the next command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fargatectl.sandbox.settings import KEYS
from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Shell

    Command = Callable[..., subprocess.CompletedProcess[str]]


REGISTRY = """
[registries.hub]
match    = "docker.io/shop/*"
username = { env = "NOBODYS_USER" }
password = { env = "NOBODYS_TOKEN" }
"""


@pytest.fixture
def fargatectl(tmp_path: Path) -> Iterator[Command]:
    (tmp_path / "fargatectl.toml").write_text(FILE + REGISTRY)
    hostile = {"AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL": "https://aws.example.com", "AWS_CA_BUNDLE": "/nowhere"}
    environ = {**os.environ, **hostile, "XDG_STATE_HOME": str(tmp_path / "state")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "fargatectl", *arguments]
        return subprocess.run(  # noqa: S603 - our own program
            command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path, env=environ
        )

    yield run
    run("sandbox", "stop")


def test_a_service_is_deployed_and_destroyed_without_an_account(fargatectl: Command) -> None:
    assert json.loads(fargatectl("sandbox", "status", "--json").stdout) == {"version": 1, "running": False}
    started = fargatectl("sandbox", "start", "--speed", "1000")
    assert (started.returncode, started.stdout.count("export AWS_")) == (0, 5)
    deployed = fargatectl("deploy", "--sandbox", "--yes")
    assert deployed.returncode == 0, deployed.stderr
    assert "a double of AWS on this machine" in deployed.stderr
    assert "NOBODYS_TOKEN is not set: a placeholder stands for it" in deployed.stderr
    running = json.loads(fargatectl("sandbox", "status", "--json").stdout)
    assert running["running"] is True
    assert running["endpoint"].startswith("http://127.0.0.1:")
    [service] = json.loads(fargatectl("status", "--sandbox", "--json").stdout)["services"]
    assert service["state"] == "steady"
    assert fargatectl("destroy", "--sandbox", "--yes").returncode == 0
    assert fargatectl("sandbox", "reset").returncode == 0
    assert fargatectl("sandbox", "stop").stdout == "The local AWS has stopped.\n"
    assert fargatectl("sandbox", "stop").returncode == 0


def test_the_sandbox_and_an_endpoint_exclude_each_other(shell: Shell) -> None:
    refused = shell("diff", "--sandbox", "--endpoint-url", "http://127.0.0.1:1")
    assert (refused.code, "--endpoint-url" in refused.err) == (1, True)


@pytest.mark.parametrize(("option", "told"), [(["--port", "99999"], "--port"), (["--speed", "0"], "above zero")])
def test_an_impossible_port_or_speed_is_a_mistake_of_usage(shell: Shell, option: list[str], told: str) -> None:
    refused = shell("sandbox", "start", *option)
    assert (refused.code, told in refused.err) == (1, True)


def test_help_lists_every_setting_with_an_example(fargatectl: Command) -> None:
    text = fargatectl("sandbox", "set", "--help").stdout
    assert [key.name for key in KEYS.values() if f"{key.example}\n" not in text or key.meaning not in text] == []


def test_it_is_told_what_shall_go_wrong(fargatectl: Command) -> None:
    missing = fargatectl("sandbox", "set", "latency=1")
    assert (missing.returncode, "No local AWS runs" in missing.stderr) == (1, True)
    fargatectl("sandbox", "start")
    listed = fargatectl("sandbox", "set").stdout
    assert "error.SERVICE.OPERATION=[N:]CODE" in listed
    assert listed.endswith("Nothing is set.\n")
    mistyped = fargatectl("sandbox", "set", "latancy=1")
    assert (mistyped.returncode, "id you mean latency?" in mistyped.stderr) == (1, True)
    done = fargatectl("sandbox", "set", "latency=0.01", "error.sts.GetCallerIdentity=*:AccessDenied", "--json")
    expected = {"error.sts.GetCallerIdentity": "*:AccessDenied", "latency": "0.01"}
    assert json.loads(done.stdout)["settings"] == expected
    assert fargatectl("diff", "--sandbox").returncode == 5
    assert fargatectl("sandbox", "set", "latency=", "error.sts.GetCallerIdentity=").stdout == "Nothing is set.\n"
    assert fargatectl("diff", "--sandbox").returncode == 0
