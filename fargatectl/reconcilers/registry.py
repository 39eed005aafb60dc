"""Registry credentials: the secrets that ECS gives to private registries, existing ones and those that we make."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.secrets import SecretOut, describe_secret, kms_key_arn
from fargatectl.aws.tags import as_dict, pairs
from fargatectl.aws.waits import Transient, polling, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import require_ours, same_owner
from fargatectl.engine.reconciler import Live, Lookup, Reconciler
from fargatectl.errors import NotFoundError
from fargatectl.model import names
from fargatectl.model.ownership import APP
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set as AbstractSet
    from datetime import datetime

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

RECOVERY_DAYS = 7
"""The shortest time for which Secrets Manager keeps what was deleted (API Reference, DeleteSecret)."""
_VISIBLE_SECONDS = 60
_AWSS_OWN_KEY = "alias/aws/secretsmanager"

# Secrets Manager API Reference, DeleteSecret: without recovery, a name is released some time after the call.
_RELEASING = Transient("InvalidRequestException", "was deleted", seconds=120)
_SCHEDULED = "scheduled for deletion"


@dataclass(frozen=True, kw_only=True)
class CredentialsQuery(Spec):
    """The secret with a registry's user name and password, by name or ARN; `path` is where the file names it."""

    secret: str
    path: str = setting(wiring=True, default="")


class RegistryCredentials(Lookup[CredentialsQuery, SecretOut]):
    """Finds the secrets that ECS gives to private registries. Their values stay unread."""

    kind = "registry.credentials"

    def read(self, aws: Aws, specs: Sequence[CredentialsQuery]) -> Sequence[SecretOut | FargatectlError]:
        """Return the secrets; `NotFoundError` for what is missing or scheduled for deletion."""
        return answer_each(aws, lambda spec: describe_secret(aws, spec.secret, path=spec.path), specs)


@dataclass(frozen=True, kw_only=True)
class RegistrySecret(Spec):
    """A secret of ours. `credentials` are None where this run has none to compare or to send; then none are read.

    `kms_key` is the ARN of a customer's key, empty for AWS's own. `going`: it is scheduled for deletion.
    """

    name: str = setting(immutable=True)
    description: str = ""
    credentials: Sealed | None = setting(sensitive=True, default=None)
    kms_key: str = ""
    going: bool = setting(wiring=True, default=False)


SecretLive = Live[RegistrySecret, SecretOut]


class RegistrySecrets(Reconciler[RegistrySecret, SecretOut]):
    """Reads and changes the secrets that are made from this machine's environment.

    Whether the credentials are those of the environment is found out by reading them and comparing in memory: a digest
    of them in a tag, a name or a token could be tried against lists of passwords. What runs goes on with what it read
    when it started; new tasks read the new ones.
    """

    kind = "registry.secret"
    noun = "registry credentials"
    tagged_as = "secretsmanager"

    def read(self, aws: Aws, specs: Sequence[RegistrySecret]) -> Sequence[SecretLive | None | FargatectlError]:
        return answer_each(aws, lambda spec: _look(aws, spec), specs)

    def create(self, aws: Aws, spec: RegistrySecret) -> SecretOut:
        request: dict[str, Any] = {"KmsKeyId": spec.kms_key} if spec.kms_key else {}

        def make() -> SecretOut:
            made = aws.secrets.create_secret(
                Name=spec.name,
                Description=spec.description,
                SecretString=_revealed(spec),
                Tags=pairs(spec.tags),
                **request,
            )
            return SecretOut(made["ARN"], spec.name, spec.kms_key or None)

        try:
            return retrying(aws, make, _RELEASING)
        except ClientError as error:
            if says(error, "InvalidRequestException", _SCHEDULED):
                self._restore(aws, spec)
            elif not says(error, "ResourceExistsException"):
                raise
        return self._take_up(aws, spec)

    def _restore(self, aws: Aws, spec: RegistrySecret) -> None:
        """Take back a deletion of ours: the name is taken for as long as that can be done."""
        found = aws.secrets.describe_secret(SecretId=spec.name)
        require_ours(self.summary(spec), spec.tags, as_dict(found.get("Tags")))
        aws.secrets.restore_secret(SecretId=spec.name)

    def _take_up(self, aws: Aws, spec: RegistrySecret) -> SecretOut:
        live = polling(aws, f"secret {spec.name} visible", lambda: _look(aws, spec), seconds=_VISIBLE_SECONDS)
        require_ours(self.summary(spec), spec.tags, live.spec.tags)
        return self.update(aws, live, spec, self.compare(spec, live))

    def update(self, aws: Aws, live: SecretLive, spec: RegistrySecret, delta: Delta) -> SecretOut:
        arn = live.out.arn
        if live.spec.going:  # somebody else's, that is adopted: nothing of it can be changed before
            aws.secrets.restore_secret(SecretId=arn)
        if delta.touches("tags"):
            aws.secrets.tag_resource(SecretId=arn, Tags=pairs(spec.tags))
        settings: dict[str, Any] = {"Description": spec.description} if delta.touches("description") else {}
        if delta.touches("kms_key"):
            settings["KmsKeyId"] = spec.kms_key or _AWSS_OWN_KEY
        if settings:
            aws.secrets.update_secret(SecretId=arn, **settings)
        if delta.touches("credentials"):
            # The token becomes the version's id, which everybody sees: botocore's random one, never one of the value.
            aws.secrets.put_secret_value(SecretId=arn, SecretString=_revealed(spec))
        return SecretOut(arn, spec.name, spec.kms_key or None)

    def delete(self, aws: Aws, live: SecretLive) -> None:
        try:
            aws.secrets.delete_secret(SecretId=live.out.arn, RecoveryWindowInDays=RECOVERY_DAYS)
        except ClientError as error:
            gone = says(error, "ResourceNotFoundException") or says(error, "InvalidRequestException", "delet")
            if not gone:
                raise

    def whose(self, live: SecretLive) -> str:
        going = ", scheduled for deletion: until then its name is taken" if live.spec.going else ""
        return f"{super().whose(live)}{going}"

    def farewell(self, live: SecretLive, now: datetime) -> str:
        del live
        return f"the next deploy restores it until {now + timedelta(days=RECOVERY_DAYS):%Y-%m-%d}"

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[SecretLive]:
        arns = {arn for arn in aws.tagged(owner.tags()) if arn.split(":")[2] == "secretsmanager"} - known
        found = aws.each(lambda arn: _look(aws, RegistrySecret(name=arn)), sorted(arns))
        return [live for live in found if live is not None and owner.owns(live.spec.tags)]


