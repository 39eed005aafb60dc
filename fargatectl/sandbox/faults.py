"""A refusal of the local AWS, in the words of the real one."""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """What AWS answers instead of a result: its error code, its text, and for some errors more members."""

    def __init__(self, code: str, message: str, *, status: int = 400, **members: Any) -> None:  # noqa: ANN401 - AWS's
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


class LostAnswer(Exception):
    """A call took effect, and its answer never reached the client: each door drops the connection in its own way."""
