"""Proving to ACM that the domains of a certificate are ours: its CNAME records, and the wait until it is issued.

A record that proves a domain is ours because our certificate asks for it. ACM asks for the same one in every
certificate of the account, and again for each renewal: it stays as long as any of them needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.route53 import change, plain, records
from fargatectl.aws.waits import TIMEOUT, polling
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.errors import AwsFailure, Refused
from fargatectl.model.change import OWNERSHIP_PREFIX
from fargatectl.model.ownership import ADDRESS
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.dns.certificate import (
    ALIVE,
    ISSUED,
    CertificateOut,
    certificates_for,
    current,
    described,
    owned_certificates,
)
from fargatectl.reconcilers.dns.zone import provable_in, zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership
    from fargatectl.reconcilers.dns.certificate import Proof

ZONE = f"{OWNERSHIP_PREFIX}zone"
"""Our tag of a certificate that says in which zone it is proven."""

_TTL_SECONDS = 300
_ISSUED_SECONDS = 2700  # ACM user guide, "DNS validation": usually minutes; ACM itself gives up after 72 hours
_REASONS = {
    "ADDITIONAL_VERIFICATION_REQUIRED": ("it wants to know more about the domain", "open a case at AWS Support"),
    "CAA_ERROR": (
        "CAA records of the domain let other authorities alone make certificates",
        'add the CAA record `0 issue "amazon.com"` for it, or delete those there are',
    ),
    "DOMAIN_NOT_ALLOWED": ("a domain is listed as unsafe", "look it up at virustotal.com, and have that corrected"),
    "INVALID_PUBLIC_DOMAIN": ("a domain is not a public one", "take it out of `http.host`, or correct it"),
    "OTHER": ("it does not say why; often a domain is misspelt", "check `http.host`"),
}
"""ACM user guide, "Certificate request fails": FailureReason, what it means and what to do."""


@dataclass(frozen=True)
class ValidationOut:
    """`arn` is that of the certificate, once it is issued. `rows` are the records that prove it, by zone."""

    arn: str
    rows: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Validation(Spec):
    """The proof of the certificate `certificate` (an ARN): records for `domains` in the zone `zone` (a name or an id)
    or in the nearest one below it, until it is `issued`. `proofs` are what ACM asks for."""

    identity: ClassVar[tuple[str, ...]] = ("certificate",)

    certificate: Late[str] = setting(wiring=True)
    proofs: Late[tuple[Proof, ...]] = setting(wiring=True, default=())
    zone: str = setting(wiring=True, default="")
    domains: tuple[str, ...]
    issued: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "domains", tuple(sorted({domain.lower() for domain in self.domains})))


ValidationLive = Live[Validation, ValidationOut]


class Validations(Reconciler[Validation, ValidationOut]):
    """Reads and writes the records that prove certificates."""

    kind = "dns.validation"
    noun = "validation records"
    create_first = True
    taggable = False

    def read(self, aws: Aws, specs: Sequence[Validation]) -> Sequence[ValidationLive | None | Any]:
        return answer_each(aws, lambda spec: _read(aws, known(spec.certificate), spec.zone), specs)

    def create(self, aws: Aws, spec: Validation) -> ValidationOut:
        proofs = known(spec.proofs)
        if len(proofs) < len(spec.domains):
            # It was asked for a moment ago, by a run that died.
            proofs = described(aws, known(spec.certificate)).out.proofs
        for proof in proofs:
            _write(aws, spec.zone, proof)
        return _until_issued(aws, spec)

    def update(self, aws: Aws, live: ValidationLive, spec: Validation, delta: Delta) -> ValidationOut:
        del live, delta
        return self.create(aws, spec)

    def delete(self, aws: Aws, live: ValidationLive) -> None:
        """Take away the records that no other certificate needs."""
        for zone, row in live.out.rows:
            proofs = [one for one in known(live.spec.proofs) if plain(one.name) == plain(row["Name"])]
            if any(certificates_for(aws, proof) - {live.out.arn} for proof in proofs):
                continue
            try:
                change(aws, zone, delete=[row])
            except ClientError as error:
                if not (says(error, "NoSuchHostedZone") or says(error, "InvalidChangeBatch", "not found")):
                    raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[ValidationLive]:
        for certificate in owned_certificates(aws, owner):
            seen = certificate.spec.tags
            address = {ADDRESS: seen[ADDRESS].replace("certificate/", "validation/", 1)} if ADDRESS in seen else {}
            live = _look(aws, certificate.out, seen.get(ZONE, ""), {**seen, **address})
            if live.id not in known and live.out.rows:
                yield live

    def summary(self, spec: Validation) -> str:
        return f"records that prove {', '.join(spec.domains)} to ACM"


def _read(aws: Aws, arn: str, zone: str) -> ValidationLive | None:
    found = current(aws, arn)
    return None if found is None else _look(aws, found, zone, {})


def _look(aws: Aws, found: CertificateOut, zone: str, tags: Mapping[str, str]) -> ValidationLive:
    rows = []
    proven = []
    for proof in found.proofs:
        place, row = _place(aws, zone, proof)
        if place and row is not None and _says(row, proof):
            proven.append(proof.domain)
            rows.append((place, row))
    spec = Validation(
        certificate=found.arn,
        proofs=found.proofs,
        zone=zone,
        domains=tuple(proven),
        issued=found.status == ISSUED,
        tags=tags,
    )
    # A domain and its wildcard are proven by one record.
    once = {plain(row["Name"]): (place, row) for place, row in rows}
    return Live(spec, ValidationOut(found.arn, tuple(once.values())), f"{found.arn}/validation")


def _place(aws: Aws, zone: str, proof: Proof) -> tuple[str, Any]:
    """Return the id of the public zone where a proof belongs, and what is there under its name."""
    chosen = provable_in(zones(aws, zone), proof.domain) if zone else None
    if chosen is None:
        return "", None
    rows = (one for one in records(aws, chosen.id) if plain(one["Name"]) == plain(proof.name))
    return chosen.id, next((one for one in rows if one["Type"] == "CNAME"), None)


def _says(row: Any, proof: Proof) -> bool:  # noqa: ANN401 - Route 53's record
    return any(plain(one["Value"]) == plain(proof.value) for one in row.get("ResourceRecords", ()))


def _write(aws: Aws, zone: str, proof: Proof) -> None:
    place, row = _place(aws, zone, proof)
    if row is not None and _says(row, proof):
        return
    if not place or row is not None:
        found = ", ".join(one["Value"] for one in row.get("ResourceRecords", ())) if row else "no zone of this account"
        message = f"the record {plain(proof.name)}, which proves {proof.domain} to ACM, leads to {found}"
        raise Refused(message, hint=f"let it lead to {proof.value}, or delete it: then it is made anew")
    wanted = {"Name": proof.name, "Type": "CNAME", "TTL": _TTL_SECONDS, "ResourceRecords": [{"Value": proof.value}]}
    try:
        change(aws, place, create=[wanted])
    except ClientError as error:
        # Its own earlier success, or that of another certificate for the same domain.
        if not says(error, "InvalidChangeBatch", "already exists"):
            raise
    aws.reads.clear()


def _until_issued(aws: Aws, spec: Validation) -> ValidationOut:
    """Wait until ACM has seen the records. Raises `AwsFailure` where it refuses, or does not see them in time."""
    arn = known(spec.certificate)

    def look() -> CertificateOut | None:
        aws.reads.clear()
        found = current(aws, arn)
        if found is None or found.status not in ALIVE:
            raise _not_issued(spec, found)
        return found if found.status == ISSUED else None

    try:
        found = polling(aws, f"certificate {arn} issued", look, seconds=_ISSUED_SECONDS, interval=6)
    except AwsFailure as error:
        if error.code != TIMEOUT:
            raise
        raise _not_seen(spec, current(aws, arn)) from error
    live = _look(aws, found, spec.zone, {})
    return live.out


def _not_issued(spec: Validation, found: CertificateOut | None) -> AwsFailure:
    """Return the failure of a certificate of which nothing comes any more."""
    reason = found.reason if found else ""
    why, way_out = _REASONS.get(reason, ("", "see what the ACM console says of it"))
    status = f"{found.status} {reason}".strip() if found else "gone"
    message = f"ACM did not issue the certificate for {', '.join(spec.domains)}: {why or 'it'} ({status})"
    hint = f"{way_out}; then run the same command again: it asks for another certificate"
    return AwsFailure(message, operation="acm:RequestCertificate", code=found.status if found else "", hint=hint)


def _not_seen(spec: Validation, found: CertificateOut | None) -> AwsFailure:
    """Return the failure of a certificate whose records ACM has not seen."""
    proofs = {proof.name: proof.value for proof in found.proofs} if found else {}
    records = "; ".join(f"{plain(name)} CNAME {plain(value)}" for name, value in sorted(proofs.items()))
    message = (
        f"ACM has not issued the certificate for {', '.join(spec.domains)} within {_ISSUED_SECONDS // 60} minutes: it "
        f"does not see in public DNS what proves the domains. The zone {spec.zone} has it: {records}"
    )
    hint = (
        "let the registrar's delegation lead to the name servers of that zone, or make the records where the domain is "
        "served; then run the same command again: it goes on, until ACM gives up 72 hours after the request"
    )
    code = found.status if found else ""
    return AwsFailure(message, operation="acm:RequestCertificate", code=code, hint=hint)
