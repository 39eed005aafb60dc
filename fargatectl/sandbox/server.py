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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request as HttpRequest, Response as HttpResponse

from fargatectl.sandbox.clock import SystemClock, Timeline
from fargatectl.sandbox.cloud import Cloud
from fargatectl.sandbox.faults import AwsError, LostAnswer
from fargatectl.sandbox.http import Request
from fargatectl.sandbox.moto_adapter import LOCK
from fargatectl.sandbox.references import provision
from fargatectl.sandbox.services import load
from fargatectl.sandbox.settings import KEYS, SettingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from fargatectl.sandbox.clock import Clock

ADMIN = "/_fargatectl/"
HOST = "127.0.0.1"
DEFAULT_SPEED = 10.0
IDLE_SECONDS = 30 * 60.0
_LOOPBACK = {HOST, "localhost", "::1"}


class Application:
    """The WSGI application around one cloud. `token` is how a client knows that it talks to the server it started."""

    def __init__(self, cloud: Cloud, clock: Clock, *, token: str, idle_seconds: float = IDLE_SECONDS) -> None:
        self.stopping = threading.Event()
        self._cloud = cloud
        self._clock = clock
        self._token = token
        self._idle_seconds = idle_seconds
        self._started_at = clock.now()
        self._last_request = clock.monotonic()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one HTTP request."""
        return self._answer(HttpRequest(environ))(environ, start_response)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        # A web page may reach a loopback port under a name of its own (DNS rebinding): only loopback's names pass.
        if (urlsplit(f"//{request.host}").hostname or "") not in _LOOPBACK:
            return HttpResponse("only for this machine\n", status=403)
        if request.path.startswith(ADMIN):
            return self._admin(request, request.path.removeprefix(ADMIN))
        self._last_request = self._clock.monotonic()
        try:
            answer = self._cloud.handle(_request(request))
        except LostAnswer as error:
            raise ConnectionResetError from error
        return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))

    def _admin(self, request: HttpRequest, what: str) -> HttpResponse:
        looks = {"health": self._status, "status": self._status, "settings": self._settings}
        if what in looks:
            return _json(looks[what]())
        if request.method != "POST":
            return _json({"error": f"POST {ADMIN}{what}"}, status=405)
        self._last_request = self._clock.monotonic()
        acts = {"reset": self._reset, "provision": self._provision, "set": self._set, "stop": self._stop}
        if what not in acts:
            return _json({"error": f"no such path: {ADMIN}{what}"}, status=404)
        return acts[what](request.get_json())

    def _reset(self, _wish: dict[str, Any]) -> HttpResponse:
        self._cloud.reset()
        return _json({})

    def _stop(self, _wish: dict[str, Any]) -> HttpResponse:
        self.stopping.set()
        return _json({})

    def _provision(self, wish: dict[str, Any]) -> HttpResponse:
        try:
            with LOCK, self._cloud.moto.active():
                made = provision(self._cloud.region(wish["account"], wish["region"]), wish["references"])
        except AwsError as error:
            return _json({"error": str(error)}, status=400)
        return _json({"made": made})

    def _set(self, wish: dict[str, Any]) -> HttpResponse:
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


def _request(request: HttpRequest) -> Request:
    path = request.environ.get("RAW_URI") or request.full_path.rstrip("?")
    return Request(
        method=request.method,
        url=f"http://{request.host}{path}",
        headers={key.lower(): value for key, value in request.headers.items()},
        body=request.get_data(),
    )


def _json(content: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(content), status=status, content_type="application/json")


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # clients keep their connections; a new one for each call would double its time

    def connection_dropped(self, error: BaseException, environ: WSGIEnvironment | None = None) -> None:
        """Close the connection without a word, as where an answer is lost."""
        del error, environ
        self.close_connection = True

    def log_request(self, *_: object) -> None:
        """Say nothing: the log is for what goes wrong."""


def serve(application: Application, *, port: int, state_file: Path, token: str) -> None:
    """Serve on loopback until stopped, by signal, by `stop` or by idleness; tell where in `state_file` meanwhile."""
    server = make_server(HOST, port, application, threaded=True, request_handler=_Handler)
    thread = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    thread.start()
    _announce(state_file, {"endpoint": f"http://{HOST}:{server.port}", "pid": os.getpid(), "token": token})
    try:
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
    except (OSError, SystemExit) as error:  # werkzeug leaves by SystemExit when the port is taken
        sys.stderr.write(f"The local AWS cannot listen on {HOST}:{options.port}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