def declare(stack: Stack, name: str, *, secret: str, path: str) -> Declared[SecretOut]:
    """Declare that the credentials of the registry `name` exist as `secret`, named by the file at `path`."""
    return stack.find(RegistryCredentials(), name, CredentialsQuery(secret=secret, path=path))


def declare_own(
    stack: Stack, name: str, *, username: str | None, password: str | None, kms_key: str | None
) -> Declared[SecretOut]:
    """Declare a secret with the credentials of the registry `name`; without a value its content is left alone."""
    spec = RegistrySecret(
        name=names.registry_secret(stack.owner, name),
        description=f"Credentials of the registry {name}",
        credentials=_sealed({"username": username, "password": password}) if username and password else None,
        kms_key=kms_key or "",
    )
    return stack.add(RegistrySecrets(), name, spec, group=f"registry {name}")


def _look(aws: Aws, spec: RegistrySecret) -> SecretLive | None:
    """Return the secret, with its credentials if `spec` has some.

    One of ours that is scheduled for deletion is absent, and restored when it is made again. Somebody else's is there:
    its name is taken until it is gone.
    """
    try:
        found: Any = aws.secrets.describe_secret(SecretId=spec.name)
    except ClientError as error:
        if says(error, "ResourceNotFoundException"):
            return None
        raise
    tags, going = as_dict(found.get("Tags")), "DeletedDate" in found
    if going and (APP not in spec.tags or same_owner(spec.tags, tags)):
        return None
    key = kms_key_arn(found.get("KmsKeyId"), found["ARN"])
    live = RegistrySecret(
        name=found["Name"],
        description=found.get("Description", ""),
        credentials=_held(aws, found["ARN"]) if spec.credentials and not going else None,
        kms_key=key or "",
        going=going,
        tags=tags,
    )
    return Live(live, SecretOut(found["ARN"], found["Name"], key), found["ARN"])


def _held(aws: Aws, arn: str) -> Sealed:
    """Return what the secret holds, nothing where it has no value yet."""
    try:
        text = aws.secrets.get_secret_value(SecretId=arn).get("SecretString", "")
    except ClientError as error:
        if says(error, "ResourceNotFoundException"):
            return Sealed("")
        raise
    try:
        held = json.loads(text)
    except ValueError:
        return Sealed(text)
    return _sealed(held) if isinstance(held, dict) else Sealed(text)


def _sealed(credentials: dict[str, Any]) -> Sealed:
    """Return credentials as ECS reads them: ECS Developer Guide, "Private registry authentication for tasks"."""
    return Sealed(json.dumps(credentials, sort_keys=True))


def _revealed(spec: RegistrySecret) -> str:
    if spec.credentials is None:
        message = f"the credentials for {spec.name} are not known here"
        raise NotFoundError(message, hint="set the environment variables that the file names")
    return spec.credentials.reveal()
