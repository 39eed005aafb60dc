"""ECS services and the task definitions that they run."""

from fargatectl.reconcilers.service.container import Container, HealthCheck, Logging
from fargatectl.reconcilers.service.definition import (
    DEFAULT_STORAGE_GIB,
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
from fargatectl.reconcilers.service.volume import Efs, Mount, Volume

KINDS = (TaskDefinitions(), Services())
"""All kinds, in the order of creation."""

__all__ = [
    "DEFAULT_STORAGE_GIB",
    "KINDS",
    "Container",
    "DeploymentConfiguration",
    "DiscoveryRegistration",
    "Efs",
    "HealthCheck",
    "Logging",
    "Mount",
    "Service",
    "ServiceOut",
    "Services",
    "Target",
    "TaskDefinition",
    "TaskDefinitionOut",
    "TaskDefinitions",
    "Volume",
]
