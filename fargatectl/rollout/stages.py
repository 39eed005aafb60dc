"""The stages of a deployment that shifts requests, in people's words (ECS API Reference, ServiceDeployment)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS = {
    "TEST_TRAFFIC_SHIFT": "moving test requests",
    "POST_TEST_TRAFFIC_SHIFT": "test requests moved",
    "PRODUCTION_TRAFFIC_SHIFT": "moving requests",
    "POST_PRODUCTION_TRAFFIC_SHIFT": "all requests moved",
    "BAKE_TIME": "all requests moved, old tasks kept",
}


def stage_of(record: Mapping[str, Any] | None) -> str:
    """Return where a service deployment is in moving requests, with their share; empty where it moves none now."""
    words = _WORDS.get((record or {}).get("lifecycleStage", ""), "")
    share = (record or {}).get("targetServiceRevision", {}).get("requestedProductionTrafficWeight")
    if words == "moving requests" and share:
        return f"{words}: {share:g} %"
    return words
