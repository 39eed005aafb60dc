"""AWS's own managed policies: they exist in every account (AWS: IAM user guide, "AWS managed policies")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox import moto_adapter
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call


@HANDLERS.handles(
    "iam",
    "AttachRolePolicy",
    "CreateRole",
    "GetPolicy",
    "GetPolicyVersion",
    "ListEntitiesForPolicy",
    "ListPolicyVersions",
    "PutRolePermissionsBoundary",
)
def bring_in_managed_policy(region: Region, call: Call, forward: Forward) -> Answer:
    """Let moto know the policy that a request names, before it looks for it."""
    arn = call.params.get("PolicyArn") or call.params.get("PermissionsBoundary") or ""
    if arn.startswith("arn:aws:iam::aws:policy/"):
        moto_adapter.load_managed_policy(region.backend("iam"), arn)
    return forward()
