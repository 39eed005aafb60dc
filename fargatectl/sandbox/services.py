"""Which parts of the local AWS are ours: importing a module registers its handlers."""

from __future__ import annotations

import importlib

_MODULES = (
    "fargatectl.sandbox.sts",
    "fargatectl.sandbox.manners.paging",
    "fargatectl.sandbox.manners.constraints",
    "fargatectl.sandbox.manners.roles",
    "fargatectl.sandbox.targets",
    "fargatectl.sandbox.autoscaling.targets",
    "fargatectl.sandbox.autoscaling.policies",
    "fargatectl.sandbox.autoscaling.actions",
    "fargatectl.sandbox.autoscaling.steps",
    "fargatectl.sandbox.schedules",
    "fargatectl.sandbox.cloudwatch.alarms",
    "fargatectl.sandbox.cloudwatch.dashboards",
    "fargatectl.sandbox.cloudwatch.metrics",
    "fargatectl.sandbox.dns.zones",
    "fargatectl.sandbox.dns.records",
    "fargatectl.sandbox.manners.certificates",
    "fargatectl.sandbox.cloudmap.namespaces",
    "fargatectl.sandbox.cloudmap.services",
    "fargatectl.sandbox.ecs.clusters",
    "fargatectl.sandbox.ecs.definitions",
    "fargatectl.sandbox.ecs.services",
    "fargatectl.sandbox.ecs.rollouts",
    "fargatectl.sandbox.ecs.tasks",
    "fargatectl.sandbox.ecs.tagging",
    "fargatectl.sandbox.tagging",
    "fargatectl.sandbox.manners.load_balancers",
    "fargatectl.sandbox.manners.target_groups",
    "fargatectl.sandbox.manners.listeners",
    "fargatectl.sandbox.manners.security_groups",
    "fargatectl.sandbox.manners.parameters",
    "fargatectl.sandbox.manners.policies",
    "fargatectl.sandbox.manners.attributes",
    "fargatectl.sandbox.manners.access_logs",
    "fargatectl.sandbox.manners.secrets",
    "fargatectl.sandbox.manners.log_groups",
    "fargatectl.sandbox.manners.images",
    "fargatectl.sandbox.insights.queries",
)


def load() -> None:
    """Register all handlers; again and again is fine."""
    for module in _MODULES:
        importlib.import_module(module)
