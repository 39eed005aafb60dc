"""HTTP connections to AWS, shared by all clients of a run.

botocore gives every client its own, and has OpenSSL read the CA bundle again for each new connection: some twenty
milliseconds of CPU, and a run with nothing to do opens sixteen. Here the bundle is read once.
"""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from botocore.exceptions import SSLError
from botocore.httpsession import URLLib3Session, create_urllib3_context, get_cert_path
from botocore.utils import get_environ_proxies

if TYPE_CHECKING:
    from collections.abc import Hashable
    from ssl import SSLContext

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

CONNECTIONS = "connections"
"""What the handler is registered as: another may take its place."""


class Connections:
    """Sends the requests of all clients; a handler of botocore's event `before-send`.

    `ca_bundle` is the file of AWS_CA_BUNDLE or of `ca_bundle` in the profile, if there is one; `keepalive` is the
    profile's `tcp_keepalive`. Proxies are taken from the environment, timeouts from each client's configuration, as
    botocore does. What is raised is what botocore's own connections raise, so that its retries work as ever.
    """

    def __init__(self, ca_bundle: str | None = None, *, keepalive: bool = False) -> None:
        file: str = ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or str(get_cert_path(verify=True))
        self._trust = _Trust(file)
        self._options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        if keepalive:
            self._options.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
        self._sessions: dict[Hashable, _Session] = {}
        self._proxies: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        """Return AWS's answer; None leaves a request to botocore that does not say which client it is of."""
        config = (getattr(request, "context", None) or {}).get("client_config")
        return None if config is None else self._session(request.url, config).send(request)

    def _session(self, url: str, config: Any) -> _Session:  # noqa: ANN401 - botocore's types know nothing of its fields
        host = urlsplit(url).netloc
        with self._lock:
            if host not in self._proxies:
                self._proxies[host] = get_environ_proxies(url) if getproxies() else {}
            proxies, timeout = self._proxies[host], (config.connect_timeout, config.read_timeout)
            key = (*timeout, *sorted(proxies.items()))
            if key not in self._sessions:
                self._sessions[key] = _Session(
                    self._trust,
                    proxies=proxies,
                    timeout=timeout,
                    max_pool_connections=config.max_pool_connections,
                    socket_options=self._options,
                )
            return self._sessions[key]


class _Trust:
    """What vouches for a server: a file of certificates, read when it is first needed."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.context: SSLContext = create_urllib3_context()
        self._read = False
        self._lock = threading.Lock()

    def read(self, url: str) -> None:
        """Read the file, once. Raises SSLError."""
        with self._lock:
            if not self._read:
                try:
                    self.context.load_verify_locations(self.file)
                except OSError as error:
                    named = OSError(error.errno, error.strerror, self.file)
                    raise SSLError(endpoint_url=url, error=named) from error
                self._read = True


class _Session(URLLib3Session):
    """botocore's session, but for what reads the file of certificates. Without the last two methods it would work as
    well, if more slowly; were only one of them called by a later botocore, servers would be refused, never trusted."""

    def __init__(self, trust: _Trust, **settings: Any) -> None:  # noqa: ANN401 - passed on
        self._trust = trust
        super().__init__(verify=trust.file, **settings)  # type: ignore[arg-type] # the stubs err

    def send(self, request: Any) -> AWSResponse:  # noqa: ANN401 - as above
        """Return the server's answer."""
        if request.url.startswith("https:"):
            self._trust.read(request.url)
        return super().send(request)

    def _get_ssl_context(self) -> SSLContext:
        return self._trust.context

    def _setup_ssl_cert(self, conn: Any, url: str, verify: object) -> None:  # noqa: ANN401 - a pool of urllib3's
        super()._setup_ssl_cert(conn, url, verify)  # type: ignore[misc] # not in the stubs
        conn.ca_certs = None  # the context has read them: for each new connection they would be read once more
