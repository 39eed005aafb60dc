"""Start, find and stop the local AWS of this user. Light: it imports neither moto nor anything else of the server's.

A state file in the user's state directory says where the server is; a lock file keeps two starts apart. A server is
believed only when it answers with the token that the state file holds, so that neither a stale file nor a
reused pid fools it.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
from filelock import FileLock, Timeout

from fargatectl.errors import AwsFailure, UsageError
from fargatectl.sandbox.clock import SystemClock
from fargatectl.sandbox.identity import SECRET_KEY, access_key
from fargatectl.sandbox.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fargatectl.sandbox.clock import Clock

_ADMIN = "/_fargatectl/"
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
_PROBE_SECONDS = 5.0
_PROVISION_SECONDS = 120.0
_SYSTEM_CLOCK = SystemClock()
_CHILDREN: list[subprocess.Popen[bytes]] = []  # kept so that they are reaped, and never warned about as forgotten


@dataclass(frozen=True, slots=True)
class Directories:
    """Where the local AWS keeps its state file, its lock and its log."""

    state: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Directories:
        """Return the user's own: below XDG_STATE_HOME where that is set, else where the platform keeps such things."""
        home = environment.get("XDG_STATE_HOME", "")
        root = Path(home) / "fargatectl" if Path(home).is_absolute() else platformdirs.user_state_path("fargatectl")
        return cls(root / "sandbox")

    @property
    def state_file(self) -> Path:
        """Written by the server: endpoint, pid and token."""
        return self.state / "server.json"

    @property
    def log(self) -> Path:
        """What the server said."""
        return self.state / "server.log"

    @property
    def lock(self) -> Path:
        """Held while a server is started or stopped."""
        return self.state / "server.lock"


@dataclass(frozen=True, slots=True)
class Running:
    """A local AWS that answers. `speed` is how many AWS seconds pass in one; dates are in UTC."""

    endpoint: str
    pid: int
    speed: float
    idle_stop_at: datetime
    started_at: datetime


def status(*, directories: Directories) -> Running | None:
    """Return the local AWS that runs for this user, or None."""
    known = _state(directories)
    if known is None:
        return None
    try:
        answer = _ask(known["endpoint"], "status", seconds=_PROBE_SECONDS)
    except (OSError, ValueError, http.client.HTTPException):
        return None
    if answer.get("token") != known["token"]:
        return None
    return Running(
        endpoint=known["endpoint"],
        pid=answer["pid"],
        speed=answer["speed"],
        idle_stop_at=datetime.fromisoformat(answer["idle_stop_at"]),
        started_at=datetime.fromisoformat(answer["started_at"]),
    )


def start(
    *,
    speed: float | None = None,
    port: int | None = None,
    directories: Directories,
    environment: Mapping[str, str],
    clock: Clock = _SYSTEM_CLOCK,
) -> Running:
    """Start the local AWS, or return the one that runs; a running one keeps its speed and port.

    Raises UsageError for an impossible speed or port, AwsFailure if the server does not come up.
    """
    if speed is not None and speed <= 0:
        raise UsageError(f"The speed must be above zero, not {speed:g}")
    if port is not None and not 0 <= port <= 65535:  # noqa: PLR2004 - the range of ports
        raise UsageError(f"The port must be between 0 and 65535, not {port}")
    directories.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(directories):
        running = status(directories=directories)
        if running is not None:
            return running
        directories.state_file.unlink(missing_ok=True)
        child = _launch(speed, port, directories, environment)
        return _await_ready(child, directories, clock)


def _launch(
    speed: float | None, port: int | None, directories: Directories, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fargatectl.sandbox.server"]
    command += ["--state-file", str(directories.state_file), "--token", secrets.token_hex(16)]
    command += ["--port", str(port or 0)]
    command += ["--speed", str(speed)] if speed is not None else []
    # The caller's own AWS must not reach into the double: no profile, no region, no moto switch.
    clean = {key: value for key, value in environment.items() if not key.startswith(("AWS_", "MOTO_"))}
    package_root = str(Path(__file__).parents[2])
    clean["PYTHONPATH"] = os.pathsep.join([package_root, *filter(None, [clean.get("PYTHONPATH")])])
    with directories.log.open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - our own module under this interpreter
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directories.state,
            env=clean,
            start_new_session=True,
        )
    _CHILDREN.append(child)
    return child


