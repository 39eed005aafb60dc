"""ECS services and the task definitions that they run."""

from fargatectl.reconcilers.service.container import Container, HealthCheck, Logging
from fargatectl.reconcilers.service.definition import (
    DEFAULT_STORAGE_GIB,
    TaskDefinition,
    TaskDefinitionOut,
    TaskDefinitions,
    describe_revision,
)
from fargatectl.reconcilers.service.job import JobDefinitions, declared_job
from fargatectl.reconcilers.service.operations import Answers, Counts, Restarts, Rollbacks, as_of
from fargatectl.reconcilers.service.service import DiscoveryRegistration, Service, ServiceOut, Services
from fargatectl.reconcilers.service.strategy import DeploymentConfiguration, Hook, Shifting, Target
from fargatectl.reconcilers.service.volume import Efs, Mount, Volume

KINDS = (TaskDefinitions(), JobDefinitions(), Services())
"""All kinds, in the order of creation."""

__all__ = [
    "DEFAULT_STORAGE_GIB",
    "KINDS",
    "Answers",
    "Container",
    "Counts",
    "DeploymentConfiguration",
    "DiscoveryRegistration",
    "Efs",
    "HealthCheck",
    "Hook",
    "JobDefinitions",
    "Logging",
    "Mount",
    "Restarts",
    "Rollbacks",
    "Service",
    "ServiceOut",
    "Services",
    "Shifting",
    "Target",
    "TaskDefinition",
    "TaskDefinitionOut",
    "TaskDefinitions",
    "Volume",
    "as_of",
    "declared_job",
    "describe_revision",
]
