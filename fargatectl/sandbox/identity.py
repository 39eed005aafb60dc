"""Whose request it is: the access key carries the account, the signature's scope the Region and the service.

One server serves any number of accounts: a key that ends in twelve digits belongs to that account, every other key to
the default account. Signatures themselves are not checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from fargatectl.sandbox.http import Request

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"
SECRET_KEY = "local-aws"

_ACCOUNT = re.compile(r"\d{12}$")
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")

# Signing names that differ from botocore's name of the service.
_SERVICES = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "elasticfilesystem": "efs",
    "servicequotas": "service-quotas",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature says: account, Region and service (by botocore's name)."""

    account: str
    region: str
    service: str


def access_key(account: str) -> str:
    """Return an access key id that stands for `account`; twenty characters as AWS's are."""
    return f"LOCALAWS{account}"


def account_of(key: str) -> str | None:
    """Return the account that an access key id carries, or None."""
    found = _ACCOUNT.search(key)
    return found.group() if found else None


def scope_of(request: Request) -> Scope | None:
    """Return the scope of a signed request (header or presigned query), or None if it is not signed."""
    found = _CREDENTIAL.search(request.headers.get("authorization", "")) or _CREDENTIAL.search(_presigned(request.url))
    if not found:
        return None
    key, _, region, signing_name = found.groups()
    service = _SERVICES.get(signing_name.lower(), signing_name.lower())
    return Scope(account=account_of(key) or DEFAULT_ACCOUNT, region=region, service=service)


def _presigned(url: str) -> str:
    return "Credential=" + parse_qs(urlsplit(url).query).get("X-Amz-Credential", [""])[0]
