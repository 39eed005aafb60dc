"""What an image's name says: which registry it comes from, and whose credentials fetch it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fargatectl.config.models import Config

DOCKER_HUB = "docker.io"
_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|on\.aws)"
)


@dataclass(frozen=True, slots=True)
class Image:
    """An image reference in its parts, as Docker reads it: without a registry it is on Docker Hub."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def canonical(self) -> str:
        """The whole name: `nginx` is `docker.io/library/nginx:latest`."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag or ('' if digest else ':latest')}{digest}"

    @property
    def ecr(self) -> tuple[str, str] | None:
        """Account and Region of a private ECR registry, None for any other registry."""
        found = _ECR.fullmatch(self.registry)
        return (found["account"], found["region"]) if found else None


def parse(image: str) -> Image:
    """Return the parts of an image's name."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, path = first, rest
    else:
        registry, path = DOCKER_HUB, name if slash else f"library/{name}"
    repository, _, tag = path.partition(":")
    return Image(registry, repository, tag or None, digest or None)


def registry_for(config: Config, image: str) -> str | None:
    """Return the first of `[registries]` with a pattern that fits `image`, as written or in canonical form."""
    forms = (image, parse(image).canonical)
    for name, registry in config.registries.items():
        if any(fnmatchcase(form, pattern) for pattern in registry.match for form in forms):
            return name
    return None


def images(config: Config) -> list[str]:
    """Return the images of all containers, each once."""
    found: dict[str, None] = {}
    for service in config.services.values():
        found |= dict.fromkeys([service.image, *(sidecar.image for sidecar in service.sidecars.values())])
    return list(found)