def _await_ready(child: subprocess.Popen[bytes], directories: Directories, clock: Clock) -> Running:
    deadline = clock.monotonic() + _START_SECONDS
    while clock.monotonic() < deadline:
        running = status(directories=directories)
        if running is not None:
            return running
        if child.poll() is not None:
            break
        clock.sleep(_POLL_SECONDS)
    if child.poll() is None:
        child.terminate()
    said = directories.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise AwsFailure(
        "The local AWS did not start" + (f": {said[-1]}" if said else ""), hint=f"its log is {directories.log}"
    )


def stop(*, directories: Directories, clock: Clock = _SYSTEM_CLOCK) -> bool:
    """Stop the local AWS; returns False if none ran. Raises AwsFailure if it will not go."""
    if not directories.state.is_dir():
        return False
    with _alone(directories):
        known = _state(directories)
        running = status(directories=directories)
        directories.state_file.unlink(missing_ok=True)
        if known is None or running is None:
            return False
        process = Process.of(running.pid)
        _tell_to_stop(running)
        if process is not None and not _gone(process, clock):
            process.signal(signal.SIGTERM)
            if not _gone(process, clock):
                raise AwsFailure(f"The local AWS (process {running.pid}) does not stop", hint=f"kill {running.pid}")
        return True


def _tell_to_stop(running: Running) -> None:
    try:
        _ask(running.endpoint, "stop", {}, seconds=_PROBE_SECONDS)
    except (OSError, ValueError, http.client.HTTPException):
        return  # it may be gone before it has answered


def _gone(process: Process, clock: Clock) -> bool:
    deadline = clock.monotonic() + _STOP_SECONDS
    while clock.monotonic() < deadline:
        alive = process.alive()
        for child in _CHILDREN:
            child.poll()
        if not alive:
            return True
        clock.sleep(_POLL_SECONDS)
    return False


def reset(*, directories: Directories) -> bool:
    """Empty the local AWS, all accounts and Regions; returns False if none runs. Raises AwsFailure if it fails."""
    running = status(directories=directories)
    if running is None:
        return False
    _request(running, "reset", {})
    return True


def settings(running: Running) -> dict[str, Any]:
    """Return `settings`, what is set by its key, and `keys`, what can be set. Raises AwsFailure if it fails."""
    try:
        return _ask(running.endpoint, "settings", seconds=_PROBE_SECONDS)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise AwsFailure(f"The local AWS at {running.endpoint} does not answer: {error}") from error


def change_settings(running: Running, assignments: Sequence[str]) -> dict[str, Any]:
    """Do or keep what each `KEY=VALUE` says, and return `settings`.

    Raises UsageError for a key or value that there is not, AwsFailure if it fails.
    """
    answer = _request(running, "set", {"assignments": list(assignments)})
    if "problem" in answer:
        raise UsageError(answer["problem"], hint=answer["hint"])
    return answer


def provision(running: Running, references: Mapping[str, Any], account: str, region: str) -> list[str]:
    """Create what a file refers to and the local AWS lacks; returns a sentence for each thing made.

    `references` has the shape that `fargatectl.sandbox.references` describes. Raises AwsFailure if it fails.
    """
    answer = _request(running, "provision", {"account": account, "region": region, "references": dict(references)})
    return [str(sentence) for sentence in answer["made"]]


def environment(running: Running, account: str, region: str) -> dict[str, str]:
    """Return what any AWS client needs in its environment to talk to `running`."""
    return {
        "AWS_ENDPOINT_URL": running.endpoint,
        "AWS_ACCESS_KEY_ID": access_key(account),
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


@contextmanager
def _alone(directories: Directories) -> Iterator[None]:
    try:
        with FileLock(directories.lock, timeout=_START_SECONDS + _STOP_SECONDS):
            yield
    except Timeout as error:
        raise AwsFailure("The local AWS is being started or stopped by another process") from error


def _state(directories: Directories) -> dict[str, Any] | None:
    try:
        known = json.loads(directories.state_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    complete = isinstance(known, dict) and {"endpoint", "token", "pid"} <= known.keys()
    return known if complete else None


def _request(running: Running, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        answer = _ask(running.endpoint, what, body, seconds=_PROVISION_SECONDS)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise AwsFailure(f"The local AWS at {running.endpoint} does not answer: {error}") from error
    if "error" in answer:
        raise AwsFailure(f"The local AWS could not {what}: {answer['error']}")
    return answer


def _ask(endpoint: str, what: str, body: Mapping[str, Any] | None = None, *, seconds: float) -> dict[str, Any]:
    host = endpoint.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=seconds)
    try:
        if body is None:
            connection.request("GET", _ADMIN + what)
        else:
            connection.request("POST", _ADMIN + what, json.dumps(body), {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise ValueError("not the local AWS")  # noqa: TRY004 - what was read is wrong, not what was passed
    return answer
