"""A proxy between a client and the local AWS: delays every call, and notes what was asked and when."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Coroutine

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_THROTTLES = (b"Throttling", b"RequestLimitExceeded", b"TooManyRequests", b"SlowDown")
_READING = ("Describe", "List", "Get", "BatchGet")


@dataclass(frozen=True, slots=True)
class Seen:
    """One call: which, by its request's digest; when it began and ended (seconds); on which connection."""

    service: str
    operation: str
    digest: int
    began: float
    ended: float
    connection: int
    throttled: bool

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"

    @property
    def mutating(self) -> bool:
        return not self.operation.startswith(_READING)

    @property
    def is_lock(self) -> bool:
        """Tell whether the deploy lock made it: the files that are measured name no parameters."""
        return self.service == "ssm"


@dataclass
class Traffic:
    """What one command asked for."""

    calls: list[Seen] = field(default_factory=list)
    connections: int = 0

    @property
    def counted(self) -> list[Seen]:
        """All but the lock's calls and polls: a read that was made before, to the letter, after a write."""
        seen: set[tuple[str, int]] = set()
        counted, written = [], False
        for call in self.calls:
            if call.is_lock:
                continue
            key = (call.name, call.digest)
            if call.mutating or not written or key not in seen:
                counted.append(call)
            seen.add(key)
            written = written or call.mutating
        return counted

    @property
    def most_at_once(self) -> int:
        edges = sorted([(call.began, 1) for call in self.calls] + [(call.ended, -1) for call in self.calls])
        at_once = most = 0
        for _, step in edges:
            at_once += step
            most = max(most, at_once)
        return most


class Proxy:
    """Listens on loopback in a thread of its own. `latency` and `per_connection` are in seconds."""

    def __init__(self, endpoint: str) -> None:
        there = urlsplit(endpoint)
        self._there = (there.hostname or "", there.port or 80)
        self.latency = 0.0
        self.per_connection = 0.0
        self.traffic = Traffic()
        self._loop = asyncio.new_event_loop()
        self._serial = 0
        started = threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        started.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def begin(self, *, latency: float = 0.0, per_connection: float = 0.0) -> None:
        """Forget what was seen, and delay from now on."""
        self.latency, self.per_connection, self.traffic = latency, per_connection, Traffic()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._port: int = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serial += 1
        number, traffic = self._serial, self.traffic
        traffic.connections += 1
        await asyncio.sleep(self.per_connection)
        up_reader, up_writer = await asyncio.open_connection(*self._there)
        try:
            while True:
                head, body = await _message(reader)
                began = time.monotonic()
                forwarded = self._forward(up_reader, up_writer, head + body)
                (answer_head, answer), _ = await asyncio.gather(forwarded, asyncio.sleep(self.latency))
                service, operation = _named(head, body)
                throttled = answer_head.startswith(b"HTTP/1.1 4") and any(word in answer for word in _THROTTLES)
                self.traffic.calls.append(
                    Seen(service, operation, hash(body), began, time.monotonic(), number, throttled)
                )
                writer.write(answer_head + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            up_writer.close()

    def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
    ) -> Coroutine[None, None, tuple[bytes, bytes]]:
        writer.write(request)
        return _message(reader)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head, await reader.readexactly(int(length[1])) if length else b""


def _named(head: bytes, body: bytes) -> tuple[str, str]:
    text = head.decode("latin-1")
    scope = _SCOPE.search(text)
    service = scope[1] if scope else "?"
    target = re.search(r"(?i)\r\nx-amz-target: *(\S+)", text)
    if target:
        return service, target[1].rpartition(".")[2]
    action = parse_qs(body.decode("latin-1")).get("Action")
    return service, action[0] if action else " ".join(text.split(" ", 2)[:2])
