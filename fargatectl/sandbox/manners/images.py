"""Images of ECR (AWS: ECR API Reference, DescribeImages)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call


@HANDLERS.handles("ecr", "DescribeImages")
def describe_images(region: Region, call: Call, forward: Forward) -> Answer:
    """Return images of the registry that is asked for: the caller's own, or another account's."""
    registry = call.params.get("registryId") or region.account
    if registry == region.account:
        return forward()
    return region.cloud.region(registry, region.name).moto("ecr", "DescribeImages", **call.params)
