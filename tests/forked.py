"""A copy of this process to try something in: what a test does to a deployed world stays in the copy.

Forking takes milliseconds, deploying a whole file seconds. Nothing of the tool runs in threads here (see `inline`).
"""

from __future__ import annotations

import os
import traceback
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")


def in_a_copy(test: Callable[P, object]) -> Callable[P, None]:
    """Have `test` run in a copy of this process; it fails with the traceback of the copy."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        _fork(lambda: test(*args, **kwargs))

    return run


def _fork(check: Callable[[], object]) -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _tell(check, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode()
    _, status = os.waitpid(pid, 0)
    if told or status:
        pytest.fail(told or f"the copy ended with status {status}", pytrace=False)


def _tell(check: Callable[[], object], writing: int) -> None:
    told = b""
    try:
        check()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent is told
        told = traceback.format_exc().encode()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(told)
    os._exit(0)
