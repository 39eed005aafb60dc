"""Which of CloudWatch's metrics are about a service: the dimensions that AWS's own metrics have for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.model import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.config.models import Metric, Service
    from fargatectl.model.values import Late
    from fargatectl.stack.shared import Shared

ECS = "AWS/ECS"
INSIGHTS = "ECS/ContainerInsights"
ELB = "AWS/ApplicationELB"

_OF_THE_BALANCER = ("HTTPCode_ELB_", "HTTP_", "ELBAuth", "IPv6", "Grpc", "DesyncMitigation", "DroppedInvalid")
_OF_THE_BALANCER_ALONE = frozenset(
    {
        "ActiveConnectionCount",
        "ClientTLSNegotiationErrorCount",
        "ConsumedLCUs",
        "ForwardedInvalidHeaderRequestCount",
        "NewConnectionCount",
        "NonStickyRequestCount",
        "PeakLCUs",
        "ProcessedBytes",
        "RejectedConnectionCount",
        "RuleEvaluations",
    }
)
"""ELB User Guide, CloudWatch metrics for your Application Load Balancer: these have no dimension TargetGroup."""


def dimensions(shared: Shared, name: str, service: Service, metric: Metric) -> Mapping[str, Late[str]]:
    """Return the dimensions of `metric` as the file has them; where it has none, in AWS's namespaces this service's."""
    if metric.dimensions:
        return dict(metric.dimensions)
    if metric.namespace in {ECS, INSIGHTS}:
        return of_service(shared, name)
    if metric.namespace == ELB and service.http:
        found = of_targets(shared, name, service.http.load_balancer)
        if metric.name in _OF_THE_BALANCER_ALONE or metric.name.startswith(_OF_THE_BALANCER):
            return {key: value for key, value in found.items() if key == "LoadBalancer"}
        return found
    return {}


def of_service(shared: Shared, name: str) -> dict[str, Late[str]]:
    """Return what ECS's metrics of the service `name` are told by."""
    return {"ClusterName": shared.config.cluster.name, "ServiceName": names.family(shared.stack.owner, name)}


def of_targets(shared: Shared, name: str, load_balancer: str) -> dict[str, Late[str]]:
    """Return what ELB's metrics of the service `name` are told by; new ones when either is replaced.

    Where ECS shifts requests between two groups, either may be without data: then it is the load balancer's as a whole.
    """
    balancer = shared.balancers[load_balancer]
    target = balancer.targets[name]
    if target.alternate is not None:
        return {"LoadBalancer": balancer.arn_suffix}
    return {"LoadBalancer": balancer.arn_suffix, "TargetGroup": target.target_group_suffix}
