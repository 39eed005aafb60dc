from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.engine.executor import execute
from fargatectl.model.status import TargetCounts
from fargatectl.reconcilers import alb
from tests.reconcilers.load_balancing import API, WEB, apply_without_drops, forwards_to, listeners, stack, target_groups

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.engine.reconciler import AnyLive
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger, Refusals

GROUP = "alb.target_group/web"


def attributes(aws: Aws) -> dict[str, str]:
    (group,) = target_groups(aws)
    listed = aws.elb.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])["Attributes"]
    return {attribute["Key"]: attribute["Value"] for attribute in listed}


def live(aws: Aws, name: str) -> AnyLive:
    (found,) = alb.TargetGroups().read(aws, [alb.TargetGroup(name=name, vpc_id="vpc-1")])
    assert found is not None
    return found


def test_a_target_group_is_what_tasks_on_fargate_need(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, replace(WEB, stickiness=3600, algorithm="least_outstanding_requests")))

    (group,) = target_groups(aws)
    assert [group["TargetType"], group["Protocol"], group["Port"]] == ["ip", "HTTP", 8080]
    assert group["HealthCheckTimeoutSeconds"] == 5
    assert attributes(aws)["deregistration_delay.timeout_seconds"] == "30"
    assert attributes(aws)["stickiness.lb_cookie.duration_seconds"] == "3600"
    assert attributes(aws)["load_balancing.algorithm.type"] == "least_outstanding_requests"


def test_health_check_and_attributes_change_in_place(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, replace(WEB, stickiness=3600)))
    (before,) = target_groups(aws)
    check = alb.HealthCheck(path="/up", codes="200-299", interval=20, timeout=7, healthy=4, unhealthy=5)
    wanted = stack(owner, replace(WEB, health_check=check, deregistration_delay=5))

    assert converger.changes(wanted) == {GROUP: "update"}
    (change,) = converger.plan(wanted).plan.changes
    assert "running_tasks" in change.fields.paths
    converger.apply(wanted)

    (after,) = target_groups(aws)
    assert after["TargetGroupArn"] == before["TargetGroupArn"]
    assert [after["HealthCheckPath"], after["Matcher"]["HttpCode"]] == ["/up", "200-299"]
    assert attributes(aws)["stickiness.enabled"] == "false"
    assert attributes(aws)["deregistration_delay.timeout_seconds"] == "5"
    assert converger.changes(wanted) == {}


def test_another_container_port_needs_no_other_target_group(converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB))

    assert converger.changes(stack(owner, replace(WEB, port=9999))) == {}


def test_grpc_targets_are_asked_with_grpc_codes(aws: Aws, converger: Converger, owner: Ownership) -> None:
    check = alb.HealthCheck(path="/grpc.health.v1.Health/Check", codes="0")
    wanted = stack(owner, replace(API, protocol_version="GRPC", health_check=check))

    converger.apply(wanted)

    (group,) = target_groups(aws)
    assert [group["ProtocolVersion"], group["Matcher"]["GrpcCode"]] == ["GRPC", "0"]
    assert converger.changes(wanted) == {}


def test_another_protocol_version_makes_a_new_one_before_the_old_one_goes(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner, WEB))
    (old,) = target_groups(aws)
    wanted = stack(owner, replace(WEB, protocol_version="HTTP2"))

    planning = converger.plan(wanted)
    change = next(change for change in planning.plan.changes if change.address == GROUP)
    assert [str(change.action), str(change.effect)] == ["replace", "replacement"]
    assert "protocol_version" in change.fields.paths

    apply_without_drops(aws, converger, wanted)
    assert len(target_groups(aws)) == 2
    assert forwards_to(aws, listeners(aws)[80]) == "web"
    converger.apply(wanted)

    (new,) = target_groups(aws)
    assert [new["ProtocolVersion"], new["TargetGroupArn"] != old["TargetGroupArn"]] == ["HTTP2", True]
    assert converger.changes(wanted) == {}


def test_a_service_that_moves_to_another_load_balancer_gets_another_target_group(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner, WEB))
    (old,) = target_groups(aws)
    wanted = stack(owner, WEB, name="front")

    assert converger.changes(wanted)[GROUP] == "create"
    converger.apply(wanted)

    (new,) = target_groups(aws)
    assert new["TargetGroupArn"] != old["TargetGroupArn"]
    assert converger.changes(wanted) == {}


def test_a_crash_before_the_attributes_is_seen_by_the_next_plan(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    refusals.add("ModifyTargetGroupAttributes", "AccessDenied")
    outcome = execute(converger.plan(stack(owner, WEB)), aws, converger.executor, emit=lambda _: None)
    assert GROUP in outcome.failed

    converger.apply(stack(owner, WEB))

    assert attributes(aws)["deregistration_delay.timeout_seconds"] == "30"
    assert converger.changes(stack(owner, WEB)) == {}


def test_a_new_service_among_many_is_found_missing_without_asking_for_each(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    routes = [alb.Route(service=f"s{number}", port=80, path=(f"/{number}/*",)) for number in range(6)]
    converger.apply(stack(owner, *routes[:-1]))
    local.calls.clear()

    changes = converger.changes(stack(owner, *routes))

    assert changes == {"alb.target_group/s5": "create", "alb.rule/s5": "create"}
    assert [call.operation for call in local.calls].count("DescribeTargetGroups") == 2
    assert target_groups(aws)


def test_a_target_group_in_use_is_waited_for(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws, refusals: Refusals
) -> None:
    converger.apply(stack(owner, WEB))
    began = local.clock.monotonic()
    message = "Target group 'x' is currently in use by a listener or a rule"
    refusals.add("DeleteTargetGroup", "ResourceInUse", message, times=4)

    converger.apply(stack(owner, WEB), absent=True)

    assert target_groups(aws) == []
    assert 0 < local.clock.monotonic() - began < 120


def test_targets_are_counted_by_health(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, WEB))
    (group,) = target_groups(aws)
    targets: Any = [{"Id": "172.31.0.10", "Port": 8080}, {"Id": "172.31.0.11", "Port": 8080}]
    aws.elb.register_targets(TargetGroupArn=group["TargetGroupArn"], Targets=targets)

    (counts,) = alb.TargetGroups().health(aws, [live(aws, group["TargetGroupName"])])

    assert isinstance(counts, TargetCounts)
    assert counts.healthy + counts.unhealthy + counts.initial + counts.draining == 2
