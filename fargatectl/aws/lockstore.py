"""The lock's records in Systems Manager Parameter Store: numbered parameters below one path.

Parameter Store needs no infrastructure, costs nothing, and creates a name only once (SSM API Reference, PutParameter:
`ParameterAlreadyExists`). Its lists may lag behind, which the protocol knows (`engine.lock`).
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError

from fargatectl.aws.errors import ClientError, explain, is_denied, says
from fargatectl.aws.session import chunks
from fargatectl.aws.tags import pairs
from fargatectl.aws.waits import Transient, retrying
from fargatectl.errors import AwsFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fargatectl.aws.session import Aws

_PAGE = 10  # SSM API Reference: GetParametersByPath gives, and DeleteParameters takes, ten at most
# SSM API Reference, PutParameter: two runs write at the same moment, and it took neither.
_AT_ONCE = Transient("TooManyUpdates", seconds=20)
_WITHOUT = "or do without the lock: --no-lock"


class Record(NamedTuple):
    """One parameter: its number, its text, and when it was written by AWS's clock."""

    number: int
    text: str
    written_at: datetime


class ParameterRecords:
    """The records below one path. What fails says that it is about the lock, and how to do without."""

    def __init__(self, aws: Aws, path: str) -> None:
        self._aws = aws
        self._path = path

    def look(self) -> tuple[list[Record], datetime]:
        """Return all records, as far as Parameter Store shows them, and AWS's time when they were asked for."""
        with _told("read"):
            pages: list[Any] = list(
                self._aws.locks.get_paginator("get_parameters_by_path").paginate(
                    Path=self._path, PaginationConfig={"PageSize": _PAGE}
                )
            )
        found = [_record(parameter) for page in pages for parameter in page["Parameters"]]
        return [record for record in found if record is not None], _date(pages[0])

    def create(self, number: int, text: str, tags: Mapping[str, str]) -> bool:
        """Write a record that must be new; False if there is one of this number."""
        with _told("taken"):
            try:
                self._put(number, text, Tags=pairs(tags))
            except ClientError as error:
                if not says(error, "ParameterAlreadyExists"):
                    raise
                return False
        return True

    def put(self, number: int, text: str) -> None:
        """Write a record anew."""
        with _told("written"):
            self._put(number, text, Overwrite=True)

    def _put(self, number: int, text: str, **more: Any) -> None:  # noqa: ANN401 - tags, or that it may be there
        def call() -> object:
            return self._aws.locks.put_parameter(Name=self._name(number), Value=text, Type="String", **more)

        retrying(self._aws, call, _AT_ONCE, interval=1)

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete records. AWS answers with the names that it does not know, and that is no failure."""
        with _told("deleted"):
            for names in chunks([self._name(number) for number in numbers], _PAGE):
                self._aws.locks.delete_parameters(Names=list(names))

    def _name(self, number: int) -> str:
        return f"{self._path}/{number}"


def _record(parameter: Any) -> Record | None:  # noqa: ANN401 - a parameter, as AWS gives it
    number = parameter["Name"].rpartition("/")[2]
    if not (number.isascii() and number.isdecimal()):
        return None
    return Record(int(number), parameter["Value"], parameter["LastModifiedDate"].astimezone(UTC))


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
        hint = f"{cause.hint}, {_WITHOUT}" if is_denied(error) else cause.hint
        message = f"the lock could not be {done}: {cause.message}"
        raise AwsFailure(message, operation=cause.operation, code=cause.code, hint=hint) from error
