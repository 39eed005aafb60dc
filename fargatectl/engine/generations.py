"""Generations of the lock as texts: what their records say, and how those of other versions are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from fargatectl.model.lock import Generation, Holder, Listing, Process, State
from fargatectl.model.values import Address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.aws.lockstore import Record
    from fargatectl.model.ownership import Ownership

LEASE_SECONDS = 120.0
"""How long a generation stands without renewal: long enough for a slow network, short enough to wait for."""
_VERSION = 1
_LONGEST = 400  # characters of one text: a standard parameter holds 4 KB


class Records(Protocol):
    """Numbered texts, each created once; `aws.lockstore` keeps them in AWS."""

    def look(self) -> tuple[Sequence[Record], datetime]:
        """Return all records and AWS's time."""
        ...

    def create(self, number: int, text: str, tags: Mapping[str, str]) -> bool:
        """Write a record that must be new; tell whether it was."""
        ...

    def put(self, number: int, text: str) -> None:
        """Write a record anew."""
        ...

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete records; those that are gone already are no failure."""
        ...


class Generations:
    """The generations of one owner: an `engine.lock.LockStore` over `Records`."""

    def __init__(self, records: Records, owner: Ownership) -> None:
        self._records = records
        self._owner = owner

    def look(self) -> Listing:
        """Return all generations."""
        records, at = self._records.look()
        return Listing(tuple(_generation(record) for record in sorted(records)), at)

    def create(self, number: int, holder: Holder, state: State) -> bool:
        """Make a generation, with our tags; tell whether there was none of this number."""
        tags = self._owner.tags(Address(f"lock.generation/{number}"))
        return self._records.create(number, _text(holder, state), tags)

    def put(self, number: int, holder: Holder, state: State) -> None:
        """Write a generation of ours."""
        self._records.put(number, _text(holder, state))

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete generations."""
        self._records.delete(numbers)


def _text(holder: Holder, state: State) -> str:
    process = holder.process
    record: dict[str, object] = {
        "version": _VERSION,
        "state": str(state),
        "who": _storable(holder.who),
        "where": _storable(holder.where),
        "command": _storable(holder.command),
        "since": holder.since.isoformat(timespec="seconds"),
        "nonce": holder.nonce,
        "lease_seconds": LEASE_SECONDS,
    }
    if process is not None:
        record |= {"machine": process.machine, "boot": process.boot, "namespace": process.namespace}
        record |= {"pid": process.pid, "started": process.started}
    return json.dumps(record)


def _storable(text: str) -> str:
    """Return what Parameter Store takes: it reads `{{…}}` as the name of another parameter."""
    return text.replace("{{", "{ {")[:_LONGEST]


def _generation(record: Record) -> Generation:
    try:
        said = json.loads(record.text)
        state, lease_seconds = State(said["state"]), float(said["lease_seconds"])
        return Generation(record.number, _holder(said), state, lease_seconds, record.written_at)
    except (ValueError, KeyError, TypeError, RecursionError):
        # Written by a version that we do not know, or by a person: somebody has it, for as long as leases last.
        unknown = Holder("somebody", "an unknown place", "an unknown command", record.written_at, nonce="")
        return Generation(record.number, unknown, State.HELD, LEASE_SECONDS, record.written_at)


def _holder(said: Any) -> Holder:  # noqa: ANN401 - what JSON may hold
    process = None
    if "pid" in said:
        machine, boot, namespace = (str(said[key]) for key in ("machine", "boot", "namespace"))
        process = Process(machine, boot, namespace, int(said["pid"]), int(said["started"]))
    who, where, command, nonce = (str(said[key]) for key in ("who", "where", "command", "nonce"))
    return Holder(who, where, command, datetime.fromisoformat(said["since"]).astimezone(UTC), nonce, process)
