from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.engine.executor import execute
from fargatectl.errors import AwsFailure, Refused
from fargatectl.reconcilers import alb
from tests.reconcilers.load_balancing import (
    WEB,
    apply_without_drops,
    attributes,
    listeners,
    load_balancers,
    stack,
    tags,
    target_groups,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.inprocess import LocalAws
    from fargatectl.sandbox.wire import Call
    from tests.reconcilers.conftest import Converger, Refusals

BALANCER = "alb.load_balancer/public"


def test_a_load_balancer_is_made_with_everything_and_then_left_alone(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    converger.apply(stack(owner, WEB))

    (balancer,) = load_balancers(aws)
    assert balancer["Scheme"] == "internet-facing"
    assert len(balancer["AvailabilityZones"]) >= 2
    assert attributes(aws)["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert tags(aws, balancer["LoadBalancerArn"])["fargatectl:address"] == BALANCER
    local.calls.clear()
    assert converger.changes(stack(owner, WEB)) == {}
    assert not [call.operation for call in local.calls if call.mutating]


def test_a_load_balancer_with_all_that_hangs_on_it_is_read_in_few_calls(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    routes = [alb.Route(service=f"s{number}", port=80, path=(f"/{number}/*",)) for number in range(8)]
    converger.apply(stack(owner, *routes))
    local.calls.clear()

    converger.plan(stack(owner, *routes))

    asked = [call.operation for call in local.calls if call.service == "elbv2"]
    each = asked.count("DescribeTargetGroupAttributes")
    assert each == 8  # AWS has no call for several
    assert len(asked) - each == 5  # no tags: the tagging API shows them all at once
    assert load_balancers(aws)


def test_settings_change_in_place(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB))
    (before,) = load_balancers(aws)

    wanted = stack(owner, WEB, idle_timeout=120, drop_invalid_headers=False)
    assert converger.changes(wanted) == {BALANCER: "update"}
    converger.apply(wanted)

    (after,) = load_balancers(aws)
    assert after["LoadBalancerArn"] == before["LoadBalancerArn"]
    assert attributes(aws)["idle_timeout.timeout_seconds"] == "120"
    assert attributes(aws)["routing.http.drop_invalid_header_fields.enabled"] == "false"


def test_attributes_that_the_file_does_not_know_belong_to_others(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner, WEB))
    (balancer,) = load_balancers(aws)
    by_hand: Any = [{"Key": "routing.http2.enabled", "Value": "false"}]
    aws.elb.modify_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"], Attributes=by_hand)

    assert converger.changes(stack(owner, WEB)) == {}


def test_drift_is_put_right(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB))
    (balancer,) = load_balancers(aws)
    arn, all_subnets = balancer["LoadBalancerArn"], [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]
    other = aws.ec2.create_security_group(GroupName="by-hand", Description="by hand", VpcId=balancer["VpcId"])
    aws.elb.set_subnets(LoadBalancerArn=arn, Subnets=all_subnets[:2])
    aws.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[other["GroupId"]])
    aws.elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "7"}]
    )

    converger.apply(stack(owner, WEB))

    (mended,) = load_balancers(aws)
    assert mended["SecurityGroups"] == balancer["SecurityGroups"]
    assert attributes(aws)["idle_timeout.timeout_seconds"] == "60"
    assert {zone["SubnetId"] for zone in mended["AvailabilityZones"]} == set(all_subnets)


def test_another_scheme_makes_a_new_one_beside_the_old_one(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB))
    (old,) = load_balancers(aws)
    wanted = stack(owner, WEB, scheme="internal")

    planning = converger.plan(wanted)
    change = next(change for change in planning.plan.changes if change.address == BALANCER)
    assert str(change.action) == "replace"
    assert "scheme" in {field.path for field in change.fields if field.forces_replacement}

    apply_without_drops(aws, converger, wanted)
    assert {one["Scheme"] for one in load_balancers(aws)} == {"internal", "internet-facing"}
    converger.apply(wanted)

    (new,) = load_balancers(aws)
    assert new["LoadBalancerArn"] != old["LoadBalancerArn"]
    assert len(target_groups(aws)) == 1
    assert converger.changes(wanted) == {}


