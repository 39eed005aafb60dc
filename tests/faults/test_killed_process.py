"""The command itself, as a process of its own, killed with SIGKILL in the middle of a call; then run again."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.config.load import load
from fargatectl.config.references import references
from fargatectl.sandbox import lifetime
from fargatectl.sandbox.lifetime import Directories
from tests.faults.killer import Door
from tests.faults.stacks import STACKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT, REGION = "123456789012", "eu-central-1"
PATIENCE_SECONDS = 120


class Machine:
    """A user's machine with the guide's file, whose way to AWS leads through a door."""

    def __init__(self, directory: Path, running: Any) -> None:
        self.directory = directory
        self.door = Door(running.endpoint)
        path = directory / "fargatectl.toml"
        path.write_text(STACKS["guide"].text)
        loaded = load(path, environment=None, variables={}, git_sha=lambda: None)
        lifetime.provision(running, references(loaded.config), ACCOUNT, REGION)
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}
        self.environment = {**kept, "HOME": str(directory), **lifetime.environment(running, ACCOUNT, REGION)}
        del self.environment["AWS_ENDPOINT_URL"]

    def run(self, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "fargatectl", *arguments, "--endpoint-url", self.door.url]
        process = subprocess.Popen(  # noqa: S603 - this Python, our own package
            command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.door.victim = lambda: process.pid
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        return process.returncode, said


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directories]:
    directories = Directories(tmp_path_factory.mktemp("server"))
    lifetime.start(speed=5_000, directories=directories, environment=os.environ)
    yield directories
    lifetime.stop(directories=directories)


@pytest.fixture
def machine(directories: Directories, tmp_path: Path) -> Iterator[Machine]:
    lifetime.reset(directories=directories)
    machine = Machine(tmp_path, lifetime.status(directories=directories))
    yield machine
    machine.door.shutdown()
    machine.door.server_close()


@pytest.mark.parametrize(("k", "applied"), [(9, False), (19, True)])
def test_a_killed_deploy_is_finished_by_the_next_one(machine: Machine, k: int, *, applied: bool) -> None:
    machine.door.kill_at, machine.door.apply_first = k, applied
    code, said = machine.run("deploy", "--yes")
    assert code == -9, said
    machine.door.kill_at = None
    code, said = machine.run("deploy", "--yes")
    assert code == 0, said
    machine.door.calls.clear()
    code, said = machine.run("diff", "--exit-code")
    assert (code, machine.door.calls) == (0, []), said


def test_a_killed_destroy_is_finished_by_the_next_one(machine: Machine) -> None:
    assert machine.run("deploy", "--yes")[0] == 0
    machine.door.kill_at = len(machine.door.calls) + 8
    assert machine.run("destroy", "--yes")[0] == -9
    machine.door.kill_at = None
    code, said = machine.run("destroy", "--yes")
    assert code == 0, said
    machine.door.calls.clear()
    code, said = machine.run("destroy", "--yes")
    assert (code, machine.door.calls) == (0, []), said
