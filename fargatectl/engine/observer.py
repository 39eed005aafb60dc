"""Observing: read everything that a stack declares, in waves, as soon as it can be looked for.

A resource can be looked for when its identity is known. All that are ready are read at once, one plural read per kind;
what is found gives identities to others. The depth of the waves, not the number of resources, is what takes time.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import field
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import explain
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Live
from fargatectl.errors import FargatectlError
from fargatectl.model.spec import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor

    from fargatectl.aws.session import Aws
    from fargatectl.engine.reconciler import AnyLive, Resource, Source
    from fargatectl.engine.stack import Stack
    from fargatectl.model.values import Address


@dataclass
class Observation:
    """What AWS shows of a stack: the live resources, everything's outputs, and what could not be read."""

    lives: dict[Address, AnyLive | None] = field(default_factory=dict)
    outputs: dict[Address, Any] = field(default_factory=dict)
    failures: dict[Address, FargatectlError] = field(default_factory=dict)

    @property
    def seen(self) -> set[Address]:
        """What has an answer, whatever it is."""
        return {*self.lives, *self.outputs, *self.failures}


def observe(stack: Stack, aws: Aws, executor: Executor) -> Observation:
    """Read all look-ups and all resources of `stack`. Makes no mutating call; failures are kept per address."""
    return _Reading(stack, aws, executor).run()


class _Reading:
    def __init__(self, stack: Stack, aws: Aws, executor: Executor) -> None:
        self.stack = stack
        self.aws = aws
        self.executor = executor
        self.seen = Observation()
        self.waiting: dict[Address, Source[Any, Any] | Resource[Any, Any]] = {**stack.sources, **stack.resources}
        self.running: dict[Future[Sequence[Any]], list[Address]] = {}
        self.looked_for_by = {
            address: frozenset(one.spec.needs() if address in stack.sources else one.spec.identity_needs())
            for address, one in self.waiting.items()
        }

    def run(self) -> Observation:
        self._start()
        while self.running:
            for future in wait(self.running, return_when=FIRST_COMPLETED).done:
                self._take(self.running.pop(future), future)
            self._start()
        return self.seen

    def _start(self) -> None:
        """Send off one read per kind for all that can be looked for by now; repeat while that settles others."""
        while ready := self._ready():
            by_kind: dict[str, list[Address]] = defaultdict(list)
            for address in ready:
                if self._is_hidden(address):
                    self.seen.lives[address] = None
                else:
                    by_kind[address.partition("/")[0]].append(address)
            for addresses in by_kind.values():
                self._send(addresses)
            for address in ready:
                del self.waiting[address]

    def _send(self, addresses: list[Address]) -> None:
        stack = self.stack
        first = addresses[0]
        read: Callable[..., Sequence[Any]]
        read = stack.sources[first].lookup.read if first in stack.sources else stack.resources[first].reconciler.read
        try:
            specs = [resolve(self.waiting[address].spec, self.seen.outputs) for address in addresses]
        except FargatectlError as error:
            self._fail(addresses, error)
            return
        self.running[self.executor.submit(read, self.aws, specs)] = addresses

    def _take(self, addresses: list[Address], future: Future[Sequence[Any]]) -> None:
        try:
            answers = future.result()
        except Exception as error:  # noqa: BLE001 - explained per address; a bug of ours is raised again by explain
            self._fail(addresses, explain(error))
            return
        for address, answer in zip(addresses, answers, strict=True):
            if isinstance(answer, FargatectlError):
                self.seen.failures[address] = explain(answer, address)
            elif address in self.stack.sources:
                self.seen.outputs[address] = answer
            else:
                self.seen.lives[address] = answer
                if isinstance(answer, Live):
                    self.seen.outputs[address] = answer.out

    def _fail(self, addresses: Iterable[Address], error: FargatectlError) -> None:
        for address in addresses:
            self.seen.failures[address] = error

    def _ready(self) -> list[Address]:
        """Return what waits for no answer any more."""
        unanswered = {*self.waiting, *(address for addresses in self.running.values() for address in addresses)}
        return [address for address in self.waiting if self.looked_for_by[address].isdisjoint(unanswered)]

    def _is_hidden(self, address: Address) -> bool:
        """Its parent does not exist (or could not be read), so neither can it."""
        return bool(self.looked_for_by[address] - self.seen.outputs.keys())
