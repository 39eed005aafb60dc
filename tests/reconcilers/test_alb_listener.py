from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.reconcilers import alb
from fargatectl.reconcilers.alb.actions import from_aws, to_aws
from tests.reconcilers.load_balancing import API, WEB, forwards_to, listeners, rules, stack

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger, Refusals

DOMAINS = ("shop.example.com", "api.example.com")


@pytest.fixture
def certificates(local: LocalAws, aws: Aws) -> dict[str, str]:
    """Issued certificates: domain -> ARN."""
    local.provision({"certificates": list(DOMAINS)})
    listed = aws.acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
    return {one["DomainName"]: one["CertificateArn"] for one in listed}


def server_names(aws: Aws) -> set[str]:
    """Return the ARNs of the SNI certificates of port 443."""
    found = aws.elb.describe_listener_certificates(ListenerArn=listeners(aws)[443]["ListenerArn"])["Certificates"]
    return {one["CertificateArn"] for one in found if not one["IsDefault"]}


def test_without_certificates_port_80_carries_the_services(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB, API))

    assert set(listeners(aws)) == {80}
    assert forwards_to(aws, listeners(aws)[80]) == "web"
    assert converger.changes(stack(owner, WEB, API)) == {}


@pytest.mark.usefixtures("certificates")
def test_with_certificates_port_80_redirects(aws: Aws, converger: Converger, owner: Ownership) -> None:
    wanted = stack(owner, WEB, certificates=DOMAINS[:1])

    converger.apply(wanted)

    assert set(listeners(aws)) == {80, 443}
    assert from_aws(listeners(aws)[80]["DefaultActions"]) == alb.Redirect()
    assert listeners(aws)[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert forwards_to(aws, listeners(aws)[443]) == "web"
    assert converger.changes(wanted) == {}


def test_further_certificates_are_chosen_by_server_name(
    aws: Aws, converger: Converger, owner: Ownership, certificates: dict[str, str]
) -> None:
    converger.apply(stack(owner, WEB, certificates=DOMAINS))
    assert listeners(aws)[443]["Certificates"][0]["CertificateArn"] == certificates[DOMAINS[0]]
    assert server_names(aws) == {certificates[DOMAINS[1]]}
    assert converger.changes(stack(owner, WEB, certificates=DOMAINS)) == {}

    converger.apply(stack(owner, WEB, certificates=DOMAINS[:1]))
    assert server_names(aws) == set()


def test_another_default_certificate_changes_in_place(
    aws: Aws, converger: Converger, owner: Ownership, certificates: dict[str, str]
) -> None:
    converger.apply(stack(owner, WEB, certificates=DOMAINS[:1]))
    before = listeners(aws)[443]["ListenerArn"]

    assert converger.changes(stack(owner, WEB, certificates=DOMAINS[1:])) == {"alb.listener/public:443": "update"}
    converger.apply(stack(owner, WEB, certificates=DOMAINS[1:]))

    assert listeners(aws)[443]["ListenerArn"] == before
    assert listeners(aws)[443]["Certificates"][0]["CertificateArn"] == certificates[DOMAINS[1]]


@pytest.mark.usefixtures("certificates")
def test_no_host_is_without_its_certificate_while_two_change_places(
    converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    converger.apply(stack(owner, WEB, certificates=DOMAINS))
    local.calls.clear()

    converger.apply(stack(owner, WEB, certificates=tuple(reversed(DOMAINS))))

    assert [call.operation for call in local.calls if call.mutating] == [
        "AddListenerCertificates",
        "ModifyListener",
        "RemoveListenerCertificates",
    ]


@pytest.mark.usefixtures("certificates")
def test_services_move_to_the_secure_port_when_a_certificate_comes(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner, WEB, API))
    wanted = stack(owner, WEB, API, certificates=DOMAINS[:1])

    converger.apply(wanted)

    assert [len(rules(aws, 80)), len(rules(aws, 443))] == [0, 1]
    assert converger.changes(wanted) == {}


def test_what_no_service_takes_gets_a_fixed_answer(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, API))
    assert from_aws(listeners(aws)[80]["DefaultActions"]) == alb.FixedResponse(404)

    sorry = alb.FixedResponse(503, "come back later")
    assert converger.changes(stack(owner, API, default=sorry)) == {"alb.listener/public:80": "update"}
    converger.apply(stack(owner, API, default=sorry))

    assert from_aws(listeners(aws)[80]["DefaultActions"]) == sorry


