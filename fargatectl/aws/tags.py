"""The shapes in which AWS's services spell tags, and one shape for us: a dict. AWS's own `aws:` tags are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def pairs(tags: Mapping[str, str]) -> list[Any]:
    """Return tags as `Key`/`Value` pairs (EC2, ELB, IAM, Cloud Map, Secrets Manager)."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def ecs_pairs(tags: Mapping[str, str]) -> list[Any]:
    """Return tags as ECS spells them: `key`/`value`."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def as_dict(listed: Iterable[Any] | None) -> dict[str, str]:
    """Return tags of either spelling as a dict."""
    found = {}
    for tag in listed or ():
        key = tag["Key"] if "Key" in tag else tag["key"]
        if not key.startswith("aws:") or key.startswith("aws:cloudformation:"):
            found[key] = tag.get("Value", tag.get("value", ""))
    return found
