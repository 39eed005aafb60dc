"""ACM: certificates that are issued once their validation records exist (AWS: ACM API Reference and user guide).

moto keeps them; whether and when they are issued, and which records prove it, is ours.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import moto_adapter
from fargatectl.sandbox.dns.state import canonical, zones_of
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

LOOK_SECONDS = 60.0
DETAIL_SECONDS = 5.0
GIVE_UP_SECONDS = 72 * 3600.0
RELEASE_SECONDS = 30.0
_TOKEN_SECONDS = 3600.0
_PAGE = 1000
_PENDING, _ISSUED, _TIMED_OUT = "PENDING_VALIDATION", "ISSUED", "VALIDATION_TIMED_OUT"
_FAILED, _HELD = "FAILED", "pending"
_DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SHORT = ("RSA_1024", "RSA_2048")
"""The keys of which ListCertificates shows certificates where it is not told which (ACM API Reference, Filters)."""
_OF_ISSUED = ("IssuedAt", "NotAfter", "NotBefore", "Serial")


@dataclass(slots=True)
class Request:
    """A certificate that was asked for."""

    domains: tuple[str, ...]
    asked_at: float
    key: str = _SHORT[-1]
    status: str = _PENDING
    reason: str = ""
    issued_at: float = 0.0


@dataclass(slots=True)
class Requests:
    """Certificates of an account's Region by ARN; recent tokens; when listeners let go of certificates."""

    known: dict[str, Request] = field(default_factory=dict)
    tokens: dict[str, tuple[float, dict[str, Any], str]] = field(default_factory=dict)
    released: dict[str, float] = field(default_factory=dict)


@HANDLERS.handles("acm", "RequestCertificate")
def request_certificate(region: Region, call: Call, forward: Forward) -> Answer:
    """Ask for a certificate; the same token within the hour gives the same one."""
    params, state = call.params, region.state(Requests)
    asked = {key: value for key, value in params.items() if key not in ("IdempotencyToken", "Tags")}
    token = params.get("IdempotencyToken") or ""
    since, before, arn = state.tokens.get(token, (0.0, {}, ""))
    if before == asked and region.now < since + _TOKEN_SECONDS and arn in state.known:
        return {"CertificateArn": arn}
    names = [params["DomainName"], *(params.get("SubjectAlternativeNames") or [])]
    domains = tuple(dict.fromkeys(name.lower() for name in names))
    for domain in domains:
        if not _DOMAIN.fullmatch(domain):
            message = f"1 validation error detected: Value '{domain}' at 'domainName' failed to satisfy constraint: "
            raise AwsError("ValidationException", f"{message}Member must satisfy regular expression pattern")
    onward = {key: value for key, value in params.items() if key != "IdempotencyToken"}
    arn = forward({**onward, "DomainName": domains[0], "SubjectAlternativeNames": list(domains)})["CertificateArn"]
    state.known[arn] = Request(domains, region.now, params.get("KeyAlgorithm") or _SHORT[-1])
    if token:
        state.tokens[token] = (region.now, asked, arn)
    if params.get("ValidationMethod") == "DNS":
        region.later(LOOK_SECONDS, lambda: _look(region, arn))
    return {"CertificateArn": arn}


def _look(region: Region, arn: str) -> None:
    """Issue a certificate if all its records exist in the account's zones, else look again later."""
    request = region.state(Requests).known.get(arn)
    if request is None or request.status != _PENDING:
        return
    records = {
        (key[0], record["ResourceRecords"][0]["Value"].rstrip("."))
        for zone in zones_of(region).zones.values()
        if not zone.private
        for key, record in zone.records.items()
        if key[1] == "CNAME"
    }
    proofs = [_proof(region, domain) for domain in request.domains]
    held = next(filter(None, (region.script.word("certificate", domain) for domain in request.domains)), "")
    if held and held != _HELD:
        request.status, request.reason = _FAILED, held
    elif not held and all((canonical(proof["Name"]), proof["Value"].rstrip(".")) in records for proof in proofs):
        issue(region, arn)
    elif region.now >= request.asked_at + GIVE_UP_SECONDS:
        request.status = _TIMED_OUT
    else:
        region.later(LOOK_SECONDS, lambda: _look(region, arn))


def issue(region: Region, arn: str) -> None:
    """Issue a certificate that was asked for."""
    request = region.state(Requests).known[arn]
    request.status, request.issued_at = _ISSUED, region.now
    moto_adapter.issue_certificate(region.backend("acm"), arn)


