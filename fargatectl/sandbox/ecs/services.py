"""Services (AWS: ECS API Reference, CreateService and its neighbours)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.ecs import clusters, outcome, scheduler, service_rules, shifting
from fargatectl.sandbox.ecs.requests import (
    cluster as find_cluster,
    definition as find_definition,
    invalid,
    missing,
    page,
    refused,
    require,
    service as find_service,
    short,
    tags_in,
    tags_out,
    without_empty,
)
from fargatectl.sandbox.ecs.state import Cluster, Deployment, Members, Revision, Rollout, Service, TaskDefinition
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_DESCRIBED = 10
_PLAIN = (
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
    "healthCheckGracePeriodSeconds",
)
_OF_REVISION = (
    "capacityProviderStrategy",
    "launchType",
    "loadBalancers",
    "networkConfiguration",
    "platformVersion",
    "serviceConnectConfiguration",
    "serviceRegistries",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
# AWS: UpdateService; a change of one of these starts a deployment, whatever else is sent.
_DEPLOYS = tuple(name for name in _OF_REVISION if name not in ("capacityProviderStrategy", "launchType"))
_NOT_ON_THE_SERVICE = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")


@HANDLERS.handles("ecs", "CreateService")
def create_service(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create a service; the same request again returns the service that it made."""
    params = call.params
    require(params, "serviceName")
    name = params["serviceName"]
    if not _NAME.fullmatch(name):
        raise invalid("Service name may hold only letters, digits, - and _, up to 255 of them.")
    cluster = find_cluster(region, params)
    known = cluster.services.get(name)
    request = {key: value for key, value in params.items() if key != "clientToken"}
    if known is not None and known.status == "DRAINING":
        raise invalid("Unable to Start a service that is still Draining.")
    if known is not None and known.status == "ACTIVE":
        if request != known.request:
            raise invalid("Creation of service was not idempotent.")
        return {"service": show(known, tags=True)}
    if "taskDefinition" not in params:
        raise invalid("TaskDefinition can not be blank.")
    definition = service_rules.active(find_definition(region, params["taskDefinition"]))
    members = _initial(cluster, params)
    members["taskDefinition"] = definition.arn
    if params.get("schedulingStrategy", "REPLICA") == "REPLICA" and params.get("desiredCount") is None:
        raise invalid("desiredCount must be specified for the REPLICA scheduling strategy.")
    desired = int(params.get("desiredCount") or 0)
    service_rules.check(region, members, definition, desired)
    service = Service(
        arn=region.arn("ecs", f"service/{cluster.name}/{name}"),
        name=name,
        cluster=cluster,
        members=members,
        created_at=region.date(),
        tags=tags_in(params),
        request=request,
        desired=desired,
    )
    service.look_again = lambda seconds: scheduler.poke(region, service, seconds)
    cluster.services[name] = service
    deploy(region, service, definition)
    return {"service": show(service, tags=True)}


def _initial(cluster: Cluster, params: Mapping[str, Any]) -> Members:
    configuration = service_rules.deployment_configuration(params.get("deploymentConfiguration"))
    # AWS: ECS guide, "Service rebalancing": on by default where the service can do it.
    rebalancing = "ENABLED" if configuration["maximumPercent"] > 100 else "DISABLED"  # noqa: PLR2004 - all of the tasks
    members: Members = {
        "loadBalancers": [],
        "serviceRegistries": [],
        "placementConstraints": [],
        "placementStrategy": [],
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "enableExecuteCommand": False,
        "availabilityZoneRebalancing": rebalancing,
        "platformVersion": "LATEST",
    }
    given = (*_PLAIN, *_OF_REVISION, "schedulingStrategy", "deploymentController")
    members |= {key: params[key] for key in given if params.get(key) is not None}
    members["deploymentConfiguration"] = configuration
    members["networkConfiguration"] = service_rules.network(params.get("networkConfiguration"))
    members |= launch(cluster, params)
    if members["loadBalancers"]:
        members.setdefault("healthCheckGracePeriodSeconds", 0)
    return members


def launch(cluster: Cluster, params: Mapping[str, Any]) -> Members:
    """Return launch type or provider strategy of a request, else the cluster's default. Raises AwsError for both."""
    if params.get("launchType") and params.get("capacityProviderStrategy"):
        raise invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    given = params.get("capacityProviderStrategy") or ([] if params.get("launchType") else cluster.strategy)
    if given:
        return {"capacityProviderStrategy": clusters.strategy(given, cluster.providers), "launchType": None}
    return {"launchType": params.get("launchType") or "EC2", "capacityProviderStrategy": None}


