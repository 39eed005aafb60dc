"""Roles that exist already: looked up by name or ARN, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, says
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import NotFoundError
from fargatectl.model.spec import Spec, setting
from fargatectl.reconcilers.iam.policy import Policy
from fargatectl.reconcilers.iam.roles import TASKS, RoleOut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError


@dataclass(frozen=True, kw_only=True)
class RoleQuery(Spec):
    """A role by name or ARN; `path` is where the file names it."""

    name: str
    path: str = setting(wiring=True, default="")


class ExistingRoles(Lookup[RoleQuery, RoleOut]):
    """Finds roles that ECS tasks may assume."""

    kind = "iam.existing_role"

    def read(self, aws: Aws, specs: Sequence[RoleQuery]) -> Sequence[RoleOut | FargatectlError]:
        """Return the roles; `NotFoundError` for what is missing, or cannot be assumed by ECS tasks."""
        return answer_each(aws, lambda spec: _find(aws, spec), specs)


def declare_existing(stack: Stack, name: str, *, path: str) -> Declared[RoleOut]:
    """Declare that the role `name` (or ARN) exists, named by the file at `path`."""
    return stack.find(ExistingRoles(), name, RoleQuery(name=name, path=path))


def _find(aws: Aws, spec: RoleQuery) -> RoleOut:
    name = spec.name.rpartition("/")[2]
    try:
        found: Any = aws.iam.get_role(RoleName=name)["Role"]
    except ClientError as error:
        if not says(error, "NoSuchEntity"):
            raise
        raise NotFoundError(f"the role {spec.name} does not exist", path=spec.path, hint="create it") from error
    if spec.name.startswith("arn:") and found["Arn"] != spec.name:
        message = f"the role {spec.name} does not exist; {name} of this account is {found['Arn']}"
        raise NotFoundError(message, path=spec.path, hint="correct the ARN")
    trust = Policy.parse(found["AssumeRolePolicyDocument"])
    if not any(TASKS in statement.principals for statement in trust.statements):
        message = f"the role {name} does not let ECS tasks assume it"
        raise NotFoundError(message, path=spec.path, hint="its trust policy must name ecs-tasks.amazonaws.com")
    return RoleOut(found["RoleName"], found["Arn"])
