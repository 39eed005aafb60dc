"""`[environments.NAME]` laid over the rest of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.config.findings import KeyPath

ROLLING_KEYS = frozenset({"circuit_breaker", "rollback"})
SHIFTING_KEYS = frozenset({"bake", "test", "hooks"})
STRATEGY_KEYS = {
    "rolling": ROLLING_KEYS,
    "blue_green": SHIFTING_KEYS,
    "linear": SHIFTING_KEYS | {"percent", "step_bake"},
    "canary": SHIFTING_KEYS | {"percent", "step_bake"},
}
"""Keys of `deploy` that belong to some strategies only."""
ANY_STRATEGY = frozenset[str]().union(*STRATEGY_KEYS.values())


def overlaid(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `overlay` over it.

    Tables merge, everything else is replaced (arrays of tables too), and `KEY = false` removes a table. Keys of a
    deployment strategy that the overlay turned off go with it.
    """
    merged = _merged(base, overlay)
    for name, service in _table(overlay.get("services")).items():
        strategy = _table(_table(service).get("deploy")).get("strategy")
        kept = STRATEGY_KEYS.get(strategy) if isinstance(strategy, str) else None
        if kept is not None:
            deploy = merged["services"][name]["deploy"]
            for key in ANY_STRATEGY - kept - service["deploy"].keys():
                deploy.pop(key, None)
    return merged


def _merged(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in overlay.items():
        below = base.get(key)
        if value is False and isinstance(below, dict):
            del merged[key]
        elif isinstance(value, dict):
            merged[key] = _merged(_table(below), value)
        else:
            merged[key] = value
    return merged


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def origin(path: KeyPath, overlay: Mapping[str, Any]) -> tuple[KeyPath, bool]:
    """Return how much of `path` the overlay itself has, and whether what follows can only be the overlay's too."""
    value: object = overlay
    for depth, part in enumerate(path):
        if isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return path[:depth], not isinstance(value, dict)
    return path, True
