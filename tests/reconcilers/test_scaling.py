from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.engine.stack import Stack
from fargatectl.errors import Refused
from fargatectl.model.ownership import Ownership
from fargatectl.model.status import ScalingBounds
from fargatectl.model.values import Address, Ref
from fargatectl.reconcilers import identity, scaling
from fargatectl.reconcilers.scaling import KINDS, Policies, ScalableTarget, ScalingPolicy, Targets, Wishes
from tests.reconcilers.autoscaling import AutoScaling

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger

WEB = "service/shop/shop-web"
LABEL = ("app/shop/0123", "targetgroup/web/4567")
TARGET, CPU, MEMORY, REQUESTS = (
    "scaling.target/web",
    "scaling.policy/web-cpu",
    "scaling.policy/web-memory",
    "scaling.policy/web-requests",
)


@pytest.fixture(autouse=True)
def autoscaling(local: LocalAws) -> AutoScaling:
    return AutoScaling(local)


def stack(owner: Ownership, **settings: Any) -> Stack:
    made = Stack(owner, kinds=KINDS)
    wishes: dict[str, Any] = {"bounds": (2, 10), "cpu": 70}
    resource_id = settings.pop("resource_id", WEB)
    service_arn = settings.pop("service_arn", "arn:aws:ecs:web")
    wanted = Wishes(**wishes | settings)
    scaling.declare(made, "web", resource_id=resource_id, service_arn=service_arn, wishes=wanted)
    return made


def writes(local: LocalAws) -> list[str]:
    return [call.operation for call in local.calls if call.mutating]


def config(autoscaling: AutoScaling, name: str) -> Any:
    return autoscaling.policies[WEB, name]["TargetTrackingScalingPolicyConfiguration"]


def test_a_service_is_scaled_by_all_its_metrics(
    converger: Converger, owner: Ownership, autoscaling: AutoScaling
) -> None:
    settings: Any = {"memory": 75.5, "requests": 1000, "label": LABEL, "cooldown_out": 60, "cooldown_in": 300}

    converger.apply(stack(owner, **settings))

    target = autoscaling.targets[WEB]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)
    assert config(autoscaling, "web-cpu") == {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        "DisableScaleIn": False,
        "ScaleOutCooldown": 60,
        "ScaleInCooldown": 300,
    }
    assert config(autoscaling, "web-memory")["TargetValue"] == 75.5
    assert config(autoscaling, "web-requests")["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "ALBRequestCountPerTarget",
        "ResourceLabel": "app/shop/0123/targetgroup/web/4567",
    }
    assert converger.changes(stack(owner, **settings)) == {}


def test_the_target_is_tagged_by_the_call_that_makes_it(
    converger: Converger, owner: Ownership, autoscaling: AutoScaling
) -> None:
    converger.apply(stack(owner))

    assert list(autoscaling.tags.values()) == [{**owner.tags(), "fargatectl:address": TARGET}]


def test_cooldowns_that_the_file_leaves_out_are_left_to_aws(
    converger: Converger, owner: Ownership, autoscaling: AutoScaling
) -> None:
    converger.apply(stack(owner))
    assert "ScaleOutCooldown" not in config(autoscaling, "web-cpu")

    config(autoscaling, "web-cpu")["ScaleOutCooldown"] = 300

    assert converger.changes(stack(owner)) == {}


def test_policies_of_a_service_wait_for_its_target_and_for_one_another(owner: Ownership) -> None:
    made = stack(owner, memory=75, requests=10, label=LABEL)

    assert made.edges() == {
        TARGET: set(),
        CPU: {TARGET},
        MEMORY: {TARGET, CPU},
        REQUESTS: {TARGET, MEMORY},
    }


def test_bounds_and_values_that_somebody_changed_are_drift(
    converger: Converger, owner: Ownership, autoscaling: AutoScaling
) -> None:
    converger.apply(stack(owner))
    autoscaling.targets[WEB]["MaxCapacity"] = 99
    config(autoscaling, "web-cpu")["DisableScaleIn"] = True

    fields = {c.address: [f.path for f in c.fields] for c in converger.plan(stack(owner)).plan.changes}
    converger.apply(stack(owner))

    assert fields == {TARGET: ["max"], CPU: ["scale_in"]}
    assert converger.changes(stack(owner)) == {}


