"""Registry credentials: the secrets that ECS gives to private registries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fargatectl.aws.answers import answer_each
from fargatectl.aws.secrets import SecretOut, describe_secret
from fargatectl.engine.reconciler import Lookup
from fargatectl.model.spec import Spec, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError


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


def declare(stack: Stack, name: str, *, secret: str, path: str) -> Declared[SecretOut]:
    """Declare that the credentials of the registry `name` exist as `secret`, named by the file at `path`."""
    return stack.find(RegistryCredentials(), name, CredentialsQuery(secret=secret, path=path))
