"""What Secrets Manager says of a secret that exists: its ARN and key. Its value is never read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, says
from fargatectl.dataclass import dataclass
from fargatectl.errors import NotFoundError

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws


@dataclass(frozen=True)
class SecretOut:
    """A secret. `arn` ends in six random characters: one that is made again has another.

    `key_arn` is the customer's KMS key (or alias) that encrypts it, None for AWS's own key, which needs no rights.
    """

    arn: str
    name: str
    key_arn: str | None = None


def describe_secret(aws: Aws, name: str, *, path: str = "") -> SecretOut:
    """Return the secret `name` (or ARN), which the file names at `path`.

    Raises `NotFoundError` for a secret that does not exist or is scheduled for deletion: it is still described then,
    but tasks cannot read it (Secrets Manager API Reference, DeleteSecret).
    """
    try:
        found: Any = aws.reads.once(("secret", name), lambda: aws.secrets.describe_secret(SecretId=name))
    except ClientError as error:
        if not says(error, "ResourceNotFoundException"):
            raise
        message = f"the secret {name} does not exist in {aws.region}"
        hint = f"create it (`aws secretsmanager create-secret --name {name} …`), or correct the name"
        raise NotFoundError(message, path=path, hint=hint) from error
    if deleted := found.get("DeletedDate"):
        message = f"the secret {name} was scheduled for deletion on {deleted:%Y-%m-%d}: tasks cannot read it"
        hint = f"restore it: `aws secretsmanager restore-secret --secret-id {name}`"
        raise NotFoundError(message, path=path, hint=hint)
    return SecretOut(found["ARN"], found["Name"], kms_key_arn(found.get("KmsKeyId"), found["ARN"]))


def kms_key_arn(key: str | None, resource_arn: str) -> str | None:
    """Return the ARN of a KMS key that AWS gave as a key id, an alias or an ARN, beside `resource_arn`; None for none.

    AWS's own keys (`alias/aws/…`) count as none: everybody who may read the resource may use them.
    """
    if not key or key.rpartition("alias/")[2].startswith("aws/"):
        return None
    if key.startswith("arn:"):
        return key
    partition, region, account = (resource_arn.split(":")[part] for part in (1, 3, 4))
    resource = key if key.startswith("alias/") else f"key/{key}"
    return f"arn:{partition}:kms:{region}:{account}:{resource}"
