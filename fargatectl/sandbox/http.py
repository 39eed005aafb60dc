"""A request and an answer, free of any HTTP library, so that every door feeds the same cloud."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. Header names are lower case; `url` is absolute."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path without its query."""
        return urlsplit(self.url).path or "/"

    @property
    def content_type(self) -> str:
        """The media type with its parameters, or ""."""
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class Response:
    """What the client gets."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
