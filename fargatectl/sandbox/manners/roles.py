"""Roles: what trust policies may say, and the roles that services make for themselves.

AWS: IAM API Reference, CreateRole; IAM user guide, "Using service-linked roles". New ones are assumable a little later.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import moto_adapter, permissions
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_ASSUMING = ("ecs-tasks.amazonaws.com", "scheduler.amazonaws.com")
_TRUST_SIZE, _INLINE_SIZE, _ATTACHED = 2048, 10_240, 10
_SID = re.compile(r"[0-9A-Za-z]*")
_SERVICE_LINKED = "/aws-service-role/"
_NAMES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
}
_MAKERS = {
    ("ecs", "CreateCluster"): "ecs.amazonaws.com",
    ("application-autoscaling", "RegisterScalableTarget"): "ecs.application-autoscaling.amazonaws.com",
    ("elbv2", "CreateLoadBalancer"): "elasticloadbalancing.amazonaws.com",
}


@HANDLERS.handles("iam", "CreateRole")
def create_role(region: Region, call: Call, forward: Forward) -> Answer:
    """Create a role; services can assume it a little later."""
    _check_trust(region, call.params.get("AssumeRolePolicyDocument", ""))
    _check_boundary(region, call.params.get("PermissionsBoundary") or "")
    name = call.params["RoleName"]
    if moto_adapter.has_role(region.view("iam"), name):
        raise AwsError("EntityAlreadyExists", f"Role with name {name} already exists.", status=409)
    answer = forward()
    permissions.note_change(region, answer["Role"]["Arn"])
    return answer


def _check_boundary(region: Region, arn: str) -> None:
    if not arn:
        return
    try:
        region.ask("iam", "GetPolicy", PolicyArn=arn)
    except AwsError as error:
        message = f"Scope ARN: {arn} does not exist or is not attachable."
        raise AwsError("NoSuchEntity", message, status=404) from error


@HANDLERS.handles("iam", "UpdateAssumeRolePolicy")
def update_assume_role_policy(region: Region, call: Call, forward: Forward) -> Answer:
    """Change a trust policy; whom it newly trusts can assume the role a little later."""
    _check_trust(region, call.params.get("PolicyDocument", ""))
    arn = region.moto("iam", "GetRole", RoleName=call.params["RoleName"])["Role"]["Arn"]
    before = permissions.role(region, arn)
    answer = forward()
    if before is None or not any(permissions.trusts(before, service) for service in _ASSUMING):
        permissions.note_change(region, arn)
    return answer


def _check_trust(region: Region, document: str) -> None:
    if _size(document) > _TRUST_SIZE:
        raise _exceeded(f"Cannot exceed quota for ACLSizePerRole: {_TRUST_SIZE}")
    try:
        content = json.loads(document)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise _malformed("This policy contains invalid Json")
    statements = content.get("Statement") or []
    statements = statements if isinstance(statements, list) else [statements]
    if not statements:
        raise _malformed("Missing required field Statement")
    for statement in statements:
        _check_statement(region, statement)


def _check_statement(region: Region, statement: dict[str, Any]) -> None:
    for member in ("Effect", "Action"):
        if member not in statement:
            raise _malformed(f"Missing required field {member}")
    if "Resource" in statement:
        raise _malformed("Has prohibited field Resource")
    if not statement.get("Principal") and not statement.get("NotPrincipal"):
        raise _malformed("Missing required field Principal")
    for kind, principal in _principals(statement.get("Principal")):
        if not _exists(region, kind, principal):
            raise _malformed(f'Invalid principal in policy: "{kind}":"{principal}"')


def _size(document: str) -> int:
    """Return how many characters of a policy count: all but white space (AWS: IAM user guide, "IAM quotas")."""
    return len("".join(document.split()))


def _exceeded(message: str) -> AwsError:
    return AwsError("LimitExceeded", message, status=409)


def _sids(document: str) -> Iterator[str]:
    try:
        content = json.loads(document)
    except ValueError:
        return  # moto refuses it
    statements = content.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        yield str(statement.get("Sid") or "")


@HANDLERS.handles("iam", "PutRolePolicy")
def put_role_policy(region: Region, call: Call, forward: Forward) -> Answer:
    """Put an inline policy; all of a role's together have a size that they cannot exceed."""
    name, policy = call.params["RoleName"], call.params["PolicyName"]
    if not _SID.fullmatch("".join(_sids(call.params["PolicyDocument"]))):
        raise _malformed(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*"
        )
    held = moto_adapter.inline_policies(region.view("iam"), name)
    total = sum(_size(text) for key, text in held.items() if key != policy) + _size(call.params["PolicyDocument"])
    if total > _INLINE_SIZE:
        raise _exceeded(f"Maximum policy size of {_INLINE_SIZE} bytes exceeded for role {name}")
    return forward()


