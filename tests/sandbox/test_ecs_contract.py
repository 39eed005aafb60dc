from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import botocore.session

from tests.sandbox.answer_shapes import unmodelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.sandbox.ecs_scene import Scene

OPERATIONS = {
    "CreateCluster",
    "CreateService",
    "DeleteCluster",
    "DeleteService",
    "DeleteTaskDefinitions",
    "DeregisterTaskDefinition",
    "DescribeCapacityProviders",
    "DescribeClusters",
    "DescribeServiceDeployments",
    "DescribeServiceRevisions",
    "DescribeServices",
    "DescribeTaskDefinition",
    "DescribeTasks",
    "ListAccountSettings",
    "ListClusters",
    "ListServiceDeployments",
    "ListServices",
    "ListTagsForResource",
    "ListTaskDefinitionFamilies",
    "ListTaskDefinitions",
    "ListTasks",
    "PutAccountSetting",
    "PutClusterCapacityProviders",
    "RegisterTaskDefinition",
    "RunTask",
    "StopServiceDeployment",
    "StopTask",
    "TagResource",
    "UntagResource",
    "UpdateCluster",
    "UpdateClusterSettings",
    "UpdateService",
}


def test_every_answer_of_ecs_fits_its_output_model(scene: Scene) -> None:
    model = botocore.session.get_session().get_service_model("ecs")
    problems: list[str] = []
    seen: set[str] = set()

    def check(call: Call, apply: Callable[[], Response]) -> Response:
        response = apply()
        if call.service == "ecs":
            seen.add(call.operation)
            shape: Any = model.operation_model(call.operation).output_shape
            problems.extend(f"{call.operation}{one}" for one in unmodelled(shape, json.loads(response.body)))
        return response

    scene.local.intercept(check)
    scene.ecs.create_cluster(clusterName="c", capacityProviders=["FARGATE", "FARGATE_SPOT"])
    live(scene)
    assert problems == []
    assert seen >= OPERATIONS


def live(scene: Scene) -> None:
    ecs = scene.ecs
    ecs.create_cluster(
        clusterName="d",
        settings=[{"name": "containerInsights", "value": "enhanced"}],
        configuration={"executeCommandConfiguration": {}},
        tags=[{"key": "a", "value": "b"}],
    )
    ecs.put_account_setting(name="containerInsights", value="enabled")
    ecs.list_account_settings(effectiveSettings=True)
    ecs.update_cluster(cluster="d", settings=[{"name": "containerInsights", "value": "disabled"}])
    ecs.update_cluster_settings(cluster="d", settings=[{"name": "containerInsights", "value": "enabled"}])
    strategy = [{"capacityProvider": "FARGATE", "weight": 1}]
    ecs.put_cluster_capacity_providers(
        cluster="d", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=strategy
    )
    ecs.describe_clusters(clusters=["c", "d", "e"], include=["SETTINGS", "CONFIGURATIONS", "TAGS", "ATTACHMENTS"])
    ecs.list_clusters()
    ecs.describe_capacity_providers()
    group = scene.balance()
    service = scene.serve(scene.define(), group=group, tags=[{"key": "a", "value": "b"}])
    for _ in range(10):
        scene.wait(5)
        ecs.describe_services(cluster="c", services=["web", "gone"], include=["TAGS"])
        scene.tasks()
    scene.update(taskDefinition=scene.define("nginx:crash"))
    for _ in range(12):
        scene.wait(10)
        ecs.describe_services(cluster="c", services=["web"])
        scene.tasks("STOPPED")
        scene.rollout()
    rollout = scene.rollout()
    ecs.describe_service_revisions(serviceRevisionArns=[rollout["targetServiceRevision"]["arn"], "arn:x"])
    scene.update(forceNewDeployment=True)
    scene.wait(1)
    ecs.stop_service_deployment(serviceDeploymentArn=scene.rollout()["serviceDeploymentArn"])
    ecs.tag_resource(resourceArn=service["serviceArn"], tags=[{"key": "c", "value": "d"}])
    ecs.untag_resource(resourceArn=service["serviceArn"], tagKeys=["a"])
    ecs.list_tags_for_resource(resourceArn=service["serviceArn"])
    network = {"awsvpcConfiguration": {"subnets": scene.subnets, "assignPublicIp": "ENABLED"}}
    task = ecs.run_task(cluster="c", taskDefinition="web:1", launchType="FARGATE", networkConfiguration=network)
    ecs.stop_task(cluster="c", task=task["tasks"][0]["taskArn"])
    ecs.delete_service(cluster="c", service="web", force=True)
    scene.wait(120)
    ecs.list_services(cluster="c")
    ecs.deregister_task_definition(taskDefinition="web:1")
    ecs.delete_task_definitions(taskDefinitions=["web:1", "web:2"])
    ecs.describe_task_definition(taskDefinition="web", include=["TAGS"])
    ecs.list_task_definitions()
    ecs.list_task_definition_families()
    ecs.delete_cluster(cluster="c")
