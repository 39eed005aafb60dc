"""Clusters and their capacity providers (AWS: ECS API Reference, CreateCluster and its neighbours)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fargatectl.sandbox.ecs.requests import (
    cluster as find_cluster,
    invalid,
    missing,
    page,
    require,
    short,
    tags_in,
    tags_out,
    without_empty,
)
from fargatectl.sandbox.ecs.state import RUNNING, Cluster, Ecs, Members
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
ATTACH_SECONDS = 5.0
_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
_INSIGHTS = ("enabled", "disabled", "enhanced")
_ALL = ("ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS")
_INCONSISTENT = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."


@HANDLERS.handles("ecs", "CreateCluster")
def create_cluster(region: Region, call: Call, _forward: Forward) -> Answer:
    """Create a cluster, or return the one of that name if it was made by the same arguments."""
    params = call.params
    name = params.get("clusterName") or "default"
    if not _NAME.fullmatch(name):
        raise invalid(
            "Identifier was empty or contained illegal characters: only letters, digits, - and _ are allowed."
        )
    ecs = region.state(Ecs)
    known = ecs.clusters.get(name)
    if known is not None and known.status == "ACTIVE":
        if {**params, "clusterName": name} != known.request:
            raise invalid(_INCONSISTENT)
        return {"cluster": show(known, _ALL)}
    providers = _providers(params.get("capacityProviders") or [])
    made = Cluster(
        arn=region.arn("ecs", f"cluster/{name}"),
        name=name,
        request={**params, "clusterName": name},
        settings=_settings(region, params.get("settings") or []),
        tags=tags_in(params),
        configuration=_configuration(params.get("configuration")),
        service_connect=params.get("serviceConnectDefaults"),
        providers=providers,
        strategy=strategy(params.get("defaultCapacityProviderStrategy") or [], providers),
    )
    ecs.clusters[name] = made
    if providers:
        _attach(region, made)
    return {"cluster": show(made, _ALL)}


def _attach(region: Region, cluster: Cluster) -> None:
    """Have a cluster's capacity providers attached in a while; until then they cannot be changed again."""
    cluster.attaching = True

    def attached() -> None:
        cluster.attaching = False

    region.later(ATTACH_SECONDS, attached)


def _refuse_while_attaching(cluster: Cluster) -> None:
    if cluster.attaching:
        raise AwsError(
            "UpdateInProgressException",
            "The specified cluster is in a busy state. Cluster attachments must be in UPDATE_COMPLETE or UPDATE_FAILED "
            "state before they can be updated.",
        )


def _settings(region: Region, given: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    settings = {"containerInsights": region.state(Ecs).settings.get("containerInsights", "disabled")}
    for setting in given:
        if setting.get("name") != "containerInsights":
            raise invalid(f"Invalid cluster setting name: {setting.get('name')}")
        if setting.get("value") not in _INSIGHTS:
            raise invalid(f"Invalid cluster setting value: {setting.get('value')}")
        settings["containerInsights"] = setting["value"]
    return settings


def _configuration(given: Mapping[str, Any] | None) -> Members | None:
    if given is None:
        return None
    configuration = dict(given)
    command = configuration.get("executeCommandConfiguration")
    if command is not None and command.get("logging") == "OVERRIDE" and not command.get("logConfiguration"):
        raise invalid("A logConfiguration must be provided when the logging is OVERRIDE.")
    if command is not None:
        configuration["executeCommandConfiguration"] = {"logging": "DEFAULT", **command}
    return configuration


def _providers(given: Sequence[str]) -> list[str]:
    for provider in given:
        if provider not in _PROVIDERS:
            raise invalid(f"The specified capacity provider {provider} was not found.")
    return list(dict.fromkeys(given))


def strategy(given: Sequence[Mapping[str, Any]], providers: Sequence[str]) -> list[Members]:
    """Return a capacity provider strategy with AWS's defaults filled in. Raises AwsError where AWS refuses it."""
    items = [{"capacityProvider": item["capacityProvider"], "weight": 0, "base": 0, **item} for item in given]
    if any(item["capacityProvider"] not in providers for item in items):
        raise invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with "
            "the cluster. Associate the capacity provider with the cluster and try again."
        )
    if len(items) > 20:  # noqa: PLR2004 - AWS: CapacityProviderStrategy
        raise invalid("A capacity provider strategy can contain a maximum of 20 capacity providers.")
    if len({item["capacityProvider"] for item in items}) < len(items):
        raise invalid("The specified capacity provider strategy cannot name a capacity provider more than once.")
    if any(not (0 <= item["weight"] <= 1000 and 0 <= item["base"] <= 100_000) for item in items):  # noqa: PLR2004 - AWS
        raise invalid("Weights are between 0 and 1000, bases between 0 and 100000.")
    if sum(item["base"] > 0 for item in items) > 1:
        raise invalid("The specified capacity provider strategy can have only one capacity provider with a base.")
    if items and all(item["weight"] == 0 for item in items):
        raise invalid("The specified capacity provider strategy must have a capacity provider with a weight above 0.")
    return items


