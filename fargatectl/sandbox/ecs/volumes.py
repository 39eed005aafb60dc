"""What keeps a task's files from it: volumes on EFS, and files with environment variables in S3.

AWS: ECS guide, "Amazon EFS volume considerations" and "Pass environment variables to an Amazon ECS container"; EFS user
guide, "Creating mount targets" and "Using VPC security groups for Amazon EC2 instances and mount targets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import permissions, reachability
from fargatectl.sandbox.ecs import overrides
from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.state import Interface, Task

_NFS = 2049
_EFS = "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: "
_FAILED = " : unsuccessful EFS utils command execution; code: "
_FILES = "ResourceInitializationError: failed to download env files: service call has been retried 1 time(s): "


def efs_problem(region: Region, task: Task) -> str:
    """Return why a task's volumes cannot be mounted, or nothing."""
    if task.interface is None:
        return ""
    for volume in task.definition.content.get("volumes") or []:
        efs = volume.get("efsVolumeConfiguration")
        problem = _mount_problem(region, task.interface, efs) if efs else ""
        if problem:
            return f"{_EFS}{problem}"
    return ""


def _mount_problem(region: Region, interface: Interface, efs: dict[str, Any]) -> str:
    identifier = efs["fileSystemId"]
    target = _mount_target(region, identifier, interface)
    if target is None:
        return (
            f'Failed to resolve "{identifier}.efs.{region.name}.amazonaws.com" - check that your file system ID is '
            "correct, and ensure that the VPC has an EFS mount target for this file system ID. See "
            f"https://docs.aws.amazon.com/console/efs/mount-dns-name for more detail.{_FAILED}1"
        )
    groups = region.moto("efs", "DescribeMountTargetSecurityGroups", MountTargetId=target["MountTargetId"])
    other = (groups["SecurityGroups"], target["IpAddress"])
    if not reachability.admits(region, (interface.groups, interface.address), other, _NFS):
        return (
            "Mount attempt 1/3 failed due to timeout after 15 sec, wait 0 sec before next attempt. Mount attempt 2/3 "
            f"failed due to timeout after 15 sec, wait 0 sec before next attempt. b'mount.nfs4: mount system call "
            f"failed'{_FAILED}32"
        )
    point = (efs.get("authorizationConfig") or {}).get("accessPointId")
    if point and not _has_access_point(region, point, identifier):
        return f"b'mount.nfs4: access denied by server while mounting 127.0.0.1:/'{_FAILED}32"
    return ""


def _mount_target(region: Region, identifier: str, interface: Interface) -> dict[str, Any] | None:
    """Return the mount target whose address the file system's name gives in a zone: each zone needs its own."""
    try:
        targets = region.moto("efs", "DescribeMountTargets", FileSystemId=identifier)["MountTargets"]
    except AwsError:
        return None
    home = region.moto("ec2", "DescribeSubnets", SubnetIds=[interface.subnet])["Subnets"][0]["VpcId"]
    return next(
        (one for one in targets if one["AvailabilityZoneName"] == interface.zone and one.get("VpcId", home) == home),
        None,
    )


def _has_access_point(region: Region, point: str, file_system: str) -> bool:
    try:
        (found,) = region.moto("efs", "DescribeAccessPoints", AccessPointId=point)["AccessPoints"]
    except AwsError:
        return False
    return bool(found["FileSystemId"] == file_system)


def env_file_problem(region: Region, task: Task) -> str:
    """Return why a file with environment variables cannot be read, or nothing.

    Who may not list a bucket is told Forbidden of what is not in it (AWS: S3 API Reference, HeadObject).
    """
    arn = overrides.role(task, "executionRoleArn")
    role = permissions.role(region, arn) if arn else None
    for container in task.containers:
        for file in container.definition.get("environmentFiles") or []:
            bucket, _, key = file["value"].partition(":::")[2].partition("/")
            if role is None or not permissions.allows(role, "s3:GetBucketLocation", f"arn:aws:s3:::{bucket}"):
                return f"{_FILES}operation error S3: GetBucketLocation, {_refused(403, 'AccessDenied: Access Denied')}"
            readable = permissions.allows(role, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
            if readable and _exists(region, bucket, key):
                continue
            known = readable and permissions.allows(role, "s3:ListBucket", f"arn:aws:s3:::{bucket}")
            answer = _refused(404, "NotFound: Not Found") if known else _refused(403, "Forbidden: Forbidden")
            return f"{_FILES}operation error S3: HeadObject, {answer}"
    return ""


def _refused(status: int, error: str) -> str:
    return f"https response error StatusCode: {status}, RequestID: LOCAL, HostID: local, api error {error}"


def _exists(region: Region, bucket: str, key: str) -> bool:
    try:
        region.moto("s3", "HeadObject", Bucket=bucket, Key=key)
    except AwsError:
        return False
    return True
