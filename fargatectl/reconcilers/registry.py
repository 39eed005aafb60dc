"""Registry credentials: which secret pulls an image, and that it exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fargatectl.aws.answers import answer_each
from fargatectl.aws.secrets import SecretOut, describe_secret
from fargatectl.engine.reconciler import Lookup
from fargatectl.model.spec import Spec, setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError
    from fargatectl.model.images import Image


def choose(image: Image, registries: Mapping[str, Sequence[str]]) -> str | None:
    """Return the name of the first registry of which a pattern matches `image`, None where none does."""
    return next((name for name, match in registries.items() if any(image.matches(pattern) for pattern in match)), None)


@dataclass(frozen=True, kw_only=True)
class CredentialsQuery(Spec):
    """The secret with a registry's user name and password, by name or ARN; `path` is where the file names it."""

    secret: str
    path: str = setting(create_only=True, default="")


class RegistryCredentials(Lookup[CredentialsQuery, SecretOut]):
    """Finds the secrets that ECS gives to private registries. Their values stay unread."""

    kind = "registry.credentials"

    def read(self, aws: Aws, specs: Sequence[CredentialsQuery]) -> Sequence[SecretOut | FargatectlError]:
        """Return the secrets; `NotFoundError` for what is missing or scheduled for deletion."""
        return answer_each(aws, lambda spec: describe_secret(aws, spec.secret, path=spec.path), specs)


def declare(stack: Stack, name: str, *, secret: str, path: str) -> Declared[SecretOut]:
    """Declare that the credentials of the registry `name` exist as `secret`, named by the file at `path`."""
    return stack.find(RegistryCredentials(), name, CredentialsQuery(secret=secret, path=path))
