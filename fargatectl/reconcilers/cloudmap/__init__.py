"""Cloud Map: the app's namespace, private DNS or for API calls alone, and each service's name in it."""

from fargatectl.reconcilers.cloudmap.existing import use_namespace
from fargatectl.reconcilers.cloudmap.namespace import (
    DNS_PRIVATE,
    HTTP,
    Namespace,
    NamespaceOut,
    Namespaces,
    declare_namespace,
)
from fargatectl.reconcilers.cloudmap.service import (
    DiscoveryOut,
    DiscoveryService,
    DiscoveryServices,
    declare_service,
)

__all__ = [
    "DNS_PRIVATE",
    "HTTP",
    "DiscoveryOut",
    "DiscoveryService",
    "DiscoveryServices",
    "Namespace",
    "NamespaceOut",
    "Namespaces",
    "declare_namespace",
    "declare_service",
    "use_namespace",
]