def deploy(region: Region, service: Service, definition: TaskDefinition) -> None:
    """Start a deployment of a service's present settings."""
    number = f"{region.cloud.random.randrange(10**18, 10**19)}"
    path = f"{service.cluster.name}/{service.name}"
    revision = Revision(
        arn=region.arn("ecs", f"service-revision/{path}/{number}"),
        definition=definition,
        members=without_empty({key: service.members.get(key) for key in _OF_REVISION}),
        created_at=region.date(),
    )
    configuration = dict(service.members["deploymentConfiguration"])
    revision.group = shifting.choose_group(region, service, configuration["strategy"])
    outcome.supersede(region, service)
    sources = [deployment.revision for deployment in service.deployments if service.tasks_of(deployment)]
    for other in service.deployments:
        other.status = "ACTIVE"
    deployment = Deployment(
        id=f"ecs-svc/{number}",
        revision=revision,
        created_at=region.date(),
        updated_at=region.date(),
        rollout_reason=f"ECS deployment ecs-svc/{number} in progress.",
    )
    breaker = service.members["deploymentConfiguration"]["deploymentCircuitBreaker"]["enable"]
    service.deployments = [deployment, *service.deployments]
    service.revisions.append(revision)
    service.rollouts.append(
        Rollout(
            arn=region.arn("ecs", f"service-deployment/{path}/{region.hex(21)}"),
            target=revision,
            sources=sources,
            configuration=configuration,
            created_at=region.date(),
            updated_at=region.date(),
            breaker="MONITORING" if breaker else "DISABLED",
            threshold=outcome.threshold(service.desired) if breaker else 0,
        )
    )
    service.steady, service.start_failures, service.hold_until = False, 0, 0.0
    scheduler.poke(region, service)


@HANDLERS.handles("ecs", "UpdateService")
def update_service(region: Region, call: Call, _forward: Forward) -> Answer:
    """Change a service: what is left out stays; what tasks are made of starts a deployment when it changes."""
    params = call.params
    service = find_service(region, params)
    if service.status != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    current = find_definition(region, service.members["taskDefinition"])
    definition = current
    if params.get("taskDefinition"):
        wanted = find_definition(region, params["taskDefinition"])
        definition = current if wanted is current and current is not None else service_rules.active(wanted)
    if definition is None:
        raise refused("TaskDefinition not found.")
    members = _merged(service, params)
    members["taskDefinition"] = definition.arn
    desired = service.desired if params.get("desiredCount") is None else int(params["desiredCount"])
    service_rules.check(region, members, definition, desired, accepted=service.members["loadBalancers"])
    _check_strategy(service, members, params)
    changed = definition is not current or any(members.get(key) != service.members.get(key) for key in _DEPLOYS)
    if desired != service.desired:
        service.steady = False
    service.members, service.desired = members, desired
    if changed or params.get("forceNewDeployment"):
        deploy(region, service, definition)
    scheduler.poke(region, service)
    return {"service": show(service, tags=True)}


def _merged(service: Service, params: Mapping[str, Any]) -> Members:
    members = dict(service.members)
    given = [key for key in (*_PLAIN, *_OF_REVISION, "deploymentController") if key != "launchType"]
    members |= {key: params[key] for key in given if params.get(key) is not None}
    if params.get("networkConfiguration") is not None:
        members["networkConfiguration"] = service_rules.network(params["networkConfiguration"])
    if params.get("deploymentConfiguration") is not None:
        members["deploymentConfiguration"] = service_rules.deployment_configuration(params["deploymentConfiguration"])
    if params.get("capacityProviderStrategy") is not None:
        items = clusters.strategy(params["capacityProviderStrategy"], service.cluster.providers)
        members["capacityProviderStrategy"] = items or None
        members["launchType"] = None if items else "FARGATE"
    if members["loadBalancers"]:
        members.setdefault("healthCheckGracePeriodSeconds", 0)
    elif not params.get("healthCheckGracePeriodSeconds"):
        members.pop("healthCheckGracePeriodSeconds", None)
    return members


