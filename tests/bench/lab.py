"""The bench's equipment: a local AWS behind the proxy, a folder with a file, and whole processes to measure."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import identity
from tests.bench.proxy import Network, Proxy, Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAUNCH = Path(__file__).with_name("launch.py")
_ROOT = Path(__file__).parents[2]
_START_SECONDS = 60
_SPEED = 1000
"""AWS seconds in a second: what AWS takes its time for is over at the next look."""


@dataclass(frozen=True)
class Run:
    """What one process took: seconds of wall and CPU, peak memory, and what it asked AWS for."""

    wall: float
    cpu: float
    peak_mib: float
    traffic: Traffic


class Failed(Exception):
    """A measured command did not do what it should: its figures mean nothing."""


class Lab:
    """One local AWS, one proxy in front of it, one folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._server, endpoint = _start(directory)
        self.endpoint = endpoint
        self._bundle = directory / "authorities.pem"
        self.proxy = Proxy(endpoint, self._bundle)
        self.command = str(Path(sys.executable).with_name("fargatectl"))
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))},
            "AWS_ENDPOINT_URL": self.proxy.url,
            "AWS_CA_BUNDLE": str(self._bundle),
            "AWS_ACCESS_KEY_ID": identity.access_key(identity.DEFAULT_ACCOUNT),
            "AWS_SECRET_ACCESS_KEY": identity.SECRET_KEY,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "XDG_CACHE_HOME": str(directory / "cache"),
            "XDG_STATE_HOME": str(directory / "state"),
            "CI": "true",
        }
        self.ask("provision", account=identity.DEFAULT_ACCOUNT, region="eu-central-1", references=_NETWORK)

    def close(self) -> None:
        """Stop the local AWS."""
        self._server.terminate()
        self._server.wait()

    def ask(self, what: str, **wish: Any) -> None:
        """Have the local AWS do something that no client of AWS can ask for."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.endpoint}/_fargatectl/{what}", json.dumps(wish).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=60).read()  # noqa: S310 - as above

    def reset(self, *, throttled: bool = False) -> None:
        """Begin with an empty account; with `throttled`, ECS refuses what exceeds its documented rates."""
        self.ask("reset")
        self.ask("set", assignments=["throttling=on" if throttled else "throttling="])
        self.ask("provision", account=identity.DEFAULT_ACCOUNT, region="eu-central-1", references=_NETWORK)

    def write(self, text: str) -> None:
        """Put down the file."""
        (self.directory / "fargatectl.toml").write_text(text)

    def run(self, *arguments: str, network: Network = Network()) -> Run:  # noqa: B008 - it never changes
        """Run fargatectl; raise `Failed` unless it ends well."""
        return self.measure([self.command, *arguments], network=network)

    def measure(self, command: Sequence[str], *, network: Network = Network()) -> Run:  # noqa: B008 - as above
        """Run any command in the folder, through the proxy; raise `Failed` unless it ends with 0."""
        self.proxy.begin(network)
        launched = subprocess.run(  # noqa: S603 - what the bench measures
            [sys.executable, "-I", "-S", str(_LAUNCH), *command],
            cwd=self.directory,
            env={**self.environment, "AWS_ENDPOINT_URL": self.proxy.url},
            capture_output=True,
            check=True,
        )
        took = json.loads(launched.stdout)
        traffic = self.proxy.traffic
        if took["code"] != 0:
            raise Failed(f"{' '.join(command)} ended with {took['code']}:\n{took['said']}")
        return Run(took["wall"], took["cpu"], took["peak_mib"], traffic)


_NETWORK = {"vpc": {"default": True}}


def _start(directory: Path) -> tuple[subprocess.Popen[bytes], str]:
    state = directory / "server.json"
    command = [sys.executable, "-m", "fargatectl.sandbox.server", "--speed", str(_SPEED), "--state-file", str(state)]
    with (directory / "server.log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603 - fixed arguments
            [*command, "--token", secrets.token_hex()], cwd=_ROOT, stdout=log, stderr=log
        )
    deadline = time.monotonic() + _START_SECONDS
    while not state.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            raise Failed(f"the local AWS did not start: {(directory / 'server.log').read_text()}")
        time.sleep(0.05)
    return server, str(json.loads(state.read_text())["endpoint"])
