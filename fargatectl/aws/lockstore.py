"""Generations of the lock as parameters of Systems Manager Parameter Store: `/fargatectl/locks/APP[/ENV]/GENERATION`.

Parameter Store needs no infrastructure and costs nothing, and creates a name only once (SSM API Reference,
PutParameter: `ParameterAlreadyExists`). Its lists may lag behind, which the protocol knows (`engine.lock`).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

from fargatectl.aws.errors import ClientError, explain, is_denied, says
from fargatectl.aws.session import chunks
from fargatectl.aws.tags import pairs
from fargatectl.errors import AwsFailure
from fargatectl.model.lock import Generation, Holder, Listing, Process, State
from fargatectl.model.values import Address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership

_PAGE = 10  # SSM API Reference: GetParametersByPath gives, and DeleteParameters takes, ten at most
_LONGEST = 400  # characters of a text in a record: a standard parameter holds 4 KB
_WITHOUT = "or do without the lock: --no-lock"


class ParameterLocks:
    """The generations of one owner. Implements `engine.lock.LockStore`; `lease_seconds` is what records promise."""

    def __init__(self, aws: Aws, owner: Ownership, *, lease_seconds: float) -> None:
        self._aws = aws
        self._owner = owner
        self._lease_seconds = lease_seconds
        self.path = "/".join(filter(None, ("/fargatectl/locks", owner.app, owner.environment)))

    def look(self) -> Listing:
        """Return all generations, as far as Parameter Store shows them."""
        with _told("read"):
            pages: list[Any] = list(
                self._aws.locks.get_paginator("get_parameters_by_path").paginate(
                    Path=self.path, PaginationConfig={"PageSize": _PAGE}
                )
            )
        found = [parameter for page in pages for parameter in page["Parameters"]]
        generations = [self._generation(one) for one in found if one["Name"].rpartition("/")[2].isdecimal()]
        at = _date(pages[0])
        return Listing(tuple(sorted(generations, key=lambda generation: generation.number)), at)

    def create(self, number: int, holder: Holder, state: State) -> bool:
        """Make a parameter; tell whether there was none of its name."""
        tags = pairs(self._owner.tags(Address(f"lock.generation/{number}")))
        with _told("taken"):
            try:
                self._aws.locks.put_parameter(
                    Name=self._name(number), Value=self._record(holder, state), Type="String", Tags=tags
                )
            except ClientError as error:
                if not says(error, "ParameterAlreadyExists"):
                    raise
                return False
        return True

    def put(self, number: int, holder: Holder, state: State) -> None:
        """Overwrite a parameter of ours."""
        with _told("written"):
            self._aws.locks.put_parameter(
                Name=self._name(number), Value=self._record(holder, state), Type="String", Overwrite=True
            )

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete parameters; AWS answers with the names that it does not know, and that is no failure."""
        with _told("deleted"):
            for some in chunks([self._name(number) for number in numbers], _PAGE):
                self._aws.locks.delete_parameters(Names=list(some))

    def _name(self, number: int) -> str:
        return f"{self.path}/{number}"

    def _record(self, holder: Holder, state: State) -> str:
        process = holder.process
        record = {
            "version": 1,
            "state": str(state),
            "who": _text(holder.who),
            "where": _text(holder.where),
            "command": _text(holder.command),
            "since": holder.since.isoformat(timespec="seconds"),
            "nonce": holder.nonce,
            "lease_seconds": self._lease_seconds,
        }
        if process is not None:
            record |= {"machine": process.machine, "boot": process.boot, "namespace": process.namespace}
            record |= {"pid": process.pid, "started": process.started}
        return json.dumps(record)

    def _generation(self, parameter: Any) -> Generation:  # noqa: ANN401 - a parameter, as AWS gives it
        number, renewed_at = int(parameter["Name"].rpartition("/")[2]), parameter["LastModifiedDate"].astimezone(UTC)
        try:
            record = json.loads(parameter["Value"])
            return Generation(
                number, _holder(record), State(record["state"]), float(record["lease_seconds"]), renewed_at
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            # Written by a version that we do not know, or by a person: somebody has it, as long as leases last.
            unknown = Holder("somebody", "a place that is not told", "an unknown command", renewed_at, nonce="")
            return Generation(number, unknown, State.HELD, self._lease_seconds, renewed_at)


def _holder(record: dict[str, Any]) -> Holder:
    process = None
    if "pid" in record:
        machine, boot, namespace = (str(record[key]) for key in ("machine", "boot", "namespace"))
        process = Process(machine, boot, namespace, int(record["pid"]), int(record["started"]))
    since = datetime.fromisoformat(record["since"]).astimezone(UTC)
    who, where, command, nonce = (str(record[key]) for key in ("who", "where", "command", "nonce"))
    return Holder(who, where, command, since, nonce, process)


def _text(text: str) -> str:
    """Return what Parameter Store takes: it reads `{{…}}` as the name of another parameter."""
    return text.replace("{{", "{ {")[:_LONGEST]


def _date(answer: Any) -> datetime:  # noqa: ANN401 - an answer of any operation
    """Return AWS's time when it answered: the Date header, in whole seconds."""
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).astimezone(UTC)


@contextmanager
def _told(done: str) -> Iterator[None]:
    """Say of what fails in here that it is the lock that could not be `done`."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        cause = explain(error)
        if not isinstance(cause, AwsFailure):
            raise cause from error
        hint = f"{cause.hint}, {_WITHOUT}" if is_denied(error) and cause.hint else cause.hint or _WITHOUT
        message = f"the lock could not be {done}: {cause.message}"
        raise AwsFailure(message, operation=cause.operation, code=cause.code, hint=hint) from error