def test_a_change_of_bounds_is_one_call_and_no_other(converger: Converger, owner: Ownership, local: LocalAws) -> None:
    converger.apply(stack(owner))
    local.calls.clear()

    converger.apply(stack(owner, bounds=(3, 30)))

    assert writes(local) == ["RegisterScalableTarget"]


def test_tags_that_were_taken_off_are_put_back_by_a_call_of_their_own(
    converger: Converger, owner: Ownership, autoscaling: AutoScaling, local: LocalAws
) -> None:
    made = stack(owner)
    converger.apply(made)
    autoscaling.tags[autoscaling.targets[WEB]["ScalableTargetARN"]].pop("fargatectl:address")
    local.calls.clear()

    assert converger.changes(made) == {TARGET: "update"}
    converger.apply(made)

    assert writes(local) == ["TagResource"]
    assert converger.changes(made) == {}


def test_a_target_of_somebody_else_is_refused(converger: Converger, owner: Ownership, autoscaling: AutoScaling) -> None:
    autoscaling.RegisterScalableTarget({"ResourceId": WEB, "MinCapacity": 1, "MaxCapacity": 1})

    with pytest.raises(Refused, match="somebody else"):
        converger.plan(stack(owner))


def test_a_metric_that_the_file_no_longer_names_goes_and_the_rest_stays(
    converger: Converger, owner: Ownership, autoscaling: AutoScaling
) -> None:
    converger.apply(stack(owner, memory=75))
    autoscaling.PutScalingPolicy({"ResourceId": WEB, "PolicyName": "by-hand", "PolicyType": "StepScaling"})

    changes = converger.changes(stack(owner, cpu=None, memory=75))
    converger.apply(stack(owner, cpu=None, memory=75))

    assert changes == {CPU: "delete", "scaling.policy/by-hand": "delete"}
    assert set(autoscaling.policies) == {(WEB, "web-memory")}
    assert converger.changes(stack(owner, cpu=None, memory=75)) == {}


