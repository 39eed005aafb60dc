"""The file systems a file refers to, made with a mount target in each zone of its VPC that the VPC can reach."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import moto_adapter, networks
from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.sandbox.cloud import Region

_NFS = 2049


def provision(region: Region, references: Mapping[str, Any]) -> Iterator[str]:
    """Create the file systems and access points that are referred to and missing; a sentence for each thing made."""
    for identifier in references.get("file_systems", []):
        yield from _file_system(region, references.get("vpc"), identifier)
    for wish in references.get("access_points", []):
        yield from _access_point(region, wish)


def _file_system(region: Region, vpc: Mapping[str, Any] | None, identifier: str) -> Iterator[str]:
    with suppress(AwsError):
        region.ask("efs", "DescribeFileSystems", FileSystemId=identifier)
        return
    made = region.ask("efs", "CreateFileSystem", CreationToken=identifier)["FileSystemId"]
    moto_adapter.rename_file_system(region.backend("efs"), made, identifier)
    _mount(region, networks.find_vpc(region, vpc), identifier)
    yield f"file system {identifier}, with a mount target in each zone"


def _mount(region: Region, vpc: str | None, identifier: str) -> None:
    if vpc is None:
        return
    block = region.ask("ec2", "DescribeVpcs", VpcIds=[vpc])["Vpcs"][0]["CidrBlock"]
    name = f"mount-targets-of-{identifier}"
    group = region.ask("ec2", "CreateSecurityGroup", GroupName=name, Description="EFS mount targets", VpcId=vpc)[
        "GroupId"
    ]
    admitted = {"IpProtocol": "tcp", "FromPort": _NFS, "ToPort": _NFS, "IpRanges": [{"CidrIp": block}]}
    region.ask("ec2", "AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[admitted])
    subnets = region.ask("ec2", "DescribeSubnets", Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    for subnet in {one["AvailabilityZone"]: one["SubnetId"] for one in subnets}.values():
        region.ask("efs", "CreateMountTarget", FileSystemId=identifier, SubnetId=subnet, SecurityGroups=[group])


def _access_point(region: Region, wish: Mapping[str, Any]) -> Iterator[str]:
    with suppress(AwsError):
        region.ask("efs", "DescribeAccessPoints", AccessPointId=wish["id"])
        return
    token = wish["id"]
    made = region.ask("efs", "CreateAccessPoint", ClientToken=token, FileSystemId=wish["file_system"])["AccessPointId"]
    moto_adapter.rename_access_point(region.backend("efs"), made, wish["id"])
    yield f"access point {wish['id']} of file system {wish['file_system']}"
