from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene


@pytest.fixture
def ecs(client: Callable[..., Any]) -> Any:
    return client("ecs")


def describe(ecs: Any, *include: str) -> dict[str, Any]:
    cluster: dict[str, Any] = ecs.describe_clusters(clusters=["a"], include=list(include))["clusters"][0]
    return cluster


def test_all_that_is_sent_is_read_back(ecs: Any) -> None:
    ecs.create_cluster(
        clusterName="a",
        settings=[{"name": "containerInsights", "value": "enhanced"}],
        configuration={"executeCommandConfiguration": {"logConfiguration": {"cloudWatchLogGroupName": "/exec"}}},
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "base": 1, "weight": 1}],
        serviceConnectDefaults={"namespace": "x"},
        tags=[{"key": "k", "value": "v"}],
    )
    shown = describe(ecs, "SETTINGS", "CONFIGURATIONS", "TAGS")
    assert shown["settings"] == [{"name": "containerInsights", "value": "enhanced"}]
    assert shown["configuration"]["executeCommandConfiguration"]["logging"] == "DEFAULT"
    assert shown["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert shown["defaultCapacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}]
    assert shown["tags"] == [{"key": "k", "value": "v"}]
    assert shown["status"] == "PROVISIONING"


def test_settings_configuration_and_tags_are_shown_only_when_asked_for(ecs: Any) -> None:
    ecs.create_cluster(clusterName="a", tags=[{"key": "k", "value": "v"}])
    assert describe(ecs)["settings"] == []
    assert describe(ecs)["tags"] == []
    assert describe(ecs, "SETTINGS")["settings"] == [{"name": "containerInsights", "value": "disabled"}]


def test_creating_it_again_is_idempotent_for_equal_arguments_only(ecs: Any) -> None:
    first = ecs.create_cluster(clusterName="a", tags=[{"key": "k", "value": "v"}])
    assert ecs.create_cluster(clusterName="a", tags=[{"key": "k", "value": "v"}]) | {"ResponseMetadata": 0} == (
        first | {"ResponseMetadata": 0}
    )
    with pytest.raises(ClientError, match="Arguments on this idempotent request are inconsistent"):
        ecs.create_cluster(clusterName="a", settings=[{"name": "containerInsights", "value": "enabled"}])


def test_what_is_missing_is_a_failure_and_what_was_deleted_is_inactive(ecs: Any) -> None:
    ecs.create_cluster(clusterName="a")
    ecs.delete_cluster(cluster="a")
    answer = ecs.describe_clusters(clusters=["a", "b"])
    assert [cluster["status"] for cluster in answer["clusters"]] == ["INACTIVE"]
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    assert ecs.list_clusters()["clusterArns"] == []
    with pytest.raises(ClientError) as caught:
        ecs.delete_cluster(cluster="a")
    assert caught.value.response["Error"]["Code"] == "ClusterNotFoundException"
    assert ecs.create_cluster(clusterName="a")["cluster"]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"clusterName": "no spaces"}, "illegal characters"),
        ({"settings": [{"name": "containerInsights", "value": "maybe"}]}, "setting value: maybe"),
        ({"capacityProviders": ["SPOT"]}, "SPOT was not found"),
        (
            {
                "capacityProviders": ["FARGATE"],
                "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
            },
            "not associated with the cluster",
        ),
        ({"tags": [{"key": "aws:x", "value": "y"}]}, "aws:"),
    ],
)
def test_bad_arguments_are_refused(ecs: Any, settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ClientError, match=match) as caught:
        ecs.create_cluster(**{"clusterName": "a", **settings})
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"


def test_a_cluster_in_use_cannot_be_deleted_and_its_providers_stay(scene: Scene) -> None:
    strategy = [{"capacityProvider": "FARGATE", "weight": 1}]
    definition = scene.define()
    network = {"awsvpcConfiguration": {"subnets": scene.subnets, "assignPublicIp": "ENABLED"}}
    scene.ecs.create_service(
        cluster="c",
        serviceName="web",
        taskDefinition=definition,
        desiredCount=1,
        capacityProviderStrategy=strategy,
        networkConfiguration=network,
    )
    scene.wait(60)
    with pytest.raises(ClientError, match="Services are active") as caught:
        scene.ecs.delete_cluster(cluster="c")
    assert caught.value.response["Error"]["Code"] == "ClusterContainsServicesException"
    with pytest.raises(ClientError, match="in use and cannot be removed"):
        scene.ecs.put_cluster_capacity_providers(
            cluster="c", capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
        )
    scene.ecs.delete_service(cluster="c", service="web", force=True)
    scene.wait(60)
    scene.ecs.run_task(cluster="c", taskDefinition=definition, launchType="FARGATE", networkConfiguration=network)
    with pytest.raises(ClientError) as caught:
        scene.ecs.delete_cluster(cluster="c")
    assert caught.value.response["Error"]["Code"] == "ClusterContainsTasksException"
    scene.wait(60)
    assert scene.ecs.delete_cluster(cluster="c")["cluster"]["status"] == "INACTIVE"


def test_a_cluster_is_busy_while_its_capacity_providers_change(scene: Scene) -> None:
    ecs = scene.ecs
    ecs.create_cluster(clusterName="d", capacityProviders=["FARGATE"])

    def put(*providers: str) -> str:
        try:
            answer = ecs.put_cluster_capacity_providers(
                cluster="d", capacityProviders=list(providers), defaultCapacityProviderStrategy=[]
            )
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return str(answer["cluster"]["status"])

    assert put("FARGATE", "FARGATE_SPOT") == "UpdateInProgressException"
    with pytest.raises(ClientError, match="busy state"):
        ecs.delete_cluster(cluster="d")
    scene.wait(10)
    assert put("FARGATE", "FARGATE_SPOT") == "PROVISIONING"
    scene.wait(10)
    (shown,) = ecs.describe_clusters(clusters=["d"], include=["ATTACHMENTS"])["clusters"]
    assert (shown["status"], shown["attachmentsStatus"]) == ("ACTIVE", "UPDATE_COMPLETE")
