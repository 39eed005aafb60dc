"""What ECS refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.refusals.row import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ecs_scene import Scene

ECS = "ECS API Reference"
FARGATE = "ECS guide, Task definition differences for Fargate"
DISCOVERY, DRAINS = "ECS guide, Service discovery", "ECS guide, Deleting a service"
BAD, CLIENT = "InvalidParameterException", "ClientException"
CONTAINER: dict[str, Any] = {"name": "web", "image": "nginx:stable"}
LOG = {"logDriver": "awslogs", "options": {"awslogs-group": "/c", "awslogs-region": "r", "awslogs-stream-prefix": "s"}}


def register(**settings: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.register(**settings)


def containers(*changes: dict[str, Any]) -> Callable[[Scene], Any]:
    return register(containerDefinitions=[{**CONTAINER, **change} for change in changes])


def serve(**settings: Any) -> Callable[[Scene], Any]:
    return lambda scene: scene.serve(scene.register(), **settings)


def serve_again(**settings: Any) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        definition = scene.register()
        scene.serve(definition)
        scene.serve(definition, **settings)

    return act


def served(then: Callable[[Scene], Any], *, wait: float = 0, **settings: Any) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        scene.serve(scene.register(), **settings)
        scene.wait(wait)
        then(scene)

    return act


def balanced(then: Callable[[Scene, str], Any]) -> Callable[[Scene], Any]:
    return lambda scene: then(scene, scene.balance())


def registries(**settings: Any) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        cloudmap = scene.client("servicediscovery")
        cloudmap.create_private_dns_namespace(Name="c.internal", Vpc=scene.vpc)
        scene.wait(60)
        home = cloudmap.list_namespaces()["Namespaces"][0]["Id"]
        records = {"DnsRecords": [{"Type": "A", "TTL": 10}, {"Type": "SRV", "TTL": 10}]}
        arn = cloudmap.create_service(Name="web", NamespaceId=home, DnsConfig=records)["Service"]["Arn"]
        scene.serve(scene.register(), serviceRegistries=[{"registryArn": arn, **settings}])

    return act


def update_when_inactive(scene: Scene) -> None:
    scene.serve(scene.register())
    scene.ecs.delete_service(cluster="c", service="web", force=True)
    scene.wait(120)
    scene.update(desiredCount=1)


def with_new_roles(then: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        scene.local.set("iam_lag=3600")
        then(scene)

    return act


def run_task(scene: Scene, **settings: Any) -> None:
    network = {"awsvpcConfiguration": {"subnets": scene.subnets}}
    scene.ecs.run_task(
        cluster="c", taskDefinition=scene.register(), launchType="FARGATE", networkConfiguration=network, **settings
    )


DEFINITIONS = [
    Refusal("A task has one of Fargate's sizes", FARGATE, CLIENT, register(cpu="256", memory="4096")),
    Refusal("A task's CPU is one that Fargate offers", FARGATE, CLIENT, register(cpu="300", memory="1024")),
    Refusal("Fargate's network mode is awsvpc", FARGATE, CLIENT, register(networkMode="bridge")),
    Refusal(
        "Log driver awslogs needs an execution role",
        FARGATE,
        CLIENT,
        lambda scene: scene.register(
            executionRoleArn="", containerDefinitions=[{**CONTAINER, "logConfiguration": LOG}]
        ),
        "execution role ARN to support log driver awslogs",
    ),
    Refusal(
        "Secrets need an execution role",
        f"{ECS}, Secret",
        CLIENT,
        lambda scene: scene.register(
            executionRoleArn="", containerDefinitions=[{**CONTAINER, "secrets": [{"name": "A", "valueFrom": "/a"}]}]
        ),
        "executionRoleArn",
    ),
    Refusal(
        "An image of ECR needs an execution role",
        FARGATE,
        CLIENT,
        lambda scene: scene.register(
            executionRoleArn="",
            containerDefinitions=[{**CONTAINER, "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/a:1"}],
        ),
        "ECR images",
    ),
    Refusal(
        "A task has at most ten containers",
        "ECS guide, Service quotas",
        CLIENT,
        containers(*({"name": f"c{number}"} for number in range(11))),
    ),
    Refusal("Container names are unique", f"{ECS}, ContainerDefinition", CLIENT, containers({}, {}), "unique"),
    Refusal("A container is essential", f"{ECS}, ContainerDefinition", CLIENT, containers({"essential": False})),
    Refusal(
        "Host ports are container ports",
        f"{ECS}, PortMapping",
        CLIENT,
        containers({"portMappings": [{"containerPort": 80, "hostPort": 81}]}),
    ),
    Refusal(
        "What a container depends on exists",
        f"{ECS}, ContainerDependency",
        CLIENT,
        containers({"dependsOn": [{"containerName": "no", "condition": "START"}]}),
    ),
    Refusal("No container is privileged", FARGATE, CLIENT, containers({"privileged": True})),
    Refusal("A container fits into its task", FARGATE, CLIENT, containers({"memory": 1024})),
    Refusal(
        "A container stops within two minutes", f"{ECS}, ContainerDefinition", CLIENT, containers({"stopTimeout": 121})
    ),
    Refusal(
        "Fargate has three log drivers",
        f"{ECS}, LogConfiguration",
        CLIENT,
        containers({"logConfiguration": {"logDriver": "gelf", "options": {}}}),
    ),
    Refusal(
        "A container's health is checked at most every five seconds",
        f"{ECS}, HealthCheck",
        CLIENT,
        containers({"healthCheck": {"command": ["CMD", "true"], "interval": 1}}),
    ),
    Refusal(
        "Ephemeral storage is 21 to 200 GiB",
        f"{ECS}, EphemeralStorage",
        CLIENT,
        register(ephemeralStorage={"sizeInGiB": 300}),
    ),
    Refusal(
        "A role is named by its ARN",
        f"{ECS}, RegisterTaskDefinition",
        CLIENT,
        register(taskRoleArn="arn:aws:iam::123456789012:user/x"),
    ),
    Refusal(
        "A task definition has at most 64 KB",
        "ECS guide, Service quotas",
        CLIENT,
        containers({"environment": [{"name": "A", "value": "x" * 70_000}]}),
    ),
    Refusal(
        "An INACTIVE task definition starts nothing",
        f"{ECS}, DeregisterTaskDefinition",
        CLIENT,
        lambda scene: scene.serve(
            scene.ecs.deregister_task_definition(taskDefinition=scene.register())["taskDefinition"]["taskDefinitionArn"]
        ),
        "inactive",
    ),
]

SERVICES = [
    Refusal(
        "A target group belongs to a load balancer",
        f"{ECS}, CreateService",
        BAD,
        lambda scene: scene.serve(
            scene.register(),
            group=scene.elb.create_target_group(Name="t", Protocol="HTTP", Port=80, VpcId=scene.vpc, TargetType="ip")[
                "TargetGroups"
            ][0]["TargetGroupArn"],
        ),
        "does not have an associated load balancer",
    ),
    Refusal(
        "The load balanced container exists",
        f"{ECS}, LoadBalancer",
        BAD,
        balanced(
            lambda scene, arn: serve(
                loadBalancers=[{"targetGroupArn": arn, "containerName": "no", "containerPort": 80}]
            )(scene)
        ),
        "does not exist in the task definition",
    ),
    Refusal(
        "The load balanced port is one of the container's",
        f"{ECS}, LoadBalancer",
        BAD,
        balanced(
            lambda scene, arn: serve(
                loadBalancers=[{"targetGroupArn": arn, "containerName": "web", "containerPort": 81}]
            )(scene)
        ),
        "did not have a container port 81",
    ),
    Refusal(
        "Launch type and capacity provider strategy exclude each other",
        f"{ECS}, CreateService",
        BAD,
        serve(capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}]),
        "both a launch type and capacity provider strategy",
    ),
    Refusal(
        "Blue/green needs a bake time",
        f"{ECS}, DeploymentConfiguration",
        BAD,
        serve(deploymentConfiguration={"strategy": "BLUE_GREEN"}),
        "bakeTimeInMinutes is required",
    ),
    Refusal(
        "A linear step is three percent at least",
        f"{ECS}, LinearConfiguration",
        BAD,
        serve(
            deploymentConfiguration={
                "strategy": "LINEAR",
                "linearConfiguration": {"stepPercent": 2.0, "stepBakeTimeInMinutes": 1},
            }
        ),
        "stepPercent",
    ),
    Refusal(
        "A hook with a function names it, and the role to call it with",
        f"{ECS}, DeploymentLifecycleHook",
        BAD,
        serve(
            deploymentConfiguration={
                "strategy": "BLUE_GREEN",
                "bakeTimeInMinutes": 1,
                "lifecycleHooks": [{"targetType": "AWS_LAMBDA", "lifecycleStages": ["POST_SCALE_UP"]}],
            }
        ),
        "hookTargetArn and roleArn",
    ),
    Refusal(
        "Requests are shifted between two groups, by a rule",
        "ECS guide, Application Load Balancer resources for blue/green, linear, and canary deployments",
        BAD,
        balanced(
            lambda scene, group: scene.serve(
                scene.register(),
                loadBalancers=[{"targetGroupArn": group, "containerName": "web", "containerPort": 80}],
                deploymentConfiguration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1},
            )
        ),
        "advancedConfiguration is required",
    ),
    Refusal(
        "A strategy's providers are the cluster's",
        f"{ECS}, CapacityProviderStrategyItem",
        BAD,
        lambda scene: [
            scene.ecs.create_cluster(clusterName="d"),
            scene.serve(
                scene.register(),
                cluster="d",
                launchType=None,
                capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],
            ),
        ],
        "not associated with the cluster",
    ),
    Refusal("awsvpc needs a network configuration", f"{ECS}, CreateService", BAD, serve(networkConfiguration=None)),
    Refusal(
        "Subnets and security groups are of one VPC",
        f"{ECS}, AwsVpcConfiguration",
        BAD,
        lambda scene: serve(
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": scene.subnets,
                    "securityGroups": [
                        scene.ec2.create_security_group(
                            GroupName="o",
                            Description="o",
                            VpcId=scene.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"],
                        )["GroupId"]
                    ],
                }
            }
        )(scene),
        "same VPC",
    ),
    Refusal("SRV records need a port", DISCOVERY, BAD, registries(), "SRV record"),
    Refusal(
        "A port and a container exclude each other",
        DISCOVERY,
        BAD,
        registries(port=80, containerName="web", containerPort=80),
        "not both",
    ),
    Refusal(
        "A grace period needs a load balancer",
        f"{ECS}, CreateService",
        BAD,
        serve(healthCheckGracePeriodSeconds=30),
        "grace period",
    ),
    Refusal(
        "The same name with other settings is refused",
        f"{ECS}, CreateService",
        BAD,
        serve_again(desiredCount=3),
        "not idempotent",
    ),
    Refusal(
        "A draining service keeps its name",
        DRAINS,
        BAD,
        served(
            lambda scene: [
                scene.ecs.delete_service(cluster="c", service="web", force=True),
                scene.serve("web"),
            ],
            wait=120,
        ),
        "still Draining",
    ),
    Refusal(
        "A service that is scaled above zero is not deleted without force",
        DRAINS,
        BAD,
        served(lambda scene: scene.ecs.delete_service(cluster="c", service="web")),
        "scaled above 0",
    ),
    Refusal(
        "An INACTIVE service is not updated",
        f"{ECS}, UpdateService",
        "ServiceNotActiveException",
        update_when_inactive,
    ),
    Refusal(
        "Another capacity provider strategy needs a forced deployment",
        f"{ECS}, UpdateService",
        BAD,
        served(lambda scene: scene.update(capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}])),
        "force a new deployment",
    ),
    Refusal(
        "Exec needs a task role",
        "ECS guide, Using ECS Exec",
        BAD,
        serve(enableExecuteCommand=True),
        "taskRoleArn",
    ),
    Refusal(
        "A cluster with services stays",
        f"{ECS}, DeleteCluster",
        "ClusterContainsServicesException",
        served(lambda scene: scene.ecs.delete_cluster(cluster="c")),
    ),
    Refusal(
        "A provider that tasks run on stays",
        f"{ECS}, PutClusterCapacityProviders",
        "ResourceInUseException",
        served(
            lambda scene: scene.ecs.put_cluster_capacity_providers(
                cluster="c", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
            ),
            wait=60,
            launchType=None,
            capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
        ),
        "in use",
    ),
    Refusal(
        "A cluster is busy while providers are attached",
        f"{ECS}, PutClusterCapacityProviders",
        "UpdateInProgressException",
        lambda scene: [
            scene.ecs.create_cluster(clusterName="d", capacityProviders=["FARGATE"]),
            scene.ecs.delete_cluster(cluster="d"),
        ],
    ),
    Refusal(
        "At most ten services are described at once",
        f"{ECS}, DescribeServices",
        BAD,
        lambda scene: scene.ecs.describe_services(cluster="c", services=[f"s{number}" for number in range(11)]),
    ),
    Refusal(
        "A service that was made before ECS's own role works is refused",
        "ECS guide, Using service-linked roles",
        BAD,
        with_new_roles(serve()),
        "Unable to assume the service linked role",
    ),
    Refusal(
        "A task of a role that is too new is refused",
        f"{ECS}, RunTask",
        CLIENT,
        with_new_roles(run_task),
        "unable to assume the role",
    ),
    Refusal(
        "What a job overrides is in its definition",
        "ECS API Reference, ContainerOverride",
        "InvalidParameterException",
        lambda scene: run_task(scene, overrides={"containerOverrides": [{"name": "no", "command": ["x"]}]}),
        "is not a container in the TaskDefinition",
    ),
    Refusal(
        "A job's size is one of Fargate's, overridden too",
        "ECS API Reference, TaskOverride",
        "ClientException",
        lambda scene: run_task(scene, overrides={"cpu": "256", "memory": "8192"}),
    ),
    Refusal(
        "At most ten tasks are run at once",
        "ECS API Reference, RunTask",
        "InvalidParameterException",
        lambda scene: run_task(scene, count=11),
    ),
]
