"""Keys of the file that an older AWS SDK does not know, and what each needs. Whether it is there, `aws.sdk` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.findings import Finding
from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fargatectl.config.findings import KeyPath
    from fargatectl.config.models import Config


@dataclass(frozen=True)
class Need:
    """A key with the member of a request that carries it."""

    path: KeyPath
    service: str
    operation: str
    member: str


_STRATEGIES = {
    "blue_green": "loadBalancers.advancedConfiguration",
    "linear": "deploymentConfiguration.linearConfiguration",
    "canary": "deploymentConfiguration.canaryConfiguration",
}


def needs(config: Config) -> Iterator[Need]:
    """Yield what `config` needs of the SDK beyond what every version that is installed with fargatectl has."""
    if config.dashboard and config.dashboard.enabled:
        yield Need(("dashboard",), "cloudwatch", "PutDashboard", "Tags")
    for name, service in config.services.items():
        member = _STRATEGIES.get(service.deploy.strategy)
        if member:
            yield Need(("services", name, "deploy", "strategy"), "ecs", "CreateService", member)


def findings(config: Config, knows: Callable[[str, str, str], bool], version: Callable[[], str]) -> Iterator[Finding]:
    """Yield a finding for each key that the SDK is too old for.

    `knows` tells whether an operation of a service (botocore's names) takes a member: `a.b.c`, of lists that of their
    items. `version` gives the SDK's.
    """
    for need in needs(config):
        if not knows(need.service, need.operation, need.member):
            message = f"`{need.path[-1]}` needs a newer AWS SDK than botocore {version()}"
            hint = f"upgrade boto3: {need.operation} has no {need.member} yet"
            yield Finding(need.path, message, hint=hint)
