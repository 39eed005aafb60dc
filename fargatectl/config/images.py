"""The images of a file, and whose credentials pull them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.model.images import parse

if TYPE_CHECKING:
    from fargatectl.config.models import Config


def registry_for(config: Config, image: str) -> str | None:
    """Return the first of `[registries]` with a pattern that fits `image`, as written or in canonical form."""
    reference = parse(image)
    named = ((name, pattern) for name, registry in config.registries.items() for pattern in registry.match)
    return next((name for name, pattern in named if reference.matches(pattern)), None)


def images(config: Config) -> list[str]:
    """Return the images of all containers, each once."""
    found: dict[str, None] = {}
    for service in config.services.values():
        found |= dict.fromkeys([service.image, *(sidecar.image for sidecar in service.sidecars.values())])
    return list(found)
