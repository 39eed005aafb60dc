"""Cloud Map's asynchronous operations, its tokens, and what its refusals and tags say."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.tags import as_dict
from fargatectl.aws.waits import Transient, polling
from fargatectl.engine.proof import tags_shown
from fargatectl.errors import AwsFailure
from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.model.spec import Spec

_OPERATION_SECONDS = 300
_EMPTYING_SECONDS = 180

# Cloud Map API Reference, DeleteService and DeleteNamespace: what was in it still counts for a while.
IN_USE = Transient("ResourceInUse", seconds=_EMPTYING_SECONDS)

_HINTS = {
    "CANNOT_CREATE_HOSTED_ZONE": "the VPC has a private hosted zone of this or an overlapping name already: choose "
    "another discovery.namespace, or remove that zone from the VPC",
}


def operation(aws: Aws, name: str, what: str, ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, str]:
    """Begin an asynchronous operation and return its targets (kind → id) when it has succeeded.

    Raises `AwsFailure` with Cloud Map's own code and words when it fails, or takes more than five minutes.
    """
    try:
        operation = ask()["OperationId"]
    except ClientError as error:
        # The same request is under way already: an earlier run sent it, or botocore did twice.
        if not says(error, "DuplicateRequest"):
            raise
        operation = existing_id(error, "DuplicateOperationId")

    def look() -> Mapping[str, Any] | None:
        found = aws.cloudmap.get_operation(OperationId=operation)["Operation"]
        return found if found.get("Status") in {"SUCCESS", "FAIL"} else None

    ended = polling(aws, what, look, seconds=_OPERATION_SECONDS)
    if ended["Status"] == "FAIL":
        code = ended.get("ErrorCode", "")
        message = f"Cloud Map could not finish {what}: {ended.get('ErrorMessage', code)}"
        raise AwsFailure(message, operation=f"servicediscovery:{name}", code=code, hint=_HINTS.get(code, ""))
    targets: Mapping[str, str] = ended.get("Targets", {})
    return targets


def existing_id(error: ClientError, member: str) -> str:
    """Return the id that Cloud Map's "already exists" carries beside its message."""
    found: Any = error.response
    if not found.get(member):
        raise error
    return str(found[member])


def request_id(spec: Spec, *parts: object) -> str:
    """Return a token of 64 characters, the same for the same request in this run and the next."""
    seed = (*(spec.tags.get(key, "") for key in (APP, ENVIRONMENT, ADDRESS)), getattr(spec, "name", ""), *parts)
    return sha256("\n".join(str(part) for part in seed).encode()).hexdigest()


def tags_of(aws: Aws, arn: str, wanted: Mapping[str, str]) -> Mapping[str, str]:
    """Return the tags of a resource; where the tagging API has shown that it has `wanted`, without another call."""
    return tags_shown(aws, arn, wanted, lambda: listed_tags(aws, arn))


def listed_tags(aws: Aws, arn: str) -> dict[str, str]:
    """Return the tags of a resource as Cloud Map itself shows them."""
    return as_dict(aws.cloudmap.list_tags_for_resource(ResourceARN=arn)["Tags"])


def owned_arns(aws: Aws, owner: Ownership, part: str, known: AbstractSet[str]) -> list[str]:
    """Return the ARNs of `owner`'s resources that have `part` in them, but for those in `known`."""
    arns = aws.tagged(owner.tags())
    return sorted(arn for arn in arns if ":servicediscovery:" in arn and part in arn and arn not in known)


def find(describe: Callable[[Aws, str], Any], aws: Aws, arn: str) -> Any:  # noqa: ANN401 - a live half, or None
    """Return what `describe` says of a resource, None where it is gone."""
    try:
        return describe(aws, arn.rpartition("/")[2])
    except ClientError as error:
        if not (says(error, "ServiceNotFound") or says(error, "NamespaceNotFound")):
            raise
        return None
