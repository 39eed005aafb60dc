"""Which alarms `[alarms]` makes for a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fargatectl.config.models import Alarms, Service

KEYS = {"unhealthy-targets": "unhealthy_targets", "5xx": "errors_5xx", "cpu": "cpu_above"}
"""What is watched, as names of alarms have it, and the key with the threshold."""
OF_REQUESTS = frozenset({"unhealthy-targets", "5xx"})
"""What only services with `http` have."""


def watches(alarms: Alarms | None, service: Service) -> dict[str, float]:
    """Return what of `service` is watched, with the thresholds."""
    wanted = {what: getattr(alarms, key) for what, key in KEYS.items()} if alarms else {}
    return {
        what: threshold
        for what, threshold in wanted.items()
        if threshold is not None and (service.http is not None or what not in OF_REQUESTS)
    }
