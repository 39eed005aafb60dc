"""Asking for many things at once so that one failure stays one failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from fargatectl.aws.errors import explain
from fargatectl.errors import FargatectlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fargatectl.aws.session import Aws

T = TypeVar("T")
R = TypeVar("R")


def answer_each(aws: Aws, ask: Callable[[T], R], items: Iterable[T]) -> list[R | FargatectlError]:
    """Call `ask` for every item side by side; return, in order, each answer or what went wrong with it."""

    def answer(item: T) -> R | FargatectlError:
        try:
            return ask(item)
        except (ClientError, BotoCoreError, FargatectlError) as error:
            return explain(error)

    return aws.each(answer, items)
