"""Which parts of the local AWS are ours: importing a module registers its handlers."""

from __future__ import annotations

import importlib

_MODULES = ("fargatectl.sandbox.sts",)


def load() -> None:
    """Register all handlers; again and again is fine."""
    for module in _MODULES:
        importlib.import_module(module)
