"""ECS services and the task definitions that they run."""

from fargatectl.reconcilers.service.definition import (
    Container,
    HealthCheck,
    Logging,
    TaskDefinition,
    TaskDefinitionOut,
    TaskDefinitions,
)
from fargatectl.reconcilers.service.service import (
    Capacity,
    DeploymentConfiguration,
    DiscoveryRegistration,
    Service,
    ServiceOut,
    Services,
    Target,
)

__all__ = [
    "Capacity",
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
