"""EFS: the file systems that tasks mount. They are looked up, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, says
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import NotFoundError
from fargatectl.model.spec import Spec, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError


@dataclass(frozen=True, kw_only=True)
class FileSystemQuery(Spec):
    """A file system by id, with an access point of it or "" for none; `path` is where the file names them."""

    file_system: str
    access_point: str = ""
    path: str = setting(wiring=True, default="")


@dataclass(frozen=True)
class FileSystemOut:
    """A file system, and the access point's ARN ("" without one)."""

    arn: str
    access_point_arn: str = ""


class FileSystems(Lookup[FileSystemQuery, FileSystemOut]):
    """Finds file systems and their access points."""

    kind = "efs.file_system"

    def read(self, aws: Aws, specs: Sequence[FileSystemQuery]) -> Sequence[FileSystemOut | FargatectlError]:
        """Return the file systems; `NotFoundError` for one, or an access point of it, that does not exist."""
        return answer_each(aws, lambda spec: _find(aws, spec), specs)


def declare(stack: Stack, file_system: str, *, access_point: str, path: str) -> Declared[FileSystemOut]:
    """Declare that a file system exists, and the access point ("" for none); the file names them at `path`."""
    query = FileSystemQuery(file_system=file_system, access_point=access_point, path=path)
    return stack.find(FileSystems(), f"{file_system}:{access_point}".rstrip(":"), query)


def _find(aws: Aws, spec: FileSystemQuery) -> FileSystemOut:
    try:
        found = aws.efs.describe_file_systems(FileSystemId=spec.file_system)["FileSystems"][0]
    except ClientError as error:
        if not says(error, "FileSystemNotFound"):
            raise
        message = f"the file system {spec.file_system} does not exist in {aws.region}"
        raise NotFoundError(message, path=spec.path, hint="correct the id, or create it") from error
    return FileSystemOut(str(found["FileSystemArn"]), _access_point(aws, spec) if spec.access_point else "")


def _access_point(aws: Aws, spec: FileSystemQuery) -> str:
    try:
        (found,) = aws.efs.describe_access_points(AccessPointId=spec.access_point)["AccessPoints"]
    except ClientError as error:
        if not says(error, "AccessPointNotFound"):
            raise
        message = f"the access point {spec.access_point} does not exist in {aws.region}"
        raise NotFoundError(message, path=spec.path, hint="correct the id, or create it") from error
    if found["FileSystemId"] != spec.file_system:
        message = f"the access point {spec.access_point} is one of {found['FileSystemId']}, not of {spec.file_system}"
        raise NotFoundError(message, path=spec.path, hint="name the file system that it belongs to")
    return str(found["AccessPointArn"])