def _check_strategy(service: Service, members: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    same = members.get("capacityProviderStrategy") == service.members.get("capacityProviderStrategy")
    if not same and not params.get("forceNewDeployment"):
        raise invalid(
            "When switching from launch type to capacity provider strategy on an existing service, or making a change "
            "to a capacity provider strategy on a service that is already using one, you must force a new deployment."
        )


@HANDLERS.handles("ecs", "DeleteService")
def delete_service(region: Region, call: Call, _forward: Forward) -> Answer:
    """Let a service drain; it becomes INACTIVE when its tasks have stopped."""
    service = find_service(region, call.params)
    if service.status == "INACTIVE":
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.status == "ACTIVE" and service.desired > 0 and not call.params.get("force"):
        raise invalid("The service cannot be stopped while it is scaled above 0.")
    if service.status == "ACTIVE":
        service.status, service.desired = "DRAINING", 0
        outcome.supersede(region, service)
        scheduler.poke(region, service)
    return {"service": show(service, tags=True)}


@HANDLERS.handles("ecs", "DescribeServices")
def describe_services(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return up to ten services of a cluster, DRAINING and INACTIVE ones included."""
    names = call.params.get("services") or []
    if not names:
        raise invalid("Services cannot be empty.")
    if len(names) > _DESCRIBED:
        raise invalid(f"Services can not contain more than {_DESCRIBED} items.")
    cluster = find_cluster(region, call.params)
    tags = "TAGS" in (call.params.get("include") or [])
    found, failures = [], []
    for name in names:
        service = cluster.services.get(short(name))
        if service is None:
            failures.append(missing(region.arn("ecs", f"service/{cluster.name}/{short(name)}")))
        else:
            found.append(show(service, tags=tags))
    return {"services": found, "failures": failures}


@HANDLERS.handles("ecs", "ListServices")
def list_services(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the ARNs of ACTIVE services, ten a page; DRAINING ones are hidden (AWS: DeleteService)."""
    cluster = find_cluster(region, call.params)
    kind = call.params.get("launchType")
    arns = [
        service.arn
        for service in cluster.services.values()
        if service.status == "ACTIVE" and kind in (None, service.members.get("launchType"))
    ]
    found, more = page(call.params, arns, default=10)
    return {"serviceArns": found, **more}


def show(service: Service, *, tags: bool) -> Members:
    """Return a service as DescribeServices shows it."""
    members = {key: value for key, value in service.members.items() if key not in _NOT_ON_THE_SERVICE}
    account = service.arn.split(":")[4]
    shown: Members = {
        **members,
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster.arn,
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": service.running,
        "pendingCount": service.pending,
        "platformFamily": "Linux",
        "deployments": [_show_deployment(service, deployment) for deployment in service.deployments],
        "roleArn": f"arn:aws:iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "events": list(service.events),
        "createdAt": service.created_at,
        "createdBy": f"arn:aws:iam::{account}:user/local",
        "resourceManagementType": "CUSTOMER",
        "tags": tags_out(service.tags) if tags else None,
    }
    rollout = service.rollout
    if rollout is not None and not rollout.ended:
        shown["currentServiceDeployment"] = rollout.arn
    shown["currentServiceRevisions"] = [
        {"arn": deployment.revision.arn, **counts(service, deployment.revision)} for deployment in service.deployments
    ]
    return without_empty(shown)


def counts(service: Service, revision: Revision) -> Members:
    """Return how many tasks a revision has, as summaries of service revisions show them."""
    alive = [task for task in service.tasks if task.deployment and task.deployment.revision is revision and task.alive]
    running = sum(task.last_status == "RUNNING" for task in alive)
    primary = service.primary is not None and service.primary.revision is revision
    wanted = service.desired if primary else len(alive)
    return {"requestedTaskCount": wanted, "runningTaskCount": running, "pendingTaskCount": len(alive) - running}


def _show_deployment(service: Service, deployment: Deployment) -> Members:
    tasks = counts(service, deployment.revision)
    shown: Members = {
        "id": deployment.id,
        "status": deployment.status,
        "taskDefinition": deployment.revision.definition.arn,
        "desiredCount": tasks["requestedTaskCount"],
        "pendingCount": tasks["pendingTaskCount"],
        "runningCount": tasks["runningTaskCount"],
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        "rolloutState": deployment.rollout_state,
        "rolloutStateReason": deployment.rollout_reason,
        "platformFamily": "Linux",
    }
    shared = ("capacityProviderStrategy", "launchType", "networkConfiguration", *_NOT_ON_THE_SERVICE)
    shown |= {key: deployment.revision.members.get(key) for key in shared}
    if deployment.revision.members.get("launchType") != "EC2":
        asked = deployment.revision.members.get("platformVersion")
        shown["platformVersion"] = "1.4.0" if asked == "LATEST" else asked
    return without_empty(shown)
