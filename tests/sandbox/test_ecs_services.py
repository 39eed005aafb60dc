from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.ecs_scene import breaker

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_defaults_are_filled_in(scene: Scene) -> None:
    group = scene.balance()
    shown = scene.serve(scene.define(), group=group, deploymentConfiguration={})
    expected = {
        "status": "ACTIVE",
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "propagateTags": "NONE",
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "availabilityZoneRebalancing": "ENABLED",
        "healthCheckGracePeriodSeconds": 0,
        "placementConstraints": [],
        "placementStrategy": [],
        "serviceRegistries": [],
        "desiredCount": 2,
    }
    assert shown.items() >= expected.items()
    configuration = shown["deploymentConfiguration"]
    assert configuration["deploymentCircuitBreaker"] == {"enable": False, "rollback": False}
    assert (configuration["minimumHealthyPercent"], configuration["maximumPercent"]) == (100, 200)
    assert configuration["strategy"] == "ROLLING"
    assert shown["deployments"][0]["platformVersion"] == "1.4.0"


def test_settings_are_kept_and_a_strategy_hides_the_launch_type(scene: Scene) -> None:
    strategy = [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    definition = scene.define()
    network = {"awsvpcConfiguration": {"subnets": scene.subnets}}
    scene.ecs.create_service(
        cluster="c",
        serviceName="web",
        taskDefinition=definition,
        desiredCount=0,
        capacityProviderStrategy=strategy,
        networkConfiguration=network,
        enableECSManagedTags=True,
        propagateTags="SERVICE",
        availabilityZoneRebalancing="DISABLED",
        tags=[{"key": "k", "value": "v"}],
    )
    shown = scene.service()
    assert "launchType" not in shown
    assert [item["base"] for item in shown["capacityProviderStrategy"]] == [1, 0]
    assert shown["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
    assert (shown["enableECSManagedTags"], shown["propagateTags"]) == (True, "SERVICE")
    assert shown["availabilityZoneRebalancing"] == "DISABLED"
    assert "tags" not in shown
    tags = scene.ecs.describe_services(cluster="c", services=["web"], include=["TAGS"])["services"][0]["tags"]
    assert tags == [{"key": "k", "value": "v"}]


def test_creating_it_again(scene: Scene) -> None:
    definition = scene.define()
    first = scene.serve(definition)
    assert scene.serve(definition)["serviceArn"] == first["serviceArn"]
    with pytest.raises(ClientError, match=r"Creation of service was not idempotent\."):
        scene.serve(definition, desiredCount=3)
    scene.wait(60)
    scene.ecs.delete_service(cluster="c", service="web", force=True)
    with pytest.raises(ClientError, match="still Draining"):
        scene.serve(definition)
    scene.wait(60)
    assert scene.service()["status"] == "INACTIVE"
    assert scene.serve(definition)["status"] == "ACTIVE"


def test_a_target_group_without_a_load_balancer_is_refused(scene: Scene) -> None:
    group = scene.elb.create_target_group(Name="lone", Protocol="HTTP", Port=80, VpcId=scene.vpc, TargetType="ip")
    with pytest.raises(ClientError, match="does not have an associated load balancer"):
        scene.serve(scene.define(), group=group["TargetGroups"][0]["TargetGroupArn"])


@pytest.mark.parametrize(
    ("settings", "code", "match"),
    [
        ({"cluster": "gone"}, "ClusterNotFoundException", "Cluster not found"),
        ({"taskDefinition": "gone:1"}, "ClientException", "TaskDefinition not found"),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}]},
            "InvalidParameterException",
            "both a launch type and capacity provider strategy",
        ),
        ({"networkConfiguration": {}}, "InvalidParameterException", "Network Configuration must be provided"),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0000000000000000f"]}}},
            "InvalidParameterException",
            "InvalidSubnetID.NotFound",
        ),
        ({"healthCheckGracePeriodSeconds": 60}, "InvalidParameterException", "only valid for services configured to"),
        ({"desiredCount": -1}, "InvalidParameterException", "desiredCount"),
        ({"platformVersion": "9.9.9"}, "PlatformUnknownException", "platform"),
        ({"deploymentConfiguration": breaker(least=100, most=100)}, "InvalidParameterException", "greater than"),
        ({"enableExecuteCommand": True}, "InvalidParameterException", "valid taskRoleArn"),
        (
            {"serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:eu-central-1:1:service/srv-x"}]},
            "InvalidParameterException",
            "does not exist",
        ),
        (
            {"loadBalancers": [{"targetGroupArn": "arn:x", "containerName": "db", "containerPort": 80}]},
            "InvalidParameterException",
            "The container db does not exist in the task definition",
        ),
        (
            {"loadBalancers": [{"targetGroupArn": "arn:x", "containerName": "web", "containerPort": 81}]},
            "InvalidParameterException",
            "did not have a container port 81 defined",
        ),
        (
            {
                "deploymentConfiguration": breaker(least=50, most=100),
                "availabilityZoneRebalancing": "ENABLED",
            },
            "InvalidParameterException",
            "rebalancing",
        ),
    ],
)
def test_impossible_services_are_refused(scene: Scene, settings: dict[str, Any], code: str, match: str) -> None:
    network = {"awsvpcConfiguration": {"subnets": scene.subnets, "assignPublicIp": "ENABLED"}}
    wish = {
        "cluster": "c",
        "serviceName": "web",
        "taskDefinition": scene.define(),
        "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": network,
        **settings,
    }
    with pytest.raises(ClientError, match=match) as caught:
        scene.ecs.create_service(**wish)
    assert refusal(caught) == code


