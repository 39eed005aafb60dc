"""Where requests may go. An endpoint in the environment or in a profile may send credentials to anybody: only AWS's own
hosts and this machine are believed, unless `--endpoint-url` says the same host."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fargatectl.errors import Refused, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boto3.session import Session

# AWS General Reference, "AWS service endpoints": the domains of all partitions, China, GovCloud, the European Sovereign
# Cloud and the isolated ones among them.
_AWS_DOMAINS = (
    ".amazonaws.com",
    ".api.aws",
    ".amazonaws.com.cn",
    ".api.amazonwebservices.com.cn",
    ".amazonaws.eu",
    ".api.amazonwebservices.eu",
    ".c2s.ic.gov",
    ".api.aws.ic.gov",
    ".sc2s.sgov.gov",
    ".api.aws.scloud",
    ".cloud.adc-e.uk",
    ".api.cloud-aws.adc-e.uk",
    ".csp.hci.ic.gov",
    ".api.aws.hci.ic.gov",
)
_WHERE_FROM = "it comes from AWS_ENDPOINT_URL or from the profile; give --endpoint-url with it if you trust that host"


def check(url: str, *, confirmed: str | None) -> None:
    """Raise `Refused` if no request may go to `url`; `confirmed` is the value of `--endpoint-url`."""
    scheme, host = _parts(url)
    address = _address(host)
    if address is not None and address.is_link_local:
        raise Refused(f"requests to {host} are refused: it is a link-local address")
    if host == "localhost" or (address is not None and address.is_loopback):
        return
    if scheme != "https":
        raise Refused(f"requests to {host} without TLS are refused", hint="plain http is for this machine alone")
    if host.endswith(_AWS_DOMAINS) or (confirmed is not None and host == _parts(confirmed)[1]):
        return
    raise Refused(f"requests to {host} are refused: it is not a host of AWS", hint=_WHERE_FROM)


def guard(session: Session, *, confirmed: str | None) -> None:
    """Check every request of `session` before it is signed, wherever its endpoint came from."""

    def before_call(params: Mapping[str, Any], **_: object) -> None:
        check(str(params["url"]), confirmed=confirmed)

    session.events.register_first("before-call", before_call)


def _parts(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".").lower()
        parts.port  # noqa: B018 - raises for an impossible port
    except ValueError:
        scheme, host = "", ""
    if scheme not in {"http", "https"} or not host:
        raise UsageError(
            f"{url!r} is no URL of an endpoint", hint="an endpoint is such as https://HOST or http://127.0.0.1:PORT"
        )
    return scheme, host


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that `host` spells, in any of the spellings that a resolver takes ("169.254.43518")."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, UnicodeEncodeError):
            return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
