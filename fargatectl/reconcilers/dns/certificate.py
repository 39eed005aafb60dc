"""Certificates in ACM that are asked for, and proven by records in our zones."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.answers import answer_each
from fargatectl.aws.certificates import certificates
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.tags import as_dict, pairs
from fargatectl.aws.waits import Transient, polling, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import same_resource, tags_shown
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT
from fargatectl.model.spec import Spec, setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from types_boto3_acm.type_defs import CertificateDetailTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership
    from fargatectl.model.values import Late

ISSUED, PENDING = "ISSUED", "PENDING_VALIDATION"
ALIVE = (PENDING, ISSUED)
"""ACM API Reference, CertificateDetail: all other states are ends, of which nothing comes any more."""

_DETAIL_SECONDS = 300
_TOKEN = 32  # ACM API Reference, RequestCertificate: IdempotencyToken
# ACM learns some minutes later that a listener has let go; the bound is other tools' experience.
_IN_USE = Transient("ResourceInUseException", seconds=1200)
_NOT_SEEN = Transient("ResourceNotFoundException", seconds=300)


@dataclass(frozen=True)
class Proof:
    """The CNAME record that proves a domain to ACM: the same for all certificates of an account."""

    domain: str
    name: str
    value: str


@dataclass(frozen=True)
class CertificateOut:
    """A certificate, whether it is issued or not."""

    arn: str
    proofs: tuple[Proof, ...]
    status: str = PENDING
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RequestedCertificate(Spec):
    """A certificate that is asked for, for all of `domains`; other domains mean another certificate. `provable` is
    known once there is a zone for each of them."""

    identity: ClassVar[tuple[str, ...]] = ("domains",)

    domains: tuple[str, ...] = setting(immutable=True)
    provable: Late[bool] = setting(wiring=True, default=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "domains", tuple(sorted({domain.lower() for domain in self.domains})))


CertificateLive = Live[RequestedCertificate, CertificateOut]


class RequestedCertificates(Reconciler[RequestedCertificate, CertificateOut]):
    """Reads and asks for certificates. ACM has no names for them: ours are known by the address in their tags.

    One that is to replace another is there, issued and attached before the other goes.
    """

    kind = "dns.certificate"
    noun = "certificate"
    create_first = True
    tagged_as = "acm"

    def read(self, aws: Aws, specs: Sequence[RequestedCertificate]) -> Sequence[CertificateLive | None | Any]:
        return answer_each(aws, lambda spec: _read(aws, spec), specs)

    def look_again(self, aws: Aws, live: CertificateLive) -> CertificateLive | None:
        """Return the very certificate: one that failed has the domains of the one that was asked for in its place."""
        return _look(aws, live.id, live.spec.tags)

    def create(self, aws: Aws, spec: RequestedCertificate) -> CertificateOut:
        first, *others = spec.domains
        request: dict[str, Any] = {
            "DomainName": first,
            "ValidationMethod": "DNS",
            # For an hour the same token gives the same certificate, whoever died before hearing of it.
            "IdempotencyToken": _token(spec),
            "Tags": pairs(spec.tags),
        }
        request |= {"SubjectAlternativeNames": others} if others else {}
        return described(aws, aws.acm.request_certificate(**request)["CertificateArn"]).out

    def update(self, aws: Aws, live: CertificateLive, spec: RequestedCertificate, delta: Delta) -> CertificateOut:
        if delta.touches("tags"):
            aws.acm.add_tags_to_certificate(CertificateArn=live.out.arn, Tags=pairs(spec.tags))
        return live.out

    def delete(self, aws: Aws, live: CertificateLive) -> None:
        try:
            retrying(aws, lambda: aws.acm.delete_certificate(CertificateArn=live.out.arn), _IN_USE, interval=5)
        except ClientError as error:
            if not says(error, "ResourceNotFoundException"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[CertificateLive]:
        for arn in _tagged(aws, owner.tags()):
            live = _look(aws, arn) if arn not in known else None
            if live is not None and owner.owns(live.spec.tags):
                yield live

    def summary(self, spec: RequestedCertificate) -> str:
        return f"certificate for {', '.join(spec.domains)}"


def certificates_for(aws: Aws, proof: Proof) -> set[str]:
    """Return the ARNs of all certificates of the account that `proof` proves a domain of."""
    domains = {proof.domain.removeprefix("*."), f"*.{proof.domain.removeprefix('*.')}"}
    return {one["CertificateArn"] for one in _alive(aws) if domains & _names(one)}


def owned_certificates(aws: Aws, owner: Ownership) -> list[CertificateLive]:
    """Return the certificates that carry `owner`'s tags."""
    lives = [_look(aws, arn) for arn in _tagged(aws, owner.tags())]
    return [live for live in lives if live is not None and owner.owns(live.spec.tags)]