def test_a_crash_between_make_and_attributes_is_seen_by_the_next_plan(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    refusals.add("ModifyLoadBalancerAttributes", "AccessDenied")
    outcome = execute(converger.plan(stack(owner, WEB)), aws, converger.executor, emit=lambda _: None)
    assert BALANCER in outcome.failed

    assert converger.changes(stack(owner, WEB))[BALANCER] == "update"
    converger.apply(stack(owner, WEB))

    assert attributes(aws)["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert converger.changes(stack(owner, WEB)) == {}


def test_a_repeated_create_takes_its_own_earlier_success(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    planning = converger.plan(stack(owner, WEB, idle_timeout=90))
    converger.apply(stack(owner, WEB))
    for operation, code in (
        ("CreateLoadBalancer", "DuplicateLoadBalancerName"),
        ("CreateTargetGroup", "DuplicateTargetGroupName"),
        ("CreateListener", "DuplicateListener"),
    ):
        refusals.add(operation, code)

    outcome = execute(planning, aws, converger.executor, emit=lambda _: None)

    assert outcome.complete, outcome.failed
    assert [len(load_balancers(aws)), len(target_groups(aws)), len(listeners(aws))] == [1, 1, 1]
    assert attributes(aws)["idle_timeout.timeout_seconds"] == "90"
    assert converger.changes(stack(owner, WEB, idle_timeout=90)) == {}


def test_a_name_that_somebody_else_took_meanwhile_is_not_taken_over(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    planning = converger.plan(stack(owner, WEB))
    converger.apply(stack(owner, WEB))
    (balancer,) = load_balancers(aws)
    aws.elb.remove_tags(ResourceArns=[balancer["LoadBalancerArn"]], TagKeys=["fargatectl:app"])
    refusals.add("CreateLoadBalancer", "DuplicateLoadBalancerName")

    outcome = execute(planning, aws, converger.executor, emit=lambda _: None)

    failure = {str(address): error for address, error in outcome.failed.items()}[BALANCER]
    assert isinstance(failure, AwsFailure)
    assert failure.code == "DuplicateLoadBalancerName"
    with pytest.raises(Refused, match=BALANCER):
        converger.plan(stack(owner, WEB))


def test_a_new_security_group_that_is_not_seen_yet_is_waited_for(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    refusals.add("CreateLoadBalancer", "InvalidSecurityGroup", times=3)

    converger.apply(stack(owner, WEB))

    assert len(load_balancers(aws)) == 1


def test_a_protected_load_balancer_is_not_deleted(aws: Aws, converger: Converger, owner: Ownership) -> None:
    wanted = stack(owner, WEB, deletion_protection=True)
    converger.apply(wanted)

    planning = converger.plan(wanted, absent=True)
    outcome = execute(planning, aws, converger.executor, emit=lambda _: None)

    failure = {str(address): error for address, error in outcome.failed.items()}[BALANCER]
    assert isinstance(failure, Refused)
    assert "protected against deletion" in failure.message
    assert len(load_balancers(aws)) == 1

    converger.apply(stack(owner, WEB))
    converger.apply(stack(owner, WEB), absent=True)
    assert load_balancers(aws) == []


def test_destroy_leaves_nothing_and_is_then_nothing_to_do(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB))

    converger.apply(stack(owner, WEB), absent=True)

    assert load_balancers(aws) == target_groups(aws) == []
    assert converger.changes(stack(owner, WEB), absent=True) == {}


def test_what_vanished_is_made_again(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB))
    (balancer,) = load_balancers(aws)
    aws.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])

    converger.apply(stack(owner, WEB))

    assert len(load_balancers(aws)) == 1
    assert converger.changes(stack(owner, WEB)) == {}


def test_a_move_to_another_vpc_is_refused_with_the_way_out(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    converger.apply(stack(owner, WEB))
    local.provision({"vpc": {"tag": {"Name": "main"}}})

    with pytest.raises(Refused, match="cannot move") as error:
        converger.plan(stack(owner, WEB, vpc={"Name": "main"}))

    assert "another name in [load_balancers]" in error.value.hint
    moved = stack(owner, WEB, vpc={"Name": "main"}, name="front")
    converger.apply(moved)
    assert len(load_balancers(aws)) == len(target_groups(aws)) == 1
    assert converger.changes(moved) == {}


def test_waiting_ends_when_all_are_active_or_one_has_failed(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB))
    arns = [balancer["LoadBalancerArn"] for balancer in load_balancers(aws)]

    alb.until_active(aws, arns)

    with pytest.raises(AwsFailure, match="load balancers are active"):
        alb.until_active(aws, [*arns, arns[0].replace("shop-public", "gone")])


def test_waiting_ends_with_the_reason_when_a_load_balancer_fails(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    converger.apply(stack(owner, WEB))
    (balancer,) = load_balancers(aws)

    def fail(call: Call, apply: Callable[[], Response]) -> Response:
        response = apply()
        if call.operation != "DescribeLoadBalancers":
            return response
        failed = b"<Code>failed</Code><Reason>no addresses left</Reason>"
        return replace(response, body=re.sub(rb"<Code>\w+</Code>", failed, response.body))

    local.intercept(fail)

    with pytest.raises(AwsFailure, match="no addresses left"):
        alb.until_active(aws, [balancer["LoadBalancerArn"]])