@HANDLERS.handles("ecs", "DescribeClusters")
def describe_clusters(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return clusters, INACTIVE ones included; what does not exist is a failure, not an error."""
    names = call.params.get("clusters") or ["default"]
    if len(names) > 100:  # noqa: PLR2004 - AWS: DescribeClusters
        raise invalid("Clusters can not contain more than 100 items.")
    clusters, failures = [], []
    for name in names:
        found = region.state(Ecs).clusters.get(short(name))
        if found is None:
            failures.append(missing(region.arn("ecs", f"cluster/{short(name)}")))
        else:
            clusters.append(show(found, call.params.get("include") or ()))
    return {"clusters": clusters, "failures": failures}


def show(cluster: Cluster, include: Sequence[str]) -> Members:
    """Return a cluster as DescribeClusters shows it; settings, configuration and tags only when asked for."""
    alive = [task for task in cluster.tasks.values() if task.alive]
    running = sum(task.last_status == RUNNING for task in alive)
    members: Members = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": "PROVISIONING" if cluster.attaching and cluster.status == "ACTIVE" else cluster.status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": running,
        "pendingTasksCount": len(alive) - running,
        "activeServicesCount": sum(service.status == "ACTIVE" for service in cluster.services.values()),
        "statistics": [],
        "tags": tags_out(cluster.tags) if "TAGS" in include else [],
        "settings": [],
        "capacityProviders": list(cluster.providers),
        "defaultCapacityProviderStrategy": list(cluster.strategy),
    }
    if "SETTINGS" in include:
        members["settings"] = [{"name": name, "value": value} for name, value in cluster.settings.items()]
    if "CONFIGURATIONS" in include:
        members["configuration"] = cluster.configuration
    if "ATTACHMENTS" in include:
        members["attachments"] = []
        if cluster.providers:
            members["attachmentsStatus"] = "UPDATE_IN_PROGRESS" if cluster.attaching else "UPDATE_COMPLETE"
    members["serviceConnectDefaults"] = cluster.service_connect
    return without_empty(members)


@HANDLERS.handles("ecs", "ListClusters")
def list_clusters(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the ARNs of ACTIVE clusters, by page."""
    arns = [cluster.arn for cluster in region.state(Ecs).clusters.values() if cluster.status == "ACTIVE"]
    found, more = page(call.params, arns, default=100)
    return {"clusterArns": found, **more}


@HANDLERS.handles("ecs", "UpdateCluster")
def update_cluster(region: Region, call: Call, _forward: Forward) -> Answer:
    """Change settings, configuration or Service Connect defaults; what is left out stays."""
    require(call.params, "cluster")
    found = find_cluster(region, call.params)
    if call.params.get("settings"):
        found.settings.update(_settings(region, call.params["settings"]))
    if call.params.get("configuration") is not None:
        found.configuration = _configuration(call.params["configuration"])
    if call.params.get("serviceConnectDefaults") is not None:
        found.service_connect = call.params["serviceConnectDefaults"]
    return {"cluster": show(found, _ALL)}


@HANDLERS.handles("ecs", "UpdateClusterSettings")
def update_cluster_settings(region: Region, call: Call, _forward: Forward) -> Answer:
    """Change settings."""
    require(call.params, "cluster", "settings")
    found = find_cluster(region, call.params)
    found.settings.update(_settings(region, call.params["settings"]))
    return {"cluster": show(found, _ALL)}


@HANDLERS.handles("ecs", "PutClusterCapacityProviders")
def put_cluster_capacity_providers(region: Region, call: Call, _forward: Forward) -> Answer:
    """Replace both lists entirely; a provider that tasks run on cannot be taken away."""
    found = find_cluster(region, call.params)
    for name in ("capacityProviders", "defaultCapacityProviderStrategy"):
        if name not in call.params:
            raise invalid(f"{name} must be specified.")
    providers = _providers(call.params["capacityProviders"])
    items = strategy(call.params["defaultCapacityProviderStrategy"], providers)
    _refuse_while_attaching(found)
    used = {task.members.get("capacityProviderName") for task in found.tasks.values() if not task.gone}
    if used & (set(found.providers) - set(providers)):
        raise AwsError("ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
    if providers != found.providers:
        _attach(region, found)
    found.providers, found.strategy = providers, items
    return {"cluster": show(found, _ALL)}


@HANDLERS.handles("ecs", "DescribeCapacityProviders")
def describe_capacity_providers(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return Fargate's two, which exist everywhere."""
    asked = [short(name) for name in call.params.get("capacityProviders") or _PROVIDERS]
    known = [name for name in asked if name in _PROVIDERS]
    return {
        "capacityProviders": [
            {
                "capacityProviderArn": region.arn("ecs", f"capacity-provider/{name}"),
                "name": name,
                "status": "ACTIVE",
                "tags": [],
            }
            for name in known
        ],
        "failures": [missing(name) for name in asked if name not in known],
    }


@HANDLERS.handles("ecs", "DeleteCluster")
def delete_cluster(region: Region, call: Call, _forward: Forward) -> Answer:
    """Make a cluster INACTIVE once nothing runs in it."""
    require(call.params, "cluster")
    found = find_cluster(region, call.params)
    if any(found.active_services()):
        raise AwsError(
            "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active or draining."
        )
    if any(not task.gone for task in found.tasks.values()):
        raise AwsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    _refuse_while_attaching(found)
    found.status = "INACTIVE"
    return {"cluster": show(found, _ALL)}


@HANDLERS.handles("ecs", "PutAccountSetting", "PutAccountSettingDefault")
def put_account_setting(region: Region, call: Call, _forward: Forward) -> Answer:
    """Keep a setting of the account; `containerInsights` becomes the default of new clusters."""
    require(call.params, "name", "value")
    region.state(Ecs).settings[call.params["name"]] = call.params["value"]
    return {"setting": _setting(region, call.params["name"], call.params["value"])}


@HANDLERS.handles("ecs", "ListAccountSettings")
def list_account_settings(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the account's settings, with AWS's defaults when effective ones are asked for."""
    settings = dict(region.state(Ecs).settings)
    if call.params.get("effectiveSettings"):
        settings = {**_DEFAULT_SETTINGS, **settings}
    wanted = call.params.get("name")
    shown = [_setting(region, name, value) for name, value in settings.items() if wanted in (None, name)]
    return {"settings": shown}


_DEFAULT_SETTINGS = {
    "awsvpcTrunking": "disabled",
    "containerInsights": "disabled",
    "containerInstanceLongArnFormat": "enabled",
    "defaultLogDriverMode": "non-blocking",
    "fargateTaskRetirementWaitPeriod": "7",
    "serviceLongArnFormat": "enabled",
    "tagResourceAuthorization": "on",
    "taskLongArnFormat": "enabled",
}


def _setting(region: Region, name: str, value: str) -> Members:
    return {"name": name, "value": value, "principalArn": f"arn:aws:iam::{region.account}:root", "type": "user"}