@HANDLERS.handles("iam", "AttachRolePolicy")
def attach_role_policy(region: Region, call: Call, forward: Forward) -> Answer:
    """Attach a managed policy, up to ten of them."""
    attached = region.moto("iam", "ListAttachedRolePolicies", RoleName=call.params["RoleName"])["AttachedPolicies"]
    if len({call.params["PolicyArn"], *(one["PolicyArn"] for one in attached)}) > _ATTACHED:
        raise _exceeded(f"Cannot exceed quota for PoliciesPerRole: {_ATTACHED}")
    return forward()


@HANDLERS.handles("iam", "ListRoles")
def list_roles(_region: Region, _call: Call, forward: Forward) -> Answer:
    """Return roles without what only GetRole shows (AWS: ListRoles)."""
    answer = forward()
    hidden = ("PermissionsBoundary", "RoleLastUsed", "Tags")
    shown = [{key: value for key, value in role.items() if key not in hidden} for role in answer.get("Roles", [])]
    return {**answer, "Roles": shown}


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", message)


def _principals(given: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    if not isinstance(given, dict):
        return
    for kind, values in given.items():
        for value in values if isinstance(values, list) else [values]:
            yield kind.upper(), str(value)


def _exists(region: Region, kind: str, principal: str) -> bool:
    if kind == "SERVICE":
        return principal.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    if kind == "AWS" and f"::{region.account}:role/" in principal:
        return permissions.role(region, principal) is not None
    return True


@HANDLERS.handles("iam", "DeleteRole")
def delete_role(region: Region, call: Call, forward: Forward) -> Answer:
    """Delete a role; those that services made for themselves stay."""
    found = region.moto("iam", "GetRole", RoleName=call.params["RoleName"])["Role"]
    if found["Path"].startswith(_SERVICE_LINKED):
        message = f"Cannot perform the operation on the protected role '{found['RoleName']}' - this role is only "
        raise AwsError("UnmodifiableEntity", f"{message}modifiable by AWS")
    return forward()


@HANDLERS.handles("iam", "CreateServiceLinkedRole")
def create_service_linked_role(region: Region, call: Call, forward: Forward) -> Answer:
    """Create the role of a service; there is one an account."""
    name = _NAMES.get(call.params["AWSServiceName"])
    if name is None:
        return forward()
    if _known(region, name):
        message = f"Service role name {name} has been taken in this account, please try a different suffix."
        raise AwsError("InvalidInput", message)
    _make(region, call.params["AWSServiceName"])
    return {"Role": region.moto("iam", "GetRole", RoleName=name)["Role"]}


@HANDLERS.handles("ecs", "CreateCluster")
@HANDLERS.handles("application-autoscaling", "RegisterScalableTarget")
@HANDLERS.handles("elbv2", "CreateLoadBalancer")
def make_service_linked_role(region: Region, call: Call, forward: Forward) -> Answer:
    """Have the first call of an account make the role that the service works with."""
    answer = forward()
    _make(region, _MAKERS[call.service, call.operation])
    return answer


def _known(region: Region, name: str) -> bool:
    try:
        region.moto("iam", "GetRole", RoleName=name)
    except AwsError:
        return False
    return True


def _make(region: Region, service: str) -> None:
    if not _known(region, _NAMES[service]):
        arn = moto_adapter.make_service_linked_role(region.backend("iam"), _NAMES[service], service)
        permissions.note_change(region, arn)


@HANDLERS.handles("ecs", "CreateService")
def refuse_before_the_role_works(region: Region, _call: Call, forward: Forward) -> Answer:
    """Create a service, unless ECS's own role was made only now (AWS: ECS guide, "Using service-linked roles")."""
    path = f"{_SERVICE_LINKED}ecs.amazonaws.com/{_NAMES['ecs.amazonaws.com']}"
    if permissions.is_new(region, f"arn:aws:iam::{region.account}:role{path}"):
        message = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
        raise AwsError("InvalidParameterException", message)
    return forward()
