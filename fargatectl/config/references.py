"""What the file refers to that must exist already: for checks against the account, and for the local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.config.checks.groups import is_id
from fargatectl.config.checks.traffic import REQUEST
from fargatectl.config.existing import name_in
from fargatectl.config.images import images
from fargatectl.config.models import TagSelector
from fargatectl.model.images import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fargatectl.config.models import Config, Container, Efs, Secret, Service

REGISTRY_KEYS = ("username", "password")
"""ECS Developer Guide, Private registry authentication for tasks: the keys of such a secret."""


def references(config: Config) -> dict[str, Any]:
    """Return, in JSON's types, the existing things that `config` names.

    `vpc`: `{"default": true}`, `{"id": …}` or `{"tag": {…}}`, with `ipv6` where it needs such addresses. `subnets`:
    `{"ids": […]}` or `{"tag": {…}}`, and `public` where the file says it. `secrets`:
    `{"name" or "arn": …, "keys": […]}`, with `stages` and `versions` where those are named. `repositories`:
    ECR's, `{"name", "tags", "digests"}`, with `account` and `region` where those are others; such are named only where
    digests are looked up in them.
    `access_points`: `{"id", "file_system"}`. `roles`: roles that ECS tasks assume. `parameters`, `certificates`,
    `policies`, `objects`, `file_systems`, `topics`, `alarms` and `clusters` are lists of names, ARNs or ids;
    `namespaces`, `load_balancers` and `security_groups` are `{"name", "vpc"}`.
    """
    found: dict[str, Any] = {
        "vpc": _vpc(config) | ({"ipv6": True} if _wants_ipv6(config) else {}),
        "subnets": list(_subnets(config)),
        "secrets": _secrets(config),
        "parameters": _once(secret.parameter for secret in _all_secrets(config) if secret.parameter),
        "certificates": _once(
            name for one in config.load_balancers.values() for name in one.certificates if name != REQUEST
        ),
        "repositories": _repositories(config),
        "zones": [config.dns.zone] if config.dns else [],
        "buckets": _once(_buckets(config)),
        "policies": _once(_policies(config)),
        "objects": _once(arn for service in config.services.values() for arn in service.env_files),
        "file_systems": _once(efs.file_system for efs in _file_systems(config)),
        "access_points": [
            {"id": efs.access_point, "file_system": efs.file_system}
            for efs in dict.fromkeys(_file_systems(config))
            if efs.access_point
        ],
        "roles": _once(_roles(config)),
        "topics": _once(iter(config.alarms.notify)) if config.alarms else [],
        "alarms": _once(_alarms(config)),
        "clusters": [name_in(config.cluster.use)] if config.cluster.use else [],
        "namespaces": list(_in_vpc(config, [config.discovery.use if config.discovery else None])),
        "load_balancers": list(_in_vpc(config, [one.use for one in config.load_balancers.values()])),
        "security_groups": list(_in_vpc(config, [one for one in _sources(config) if one.startswith("sg-")])),
    }
    return {key: value for key, value in found.items() if value}


def _once(names: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _vpc(config: Config) -> dict[str, Any]:
    vpc = config.network.vpc
    if isinstance(vpc, TagSelector):
        return {"tag": dict(vpc.tag)}
    return {"default": True} if vpc == "default" else {"id": vpc}


def _wants_ipv6(config: Config) -> bool:
    return any(one.ip_address_type == "dualstack" for one in config.load_balancers.values())


def _in_vpc(config: Config, used: Iterable[str | None]) -> Iterator[dict[str, Any]]:
    for name in dict.fromkeys(name_in(one) for one in used if one):
        yield {"name": name, "vpc": _vpc(config)}


def _subnets(config: Config) -> Iterator[dict[str, Any]]:
    for selector, public in ((config.network.public_subnets, True), (config.network.private_subnets, False)):
        if isinstance(selector, TagSelector):
            yield {"tag": dict(selector.tag), "public": public}
        elif selector:
            yield {"ids": list(selector), "public": public}
    for service in config.services.values():
        if isinstance(service.subnets, tuple) and service.subnets:
            yield {"ids": list(service.subnets)}


def _containers(config: Config) -> Iterator[Container]:
    for service in config.services.values():
        yield from _within(service)


def _within(service: Service) -> Iterator[Container]:
    yield service
    yield from service.sidecars.values()


def _all_secrets(config: Config) -> Iterator[Secret]:
    for container in _containers(config):
        yield from container.secrets.values()


def _secrets(config: Config) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for registry in config.registries.values():
        if registry.secret:
            _add(found, registry.secret, keys=REGISTRY_KEYS)
    for secret in _all_secrets(config):
        if secret.secret:
            _add(found, secret.secret, keys=(secret.key,), stages=(secret.stage,), versions=(secret.version,))
    return list(found.values())


def _add(found: dict[str, dict[str, Any]], name: str, **parts: tuple[str | None, ...]) -> None:
    entry = found.setdefault(name, {"arn" if name.startswith("arn:") else "name": name, "keys": []})
    for part, values in parts.items():
        for value in values:
            if value is not None and value not in entry.setdefault(part, []):
                entry[part].append(value)


def _repositories(config: Config) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    pinned = {one.image for service in config.services.values() if service.pin_digest for one in _within(service)}
    for image in map(parse, images(config)):
        if image.ecr is None:
            continue
        name: dict[str, Any] = {"name": image.repository}
        if not _here(config, image.ecr.account, image.ecr.region):
            if image.written not in pinned:
                continue
            name |= {"account": image.ecr.account, "region": image.ecr.region}
        entry = found.setdefault(str(image.ecr), {**name, "tags": [], "digests": []})
        if image.digest:
            entry["digests"].append(image.digest)
        else:
            entry["tags"].append(image.tag or "latest")
    return list(found.values())


def _here(config: Config, account: str, region: str) -> bool:
    """Tell whether a registry is this account's and Region's, as far as the file says which these are."""
    return config.account in {None, account} and config.region in {None, region}


def _policies(config: Config) -> Iterator[str]:
    if config.iam.permissions_boundary:
        yield config.iam.permissions_boundary
    for service in config.services.values():
        yield from service.permissions.managed


def _buckets(config: Config) -> Iterator[str]:
    yield from (one.access_logs.bucket for one in config.load_balancers.values() if one.access_logs)
    if config.cluster.exec and config.cluster.exec.bucket:
        yield config.cluster.exec.bucket


def _file_systems(config: Config) -> Iterator[Efs]:
    for service in config.services.values():
        yield from (volume.efs for volume in service.volumes.values() if volume.efs)


def _roles(config: Config) -> Iterator[str]:
    for service in config.services.values():
        yield from (role for role in (service.roles.execution, service.roles.task) if role)


def _alarms(config: Config) -> Iterator[str]:
    """Yield the alarms that fail deployments, but for those that `[alarms]` makes (see `names.service_alarm`)."""
    own = tuple(
        f"-{service}-alarm-{what}" for service in config.services for what in ("5xx", "cpu", "unhealthy-targets")
    )
    for service in config.services.values():
        for name in service.deploy.alarms:
            if not (config.alarms and name.startswith(config.app) and name.endswith(own)):
                yield name


def _sources(config: Config) -> Iterator[str]:
    for balancer in config.load_balancers.values():
        yield from balancer.allow_from
    for service in config.services.values():
        yield from service.allow_from
        yield from (one for one in service.security_groups if is_id(one))
    for group in config.network.security_groups.values():
        yield from (rule.from_ for rule in group.ingress if is_id(rule.from_))
        yield from group.egress
