"""STS: the account that the credentials belong to. A file that names its account is deployed to no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import Refused
from fargatectl.model.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Aws, Identity
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError


@dataclass(frozen=True, kw_only=True)
class IdentityQuery(Spec):
    """Who are we? `account` is the only account that will do, None for any."""

    identity: ClassVar[tuple[str, ...]] = ()

    account: str | None = None


class Identities(Lookup[IdentityQuery, "Identity"]):
    """Asks STS who we are; refuses credentials of another account than the file's."""

    kind = "sts.identity"
    guards = True

    def read(self, aws: Aws, specs: Sequence[IdentityQuery]) -> Sequence[Identity | FargatectlError]:
        """Return the identity, or `Refused` where it is of another account than asked for."""
        found = aws.identity()
        return [found if spec.account in {None, found.account} else _refusal(spec, found) for spec in specs]


def declare(stack: Stack, account: str | None) -> Declared[Identity]:
    """Declare the identity; with `account`, everything is refused that comes from another one."""
    return stack.find(Identities(), account or "caller", IdentityQuery(account=account))


def _refusal(spec: IdentityQuery, found: Identity) -> Refused:
    message = f"the file is for account {spec.account}, but these credentials belong to account {found.account}"
    return Refused(message, hint=f"choose credentials of {spec.account}: --profile, or AWS_PROFILE ({found.arn} now)")
