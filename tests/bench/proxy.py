"""A proxy between a client and the local AWS: delays every call, and notes what was asked and when."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import certifi
import trustme

_HOST = "127.0.0.1"
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_THROTTLES = (b"Throttling", b"RequestLimitExceeded", b"TooManyRequests", b"SlowDown")
_POLLS = frozenset(
    {
        "application-autoscaling:DescribeScalableTargets",
        "ecs:DescribeClusters",
        "ecs:DescribeServiceDeployments",
        "ecs:DescribeServices",
        "ecs:DescribeTasks",
        "ecs:ListServiceDeployments",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTargetHealth",
        "iam:GetRole",
        "servicediscovery:GetOperation",
    }
)
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


@dataclass(frozen=True, slots=True)
class Network:
    """What lies between a command and AWS: seconds for each call and each new connection; TLS, or none."""

    latency: float = 0.0
    per_connection: float = 0.0
    secure: bool = False

    def __str__(self) -> str:
        connection = f" + {self.per_connection * 1000:.0f} ms a connection" if self.per_connection else ""
        return f"{self.latency * 1000:.0f} ms{connection}{', TLS' if self.secure else ''}"


@dataclass
class Traffic:
    """What one command asked for."""

    calls: list[Seen] = field(default_factory=list)
    connections: int = 0

    @property
    def counted(self) -> list[Seen]:
        """All but the lock's calls and polls: reads, after the first write, of what AWS takes its time for."""
        counted, written = [], False
        for call in self.calls:
            if not (call.is_lock or (written and call.name in _POLLS)):
                counted.append(call)
            written = written or (call.mutating and not call.is_lock)
        return counted


class Proxy:
    """Listens on loopback in a thread of its own, with and without TLS; `bundle` is a file of who vouches for it."""

    def __init__(self, endpoint: str, bundle: Path) -> None:
        there = urlsplit(endpoint)
        self._there = (there.hostname or "", there.port or 80)
        self.network = Network()
        self.traffic = Traffic()
        self._loop = asyncio.new_event_loop()
        self._serial = 0
        self._serving: set[asyncio.Task[Any] | None] = set()  # the loop itself keeps none of them alive
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority = trustme.CA()
        authority.issue_cert(_HOST).configure_cert(self._tls)
        # As long as the real one: reading it takes its time.
        bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
        started = threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        started.wait()

    @property
    def url(self) -> str:
        return f"https://{_HOST}:{self._secure_port}" if self.network.secure else f"http://{_HOST}:{self._port}"

    def begin(self, network: Network) -> None:
        """Forget what was seen, and be `network` from now on."""
        self.network, self.traffic = network, Traffic()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._port, self._secure_port = self._listen(), self._listen(self._tls)
        started.set()
        self._loop.run_forever()

    def _listen(self, tls: ssl.SSLContext | None = None) -> int:
        serving = asyncio.start_server(self._serve, _HOST, 0, backlog=256, ssl=tls)
        return int(self._loop.run_until_complete(serving).sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serial += 1
        serving = asyncio.current_task()
        self._serving.add(serving)
        number, traffic = self._serial, self.traffic
        traffic.connections += 1
        await asyncio.sleep(self.network.per_connection)
        up_reader, up_writer = await asyncio.open_connection(*self._there)
        try:
            while True:
                head, body = await _message(reader)
                began = time.monotonic()
                up_writer.write(head + body)
                answered = _message(up_reader, bodiless=head.startswith(b"HEAD "))
                (answer_head, answer), _ = await asyncio.gather(answered, asyncio.sleep(self.network.latency))
                service, operation = _named(head, body)
                throttled = answer_head.startswith(b"HTTP/1.1 4") and any(word in answer for word in _THROTTLES)
                digest = hash((head.partition(b"\r\n")[0], body))
                self.traffic.calls.append(Seen(service, operation, digest, began, time.monotonic(), number, throttled))
                writer.write(answer_head + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._serving.discard(serving)
            writer.close()
            up_writer.close()


async def _message(reader: asyncio.StreamReader, *, bodiless: bool = False) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = None if bodiless else re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
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
