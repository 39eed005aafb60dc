"""Why a deployment failed, as a value: cause, evidence, fix, and what is serving now."""

from __future__ import annotations

from typing import Literal, TypeAlias

from fargatectl.dataclass import dataclass

Confidence: TypeAlias = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Diagnosis:
    """One failed deployment explained. `fix` is empty where none is known; `serving` says what answers now.

    `code` names the cause for machines: "image-not-found", "unknown".
    """

    service: str
    cause: str
    evidence: tuple[str, ...]
    serving: str
    fix: str = ""
    confidence: Confidence = "low"
    code: str = "unknown"