def test_an_inactive_definition_cannot_be_used(scene: Scene) -> None:
    definition = scene.define()
    scene.ecs.deregister_task_definition(taskDefinition=definition)
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        scene.serve(definition)


def test_a_provider_must_be_on_the_cluster(scene: Scene) -> None:
    scene.ecs.create_cluster(clusterName="bare")
    with pytest.raises(ClientError, match="not associated with the cluster"):
        scene.ecs.create_service(
            cluster="bare",
            serviceName="web",
            taskDefinition=scene.define(),
            desiredCount=1,
            capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],
            networkConfiguration={"awsvpcConfiguration": {"subnets": scene.subnets}},
        )


def discovery_service(scene: Scene, *kinds: str) -> str:
    cloudmap = scene.client("servicediscovery")
    operation = cloudmap.create_private_dns_namespace(Name="x.internal", Vpc=scene.vpc)["OperationId"]
    scene.wait(60)
    namespace = cloudmap.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    records = [{"Type": kind, "TTL": 10} for kind in kinds]
    service = cloudmap.create_service(
        Name="web", NamespaceId=namespace, DnsConfig={"DnsRecords": records}, HealthCheckCustomConfig={}
    )
    return str(service["Service"]["Arn"])


def test_srv_records_need_a_port_and_a_records_must_not_have_one(scene: Scene) -> None:
    arn = discovery_service(scene, "A", "SRV")
    definition = scene.define()
    with pytest.raises(ClientError, match="SRV record, either a port"):
        scene.serve(definition, serviceRegistries=[{"registryArn": arn}])
    both = {"registryArn": arn, "port": 80, "containerName": "web", "containerPort": 80}
    with pytest.raises(ClientError, match="not both"):
        scene.serve(definition, serviceRegistries=[both])
    assert scene.serve(definition, serviceRegistries=[{"registryArn": arn, "port": 80}])["status"] == "ACTIVE"


def test_a_record_only_services_take_no_port(scene: Scene) -> None:
    arn = discovery_service(scene, "A")
    with pytest.raises(ClientError, match="only for service registries with an SRV record"):
        scene.serve(scene.define(), serviceRegistries=[{"registryArn": arn, "port": 80}])


def test_tasks_are_found_in_cloud_map_while_they_run(scene: Scene) -> None:
    arn = discovery_service(scene, "A", "SRV")
    identifier = arn.rpartition("/")[2]
    cloudmap = scene.client("servicediscovery")
    scene.serve(scene.define(), serviceRegistries=[{"registryArn": arn, "containerName": "web", "containerPort": 80}])
    scene.wait(60)
    instances = cloudmap.list_instances(ServiceId=identifier)["Instances"]
    addresses = {task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in scene.tasks()}
    assert {one["Attributes"]["AWS_INSTANCE_IPV4"] for one in instances} == addresses
    assert {one["Attributes"]["AWS_INSTANCE_PORT"] for one in instances} == {"80"}
    scene.ecs.delete_service(cluster="c", service="web", force=True)
    scene.wait(60)
    assert cloudmap.list_instances(ServiceId=identifier)["Instances"] == []


