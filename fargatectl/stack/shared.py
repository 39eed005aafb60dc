"""What the services of an app have in common, as late values to wire them with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.images import registry_for
from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fargatectl.aws.secrets import SecretOut
    from fargatectl.aws.session import Identity
    from fargatectl.config.models import Config
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.reconcilers import alb, cloudmap, cluster, logs
    from fargatectl.reconcilers.network import Network, TaskPlacement
    from fargatectl.stack.groups import TaskGroups


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The app around its services. Mappings are by the names of the file; log groups by AWS's.

    `placements` choose the subnets of a service's tasks once the network is known.
    """

    config: Config
    region: str
    stack: Stack
    identity: Declared[Identity]
    network: Declared[Network]
    cluster: Declared[cluster.ClusterOut]
    namespace: Declared[cloudmap.NamespaceOut] | None
    registries: Mapping[str, Declared[SecretOut]]
    placements: Mapping[str, Callable[[Network], TaskPlacement]]
    balancers: Mapping[str, alb.LoadBalancerHandles]
    task_groups: Mapping[str, TaskGroups]
    log_groups: Mapping[str, Declared[logs.LogGroupOut]]

    def credentials(self, image: str) -> Declared[SecretOut] | None:
        """Return the credentials that pull `image`, None where it needs none."""
        chosen = registry_for(self.config, image)
        return self.registries[chosen] if chosen else None