def test_policies_on_a_target_of_somebody_else_are_never_swept(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    blog = Ownership("blog", None)
    converger.apply(stack(blog))
    claimed = {f"scalable-target/{WEB}"}

    assert Policies().owned(aws, owner, claimed) == []
    assert [live.spec.name for live in Policies().owned(aws, blog, claimed)] == ["web-cpu"]


def test_scaling_that_the_file_no_longer_names_is_swept(
    converger: Converger, owner: Ownership, autoscaling: AutoScaling
) -> None:
    converger.apply(stack(owner))
    nothing = Stack(owner, kinds=KINDS)

    assert converger.changes(nothing) == {TARGET: "delete"}
    converger.apply(nothing)

    assert (autoscaling.targets, autoscaling.policies) == ({}, {})
    assert converger.changes(nothing) == {}


def test_destroy_leaves_nothing_and_is_done_twice(
    converger: Converger, owner: Ownership, autoscaling: AutoScaling
) -> None:
    made = stack(owner, memory=75)
    converger.apply(made)

    converger.apply(made, absent=True)

    assert (autoscaling.targets, autoscaling.policies) == ({}, {})
    assert converger.changes(made, absent=True) == {}


def test_what_is_gone_already_is_deleted(
    aws: Aws, converger: Converger, owner: Ownership, autoscaling: AutoScaling
) -> None:
    converger.apply(stack(owner))
    (target,) = Targets().read(aws, [ScalableTarget(name="web", resource_id=WEB, min=0, max=0)])
    (policy,) = Policies().read(aws, [ScalingPolicy(name="web-cpu", resource_id=WEB)])
    assert target is not None
    assert policy is not None
    autoscaling.DeregisterScalableTarget({"ResourceId": WEB})

    Targets().delete(aws, target)
    Policies().delete(aws, policy)


@pytest.mark.parametrize(
    ("operation", "code", "message"),
    [
        ("RegisterScalableTarget", "ValidationException", "ECS service doesn't exist: service/shop/shop-web"),
        ("RegisterScalableTarget", "ValidationException", "Unable to assume IAM role: arn:aws:iam::1:role/slr"),
        ("RegisterScalableTarget", "ConcurrentUpdateException", "You already have a pending update"),
        ("PutScalingPolicy", "ObjectNotFoundException", "No scalable target registered"),
        ("PutScalingPolicy", "FailedResourceAccessException", "Unable to retrieve alarms"),
        ("PutScalingPolicy", "ConcurrentUpdateException", "You already have a pending update"),
    ],
)
def test_what_aws_does_not_see_at_once_is_waited_for(  # noqa: PLR0913 - a refusal and where it is met
    converger: Converger, owner: Ownership, autoscaling: AutoScaling, operation: str, code: str, message: str
) -> None:
    autoscaling.refuse(operation, code, message, times=3)

    converger.apply(stack(owner))

    assert converger.changes(stack(owner)) == {}


def test_other_refusals_are_not_tried_again(
    aws: Aws, local: LocalAws, owner: Ownership, autoscaling: AutoScaling
) -> None:
    autoscaling.refuse("RegisterScalableTarget", "ValidationException", "min above max", times=5)

    with pytest.raises(Exception, match="min above max"):
        Targets().create(aws, ScalableTarget(name="web", resource_id=WEB, min=3, max=1, tags=owner.tags()))

    assert writes(local) == ["RegisterScalableTarget"]


def test_another_load_balancer_is_another_label(
    converger: Converger, owner: Ownership, autoscaling: AutoScaling
) -> None:
    converger.apply(stack(owner, requests=10, label=LABEL))

    (change,) = converger.plan(stack(owner, requests=10, label=("app/new/1", LABEL[1]))).plan.changes

    assert [(f.path, f.before, f.after) for f in change.fields] == [("label", LABEL, ("app/new/1", LABEL[1]))]
    assert config(autoscaling, "web-requests")["PredefinedMetricSpecification"]["ResourceLabel"] == "/".join(LABEL)


def test_a_label_that_is_not_known_yet_is_told_so(converger: Converger, owner: Ownership) -> None:
    made = Stack(owner, kinds=KINDS)
    identity.declare(made, None)
    late: Ref[str] = Ref(Address(TARGET), lambda out: out.arn)
    wishes = Wishes(bounds=(1, 2), requests=5, label=(late, "targetgroup/a/1"))
    scaling.declare(made, "web", resource_id=WEB, service_arn="", wishes=wishes)

    changes = {change.address: change for change in converger.plan(made).plan.changes}

    assert any(field.path == "label" and field.known_after_apply for field in changes[Address(REQUESTS)].fields)


def test_the_status_shows_the_bounds(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    (live,) = Targets().read(aws, [ScalableTarget(name="web", resource_id=WEB, min=0, max=0)])
    assert live is not None

    assert Targets().health(aws, [live]) == [ScalingBounds(min=2, max=10)]


@pytest.mark.parametrize(("services", "expected"), [(1, 1), (4, 4), (25, 3)])
def test_policies_are_read_in_few_calls(
    converger: Converger, owner: Ownership, local: LocalAws, services: int, expected: int
) -> None:
    made = Stack(owner, kinds=KINDS)
    for number in range(services):
        name, wishes = f"s{number}", Wishes(bounds=(1, 2), cpu=50)
        scaling.declare(made, name, resource_id=f"service/shop/{name}", service_arn="", wishes=wishes)
    converger.apply(made)
    local.calls.clear()

    assert converger.changes(made) == {}

    reads = [call.operation for call in local.calls if call.service == "application-autoscaling"]
    assert reads.count("DescribeScalingPolicies") == expected
    assert reads.count("DescribeScalableTargets") == 1
    assert "ListTagsForResource" not in reads
