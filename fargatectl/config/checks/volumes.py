"""Checks of a service's volumes, and of the files that its environment comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config import limits
from fargatectl.config.findings import Finding, warning
from fargatectl.model.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.container import Container
    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config, Service, Volume

_ROOT_USERS = ("0", "root")
READ_ONLY = ":ro"
"""Behind the path of a mount that the container may not write."""


def check(config: Config) -> Iterator[Finding]:
    """Yield findings about volumes and environment files."""
    for name, service in config.services.items():
        path: KeyPath = ("services", name)
        containers: dict[str, Container] = {name: service, **service.sidecars}
        taken: dict[tuple[str, str], str] = {}
        for volume, one in service.volumes.items():
            place = (*path, "volumes", volume)
            yield from _mounts(volume, one, containers, taken, place)
            yield from _efs(service, one, place)
        yield from _environment_files(service, path)


def _mounts(
    name: str, volume: Volume, containers: dict[str, Container], taken: dict[tuple[str, str], str], path: KeyPath
) -> Iterator[Finding]:
    for container, mount in volume.mount.items():
        place = (*path, "mount", container)
        if container not in containers:
            close = nearest(container, containers)
            hint = f"did you mean `{close}`?" if close else ""
            yield Finding(place, f"there is no container `{container}` in this task", hint=hint)
            continue
        where = mount.removesuffix(READ_ONLY)
        other = taken.setdefault((container, where), name)
        if other != name:
            yield Finding(place, f"the volume `{other}` is mounted at {where} already")
        user = (containers[container].user or "").partition(":")[0]
        if volume.efs is None and mount == where and user and user not in _ROOT_USERS:
            message = f"the volume is empty and belongs to root at first; `{container}` runs as {user}"
            hint = f"unless the image has a directory {where} of that user, it cannot write there"
            yield warning(place, message, hint)


def _efs(service: Service, volume: Volume, path: KeyPath) -> Iterator[Finding]:
    if volume.efs is None:
        return
    if volume.efs.access_point and volume.efs.root != "/":
        message = "an access point has a root directory of its own"
        yield Finding((*path, "efs", "root"), message, hint="drop `root`", about=((*path, "efs", "access_point"),))
    if volume.efs.iam and service.roles.task:
        message = f"the role {service.roles.task} must allow elasticfilesystem:ClientMount and ClientWrite"
        yield warning((*path, "efs", "iam"), message)


def _environment_files(service: Service, path: KeyPath) -> Iterator[Finding]:
    place = (*path, "env_files")
    if len(service.env_files) > limits.ENVIRONMENT_FILES_PER_TASK:
        message = f"{len(service.env_files)} files; a task takes {limits.ENVIRONMENT_FILES_PER_TASK}"
        yield Finding(place, message)
    for index, arn in enumerate(service.env_files):
        if arn in service.env_files[:index]:
            yield Finding((*place, index), f"{arn} stands twice in the list")
