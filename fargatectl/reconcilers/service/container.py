"""Containers: what runs in a task, as a value, as the request that registers it, and as ECS shows it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.dataclass import dataclass
from fargatectl.model.spec import setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.service.volume import Mount, mount_request, parsed_mount

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """A container's health check; times in seconds, with ECS's defaults."""

    command: tuple[str, ...]
    interval: int = 30
    timeout: int = 5
    retries: int = 3
    start_period: int = 0


@dataclass(frozen=True, kw_only=True)
class Logging:
    """Where a container's output goes. ECS keeps the options as text."""

    driver: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a task. Empty values mean "not set"; there is no other form of that.

    `env_files` are S3 objects by ARN, read in their order. `log_router` is the type of a router that takes the output
    of the containers whose log driver is awsfirelens: "fluentbit" or "fluentd".
    """

    key: ClassVar[str] = "name"

    name: str
    image: Late[str]
    essential: bool = True
    cpu: int = 0
    memory: int | None = None
    ports: tuple[int, ...] = ()
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    workdir: str = ""
    user: str = ""
    environment: Mapping[str, str] = setting(sensitive=True, default_factory=dict)
    secrets: Mapping[str, Late[str]] = field(default_factory=dict)
    registry_credentials: Late[str] | None = None
    health_check: HealthCheck | None = None
    logging: Logging | None = None
    depends_on: Mapping[str, str] = field(default_factory=dict)
    readonly_root: bool = False
    init: bool = False
    stop_timeout: int | None = None
    ulimits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    env_files: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    log_router: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "mounts", tuple(sorted(self.mounts, key=lambda mount: mount.path)))


def container_request(container: Container) -> dict[str, Any]:
    """Return a container as RegisterTaskDefinition takes it; what is not set is left out."""
    health, logging = container.health_check, container.logging
    request: dict[str, Any] = {
        "name": container.name,
        "image": known(container.image),
        "essential": container.essential,
        "cpu": container.cpu,
        "memory": container.memory,
        "portMappings": [{"containerPort": p, "hostPort": p, "protocol": "tcp"} for p in container.ports],
        "command": list(container.command),
        "entryPoint": list(container.entrypoint),
        "workingDirectory": container.workdir,
        "user": container.user,
        "environment": [{"name": k, "value": v} for k, v in sorted(container.environment.items())],
        "secrets": [{"name": k, "valueFrom": known(v)} for k, v in sorted(container.secrets.items())],
        "repositoryCredentials": container.registry_credentials
        and {"credentialsParameter": known(container.registry_credentials)},
        "healthCheck": health
        and {
            "command": list(health.command),
            "interval": health.interval,
            "timeout": health.timeout,
            "retries": health.retries,
            **({"startPeriod": health.start_period} if health.start_period else {}),
        },
        "logConfiguration": logging and {"logDriver": logging.driver, "options": dict(logging.options)},
        "dependsOn": [{"containerName": k, "condition": v} for k, v in sorted(container.depends_on.items())],
        "readonlyRootFilesystem": container.readonly_root,
        "linuxParameters": {"initProcessEnabled": True} if container.init else None,
        "stopTimeout": container.stop_timeout,
        "ulimits": [{"name": k, "softLimit": v[0], "hardLimit": v[1]} for k, v in sorted(container.ulimits.items())],
        "environmentFiles": [{"type": "s3", "value": arn} for arn in container.env_files],
        "mountPoints": [mount_request(mount) for mount in container.mounts],
        "firelensConfiguration": {"type": container.log_router} if container.log_router else None,
    }
    unset: tuple[object, ...] = (None, "", [], {}, False)
    return {key: value for key, value in request.items() if key == "essential" or value not in unset}


def parsed_container(found: Any) -> Container:  # noqa: ANN401 - ECS's container definition
    """Return what ECS shows as a value."""
    health, logging = found.get("healthCheck"), found.get("logConfiguration")
    credentials = found.get("repositoryCredentials") or {}
    return Container(
        name=found["name"],
        image=found["image"],
        essential=found.get("essential", True),
        cpu=found.get("cpu", 0),
        memory=found.get("memory"),
        # Somebody else may have registered a range of ports, which has no number of its own: never equal to ours.
        ports=tuple(sorted(mapping.get("containerPort", 0) for mapping in found.get("portMappings", ()))),
        command=tuple(found.get("command") or ()),
        entrypoint=tuple(found.get("entryPoint") or ()),
        workdir=found.get("workingDirectory", ""),
        user=found.get("user", ""),
        environment={pair["name"]: pair["value"] for pair in found.get("environment", ())},
        secrets={pair["name"]: pair["valueFrom"] for pair in found.get("secrets", ())},
        registry_credentials=credentials.get("credentialsParameter"),
        health_check=_parsed_health(health) if health else None,
        logging=Logging(driver=logging["logDriver"], options=logging.get("options") or {}) if logging else None,
        depends_on={need["containerName"]: need["condition"] for need in found.get("dependsOn") or ()},
        readonly_root=bool(found.get("readonlyRootFilesystem")),
        init=bool((found.get("linuxParameters") or {}).get("initProcessEnabled")),
        stop_timeout=found.get("stopTimeout"),
        ulimits={u["name"]: (u["softLimit"], u["hardLimit"]) for u in found.get("ulimits") or ()},
        env_files=tuple(one["value"] for one in found.get("environmentFiles") or ()),
        mounts=tuple(parsed_mount(one) for one in found.get("mountPoints") or ()),
        log_router=(found.get("firelensConfiguration") or {}).get("type", ""),
    )


def _parsed_health(found: Any) -> HealthCheck:  # noqa: ANN401 - ECS's health check
    return HealthCheck(
        command=tuple(found["command"]),
        interval=found.get("interval", 30),
        timeout=found.get("timeout", 5),
        retries=found.get("retries", 3),
        start_period=found.get("startPeriod", 0),
    )
