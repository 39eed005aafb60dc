"""Connections to AWS over real TLS: whom they trust, and that they read the file of certificates once."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, SSLError

from fargatectl.aws.errors import explain
from fargatectl.aws.session import make_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
WHO = b"<A><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></A>"


class Answering(BaseHTTPRequestHandler):
    """Closes the connection after each answer, so that each call needs a new one."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(WHO)))
        self.end_headers()
        self.wfile.write(WHO)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(authority: trustme.CA, name: str = "127.0.0.1") -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def account(session: Any, url: str) -> str:
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    client = session.client("sts", region_name="eu-central-1", endpoint_url=url, config=config)
    return str(client.get_caller_identity()["Account"])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "bundle.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
    return path


def test_all_clients_share_certificates_that_were_read_once(authority: trustme.CA, bundle: Path) -> None:
    session = make_session(environment=KEYS)
    with serving(authority) as one, serving(authority) as other:
        assert account(session, one) == "123456789012"
        bundle.unlink()
        assert account(session, one) == account(session, other) == "123456789012"


@pytest.mark.usefixtures("bundle")
def test_a_server_that_nobody_vouches_for_is_refused() -> None:
    with serving(trustme.CA()) as url, pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        account(make_session(environment=KEYS), url)


@pytest.mark.usefixtures("bundle")
def test_a_certificate_of_another_name_is_refused(authority: trustme.CA) -> None:
    with serving(authority, "aws.example.com") as url, pytest.raises(SSLError, match=r"127\.0\.0\.1"):
        account(make_session(environment=KEYS), url)


def test_without_a_bundle_the_public_authorities_count(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with serving(authority) as url, pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        account(make_session(environment=KEYS), url)


def test_a_bundle_that_cannot_be_read_is_named(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/no/such/bundle.pem")
    with serving(authority) as url, pytest.raises(SSLError) as refused:
        account(make_session(environment=KEYS), url)
    assert "/no/such/bundle.pem" in explain(refused.value).message


def test_proxies_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nobody listens on the port for discarding
    with pytest.raises(Exception, match=r"proxy.*127\.0\.0\.1:9"):
        account(make_session(environment=KEYS), "https://sts.example.com")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(EndpointConnectionError):
        account(make_session(environment=KEYS), "https://127.0.0.1:9")
