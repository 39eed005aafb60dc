"""ACM's certificates in short: all of them, whatever keys they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_acm.type_defs import CertificateSummaryTypeDef

    from fargatectl.aws.session import Aws

# ACM API Reference, ListCertificates: only RSA_1024 and RSA_2048 are listed where it is not told which. These are all
# that there are, and all that a load balancer takes (ELB User Guide, "HTTPS listeners").
_KEY_TYPES = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]


def certificates(aws: Aws, statuses: Sequence[str]) -> list[CertificateSummaryTypeDef]:
    """Return the account's certificates in this Region that have one of `statuses`. Raises `ClientError`."""
    filters: Any = {"CertificateStatuses": list(statuses), "Includes": {"keyTypes": _KEY_TYPES}}
    pages = aws.acm.get_paginator("list_certificates").paginate(**filters)
    return [one for page in pages for one in page["CertificateSummaryList"]]
