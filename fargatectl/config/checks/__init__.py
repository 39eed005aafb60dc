"""Everything about the file that can be checked without AWS, beyond the shape of single values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fargatectl.config.findings import Finding
    from fargatectl.config.models import Config


def check(config: Config, environment: str | None) -> list[Finding]:
    """Return what is wrong or worth a warning in a completed config."""
    return []
