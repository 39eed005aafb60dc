"""A door between the command line and a server, that kills the one with SIGKILL at its k-th mutating call."""

from __future__ import annotations

import http.client
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_READING = ("Describe", "List", "Get", "BatchGet")
_LOCK = ("PutParameter", "DeleteParameter", "DeleteParameters", "AddTagsToResource")
"""The lock's own writes: what they do when they die is the lock's tests' business."""


class Door(ThreadingHTTPServer):
    """Passes requests on to `endpoint`. `kill_at`: the mutating call that `victim` dies of, None for none."""

    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.there = urlsplit(endpoint).netloc
        self.calls: list[str] = []
        self.kill_at: int | None = None
        self.apply_first = False
        self.drops_answer = True
        self.victim: Callable[[], int] = os.getpid
        self.guard = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def strikes(self, operation: str) -> bool:
        """Count a call; tell whether it is the one to die of."""
        if operation.startswith(_READING) or operation in _LOCK:
            return False
        with self.guard:
            self.calls.append(operation)
            return len(self.calls) == self.kill_at

    def handle_error(self, *_: Any) -> None:
        """Say nothing: that a connection breaks off is the point."""

    def kill(self) -> None:
        os.kill(self.victim(), signal.SIGKILL)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Door

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        operation = self.headers.get("x-amz-target", "").rpartition(".")[2]
        operation = operation or parse_qs(body.decode()).get("Action", [""])[0]
        strikes = self.server.strikes(operation)
        if strikes and not self.server.apply_first:
            self.server.kill()
            self.close_connection = True
            return
        status, headers, content = self._pass_on(body)
        if strikes:
            self.server.kill()
        if strikes and self.server.drops_answer:
            self.close_connection = True
            return
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _pass_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.there, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request("POST", self.path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
