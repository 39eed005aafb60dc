"""Security groups that exist and are not ours: tasks get them beside their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from fargatectl.dataclass import dataclass
from fargatectl.engine.existing import missing
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import NotFoundError, Refused
from fargatectl.model.spec import Spec
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.network import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_ec2.type_defs import SecurityGroupTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.errors import FargatectlError


@dataclass(frozen=True, kw_only=True)
class ExistingGroupQuery(Spec):
    """A security group by its id, which must be in the VPC `vpc_id`; `path` is where the file names it."""

    identity: ClassVar[tuple[str, ...]] = ("group_id",)

    group_id: str
    vpc_id: Late[str]
    path: str


class ExistingGroups(Lookup[ExistingGroupQuery, str]):
    """Finds security groups, and returns their ids."""

    kind = "network.existing_security_group"

    def read(self, aws: Aws, specs: Sequence[ExistingGroupQuery]) -> Sequence[str | FargatectlError]:
        """Return the ids; `NotFoundError` for what is missing, `Refused` for a group in another VPC."""
        there = {one["GroupId"]: one for one in reading.describe(aws, {"group-id": {one.group_id for one in specs}})}
        return [_answer(aws, spec, there.get(spec.group_id)) for spec in specs]


def _answer(aws: Aws, spec: ExistingGroupQuery, found: SecurityGroupTypeDef | None) -> str | NotFoundError | Refused:
    vpc = known(spec.vpc_id)
    if found is None:
        in_vpc = reading.describe(aws, {"vpc-id": [vpc]})
        return missing("security group", spec.group_id, (one["GroupId"] for one in in_vpc), path=spec.path)
    if found["VpcId"] != vpc:
        message = f"the security group {spec.group_id} is in {found['VpcId']}, and the tasks are to be in {vpc}"
        return Refused(message, hint=f"name one of {vpc} at `{spec.path}`")
    return spec.group_id
