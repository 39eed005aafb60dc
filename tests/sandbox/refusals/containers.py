"""What ECS refuses of containers, volumes and their services, beyond Fargate's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.refusals.row import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene

API = "ECS API Reference"
REFUSED, INVALID = "ClientException", "InvalidParameterException"
AGENT = {"name": "agent", "image": "i"}
PARAMETER = "arn:aws:ssm:eu-central-1:123456789012:parameter/x"
FARGATE = {"capacityProvider": "FARGATE", "weight": 1}


def one(**settings: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.register(containerDefinitions=[{"name": "web", "image": "i", **settings}])


def beside(condition: str, **settings: Any) -> Callable[[Scene], Any]:
    need = [{"containerName": "agent", "condition": condition}]
    web = {"name": "web", "image": "i", "dependsOn": need}
    return lambda scene: scene.register(containerDefinitions=[web, {**AGENT, **settings}])


def files(*names: str) -> Callable[[Scene], Any]:
    return one(environmentFiles=[{"type": "s3", "value": f"arn:aws:s3:::settings/{name}"} for name in names])


def volume(**settings: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.register(volumes=[{"name": "v", **settings}])


def efs(point: str = "", iam: str = "DISABLED", **settings: str) -> Callable[[Scene], Any]:
    authorization = {"iam": iam, **({"accessPointId": point} if point else {})}
    wish = {"fileSystemId": "fs-0123456789abcdef0", "authorizationConfig": authorization, **settings}
    return volume(efsVolumeConfiguration=wish)


def serve(**settings: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.serve(scene.register(), **settings)


def strategy(*items: dict[str, Any]) -> Callable[[Scene], Any]:
    return serve(launchType=None, capacityProviderStrategy=list(items))


CONTAINERS = [
    Refusal(
        "A container's soft memory limit is not above the hard one",
        f"{API}, ContainerDefinition",
        REFUSED,
        one(memory=256, memoryReservation=512),
        "memoryReservation",
    ),
    Refusal("A port is one", f"{API}, PortMapping", REFUSED, one(portMappings=[{"containerPort": 70_000}])),
    Refusal(
        "A variable has one source",
        f"{API}, Secret",
        REFUSED,
        one(environment=[{"name": "A", "value": "1"}], secrets=[{"name": "A", "valueFrom": PARAMETER}]),
        "must be unique",
    ),
    Refusal(
        "Nothing waits for an essential container's end", f"{API}, ContainerDependency", REFUSED, beside("SUCCESS")
    ),
    Refusal("Waiting for health needs a health check", f"{API}, ContainerDependency", REFUSED, beside("HEALTHY")),
    Refusal(
        "Containers do not wait for each other in a circle",
        f"{API}, ContainerDependency",
        REFUSED,
        beside("START", dependsOn=[{"containerName": "web", "condition": "START"}]),
        "Circular",
    ),
    Refusal("Environment files end in .env", f"{API}, EnvironmentFile", REFUSED, files("web.txt")),
    Refusal(
        "A task definition has at most ten environment files",
        f"{API}, EnvironmentFile",
        REFUSED,
        files(*[f"{number}.env" for number in range(11)]),
    ),
    Refusal(
        "Logs go through a log router that exists",
        "ECS guide, Send logs to an AWS service with FireLens",
        REFUSED,
        one(logConfiguration={"logDriver": "awsfirelens"}),
        "firelensConfiguration",
    ),
    Refusal("Fargate mounts no host paths", f"{API}, Volume", REFUSED, volume(host={"sourcePath": "/x"})),
    Refusal(
        "Volume names are unique",
        f"{API}, Volume",
        REFUSED,
        lambda scene: scene.register(volumes=[{"name": "v"}, {"name": "v"}]),
    ),
    Refusal("IAM for EFS needs encryption in transit", f"{API}, EFSAuthorizationConfig", REFUSED, efs(iam="ENABLED")),
    Refusal(
        "An access point has its own root",
        f"{API}, EFSAuthorizationConfig",
        REFUSED,
        efs("fsap-0123456789abcdef0", transitEncryption="ENABLED", rootDirectory="/x"),
        "root directory",
    ),
    Refusal(
        "A CPU architecture is one",
        f"{API}, RuntimePlatform",
        REFUSED,
        lambda scene: scene.register(runtimePlatform={"cpuArchitecture": "MIPS"}),
    ),
    Refusal(
        "A role of another account is not passed",
        "IAM user guide, Grant a user permissions to pass a role to an AWS service",
        REFUSED,
        lambda scene: scene.register(executionRoleArn="arn:aws:iam::999999999999:role/x"),
        "Role is not valid",
    ),
    Refusal("A launch type is one", f"{API}, CreateService", INVALID, serve(launchType="NOPE")),
    Refusal("Fargate runs no daemons", f"{API}, CreateService", INVALID, serve(schedulingStrategy="DAEMON")),
    Refusal(
        "Fargate places tasks itself",
        f"{API}, CreateService",
        INVALID,
        serve(placementStrategy=[{"type": "spread", "field": "attribute:ecs.availability-zone"}]),
    ),
    Refusal("Tags have few characters", f"{API}, Tag", INVALID, serve(tags=[{"key": "a", "value": "{}"}])),
    Refusal(
        "A resource has at most fifty tags",
        f"{API}, Tag",
        INVALID,
        serve(tags=[{"key": f"k{number}", "value": "v"} for number in range(51)]),
    ),
    Refusal(
        "A strategy names a provider once", f"{API}, CapacityProviderStrategyItem", INVALID, strategy(FARGATE, FARGATE)
    ),
    Refusal(
        "A provider weighs at most 1,000",
        f"{API}, CapacityProviderStrategyItem",
        INVALID,
        strategy({**FARGATE, "weight": 1001}),
    ),
    Refusal(
        "The least and the most of healthy tasks differ",
        f"{API}, DeploymentConfiguration",
        INVALID,
        serve(deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 100}),
    ),
    Refusal("A service has at most 5,000 tasks", "ECS guide, Service quotas", INVALID, serve(desiredCount=5001)),
    Refusal(
        "A platform version exists", f"{API}, CreateService", "PlatformUnknownException", serve(platformVersion="9.0")
    ),
    Refusal("A cluster exists", f"{API}, CreateService", "ClusterNotFoundException", serve(cluster="no")),
    Refusal(
        "Subnets exist",
        f"{API}, AwsVpcConfiguration",
        INVALID,
        serve(networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]}}),
        "InvalidSubnetID.NotFound",
    ),
    Refusal(
        "A cluster with tasks stays",
        f"{API}, DeleteCluster",
        "ClusterContainsTasksException",
        lambda scene: [
            scene.ecs.run_task(
                cluster="c",
                taskDefinition=scene.define(),
                launchType="FARGATE",
                networkConfiguration={"awsvpcConfiguration": {"subnets": scene.subnets}},
            ),
            scene.ecs.delete_cluster(cluster="c"),
        ],
    ),
    Refusal(
        "A cluster's strategy is of its own providers",
        f"{API}, PutClusterCapacityProviders",
        INVALID,
        lambda scene: scene.ecs.put_cluster_capacity_providers(
            cluster="c",
            capacityProviders=["FARGATE"],
            defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
        ),
    ),
    Refusal(
        "The same cluster with other settings is refused",
        f"{API}, CreateCluster",
        INVALID,
        lambda scene: scene.ecs.create_cluster(clusterName="c", capacityProviders=["FARGATE"]),
        "inconsistent",
    ),
    Refusal(
        "Lists have pages of at most a hundred",
        f"{API}, ListServices",
        INVALID,
        lambda scene: scene.ecs.list_services(cluster="c", maxResults=101),
    ),
    Refusal(
        "At most a hundred tasks are described at once",
        f"{API}, DescribeTasks",
        INVALID,
        lambda scene: scene.ecs.describe_tasks(cluster="c", tasks=[f"{number:032x}" for number in range(101)]),
    ),
    Refusal(
        "At most ten revisions are deleted at once",
        f"{API}, DeleteTaskDefinitions",
        INVALID,
        lambda scene: scene.ecs.delete_task_definitions(taskDefinitions=[f"web:{number}" for number in range(11)]),
    ),
]
