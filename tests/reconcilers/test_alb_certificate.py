from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.errors import NotFoundError
from fargatectl.reconcilers.alb import Certificate, CertificateQuery, Certificates

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.sandbox.inprocess import LocalAws


def look(aws: Aws, *names: str) -> tuple[Certificate, ...]:
    query = CertificateQuery(certificates=names, path="load_balancers.public.certificates")
    (answer,) = Certificates().read(aws, [query])
    if isinstance(answer, Exception):
        raise answer
    return answer


def test_a_certificate_is_found_by_domain_and_by_arn(aws: Aws, local: LocalAws) -> None:
    local.provision({"certificates": ["shop.example.com", "other.example.com"]})

    by_domain, other = look(aws, "shop.example.com", "other.example.com")

    assert by_domain.domains[0] == "shop.example.com"
    assert by_domain != other
    assert look(aws, by_domain.arn) == (by_domain,)


def test_a_wildcard_serves_one_label(aws: Aws, local: LocalAws) -> None:
    local.provision({"certificates": ["*.example.com"]})

    (found,) = look(aws, "shop.example.com")

    assert found.domains == ("*.example.com",)
    assert look(aws, "*.example.com") == (found,)
    assert not found.covers("a.shop.example.com")
    assert not found.covers("example.com")


def test_a_certificate_of_that_very_name_is_preferred_to_a_wildcard(aws: Aws, local: LocalAws) -> None:
    local.provision({"certificates": ["shop.example.com"]})
    local.provision({"certificates": ["*.example.com"]})

    assert look(aws, "SHOP.example.com")[0].domains == ("shop.example.com",)


def test_what_is_missing_is_said_with_what_there_is(aws: Aws, local: LocalAws) -> None:
    local.provision({"certificates": ["shop.example.com"]})

    with pytest.raises(NotFoundError, match=r"no issued certificate for shop\.example\.org in eu-central-1") as error:
        look(aws, "shop.example.org")

    assert error.value.path == "load_balancers.public.certificates"
    assert "shop.example.com" in error.value.hint


def test_an_arn_that_does_not_exist_is_said(aws: Aws) -> None:
    arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"

    with pytest.raises(NotFoundError, match="there is no certificate arn:aws:acm"):
        look(aws, arn)


def test_a_certificate_that_is_not_issued_yet_is_not_used(aws: Aws) -> None:
    arn = aws.acm.request_certificate(DomainName="new.example.com", ValidationMethod="DNS")["CertificateArn"]

    with pytest.raises(NotFoundError, match="is PENDING_VALIDATION, not ISSUED"):
        look(aws, arn)
    with pytest.raises(NotFoundError, match=r"no issued certificate for new\.example\.com"):
        look(aws, "new.example.com")