def test_describing(scene: Scene) -> None:
    scene.serve(scene.define())
    answer = scene.ecs.describe_services(cluster="c", services=["web", "gone"])
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    with pytest.raises(ClientError, match="more than 10"):
        scene.ecs.describe_services(cluster="c", services=[f"s{n}" for n in range(11)])


def test_lists_have_ten_a_page_and_hide_what_drains(scene: Scene) -> None:
    definition = scene.define()
    network = {"awsvpcConfiguration": {"subnets": scene.subnets}}
    for number in range(12):
        scene.ecs.create_service(
            cluster="c",
            serviceName=f"s{number}",
            taskDefinition=definition,
            desiredCount=0,
            launchType="FARGATE",
            networkConfiguration=network,
        )
    page = scene.ecs.list_services(cluster="c")
    assert len(page["serviceArns"]) == 10
    scene.ecs.delete_service(cluster="c", service="s0")
    pages = scene.ecs.get_paginator("list_services").paginate(cluster="c")
    assert sum(len(one["serviceArns"]) for one in pages) == 11


def test_what_tasks_are_made_of_starts_a_deployment_and_nothing_else_does(scene: Scene) -> None:
    definition = scene.define()
    first = scene.serve(definition)["deployments"][0]["id"]
    scene.wait(100)
    for settings in (
        {"desiredCount": 3},
        {"enableECSManagedTags": True},
        {"taskDefinition": definition},
        {"deploymentConfiguration": breaker(most=150)},
        {"networkConfiguration": scene.service()["networkConfiguration"]},
    ):
        assert [one["id"] for one in scene.update(**settings)["deployments"]] == [first]
    second = scene.update(taskDefinition=scene.define())["deployments"][0]["id"]
    assert second != first
    assert scene.update(forceNewDeployment=True)["deployments"][0]["id"] not in (first, second)


def test_a_change_of_strategy_must_be_forced(scene: Scene) -> None:
    scene.serve(scene.define())
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    with pytest.raises(ClientError, match="you must force a new deployment"):
        scene.update(capacityProviderStrategy=strategy)
    changed = scene.update(capacityProviderStrategy=strategy, forceNewDeployment=True)
    assert "launchType" not in changed
    scene.wait(120)
    assert {task["capacityProviderName"] for task in scene.tasks()} == {"FARGATE_SPOT"}
    assert scene.update(capacityProviderStrategy=[], forceNewDeployment=True)["launchType"] == "FARGATE"


def test_updating_what_is_gone(scene: Scene) -> None:
    with pytest.raises(ClientError) as caught:
        scene.update(desiredCount=1)
    assert refusal(caught) == "ServiceNotFoundException"
    scene.serve(scene.define())
    with pytest.raises(ClientError, match="scaled above 0"):
        scene.ecs.delete_service(cluster="c", service="web")
    scene.update(desiredCount=0)
    scene.ecs.delete_service(cluster="c", service="web")
    with pytest.raises(ClientError) as caught:
        scene.update(desiredCount=1)
    assert refusal(caught) == "ServiceNotActiveException"


def test_the_new_definition_must_have_the_balanced_port(scene: Scene) -> None:
    scene.serve(scene.define(), group=scene.balance())
    other = scene.define(portMappings=[{"containerPort": 8080}])
    with pytest.raises(ClientError, match="container port 80"):
        scene.update(taskDefinition=other)


def test_tags_are_added_and_taken_away(scene: Scene) -> None:
    arn = scene.serve(scene.define(), tags=[{"key": "a", "value": "1"}])["serviceArn"]
    scene.ecs.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    scene.ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert scene.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    with pytest.raises(ClientError) as caught:
        scene.ecs.tag_resource(resourceArn=arn + "x", tags=[{"key": "b", "value": "2"}])
    assert refusal(caught) == "InvalidParameterException"
