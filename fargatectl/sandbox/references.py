"""What a file refers to and the local AWS lacks, made with placeholder values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region


def provision(_region: Region, _references: Mapping[str, Any]) -> list[str]:
    """Create what is missing; returns a sentence for each thing made."""
    return []
