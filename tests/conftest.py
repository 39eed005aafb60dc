"""How the suite runs: with little time for what proves nothing."""

from __future__ import annotations

import gc

from tests.haste import hasten

_GARBAGE = 100_000  # objects between two looks for unreachable cycles: models of AWS, hundreds of thousands, all stay


def pytest_configure() -> None:
    hasten()


def pytest_collection_finish() -> None:
    gc.set_threshold(_GARBAGE)
    gc.freeze()