def current(aws: Aws, arn: str) -> CertificateOut | None:
    """Return a certificate as it is, None where it is gone."""
    live = _look(aws, arn)
    return None if live is None else live.out


def _read(aws: Aws, spec: RequestedCertificate) -> CertificateLive | None:
    """Return the certificate for just these domains, else the one that this is to replace."""
    fitting = [one["CertificateArn"] for one in _alive(aws) if _names(one) == set(spec.domains)]
    for arn in [*fitting, *_tagged(aws, {key: spec.tags[key] for key in (APP, ENVIRONMENT) if key in spec.tags})]:
        live = _look(aws, arn, spec.tags)
        if live is not None and live.out.status in ALIVE and same_resource(spec.tags, live.spec.tags):
            return live
    return None


def _alive(aws: Aws) -> list[Any]:
    return aws.reads.once(("acm.alive",), lambda: certificates(aws, ALIVE))


def _names(summary: Any) -> set[str]:  # noqa: ANN401 - ACM's summary
    others = summary.get("SubjectAlternativeNameSummaries", ())
    return {summary["DomainName"].lower(), *(name.lower() for name in others)}


def _tagged(aws: Aws, wanted: Mapping[str, str]) -> list[str]:
    return sorted(arn for arn in aws.tagged(wanted) if ":acm:" in arn) if wanted else []


def _look(aws: Aws, arn: str, wanted: Mapping[str, str] | None = None) -> CertificateLive | None:
    try:
        ask = partial(aws.acm.describe_certificate, CertificateArn=arn)
        found = aws.reads.once(("acm.certificate", arn), ask)["Certificate"]
        seen = tags_shown(aws, arn, wanted or {}, lambda: _listed_tags(aws, arn))
    except ClientError as error:
        if says(error, "ResourceNotFoundException"):
            return None
        raise
    return _live(found, seen)


def _listed_tags(aws: Aws, arn: str) -> dict[str, str]:
    return as_dict(aws.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])


def described(aws: Aws, arn: str) -> CertificateLive:
    """Return a certificate that was just asked for, once ACM has said how to prove its domains."""

    def look() -> CertificateLive | None:
        found = retrying(aws, lambda: aws.acm.describe_certificate(CertificateArn=arn)["Certificate"], _NOT_SEEN)
        live = _live(found, {})
        return live if live.out.status not in ALIVE or len(live.out.proofs) == len(live.spec.domains) else None

    return polling(aws, "ACM says how to prove the domains of the certificate", look, seconds=_DETAIL_SECONDS)


def _live(found: CertificateDetailTypeDef, seen: Mapping[str, str]) -> CertificateLive:
    options = found.get("DomainValidationOptions", ())
    proofs = tuple(
        Proof(one["DomainName"].lower(), one["ResourceRecord"]["Name"], one["ResourceRecord"]["Value"])
        for one in sorted(options, key=lambda one: one["DomainName"])
        if "ResourceRecord" in one
    )
    arn = found["CertificateArn"]
    out = CertificateOut(arn, proofs, found.get("Status", PENDING), found.get("FailureReason", ""))
    names = (found["DomainName"], *found.get("SubjectAlternativeNames", ()))
    return Live(RequestedCertificate(domains=names, tags=seen), out, arn)


def _token(spec: RequestedCertificate) -> str:
    seed = (*(spec.tags.get(key, "") for key in (APP, ENVIRONMENT, ADDRESS)), *spec.domains)
    return sha256("\n".join(seed).encode()).hexdigest()[:_TOKEN]
