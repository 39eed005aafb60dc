"""Defaults that depend on other keys: after this no one needs to ask whether a name was given or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.existing import is_namespace_id, name_in
from fargatectl.config.limits import TASK_SIZES
from fargatectl.config.models import Config, FixedResponse, Http, LoadBalancer, Service
from fargatectl.model import names
from fargatectl.model.ownership import Ownership

if TYPE_CHECKING:
    from typing import Any

    from fargatectl.config.models import Cluster, Discovery

EVERYBODY = ("0.0.0.0/0",)
EVERYBODY_IPV6 = ("::/0",)
PRIVATE_ADDRESSES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""RFC 1918: an internal load balancer has no other callers."""
DEFAULT_LOAD_BALANCER = "public"
_BAKE = 300
SHIFTING_DEFAULTS: dict[str, dict[str, float]] = {
    "blue_green": {"bake": _BAKE},
    "linear": {"bake": _BAKE, "percent": 10.0, "step_bake": 360},
    "canary": {"bake": _BAKE, "percent": 5.0, "step_bake": 600},
}
"""Percent and seconds; ECS's own defaults (LinearConfiguration, CanaryConfiguration), but for the bake: it has none."""


def complete(config: Config, environment: str | None) -> Config:
    """Return `config` with everything filled in that follows from other keys."""
    owner = Ownership(config.app, environment)
    balancers = dict(config.load_balancers)
    if not balancers and any(service.http and not service.http.load_balancer for service in config.services.values()):
        balancers[DEFAULT_LOAD_BALANCER] = LoadBalancer()
    only = next(iter(balancers)) if len(balancers) == 1 else ""
    services = {name: _service(name, service, owner, only) for name, service in config.services.items()}
    routes = [service.http for service in services.values() if service.http]
    taken = {http.load_balancer for http in routes if not http.host and not http.path}
    return config.model_copy(
        update={
            "cluster": config.cluster.model_copy(update={"name": _cluster_name(config.cluster, owner)}),
            "discovery": config.discovery and _discovery(config.discovery),
            "iam": config.iam.model_copy(update={"path": config.iam.path or names.role_path(owner)}),
            "load_balancers": {
                name: _load_balancer(balancer, taken=name in taken) for name, balancer in balancers.items()
            },
            "services": services,
        }
    )


def _cluster_name(cluster: Cluster, owner: Ownership) -> str:
    return cluster.name or name_in(cluster.use or "") or owner.prefix


def _discovery(discovery: Discovery) -> Discovery:
    """Fill in the name of a namespace that `use` gives by its name; by an id or ARN it stays unknown."""
    used = discovery.use or ""
    if discovery.namespace or not used or is_namespace_id(name_in(used)):
        return discovery
    return discovery.model_copy(update={"namespace": used.rstrip(".")})


def _load_balancer(balancer: LoadBalancer, *, taken: bool) -> LoadBalancer:
    """Fill in callers, and the answer of the default action unless a service has `taken` it."""
    if balancer.use:
        return balancer
    everybody = (*EVERYBODY, *EVERYBODY_IPV6) if balancer.ip_address_type == "dualstack" else EVERYBODY
    callers = everybody if balancer.scheme == "internet-facing" else PRIVATE_ADDRESSES
    default = balancer.default or (None if taken else FixedResponse())
    return balancer.model_copy(update={"allow_from": balancer.allow_from or callers, "default": default})


def _service(name: str, service: Service, owner: Ownership, load_balancer: str) -> Service:
    logs = service.logs
    update: dict[str, Any] = _size(service)
    if logs.driver != "none":
        named = {"group": logs.group or names.log_group(owner, name), "stream_prefix": logs.stream_prefix or name}
        update["logs"] = logs.model_copy(update=named)
    if service.http:
        update["http"] = _http(service.http, load_balancer)
    if service.deploy.strategy in SHIFTING_DEFAULTS:
        missing = {
            key: value
            for key, value in SHIFTING_DEFAULTS[service.deploy.strategy].items()
            if getattr(service.deploy, key) is None
        }
        update["deploy"] = service.deploy.model_copy(update=missing)
    if service.discovery:
        update["discovery"] = service.discovery.model_copy(update={"name": service.discovery.name or name})
    return service.model_copy(update=update)


def _size(service: Service) -> dict[str, int]:
    """Where only one of cpu and memory is given, return the smallest of the other that goes with it."""
    given = service.model_fields_set & {"cpu", "memory"}
    if given == {"cpu"}:
        return next(({"memory": size.memory[0]} for size in TASK_SIZES if size.cpu == service.cpu), {})
    if given == {"memory"}:
        return next(({"cpu": size.cpu} for size in TASK_SIZES if service.memory in size.memory), {})
    return {}


def _http(http: Http, load_balancer: str) -> Http:
    update: dict[str, Any] = {"load_balancer": http.load_balancer or load_balancer}
    if http.protocol_version == "GRPC":
        # ELB User Guide, Health checks for your target groups: what a gRPC server answers without a handler for it
        grpc = {"path": "/AWS.ALB/healthcheck", "codes": "12"}
        missing = {key: value for key, value in grpc.items() if key not in http.health_check.model_fields_set}
        update["health_check"] = http.health_check.model_copy(update=missing)
    return http.model_copy(update=update)
