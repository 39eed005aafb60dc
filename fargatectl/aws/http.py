"""HTTP to what is not AWS: image registries. Injected wherever it is used, so that tests go nowhere."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeAlias

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from email.message import Message

_SECONDS = 5
_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Reply:
    """What a server answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Fetch: TypeAlias = Callable[[str, str, Mapping[str, str]], Reply]
"""Takes a method, a URL and headers; raises OSError where nobody answers."""


class _StayOnTls(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never off TLS."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:  # noqa: ANN401, PLR0913 - urllib's own signature
        _require_tls(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(method: str, url: str, headers: Mapping[str, str]) -> Reply:
    """Ask a server over TLS. Raises OSError where it cannot be reached within seconds, or `url` is not https."""
    _require_tls(url)
    request = urllib.request.Request(url, method=method, headers=dict(headers))  # noqa: S310 - https alone
    try:
        with urllib.request.build_opener(_StayOnTls).open(request, timeout=_SECONDS) as answer:
            return Reply(answer.status, _lowered(answer.headers), answer.read(_MAX_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, _lowered(error.headers), b"")
    except http.client.HTTPException as error:
        message = f"{request.host} does not speak HTTP: {type(error).__name__}"
        raise OSError(message) from error


def _require_tls(url: str) -> None:
    if not url.startswith("https://"):
        message = f"{url} is not https"
        raise OSError(message)


def _lowered(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
