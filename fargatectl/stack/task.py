"""What a service's tasks are made of: containers, roles with their rights, secrets, logs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fargatectl.model import names
from fargatectl.model.images import parse
from fargatectl.reconcilers import iam, secrets, service as ecs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fargatectl.config.models import Container, Secret, Service, Sidecar
    from fargatectl.engine.stack import Declared
    from fargatectl.model.values import Ref
    from fargatectl.stack.shared import Shared


def declare_definition(shared: Shared, name: str, service: Service) -> Declared[ecs.TaskDefinitionOut]:
    """Declare the task definition of the service `name`, and the roles of its tasks."""
    roles = _roles(shared, name, service)
    made = [_main(shared, name, service)]
    made += [_sidecar(shared, name, service, own_name, one) for own_name, one in service.sidecars.items()]
    family = names.family(shared.stack.owner, name)
    spec = ecs.TaskDefinition(
        family=family,
        cluster=shared.config.cluster.name,
        service=family,
        after=(shared.log_groups[service.logs.group].ref(lambda made: made.arn),),
        cpu=service.cpu,
        memory=service.memory,
        architecture=service.arch,
        storage_gib=service.ephemeral_storage or ecs.DEFAULT_STORAGE_GIB,
        execution_role=roles.execution,
        task_role=roles.task,
        containers=tuple(sorted(made, key=lambda one: one.name)),
    )
    return shared.stack.add(ecs.TaskDefinitions(), name, spec, group=f"service {name}")


def containers(service: Service) -> Iterable[Service | Sidecar]:
    """Yield the containers of a service, the main one first."""
    yield service
    yield from service.sidecars.values()


def _main(shared: Shared, name: str, service: Service) -> ecs.Container:
    made = _container(shared, service, service, name, f"services.{name}")
    return replace(made, ports=(service.port,) if service.port else ())


def _sidecar(shared: Shared, name: str, service: Service, own_name: str, one: Sidecar) -> ecs.Container:
    made = _container(shared, service, one, own_name, f"services.{name}.sidecars.{own_name}")
    return replace(
        made,
        essential=one.essential,
        cpu=one.cpu or 0,
        memory=one.memory,
        ports=tuple(sorted(one.ports)),
        depends_on=dict(one.depends_on),
    )


def _container(shared: Shared, service: Service, one: Container, name: str, path: str) -> ecs.Container:
    """Return what main containers and sidecars have in common; `path` is the container's place in the file."""
    check, credentials = one.health_check, shared.credentials(one.image)
    return ecs.Container(
        name=name,
        image=one.image,
        command=one.command,
        entrypoint=one.entrypoint,
        workdir=one.workdir or "",
        user=one.user or "",
        environment=dict(one.env),
        secrets={key: _value_from(shared, value, f"{path}.secrets.{key}") for key, value in one.secrets.items()},
        registry_credentials=credentials.ref(lambda found: found.arn) if credentials else None,
        health_check=ecs.HealthCheck(**check.model_dump()) if check else None,
        logging=_logging(shared, service),
        readonly_root=one.readonly_root,
        init=one.init,
        stop_timeout=one.stop_timeout,
        ulimits={str(limit): values for limit, values in one.ulimits.items()},
    )


def _logging(shared: Shared, service: Service) -> ecs.Logging:
    """Return the log options; the mode is always sent, for an account's setting changes what leaving it out means
    (ECS API Reference, LogConfiguration)."""
    options = {
        "awslogs-group": service.logs.group,
        "awslogs-region": shared.region,
        "awslogs-stream-prefix": service.logs.stream_prefix,
        "mode": service.logs.mode,
    }
    if service.logs.mode == "non-blocking":
        options["max-buffer-size"] = service.logs.buffer
    return ecs.Logging(driver="awslogs", options=options)


def _roles(shared: Shared, name: str, service: Service) -> iam.ServiceRoles:
    """Give the execution role exactly what starting these tasks takes, and the task role what the file says."""
    repositories = {ecr.arn for one in containers(service) if (ecr := parse(one.image).ecr)}
    read = [found for one in containers(service) if (found := shared.credentials(one.image))]
    parameters = []
    for place, one in _placed_secrets(name, service):
        if one.parameter:
            parameters.append(secrets.declare_parameter(shared.stack, one.parameter, path=place))
        else:
            read.append(secrets.declare_secret(shared.stack, one.secret or "", path=place))
    keys = [
        *(found.ref(lambda secret: secret.key_arn) for found in read),
        *(found.ref(lambda parameter: parameter.key_arn) for found in parameters),
    ]
    execution = (
        *iam.pull_from_ecr(sorted(repositories)),
        *iam.write_logs([shared.log_groups[service.logs.group].ref(lambda made: made.arn)]),
        *iam.read_secrets([found.ref(lambda secret: secret.arn) for found in read]),
        *iam.read_parameters([found.ref(lambda parameter: parameter.arn) for found in parameters]),
        *iam.decrypt(keys),
    )
    allowed = [
        iam.allow(f"Allow{place}", one.actions, one.resources)
        for place, one in enumerate(service.permissions.allow, start=1)
    ]
    return iam.declare(
        shared.stack,
        name,
        path=shared.config.iam.path,
        permissions_boundary=shared.config.iam.permissions_boundary,
        account=shared.identity,
        region=shared.region,
        execution=execution,
        task=(*allowed, *(iam.exec_channels() if service.exec else ())),
        managed=service.permissions.managed,
    )


def _value_from(shared: Shared, secret: Secret, path: str) -> Ref[str]:
    """Return what a container definition names a secret by; ARNs always, so that live and wanted are the same."""
    if secret.parameter:
        return secrets.declare_parameter(shared.stack, secret.parameter, path=path).ref(lambda found: found.arn)
    key, stage, version = secret.key or "", secret.stage or "", secret.version or ""
    declared = secrets.declare_secret(shared.stack, secret.secret or "", path=path)
    return declared.ref(lambda found: secrets.value_from(found.arn, key=key, stage=stage, version=version))


def _placed_secrets(name: str, service: Service) -> Iterable[tuple[str, Secret]]:
    """Yield every secret of a service with its place in the file."""
    for key, secret in service.secrets.items():
        yield f"services.{name}.secrets.{key}", secret
    for own_name, one in service.sidecars.items():
        for key, secret in one.secrets.items():
            yield f"services.{name}.sidecars.{own_name}.secrets.{key}", secret
