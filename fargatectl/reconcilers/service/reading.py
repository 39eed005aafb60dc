"""Reading ECS services ten at a time; definition, service and health share one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.session import chunks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from types_boto3_ecs.type_defs import ServiceTypeDef

    from fargatectl.aws.session import Aws

_DESCRIBE_SERVICES_MAX = 10  # ECS API Reference, DescribeServices: services


def describe(aws: Aws, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ServiceTypeDef]:
    """Return (cluster, name) → service for those of `wanted` that ECS still shows, INACTIVE and DRAINING included."""
    names: dict[str, list[str]] = {}
    for cluster, name in sorted(set(wanted)):
        names.setdefault(cluster, []).append(name)
    batches = [
        (cluster, tuple(batch))
        for cluster, all_of_it in names.items()
        for batch in chunks(all_of_it, _DESCRIBE_SERVICES_MAX)
    ]
    found: dict[tuple[str, str], ServiceTypeDef] = {}
    for (cluster, _), services in zip(batches, aws.each(lambda batch: _batch(aws, *batch), batches), strict=True):
        found |= {(cluster, service["serviceName"]): service for service in services}
    return found


def _batch(aws: Aws, cluster: str, names: tuple[str, ...]) -> list[ServiceTypeDef]:
    def ask() -> list[ServiceTypeDef]:
        try:
            return aws.ecs.describe_services(cluster=cluster, services=list(names), include=["TAGS"])["services"]
        except ClientError as error:
            if says(error, "ClusterNotFoundException"):
                return []
            raise

    return aws.reads.once(("services", cluster, names), ask)
