"""Ctrl-C, SIGTERM, a terminal that goes away: what runs ends, nothing begins, the lock is free, and the end is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.config.load import load
from fargatectl.config.references import references
from fargatectl.sandbox import lifetime
from fargatectl.sandbox.lifetime import Directories
from tests.cli.conftest import FILE
from tests.faults.killer import Door

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Done, Shell

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143}
LOCKS = "/fargatectl/locks/shop"


class Interruption:
    """Sends a signal at the k-th call, and looks at what is called afterwards."""

    def __init__(self, shell: Shell, number: signal.Signals, k: int | None = None, operation: str = "") -> None:
        self.shell, self.number, self.k, self.operation = shell, number, k, operation
        self.calls = 0
        self.later: list[int] = []
        self.at: float | None = None
        shell.local.intercept(self)

    def __call__(self, call: Call, apply: Callable[[], Response]) -> Response:
        if self.at is not None and call.mutating and call.service != "ssm":
            self.later.append(threading.get_ident())
        answer = apply()
        self.calls += 1
        if self.at is None and (self.calls == self.k or call.operation == self.operation):
            self.at = self.shell.local.clock.monotonic()
            self.later = [threading.get_ident()] if call.mutating and call.service != "ssm" else []
            assert self.shell.surroundings is not None
            self.shell.surroundings.signals.handle(self.number, None)
        return answer


def lock_states(shell: Shell) -> set[str]:
    client = shell._session(None).client("ssm", region_name="eu-central-1")
    found = client.get_parameters_by_path(Path=LOCKS)["Parameters"]
    return {json.loads(one["Value"])["state"] for one in found}


def require_good_order(shell: Shell, done: Done, met: Interruption, writes: list[str]) -> None:
    """The signal was heeded: its code, an honest end, a free lock, and no further call but those under way."""
    assert met.at is not None
    assert done.code == CODES[met.number], done.err
    assert len(met.later) == len(set(met.later))  # in each thread the call under way ended, and no other began
    assert "held" not in lock_states(shell)
    told = " ".join(done.err.split())
    assert "Interrupted." in told
    if "othing was changed" in told:
        assert not writes
    else:
        next_steps = ("un the same command again to go on", "Follow it: fargatectl deploy --attach.")
        assert any(one in told for one in next_steps)


def test_at_any_call_a_signal_ends_a_deploy_in_good_order(shell: Shell) -> None:
    shell.write(
        FILE.replace("port = 80\n", "port = 80\ndiscovery = {}\n") + '[discovery]\nnamespace = "shop.internal"\n'
    )
    for k in count(2, 13):
        shell.local.calls.clear()
        met = Interruption(shell, SIGNALS[k % len(SIGNALS)], k)
        done = shell("deploy", "--yes")
        if met.at is None:  # there is no k-th call any more: what earlier runs did is not done again
            assert (k > 40, done.code) == (True, 0)
            break
        require_good_order(shell, done, met, shell.writes())
    shell.local.intercept(None)
    assert shell("diff", "--exit-code").code == 0


def test_at_any_call_a_signal_ends_a_destroy_in_good_order(shell: Shell) -> None:
    assert shell("deploy", "--yes").code == 0
    for k in count(12, 14):
        shell.local.calls.clear()
        met = Interruption(shell, SIGNALS[k % len(SIGNALS)], k)
        done = shell("destroy", "--yes")
        if met.at is None:
            assert done.code == 0
            break
        require_good_order(shell, done, met, shell.writes())
    assert lock_states(shell) == set()


@pytest.mark.parametrize("operation", ["PutParameter", "CreateLoadBalancer", "CreateService"])
def test_no_wait_outlives_a_signal(shell: Shell, operation: str) -> None:
    met = Interruption(shell, signal.SIGINT, operation=operation)
    done = shell("deploy", "--yes")
    require_good_order(shell, done, met, shell.writes())
    assert met.at is not None
    assert shell.local.clock.monotonic() - met.at < 12  # seconds: one pause between two looks


def test_the_end_of_an_interrupted_run_is_told_to_machines(shell: Shell) -> None:
    Interruption(shell, signal.SIGTERM, operation="CreateCluster")
    result = shell("deploy", "--yes", "--json").events[-1]
    assert (result["event"], result["outcome"], result["exit_code"]) == ("result", "interrupted", 143)
    assert {"address": "service.service/web", "because": "interrupted"} in result["skipped"]
    Interruption(shell, signal.SIGINT, 3)
    result = shell("destroy", "--yes", "--json").events[-1]
    assert (result["outcome"], result["error"]["kind"], result["exit_code"]) == ("interrupted", "interrupted", 130)


ACCOUNT, REGION = "123456789012", "eu-central-1"
# A shell without job control starts what runs in its background with Ctrl-C ignored, and so all that starts from there.
HEEDING = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("fargatectl", run_name="__main__", alter_sys=True)
"""


