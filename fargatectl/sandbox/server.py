"""The local AWS on loopback: `python -m fargatectl.sandbox.server`, started and stopped by `lifetime`.

Besides AWS's own protocols it answers under `/_fargatectl/`: `health`, `status`, `settings`, `reset`, `provision`,
`set`, `stop`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import traceback
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fargatectl.sandbox.clock import SystemClock, Timeline
from fargatectl.sandbox.cloud import Cloud
from fargatectl.sandbox.faults import AwsError, LostAnswer
from fargatectl.sandbox.http import Request, Response
from fargatectl.sandbox.moto_adapter import LOCK, warm
from fargatectl.sandbox.references import provision
from fargatectl.sandbox.services import load
from fargatectl.sandbox.settings import KEYS, SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.sandbox.clock import Clock

ADMIN = "/_fargatectl/"
HOST = "127.0.0.1"
DEFAULT_SPEED = 10.0
IDLE_SECONDS = 30 * 60.0
_USUAL = ("ec2", "iam", "logs", "elbv2", "ssm")
"""What nearly every file needs of moto: imported while the client that has started this server gets ready itself."""
_SHUTDOWN_SECONDS = 0.1  # how long it may take to notice that it shall stop
_LOOPBACK = {HOST, "localhost", "::1"}


class Application:
    """What is answered, around one cloud. `token` is how a client knows that it talks to the server it started."""

    def __init__(self, cloud: Cloud, clock: Clock, *, token: str, idle_seconds: float = IDLE_SECONDS) -> None:
        self.stopping = threading.Event()
        self._cloud = cloud
        self._clock = clock
        self._token = token
        self._idle_seconds = idle_seconds
        self._started_at = clock.now()
        self._last_request = clock.monotonic()

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request. Raises LostAnswer where the connection is to break off instead."""
        there = urlsplit(request.url)
        # A web page may reach a loopback port under a name of its own (DNS rebinding): only loopback's names pass.
        if (there.hostname or "") not in _LOOPBACK:
            return Response(403, b"only for this machine\n", {"content-type": "text/plain"})
        if there.path.startswith(ADMIN):
            return self._admin(request, there.path.removeprefix(ADMIN))
        self._last_request = self._clock.monotonic()
        return self._cloud.handle(request)

    def _admin(self, request: Request, what: str) -> Response:
        looks = {"health": self._status, "status": self._status, "settings": self._settings}
        if what in looks:
            return _json(looks[what]())
        if request.method != "POST":
            return _json({"error": f"POST {ADMIN}{what}"}, status=405)
        self._last_request = self._clock.monotonic()
        acts = {"reset": self._reset, "provision": self._provision, "set": self._set, "stop": self._stop}
        if what not in acts:
            return _json({"error": f"no such path: {ADMIN}{what}"}, status=404)
        return acts[what](json.loads(request.body))

    def _reset(self, _wish: dict[str, Any]) -> Response:
        self._cloud.reset()
        return _json({})

    def _stop(self, _wish: dict[str, Any]) -> Response:
        self.stopping.set()
        return _json({})

    def _provision(self, wish: dict[str, Any]) -> Response:
        try:
            with LOCK, self._cloud.moto.active():
                made = provision(self._cloud.region(wish["account"], wish["region"]), wish["references"])
        except AwsError as error:
            return _json({"error": str(error)}, status=400)
        return _json({"made": made})

    def _set(self, wish: dict[str, Any]) -> Response:
        try:
            self._cloud.set(*wish["assignments"])
        except SettingError as error:
            return _json({"problem": str(error), "hint": error.hint}, status=400)
        return _json(self._settings())

    def _settings(self) -> dict[str, Any]:
        keys = [{"key": key.pattern, "value": key.value, "meaning": key.meaning} for key in KEYS.values()]
        return {"settings": self._cloud.script.listed(), "keys": keys}

    def _status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "token": self._token,
            "speed": self._cloud.timeline.speed,
            "started_at": self._started_at.isoformat(),
            "idle_stop_at": (self._clock.now() + timedelta(seconds=self.idle_left())).isoformat(),
        }

    def idle_left(self) -> float:
        """Return the seconds until the server has been idle for too long."""
        return self._idle_seconds - (self._clock.monotonic() - self._last_request)


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(status, json.dumps(content).encode(), {"content-type": "application/json"})


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept for many requests: a new one for each would double the time of a call."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the second packet of an answer waits for the client's acknowledgement
    wbufsize = -1  # head and body in one packet
    server: _Server

    def _reply(self) -> None:
        sent = {key.lower(): value for key, value in self.headers.items()}
        request = Request(self.command, f"http://{sent.get('host', '')}{self.path}", sent, self._body(sent))
        try:
            answer = self.server.application.answer(request)
        except LostAnswer:
            self.close_connection = True
            return
        except Exception as error:  # noqa: BLE001 - a bug of ours must not look like a dead server
            self.close_connection = True
            self.log_error("%s", traceback.format_exc())
            answer = _json({"message": f"The local AWS failed: {error!r}"}, status=500)
        self._send(answer)

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _reply  # noqa: N815 - names of http.server

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, answer: Response) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a client opens many connections at once; five, as is the default, would have it wait

    def __init__(self, port: int, application: Application) -> None:
        super().__init__((HOST, port), _Handler)
        self.application = application

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients may break off a connection when they like."""


def serve(application: Application, *, port: int, state_file: Path, token: str) -> None:
    """Serve on loopback until stopped, by signal, by `stop` or by idleness; tell where in `state_file` meanwhile."""
    server = _Server(port, application)
    serving = partial(server.serve_forever, poll_interval=_SHUTDOWN_SECONDS)
    thread = threading.Thread(target=serving, name="http", daemon=True)
    thread.start()
    _announce(state_file, {"endpoint": f"http://{HOST}:{server.server_port}", "pid": os.getpid(), "token": token})
    try:
        warm(_USUAL)
        while not application.stopping.wait(timeout=max(0.1, min(60.0, application.idle_left()))):
            if application.idle_left() <= 0:
                break
    finally:
        _retract(state_file, token)
        server.shutdown()
        server.server_close()


def _announce(state_file: Path, content: dict[str, Any]) -> None:
    draft = state_file.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(state_file)


def _retract(state_file: Path, token: str) -> None:
    try:
        if json.loads(state_file.read_text(encoding="utf-8"))["token"] == token:
            state_file.unlink()
    except (OSError, ValueError, KeyError):
        return  # another server has taken the place, or somebody tidied up


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server in the foreground; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m fargatectl.sandbox.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--speed", type=float, default=DEFAULT_SPEED, help="AWS seconds that pass in one second")
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS, help="seconds without a request until it stops")
    parser.add_argument("--state-file", type=Path, required=True, help="where to write endpoint, pid and token")
    parser.add_argument("--token", required=True, help="what its status answers, to be recognised by")
    options = parser.parse_args(arguments)
    load()
    clock = SystemClock()
    cloud = Cloud(Timeline(clock, options.speed), seed=int(datetime.now(UTC).timestamp()), record=False)
    application = Application(cloud, clock, token=options.token, idle_seconds=options.idle)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: application.stopping.set())
    try:
        serve(application, port=options.port, state_file=options.state_file, token=options.token)
    except OSError as error:
        sys.stderr.write(f"The local AWS cannot listen on {HOST}:{options.port}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # else Python takes a million objects apart, one by one, while the user waits
