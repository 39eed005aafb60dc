from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.engine.stack import Stack
from fargatectl.errors import AwsFailure, Refused
from fargatectl.model.capacity import Capacity
from fargatectl.reconcilers import cluster
from fargatectl.reconcilers.cluster import Cluster, Clusters

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger, Refusals

SPOT = (Capacity(provider="FARGATE", base=1, weight=1), Capacity(provider="FARGATE_SPOT", weight=3))


def stack(owner: Ownership, **settings: Any) -> Stack:
    made = Stack(owner, kinds=[Clusters()])
    cluster.declare(made, "shop", **{"container_insights": "enabled", **settings})
    return made


def described(aws: Aws, name: str = "shop") -> Any:
    (found,) = aws.ecs.describe_clusters(clusters=[name], include=["SETTINGS", "TAGS"])["clusters"]
    return found


def writes(local: LocalAws) -> list[str]:
    return [call.operation for call in local.calls if call.mutating]


def test_a_cluster_is_made_in_one_call_with_everything(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    converger.apply(stack(owner, container_insights="enhanced", capacity=SPOT))

    found = described(aws)
    assert writes(local) == ["CreateCluster"]
    assert {"name": "containerInsights", "value": "enhanced"} in found["settings"]
    assert sorted(found["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT"]
    assert converger.changes(stack(owner, container_insights="enhanced", capacity=SPOT)) == {}


def test_the_order_of_providers_and_omitted_numbers_are_no_difference(aws: Aws, owner: Ownership) -> None:
    aws.ecs.create_cluster(
        clusterName="shop",
        capacityProviders=["FARGATE_SPOT", "FARGATE"],
        defaultCapacityProviderStrategy=[
            {"capacityProvider": "FARGATE_SPOT"},
            {"capacityProvider": "FARGATE", "weight": 1},
        ],
        settings=[{"name": "containerInsights", "value": "enabled"}],
        tags=[{"key": key, "value": value} for key, value in owner.tags().items()],
    )
    wanted = Cluster(
        name="shop",
        providers=("FARGATE", "FARGATE_SPOT"),
        capacity=(Capacity(provider="FARGATE", weight=1), Capacity(provider="FARGATE_SPOT")),
    )

    (live,) = Clusters().read(aws, [wanted])

    assert live is not None
    assert Clusters().compare(wanted, live) == ()


def test_insights_switched_off_by_hand_are_switched_on_again(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    aws.ecs.update_cluster(cluster="shop", settings=[{"name": "containerInsights", "value": "disabled"}])

    (change,) = converger.plan(stack(owner)).plan.changes
    converger.apply(stack(owner))

    assert [field.path for field in change.fields] == ["container_insights"]
    assert {"name": "containerInsights", "value": "enabled"} in described(aws)["settings"]


def test_providers_of_others_stay_attached(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    aws.ecs.put_cluster_capacity_providers(
        cluster="shop", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
    )
    assert converger.changes(stack(owner)) == {}

    converger.apply(stack(owner, providers=["FARGATE_SPOT"]))

    assert sorted(described(aws)["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT"]


def test_a_strategy_that_the_file_no_longer_has_is_taken_back(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, capacity=SPOT))

    converger.apply(stack(owner))

    assert described(aws)["defaultCapacityProviderStrategy"] == []
    assert converger.changes(stack(owner)) == {}


def test_a_deleted_cluster_is_absent_though_ecs_still_shows_it(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner))
    converger.apply(stack(owner), absent=True)

    assert described(aws)["status"] == "INACTIVE"
    assert converger.changes(stack(owner)) == {"cluster.cluster/shop": "create"}
    assert converger.changes(stack(owner), absent=True) == {}


def test_a_create_takes_up_its_own_earlier_success(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    wanted = stack(owner)
    planning = converger.plan(wanted)
    spec = planning.stack.resources[next(iter(wanted.resources))].spec
    converger.apply(stack(owner, container_insights="disabled"))
    refusals.add(
        "CreateCluster",
        "InvalidParameterException",
        "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
    )

    out = Clusters().create(aws, spec)

    assert out.arn == described(aws)["clusterArn"]
    assert {"name": "containerInsights", "value": "enabled"} in described(aws)["settings"]


def test_a_create_leaves_the_cluster_of_somebody_else_alone(
    aws: Aws, local: LocalAws, owner: Ownership, refusals: Refusals
) -> None:
    aws.ecs.create_cluster(clusterName="shop", tags=[{"key": "fargatectl:app", "value": "blog"}])
    refusals.add("CreateCluster", "InvalidParameterException", "Arguments on this idempotent request are inconsistent")
    local.calls.clear()

    with pytest.raises(Refused, match="the app blog"):
        Clusters().create(aws, Cluster(name="shop", tags=owner.tags()))

    assert writes(local) == ["CreateCluster"]


def test_the_first_cluster_of_an_account_waits_for_the_service_linked_role(
    aws: Aws, owner: Ownership, refusals: Refusals
) -> None:
    message = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
    refusals.add("CreateCluster", "InvalidParameterException", message, times=3)

    Clusters().create(aws, Cluster(name="shop", tags=owner.tags()))

    assert described(aws)["status"] == "ACTIVE"


def test_other_refusals_are_not_tried_again(aws: Aws, local: LocalAws, owner: Ownership, refusals: Refusals) -> None:
    refusals.add("CreateCluster", "InvalidParameterException", "Invalid setting", times=2)

    with pytest.raises(Exception, match="Invalid setting"):
        Clusters().create(aws, Cluster(name="shop", tags=owner.tags()))

    assert writes(local) == ["CreateCluster"]


def test_a_change_of_providers_waits_for_the_one_before(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner))
    refusals.add("PutClusterCapacityProviders", "ClientException", "Cluster was not ACTIVE", times=2)
    refusals.add("PutClusterCapacityProviders", "UpdateInProgressException")

    converger.apply(stack(owner, capacity=SPOT))

    assert sorted(described(aws)["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT"]


def test_a_delete_waits_until_tasks_have_drained(
    aws: Aws, local: LocalAws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner))
    refusals.add("DeleteCluster", "ClusterContainsTasksException", times=4)
    before = local.clock.monotonic()

    converger.apply(stack(owner), absent=True)

    assert described(aws)["status"] == "INACTIVE"
    assert local.clock.monotonic() > before


def test_a_delete_that_never_drains_is_told(
    aws: Aws, local: LocalAws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner))
    (live,) = Clusters().read(aws, [Cluster(name="shop")])
    assert live is not None
    refusals.add("DeleteCluster", "ClusterContainsServicesException", "The cluster contains services.", times=10_000)

    with pytest.raises(Exception, match="contains services"):
        Clusters().delete(aws, live)

    assert local.clock.monotonic() >= 600


def test_a_cluster_that_fails_to_come_up_is_told(aws: Aws, owner: Ownership, local: LocalAws) -> None:
    def failing(call: Any, apply: Any) -> Any:
        response = apply()
        if call.operation in {"CreateCluster", "DescribeClusters"}:
            return type(response)(response.status, response.body.replace(b'"ACTIVE"', b'"FAILED"'), response.headers)
        return response

    local.intercept(failing)

    with pytest.raises(AwsFailure, match="FAILED"):
        Clusters().create(aws, Cluster(name="shop", tags=owner.tags()))


def test_a_cluster_that_the_file_no_longer_names_is_swept(
    aws: Aws,
    converger: Converger,
    owner: Ownership,
    show_tagged: Callable[[dict[str, dict[str, str]]], None],
) -> None:
    converger.apply(stack(owner))
    aws.ecs.create_cluster(clusterName="theirs")
    gone = "arn:aws:ecs:eu-central-1:123456789012:cluster/gone"
    arns = [described(aws)["clusterArn"], described(aws, "theirs")["clusterArn"], gone]
    show_tagged({arn: owner.tags() for arn in arns})  # it lags behind: the cluster itself has the last word

    assert converger.changes(stack(owner)) == {}
    assert converger.changes(Stack(owner, kinds=[Clusters()])) == {"cluster.cluster/shop": "delete"}


def test_recording_of_sessions_is_set_changed_and_taken_back_in_place(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    recording = cluster.Recording(log_group="/shop/exec", kms_key="arn:aws:kms:eu-central-1:123456789012:key/k")
    converger.apply(stack(owner, recording=recording))
    assert writes(local) == ["CreateCluster"]
    assert converger.changes(stack(owner, recording=recording)) == {}

    for other in (cluster.Recording(bucket="shop-sessions"), None):
        converger.apply(stack(owner, recording=other))
        assert converger.changes(stack(owner, recording=other)) == {}

    (found,) = aws.ecs.describe_clusters(clusters=["shop"], include=["CONFIGURATIONS"])["clusters"]
    assert found["configuration"]["executeCommandConfiguration"] == {"logging": "DEFAULT"}
