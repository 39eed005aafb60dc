"""The whole command line on a local AWS in this process: no socket, no waiting, a clock that moves by itself."""

from __future__ import annotations

import io
import json
import os
import textwrap
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from fargatectl.cli.machine import Machine
from fargatectl.cli.main import run
from fargatectl.cli.signals import Signals
from fargatectl.cli.surroundings import Surroundings
from fargatectl.sandbox.inprocess import LocalAws
from tests.haste import quick_session, vouch

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
app = "shop"
region = "eu-central-1"

[services.web]
image = "shop/web:1"
port = 80
http = { health_check = "/" }
"""


class Stream(io.StringIO):
    """A stream that may say that it is a terminal."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(text)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Shell:
    """A folder with a file, an account behind it, and a command line in front of it."""

    directory: Path
    local: LocalAws
    environ: dict[str, str] = field(default_factory=dict)
    surroundings: Surroundings | None = None
    machine: Machine | None = None

    def write(self, text: str, name: str = "fargatectl.toml") -> Path:
        path = self.directory / name
        path.write_text(textwrap.dedent(text))
        return path

    def __call__(self, *arguments: str, typed: str | None = None, stdin: Any = None, width: int = 100) -> Done:
        """Run a command. With `typed`, somebody sits at a terminal and types that."""
        out, err = Stream(), Stream(terminal=typed is not None)
        state = {"XDG_STATE_HOME": str(self.directory / "state")}
        environ = {"COLUMNS": str(width), "NO_COLOR": "1", **state, **self.environ}
        self.surroundings = Surroundings(
            environ=environ,
            stdin=stdin or Stream(typed or "", terminal=typed is not None),
            stdout=out,
            stderr=err,
            directory=self.directory,
            clock=self.local.clock.now,
            monotonic=self.local.clock.monotonic,
            sleep=self.local.clock.sleep,
            signals=Signals(leave=lambda _: None),
            open_session=self._session,
            machine=self.machine or Machine(os.getpid()),
            random=Random(1),  # noqa: S311 - repeatable
        )
        code = run(arguments, self.surroundings)
        return Done(code, out.getvalue(), err.getvalue())

    def _session(self, profile: str | None) -> boto3.Session:
        del profile
        core = quick_session()
        keys = self.local.environment
        core.set_credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
        vouch(core, keys["AWS_ACCESS_KEY_ID"])
        self.local.attach(core)
        return boto3.Session(botocore_session=core)

    def writes(self) -> list[str]:
        """The mutating calls, but for those of the lock."""
        calls = [call for call in self.local.calls if call.mutating and call.service != "ssm"]
        return [f"{call.service}:{call.operation}" for call in calls]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    local = LocalAws()
    local.provision({"vpc": {"default": True}})
    shell = Shell(tmp_path, local)
    shell.write(FILE)
    local.calls.clear()
    return shell
