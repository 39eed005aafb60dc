"""ECS services and the task definitions that they run."""

from fargatectl.reconcilers.service.definition import (
    DEFAULT_STORAGE_GIB,
    Container,
    HealthCheck,
    Logging,
    TaskDefinition,
    TaskDefinitionOut,
    TaskDefinitions,
)
from fargatectl.reconcilers.service.service import (
    DeploymentConfiguration,
    DiscoveryRegistration,
    Service,
    ServiceOut,
    Services,
    Target,
)

KINDS = (TaskDefinitions(), Services())
"""All kinds, in the order of creation."""

__all__ = [
    "DEFAULT_STORAGE_GIB",
    "KINDS",
    "Container",
    "DeploymentConfiguration",
    "DiscoveryRegistration",
    "HealthCheck",
    "Logging",
    "Service",
    "ServiceOut",
    "Services",
    "Target",
    "TaskDefinition",
    "TaskDefinitionOut",
    "TaskDefinitions",
]