def _proof(region: Region, domain: str) -> dict[str, str]:
    """Return the record that proves a domain: the same for every certificate of an account, with or without `*.`."""
    name = domain.removeprefix("*.")
    first, second = (
        hashlib.sha256(f"{part}/{region.account}/{name}".encode()).hexdigest()[:32] for part in ("name", "value")
    )
    return {"Name": f"_{first}.{name}.", "Type": "CNAME", "Value": f"_{second}.xlfgrmvvlj.acm-validations.aws."}


@HANDLERS.handles("acm", "DescribeCertificate")
def describe_certificate(region: Region, call: Call, forward: Forward) -> Answer:
    """Return a certificate; its validation records appear a few seconds after it was asked for."""
    shown, arn = forward()["Certificate"], call.params["CertificateArn"]
    request = region.state(Requests).known.get(arn)
    shown["InUseBy"] = sorted(_users(region).get(arn, ()))
    if request is not None:
        shown |= _progress(region, request)
        shown["DomainValidationOptions"] = [_option(region, request, shown, domain) for domain in request.domains]
        if request.status != _ISSUED:
            shown = {key: value for key, value in shown.items() if key not in _OF_ISSUED}
        if request.status == _FAILED:
            shown["FailureReason"] = request.reason
    return {"Certificate": shown}


def _progress(region: Region, request: Request) -> dict[str, Any]:
    stamp = region.cloud.timeline.stamp
    made = {"Status": request.status, "CreatedAt": stamp(request.asked_at), "KeyAlgorithm": request.key}
    return made | ({"IssuedAt": stamp(request.issued_at)} if request.status == _ISSUED else {})


def _option(region: Region, request: Request, shown: Mapping[str, Any], domain: str) -> dict[str, Any]:
    options = shown.get("DomainValidationOptions", [])
    given: Mapping[str, str] = next((one for one in options if one["DomainName"] == domain), {})
    status = {_PENDING: _PENDING, _ISSUED: "SUCCESS"}.get(request.status, "FAILED")
    option: dict[str, Any] = {"DomainName": domain, "ValidationDomain": domain, "ValidationStatus": status}
    method = given.get("ValidationMethod", "DNS")
    option["ValidationMethod"] = method
    if method == "DNS" and region.now >= request.asked_at + DETAIL_SECONDS:
        option["ResourceRecord"] = _proof(region, domain)
    return option


@HANDLERS.handles("acm", "ListCertificates")
def list_certificates(region: Region, call: Call, forward: Forward) -> Answer:
    """Return certificates in short, by status and key."""
    params = call.params
    onward = {
        key: value
        for key, value in params.items()
        if key not in ("CertificateStatuses", "Includes", "MaxItems", "NextToken")
    }
    keys = (params.get("Includes") or {}).get("keyTypes") or _SHORT
    known, users = region.state(Requests).known, _users(region)
    found = []
    for summary in forward(onward).get("CertificateSummaryList", []):
        arn = summary["CertificateArn"]
        shown = {**summary, "InUse": arn in users}
        if arn in known:
            shown |= {**_progress(region, known[arn]), "SubjectAlternativeNameSummaries": list(known[arn].domains)}
            if known[arn].status != _ISSUED:
                shown = {key: value for key, value in shown.items() if key not in _OF_ISSUED}
        if (
            shown["Status"] in (params.get("CertificateStatuses") or [shown["Status"]])
            and shown["KeyAlgorithm"] in keys
        ):
            found.append(shown)
    start, size = int(params.get("NextToken") or 0), int(params.get("MaxItems") or _PAGE)
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return {"CertificateSummaryList": found[start : start + size], **more}


def _users(region: Region) -> dict[str, set[str]]:
    return moto_adapter.certificates_in_use(region.view("elbv2"))


@HANDLERS.handles("acm", "DeleteCertificate")
def delete_certificate(region: Region, call: Call, forward: Forward) -> Answer:
    """Delete a certificate that no load balancer uses, nor used a moment ago."""
    arn, state = call.params["CertificateArn"], region.state(Requests)
    if arn in _users(region) or region.now < state.released.get(arn, -RELEASE_SECONDS) + RELEASE_SECONDS:
        message = f"Certificate {arn} in account {region.account} is in use."
        raise AwsError("ResourceInUseException", message)
    answer = forward()
    state.known.pop(arn, None)
    return answer


@HANDLERS.handles("elbv2", "DeleteListener", "DeleteLoadBalancer", "ModifyListener", "RemoveListenerCertificates")
def note_release(region: Region, call: Call, forward: Forward) -> Answer:
    """Take notice of certificates that listeners let go: ACM learns of it a little later."""
    del call
    before = _users(region).keys()
    answer = forward()
    for arn in before - _users(region).keys():
        region.state(Requests).released[arn] = region.now
    return answer
