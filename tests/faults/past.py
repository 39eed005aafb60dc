"""What AWS looked like some writes ago: a process for each state answers reads as it would have answered then."""

from __future__ import annotations

import os
import pickle
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
    """The states before the last three writes, by the number of the write.

    A child that was forked meanwhile shares them. So a state is never killed: it ends when the last process
    that could still ask has closed its end. And each question brings the socket for its answer along, for two
    children may ask at the same time.
    """

    states: dict[int, socket.socket] = field(default_factory=dict)
    ending: list[int] = field(default_factory=list)

    def remember(self, k: int, local: LocalAws) -> None:
        """Keep the state as it is now, before write `k`."""
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            ours.close()
            for channel in self.states.values():
                channel.close()
            _answer(theirs, local)
        theirs.close()
        self.states[k] = ours
        self.ending.append(pid)
        self._forget(below=k - _DEPTH + 1)

    def ask(self, k: int, call: Call) -> Response | None:
        """Return what `call` would have been answered before write `k`."""
        if k not in self.states:
            return None
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(self.states[k], [b"?"], [theirs.fileno()])
            _send(ours, call)
            return cast("Response", _receive(ours))

    def close(self) -> None:
        """Let go of all states."""
        self._forget(below=max(self.states, default=0) + 1)

    def _forget(self, *, below: int) -> None:
        for k in [k for k in self.states if k < below]:
            self.states.pop(k).close()
        self.ending = [pid for pid in self.ending if not _has_ended(pid)]


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) != (0, 0)
    except ChildProcessError:  # it is a child of our parent, who reaps it
        return True


def _answer(channel: socket.socket, local: LocalAws) -> NoReturn:
    with moto_adapter.LOCK, local.cloud.moto.active():
        while True:
            asked, fds, _, _ = socket.recv_fds(channel, 1, 1)
            if not asked:
                os._exit(0)
            with socket.socket(fileno=fds[0]) as asker:
                call = cast("Call", _receive(asker))
                try:
                    response = wire.encode(call, local.cloud.ask(call))
                except AwsError as error:
                    response = wire.encode_error(call.service, call.protocol, error)
                _send(asker, response)


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