def test_a_default_action_changed_by_hand_is_put_right(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB))
    aws.elb.modify_listener(
        ListenerArn=listeners(aws)[80]["ListenerArn"], DefaultActions=to_aws(alb.FixedResponse(503))
    )

    converger.apply(stack(owner, WEB))

    assert forwards_to(aws, listeners(aws)[80]) == "web"


@pytest.mark.usefixtures("certificates")
def test_a_certificate_that_elb_does_not_see_yet_is_waited_for(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    refusals.add("CreateListener", "CertificateNotFound", times=4)

    converger.apply(stack(owner, WEB, certificates=DOMAINS[:1]))

    assert set(listeners(aws)) == {80, 443}


@pytest.mark.usefixtures("certificates")
def test_deleting_a_listener_says_what_it_does_to_traffic(converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB, certificates=DOMAINS[:1]))

    changes = converger.plan(stack(owner, WEB)).plan.changes
    (gone,) = (change for change in changes if str(change.action) == "delete")

    assert gone.address == "alb.listener/public:443"
    assert str(gone.effect) == "interruption"


@pytest.mark.usefixtures("certificates")
def test_hosts_that_no_certificate_covers_are_told(converger: Converger, owner: Ownership) -> None:
    routes = (replace(WEB, host=("shop.example.com",)), replace(API, host=("other.example.com",)))

    notes = converger.plan(stack(owner, *routes, certificates=DOMAINS)).plan.notes

    assert notes == ("no certificate of load balancer public is valid for other.example.com: browsers will refuse it",)


def test_all_forms_of_a_forward_to_one_group_are_the_same() -> None:
    def group(**more: Any) -> Any:
        return {"TargetGroupArn": "arn:1", **more}

    sent: Any = {"Type": "forward", "ForwardConfig": {"TargetGroups": [group()]}}
    read: Any = {
        "Type": "forward",
        "Order": 1,
        "TargetGroupArn": "arn:1",
        "ForwardConfig": {
            "TargetGroups": [group(Weight=1)],
            "TargetGroupStickinessConfig": {"Enabled": False},
        },
    }

    assert from_aws([sent]) == from_aws([read]) == from_aws([{"Type": "forward", "TargetGroupArn": "arn:1"}])
    assert to_aws(alb.Forward("arn:1")) == [sent]


def test_parts_of_a_redirect_that_are_left_out_mean_as_they_were() -> None:
    config: Any = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}

    assert from_aws([{"Type": "redirect", "RedirectConfig": config}]) == alb.Redirect()
    elsewhere: Any = {"Type": "redirect", "RedirectConfig": {**config, "Host": "other.example.com"}}
    assert from_aws([elsewhere]) == replace(alb.Redirect(), host="other.example.com")


def test_actions_that_were_not_made_by_us_are_never_what_is_wanted() -> None:
    groups: Any = [{"TargetGroupArn": "arn:1", "Weight": 90}, {"TargetGroupArn": "arn:2", "Weight": 10}]
    weighted = from_aws([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])
    log_in = from_aws([{"Type": "authenticate-oidc", "Order": 1}, {"Type": "forward", "Order": 2}])

    assert weighted == alb.Other("forward to arn:1 (90), arn:2 (10)")
    assert log_in == alb.Other("authenticate-oidc, then forward")