class Process:
    """The command as a process of its own, against a local AWS in another one; its calls pass a door."""

    def __init__(self, directory: Path, running: Any) -> None:
        self.directory = directory
        self.door = Door(running.endpoint)
        path = directory / "fargatectl.toml"
        path.write_text(FILE)
        loaded = load(path, environment=None, variables={}, git_sha=lambda: None)
        lifetime.provision(running, references(loaded.config), ACCOUNT, REGION)
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        self.environment = {**kept, "HOME": str(directory), **lifetime.environment(running, ACCOUNT, REGION)}
        del self.environment["AWS_ENDPOINT_URL"]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - this Python, our own package
            [sys.executable, "-c", HEEDING, *arguments, "--endpoint-url", self.door.url],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def strike(self, k: int, *numbers: signal.Signals, command: str = "deploy") -> tuple[int, str]:
        """Run a command, and send it the signals, one after the other, while its k-th change is on its way."""
        process = self.start(command, "--yes")

        def signals() -> None:
            for number in numbers:
                os.kill(process.pid, number)
                time.sleep(0.3)  # two signals at once are one

        self.door.kill = signals  # type: ignore[method-assign]
        self.door.kill_at, self.door.apply_first, self.door.drops_answer = len(self.door.calls) + k, True, False
        _, said = process.communicate(timeout=60)
        self.door.kill_at = None
        return process.returncode, said


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    directories = Directories(tmp_path / "server")
    running = lifetime.start(speed=1000, directories=directories, environment=os.environ)
    (tmp_path / "app").mkdir()
    process = Process(tmp_path / "app", running)
    yield process
    process.door.shutdown()
    process.door.server_close()
    lifetime.stop(directories=directories)


def test_signals_to_a_real_process(process: Process) -> None:
    code, said = process.strike(2, signal.SIGINT)
    assert (code, "Not done:" in said, "Traceback" in said) == (130, True, False), said
    # A reader who goes away ends the telling, never the run.
    last = process.start("deploy", "--yes", "--json")
    assert last.stdout is not None
    assert last.stderr is not None
    assert json.loads(last.stdout.readline())["event"] == "plan"
    last.stdout.close()
    said = last.stderr.read()
    assert ("took over the lock" in said, "Traceback" in said) == (False, False), said
    last.stderr.close()
    assert last.wait(timeout=60) == 0
    # The second signal leaves at once; the next run takes over the lock that was not released.
    code, said = process.strike(2, signal.SIGTERM, signal.SIGINT, command="destroy")
    assert (code, "Left at once." in said, "lock ends by itself" in said) == (130, True, True), said
    done = process.start("destroy", "--yes")
    _, said = done.communicate(timeout=60)
    assert (done.returncode, "took over the lock" in said) == (0, True), said


def test_output_that_finds_no_room_is_a_failure_and_closed_streams_are_none(tmp_path: Path) -> None:
    (tmp_path / "fargatectl.toml").write_text(FILE)
    command = f"exec {sys.executable} -m fargatectl validate"
    ends = {"--expanded >/dev/full": 1, ">/dev/full": 1, "--json >/dev/full": 1, "2>/dev/full": 0, ">&-": 0, "2>&-": 0}
    for rest, code in ends.items():
        done = subprocess.run(  # noqa: S602 - redirections are what is tried
            f"{command} {rest}", shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code, (rest, done.stderr)
        assert "Traceback" not in done.stderr
        assert ("No space left" in done.stderr) == (code == 1 and "json" not in rest)
