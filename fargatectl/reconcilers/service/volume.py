"""Volumes of a task: EFS file systems, and empty directories that containers share."""

from __future__ import annotations

from typing import Any, ClassVar

from fargatectl.dataclass import dataclass

ROOT = "/"


@dataclass(frozen=True, kw_only=True)
class Efs:
    """An EFS file system. Traffic is always encrypted: ECS demands it with IAM or an access point (ECS API Reference,
    EFSVolumeConfiguration), and there is no reason to go without."""

    file_system: str
    root: str = ROOT
    access_point: str = ""
    iam: bool = False
    transit_encryption: bool = True


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A volume by its name; without `efs` an empty directory that lives as long as its task."""

    key: ClassVar[str] = "name"

    name: str
    efs: Efs | None = None


@dataclass(frozen=True, kw_only=True)
class Mount:
    """Where a container sees a volume."""

    key: ClassVar[str] = "path"

    path: str
    volume: str
    read_only: bool = False


def volume_request(volume: Volume) -> dict[str, Any]:
    """Return a volume as RegisterTaskDefinition takes it."""
    if volume.efs is None:
        return {"name": volume.name}
    efs = volume.efs
    access = {"accessPointId": efs.access_point} if efs.access_point else {}
    configuration: dict[str, Any] = {
        "fileSystemId": efs.file_system,
        "transitEncryption": "ENABLED" if efs.transit_encryption else "DISABLED",
        "authorizationConfig": {**access, "iam": "ENABLED" if efs.iam else "DISABLED"},
    }
    if efs.root != ROOT:  # with an access point it must be left out or "/"
        configuration["rootDirectory"] = efs.root
    return {"name": volume.name, "efsVolumeConfiguration": configuration}


def parsed_volume(found: Any) -> Volume:  # noqa: ANN401 - ECS's volume
    """Return what ECS shows as a value."""
    configuration = found.get("efsVolumeConfiguration")
    return Volume(name=found["name"], efs=_parsed_efs(configuration) if configuration else None)


def _parsed_efs(found: Any) -> Efs:  # noqa: ANN401 - ECS's EFSVolumeConfiguration
    access = found.get("authorizationConfig") or {}
    return Efs(
        file_system=found["fileSystemId"],
        root=found.get("rootDirectory") or ROOT,
        access_point=access.get("accessPointId", ""),
        iam=access.get("iam") == "ENABLED",
        transit_encryption=found.get("transitEncryption") == "ENABLED",
    )


def mount_request(mount: Mount) -> dict[str, Any]:
    """Return a mount as a container definition takes it."""
    return {"sourceVolume": mount.volume, "containerPath": mount.path, "readOnly": mount.read_only}


def parsed_mount(found: Any) -> Mount:  # noqa: ANN401 - ECS's MountPoint
    """Return what ECS shows as a value."""
    return Mount(
        path=found["containerPath"], volume=found["sourceVolume"], read_only=bool(found.get("readOnly", False))
    )
