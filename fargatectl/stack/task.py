"""What a service's tasks are made of: containers with their secrets, volumes and logs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fargatectl.config.checks.volumes import READ_ONLY
from fargatectl.model import names
from fargatectl.model.images import parse
from fargatectl.reconcilers import images, secrets, service as ecs
from fargatectl.stack.logs import logging, routers
from fargatectl.stack.roles import declare_roles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fargatectl.config.models import Container, Secret, Service, Sidecar, Volume
    from fargatectl.engine.stack import Declared
    from fargatectl.model.values import Late, Ref
    from fargatectl.reconcilers import logs
    from fargatectl.stack.shared import Shared


def declare_definition(shared: Shared, name: str, service: Service) -> Declared[ecs.TaskDefinitionOut]:
    """Declare the task definition of the service `name`, and the roles of its tasks."""
    roles = declare_roles(shared, name, service)
    made = [_main(shared, name, service)]
    made += [_sidecar(shared, name, service, own_name, one) for own_name, one in service.sidecars.items()]
    made += routers(service, shared.region)
    family = names.family(shared.stack.owner, name)
    spec = ecs.TaskDefinition(
        family=family,
        cluster=shared.config.cluster.name,
        service=family,
        after=tuple(group.ref(lambda made: made.arn) for group in _groups(shared, service)),
        volumes=tuple(_volume(volume, one) for volume, one in sorted(service.volumes.items())),
        cpu=service.cpu,
        memory=service.memory,
        architecture=service.arch,
        storage_gib=service.ephemeral_storage or ecs.DEFAULT_STORAGE_GIB,
        execution_role=roles.execution,
        task_role=roles.task,
        containers=tuple(sorted(made, key=lambda one: one.name)),
    )
    return shared.stack.add(ecs.TaskDefinitions(), name, spec, group=f"service {name}")


def _main(shared: Shared, name: str, service: Service) -> ecs.Container:
    made = _container(shared, service, service, name, f"services.{name}")
    return replace(
        made,
        ports=(service.port,) if service.port else (),
        env_files=service.env_files,
        mounts=_mounts(service, name),
    )


def _sidecar(shared: Shared, name: str, service: Service, own_name: str, one: Sidecar) -> ecs.Container:
    made = _container(shared, service, one, own_name, f"services.{name}.sidecars.{own_name}")
    return replace(
        made,
        essential=one.essential,
        cpu=one.cpu or 0,
        memory=one.memory,
        ports=tuple(sorted(one.ports)),
        depends_on=dict(one.depends_on),
        mounts=_mounts(service, own_name),
    )


def _groups(shared: Shared, service: Service) -> Iterable[Declared[logs.LogGroupOut]]:
    if service.logs.driver != "none":
        yield shared.log_groups[service.logs.group]


def _volume(name: str, one: Volume) -> ecs.Volume:
    if one.efs is None:
        return ecs.Volume(name=name)
    found = one.efs
    efs = ecs.Efs(file_system=found.file_system, root=found.root, access_point=found.access_point or "", iam=found.iam)
    return ecs.Volume(name=name, efs=efs)


def _mounts(service: Service, container: str) -> tuple[ecs.Mount, ...]:
    paths = {volume: one.mount[container] for volume, one in service.volumes.items() if container in one.mount}
    return tuple(
        ecs.Mount(path=path.removesuffix(READ_ONLY), volume=volume, read_only=path.endswith(READ_ONLY))
        for volume, path in paths.items()
    )


def _container(shared: Shared, service: Service, one: Container, name: str, path: str) -> ecs.Container:
    """Return what main containers and sidecars have in common; `path` is the container's place in the file."""
    check, credentials = one.health_check, shared.credentials(one.image)
    return ecs.Container(
        name=name,
        image=_image(shared, service, one, f"{path}.image"),
        command=one.command,
        entrypoint=one.entrypoint,
        workdir=one.workdir or "",
        user=one.user or "",
        environment=dict(one.env),
        secrets={key: _value_from(shared, value, f"{path}.secrets.{key}") for key, value in one.secrets.items()},
        registry_credentials=credentials.ref(lambda found: found.arn) if credentials else None,
        health_check=ecs.HealthCheck(**check.model_dump()) if check else None,
        logging=logging(service, shared.region),
        readonly_root=one.readonly_root,
        init=one.init,
        stop_timeout=one.stop_timeout,
        ulimits={str(limit): values for limit, values in one.ulimits.items()},
    )


def _image(shared: Shared, service: Service, one: Container, path: str) -> Late[str]:
    """Return the image as the file has it, or by its digest."""
    if not service.pin_digest or parse(one.image).digest:
        return one.image
    found = images.declare(shared.stack, one.image, path=path)
    shared.stack.note(found.ref(lambda out: out.warning))
    return found.ref(lambda out: out.image)


def _value_from(shared: Shared, secret: Secret, path: str) -> Ref[str]:
    """Return what a container definition names a secret by; ARNs always, so that live and wanted are the same."""
    if secret.parameter:
        return secrets.declare_parameter(shared.stack, secret.parameter, path=path).ref(lambda found: found.arn)
    key, stage, version = secret.key or "", secret.stage or "", secret.version or ""
    declared = secrets.declare_secret(shared.stack, secret.secret or "", path=path)
    return declared.ref(lambda found: secrets.value_from(found.arn, key=key, stage=stage, version=version))
