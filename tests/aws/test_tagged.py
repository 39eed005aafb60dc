"""What the tagging API shows, whichever services a Region's one knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox.inprocess import LocalAws
from tests.local import make_aws

if TYPE_CHECKING:
    from collections.abc import Sequence


def shown(types: Sequence[str]) -> tuple[set[str], list[str | None]]:
    local = LocalAws()
    aws = make_aws(local)
    aws.ecs.create_cluster(clusterName="shop", tags=[{"key": "app", "value": "shop"}])
    aws.logs.create_log_group(logGroupName="/shop", tags={"app": "shop"})
    local.calls.clear()
    found = aws.tagged({"app": "shop"}, types)
    assert {tags["app"] for tags in found.values()} == {"shop"}
    return {arn.split(":")[2] for arn in found}, [call.error for call in local.calls]


def test_only_what_is_asked_for() -> None:
    assert shown(["ecs:cluster"]) == ({"ecs"}, [None])


def test_a_region_that_does_not_know_a_service_is_asked_for_everything() -> None:
    assert shown(["ecs:cluster", "quantum"]) == ({"ecs", "logs"}, ["InvalidParameterException", None])
