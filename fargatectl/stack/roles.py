"""The roles of a service's tasks: the rights that starting them takes, and what the file gives their containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.checks.volumes import READ_ONLY
from fargatectl.model.images import parse
from fargatectl.reconcilers import efs, iam, logs, secrets
from fargatectl.stack.exec import rights as exec_rights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fargatectl.config.models import Secret, Service, Sidecar
    from fargatectl.model.values import Ref
    from fargatectl.stack.shared import Shared


def declare_roles(shared: Shared, name: str, service: Service) -> iam.ServiceRoles:
    """Declare the roles of the service `name`, but those that it has already."""
    execution = tuple(_execution(shared, name, service))
    return iam.declare(
        shared.stack,
        name,
        path=shared.config.iam.path,
        permissions_boundary=shared.config.iam.permissions_boundary,
        account=shared.identity,
        region=shared.region,
        execution=execution,
        task=tuple(_task(shared, name, service)),
        managed=service.permissions.managed,
        existing=_existing(shared, name, service),
    )


def containers(service: Service) -> Iterable[Service | Sidecar]:
    """Yield the containers of a service, the main one first."""
    yield service
    yield from service.sidecars.values()


def _existing(shared: Shared, name: str, service: Service) -> iam.Existing:
    found = {
        part: iam.declare_existing(shared.stack, role, path=f"services.{name}.roles.{part}").ref(lambda out: out.arn)
        for part, role in (("execution", service.roles.execution), ("task", service.roles.task))
        if role
    }
    return iam.Existing(**found)


def _execution(shared: Shared, name: str, service: Service) -> Iterable[iam.Statement]:
    """Yield what ECS must be allowed to do to start the tasks."""
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
    yield from iam.pull_from_ecr(sorted(repositories))
    if service.logs.driver != "none":
        yield from iam.write_logs([_log_group(shared, service)])
    yield from iam.read_secrets([found.ref(lambda secret: secret.arn) for found in read])
    yield from iam.read_parameters([found.ref(lambda parameter: parameter.arn) for found in parameters])
    yield from iam.decrypt(keys)
    yield from iam.read_objects(service.env_files)


def _task(shared: Shared, name: str, service: Service) -> Iterable[iam.Statement]:
    """Yield what the containers may do: what the file says, and what exec, log router and volumes take."""
    for place, one in enumerate(service.permissions.allow, start=1):
        yield iam.allow(f"Allow{place}", one.actions, one.resources)
    if service.exec:
        yield from exec_rights(shared)
    if service.logs.driver == "awsfirelens" and not service.logs.options:
        yield from iam.write_logs([_log_group(shared, service)])
    yield from _mounting(shared, name, service)


def _log_group(shared: Shared, service: Service) -> Ref[str]:
    name, region = service.logs.group, shared.region
    return shared.identity.ref(lambda who: logs.arn_of(name, who, region))


def _mounting(shared: Shared, name: str, service: Service) -> Iterable[iam.Statement]:
    """Yield what mounting file systems as the task role takes; all file systems are looked up on the way."""
    for place, (volume, one) in enumerate(sorted(service.volumes.items()), start=1):
        if one.efs is None:
            continue
        path = f"services.{name}.volumes.{volume}.efs"
        found = efs.declare(shared.stack, one.efs.file_system, access_point=one.efs.access_point or "", path=path)
        if one.efs.iam:
            write = any(not where.endswith(READ_ONLY) for where in one.mount.values())
            access = found.ref(lambda out: out.access_point_arn) if one.efs.access_point else ""
            yield iam.mount_efs(f"Mount{place}", found.ref(lambda out: out.arn), access, write=write)


def _placed_secrets(name: str, service: Service) -> Iterable[tuple[str, Secret]]:
    """Yield every secret of a service with its place in the file."""
    for key, secret in service.secrets.items():
        yield f"services.{name}.secrets.{key}", secret
    for own_name, one in service.sidecars.items():
        for key, secret in one.secrets.items():
            yield f"services.{name}.sidecars.{own_name}.secrets.{key}", secret
