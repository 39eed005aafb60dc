"""Certificates in ACM: found by domain name or ARN, never made or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.aws.certificates import certificates
from fargatectl.aws.errors import ClientError, says
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import FargatectlError, NotFoundError
from fargatectl.model.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from types_boto3_acm.type_defs import CertificateDetailTypeDef, CertificateSummaryTypeDef

    from fargatectl.aws.session import Aws

_ISSUED = "ISSUED"
_SHOWN = 8


@dataclass(frozen=True)
class Certificate:
    """An issued certificate; `domains` are all names that it is valid for, in lower case."""

    arn: str
    domains: tuple[str, ...]

    def covers(self, host: str) -> bool:
        """Tell whether it is valid for `host`; a wildcard stands for one label (RFC 6125, 6.4.3)."""
        return any(_match(domain, host.lower()) for domain in self.domains)


@dataclass(frozen=True, kw_only=True)
class CertificateQuery(Spec):
    """The certificates of one load balancer, by domain name or ARN, the default one first. `path` is where they stand
    in the file."""

    certificates: tuple[str, ...]
    path: str


class Certificates(Lookup[CertificateQuery, tuple[Certificate, ...]]):
    """Finds certificates: of several for the same name, one whose first name it is, else the newest."""

    kind = "alb.certificate"

    def read(self, aws: Aws, specs: Sequence[CertificateQuery]) -> Sequence[tuple[Certificate, ...] | FargatectlError]:
        wanted = list(dict.fromkeys(name for spec in specs for name in spec.certificates))
        arns = [name for name in wanted if name.startswith("arn:")]
        described = dict(zip(arns, aws.each(lambda arn: _describe(aws, arn), arns), strict=True))
        listed = certificates(aws, [_ISSUED]) if len(arns) < len(wanted) else []
        return [_answer(spec, described, listed, aws.region) for spec in specs]


def uncovered(certificates: Iterable[Certificate], hosts: Iterable[str]) -> tuple[str, ...]:
    """Return the hosts for which no certificate is valid: browsers will refuse them."""
    known = tuple(certificates)
    return tuple(host for host in hosts if not any(certificate.covers(host) for certificate in known))


def _answer(
    query: CertificateQuery,
    described: dict[str, CertificateDetailTypeDef | None],
    listed: Sequence[CertificateSummaryTypeDef],
    region: str,
) -> tuple[Certificate, ...] | NotFoundError:
    found = []
    for name in query.certificates:
        if name in described:
            one, problem = _by_arn(name, described[name], region)
        else:
            one, problem = _by_domain(name, listed, region)
        if one is None:
            names = ", ".join(sorted({summary["DomainName"] for summary in listed})[:_SHOWN])
            hint = "request or import it in ACM, in the Region of the load balancer"
            return NotFoundError(problem, path=query.path, hint=hint + (f"; issued are {names}" if names else ""))
        found.append(one)
    return tuple(found)


def _by_arn(arn: str, one: CertificateDetailTypeDef | None, region: str) -> tuple[Certificate | None, str]:
    if one is None:
        return None, f"there is no certificate {arn} in {region}"
    if one["Status"] != _ISSUED:
        return None, f"the certificate {arn} is {one['Status']}, not {_ISSUED}"
    return Certificate(arn, _names(one["DomainName"], one.get("SubjectAlternativeNames", ()))), ""


def _by_domain(domain: str, listed: Sequence[CertificateSummaryTypeDef], region: str) -> tuple[Certificate | None, str]:
    def rank(one: CertificateSummaryTypeDef) -> tuple[bool, bool, float, str]:
        names = _names(one["DomainName"], one.get("SubjectAlternativeNameSummaries", ()))
        return (one["DomainName"].lower() == wanted, wanted in names, _age(one), one["CertificateArn"])

    wanted = domain.lower()
    fitting = [one for one in listed if _certificate(one).covers(wanted) or wanted in _certificate(one).domains]
    if not fitting:
        return None, f"there is no issued certificate for {domain} in {region}"
    return _certificate(max(fitting, key=rank)), ""


def _certificate(one: CertificateSummaryTypeDef) -> Certificate:
    return Certificate(one["CertificateArn"], _names(one["DomainName"], one.get("SubjectAlternativeNameSummaries", ())))


def _age(one: CertificateSummaryTypeDef) -> float:
    """Return when it came to be; imported ones have no date of issue."""
    dates = (one.get("IssuedAt"), one.get("ImportedAt"), one.get("CreatedAt"), one.get("NotBefore"))
    return next((date.timestamp() for date in dates if date is not None), 0.0)


def _names(domain: str, others: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([domain.lower(), *(name.lower() for name in others)]))


def _match(domain: str, host: str) -> bool:
    if domain.startswith("*."):
        return host.partition(".")[2] == domain[2:]
    return domain == host


def _describe(aws: Aws, arn: str) -> CertificateDetailTypeDef | None:
    try:
        return aws.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        # An ARN of another Region is refused as invalid.
        if says(error, "ResourceNotFoundException") or says(error, "InvalidArnException"):
            return None
        raise
