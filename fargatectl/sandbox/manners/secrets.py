"""Secrets that are being deleted (AWS: Secrets Manager API Reference, DeleteSecret)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fargatectl.sandbox import moto_adapter
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

RELEASE_SECONDS = 5.0


@dataclass(slots=True)
class Released:
    """When the names of secrets that were deleted without recovery are free again (AWS seconds)."""

    at: dict[str, float] = field(default_factory=dict)


@HANDLERS.handles("secretsmanager", "CreateSecret")
def create_secret(region: Region, call: Call, forward: Forward) -> Answer:
    """Create a secret; a name that is scheduled for deletion, or was deleted just now, is taken."""
    name = call.params.get("Name", "")
    if _scheduled(region, name):
        raise _refused(
            "You can't create this secret because a secret with this name is already scheduled for deletion."
        )
    if region.now < region.state(Released).at.get(name, 0.0):
        raise _refused("You can't create this secret because a secret with this name was deleted just now.")
    return forward()


def _refused(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)


def _scheduled(region: Region, reference: str) -> bool:
    try:
        return bool(region.moto("secretsmanager", "DescribeSecret", SecretId=reference).get("DeletedDate"))
    except AwsError:
        return False


@HANDLERS.handles("secretsmanager", "PutSecretValue", "UpdateSecret", "TagResource", "UntagResource", "RotateSecret")
def refuse_while_scheduled(region: Region, call: Call, forward: Forward) -> Answer:
    """Change a secret, unless it is scheduled for deletion."""
    if _scheduled(region, call.params.get("SecretId", "")):
        raise _refused("You can't perform this operation on the secret because it was marked for deletion.")
    return forward()


@HANDLERS.handles("secretsmanager", "DeleteSecret")
def delete_secret(region: Region, call: Call, forward: Forward) -> Answer:
    """Delete a secret; without recovery, its name is free a little later."""
    known = moto_adapter.has_secret(region.view("secretsmanager"), call.params.get("SecretId", ""))
    answer = forward()
    if known and call.params.get("ForceDeleteWithoutRecovery"):
        region.state(Released).at[answer["Name"]] = region.now + RELEASE_SECONDS
    return answer
