"""What AWS looked like some writes ago: a process for each state answers reads as it would have answered then."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, cast

from fargatectl.sandbox import moto_adapter, wire
from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.inprocess import LocalAws
    from fargatectl.sandbox.wire import Call

_DEPTH = 3


@dataclass
class Past:
    """The states before the last three writes, by the number of the write."""

    states: dict[int, tuple[int, socket.socket]] = field(default_factory=dict)

    def remember(self, k: int, local: LocalAws) -> None:
        """Keep the state as it is now, before write `k`."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            _answer(theirs, local)
        theirs.close()
        self.states[k] = (pid, ours)
        self._forget(below=k - _DEPTH + 1)

    def ask(self, k: int, call: Call) -> Response | None:
        """Return what `call` would have been answered before write `k`."""
        if k not in self.states:
            return None
        _send(self.states[k][1], call)
        return cast("Response", _receive(self.states[k][1]))

    def close(self) -> None:
        """End all processes."""
        self._forget(below=max(self.states, default=0) + 1)

    def _forget(self, *, below: int) -> None:
        for k in [k for k in self.states if k < below]:
            pid, channel = self.states.pop(k)
            channel.close()
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _answer(channel: socket.socket, local: LocalAws) -> NoReturn:
    with moto_adapter.LOCK, local.cloud.moto.active():
        while True:
            try:
                call = cast("Call", _receive(channel))
            except (EOFError, OSError):
                os._exit(0)
            try:
                response = wire.encode(call, local.cloud.ask(call))
            except AwsError as error:
                response = wire.encode_error(call.service, call.protocol, error)
            _send(channel, response)


def _send(channel: socket.socket, value: object) -> None:
    content = pickle.dumps(value)
    channel.sendall(struct.pack("!I", len(content)) + content)


def _receive(channel: socket.socket) -> object:
    (length,) = struct.unpack("!I", _read(channel, 4))
    return pickle.loads(_read(channel, length))  # noqa: S301 - from a process of this test


def _read(channel: socket.socket, length: int) -> bytes:
    content = b""
    while len(content) < length:
        part = channel.recv(length - len(content))
        if not part:
            raise EOFError
        content += part
    return content
