"""Who owns a resource: tags are the only proof, and live AWS the only place where it is kept."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.model.values import Address

APP = "fargatectl:app"
ENVIRONMENT = "fargatectl:env"
ADDRESS = "fargatectl:address"


_VALUE_MAX = 256  # Tagging AWS Resources, "Tag naming limits and requirements"
_DIGEST = 8


@dataclass(frozen=True)
class Ownership:
    """One app in one environment: what a run may change."""

    app: str
    environment: str | None

    @property
    def prefix(self) -> str:
        """What the names of our resources begin with: `app`, or `app-ENV`."""
        return f"{self.app}-{self.environment}" if self.environment else self.app

    def tags(self, address: Address | None = None) -> dict[str, str]:
        """Return the tags that prove ownership, and say which resource it is."""
        tags = {APP: self.app}
        if self.environment:
            tags[ENVIRONMENT] = self.environment
        if address is not None:
            tags[ADDRESS] = _as_value(address)
        return tags

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Tell whether `tags` prove that a resource belongs to this app in this environment."""
        return tags.get(APP) == self.app and tags.get(ENVIRONMENT) == self.environment


def _as_value(address: Address) -> str:
    """Return an address as a tag can hold it: that of a log group may be longer."""
    if len(address) <= _VALUE_MAX:
        return address
    return f"{address[: _VALUE_MAX - _DIGEST - 1]}={sha256(address.encode()).hexdigest()[:_DIGEST]}"


def owner_of(tags: Mapping[str, str]) -> str:
    """Say in a phrase whose resource it is that carries `tags`."""
    if APP in tags:
        environment = tags.get(ENVIRONMENT)
        return f"the app {tags[APP]}" + (f" in environment {environment}" if environment else "")
    if stack := tags.get("aws:cloudformation:stack-name"):
        return f"the CloudFormation stack {stack}"
    return "somebody else (it carries no tags of fargatectl)"
