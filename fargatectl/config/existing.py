"""What `use` may name: existing things, by name, id or ARN."""

from __future__ import annotations

import re

_NAMESPACE_ID = re.compile(r"ns-[a-z0-9]{16,61}")


def name_in(reference: str) -> str:
    """Return the name (of a namespace: the id) in an ARN; what is no ARN is a name already.

    "shop" of "arn:aws:ecs:eu-central-1:123456789012:cluster/shop"; a load balancer has an id behind its name.
    """
    if not reference.startswith("arn:"):
        return reference
    kind, *parts = reference.split(":", 5)[5].split("/")
    return parts[1] if kind == "loadbalancer" else parts[0]


def is_namespace_id(reference: str) -> bool:
    """Tell whether it is the id of a Cloud Map namespace: Cloud Map API Reference, Namespace."""
    return _NAMESPACE_ID.fullmatch(reference) is not None
