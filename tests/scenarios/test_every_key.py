"""Every key of the file is deployed by some scenario, which looks at what AWS has then."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from tests.docs.test_config_reference import KEYS
from tests.scenarios import (
    test_blocks,
    test_existing,
    test_public_blocks,
    test_requested_certificate,
    test_service_blocks,
)
from tests.scenarios.blocks import BASE, PUBLIC
from tests.scenarios.test_full import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEN_ELSEWHERE = {
    "protect": "tests/cli/test_destroy.py",
    "require_environment": "tests/config/test_problems.py",
    "services.*.deploy.hooks.pause": "tests/cli/test_shifting.py",
}
"""Keys whose scenario is another one, for what they do is no setting of a resource, or ends a deploy."""
REFUSED = {"services.*.scaling.custom.metric.period", "services.*.scaling.custom.metric.periods"}
"""What the models have because a table is shared, and `validate` refuses there."""


def texts() -> Iterator[str]:
    yield from (FULL.read_text(), test_existing.USED, test_existing.OWN, test_requested_certificate.ASKED)
    for block in (*test_blocks.BLOCKS, *test_service_blocks.BLOCKS):
        yield block.within(BASE)
    for block in test_public_blocks.BLOCKS:
        yield block.within(PUBLIC)


def paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from paths(item, path)


def test_every_key_is_deployed() -> None:
    used = {path for text in texts() for path in paths(tomllib.loads(text))}

    def is_used(key: tuple[str, ...]) -> bool:
        return any(
            len(path) == len(key) and all(wanted in {"*", part} for wanted, part in zip(key, path, strict=True))
            for path in used
        )

    missing = {".".join(key) for key in KEYS if not is_used(key)}
    assert missing == {*SEEN_ELSEWHERE, *REFUSED}


def test_what_is_seen_elsewhere_is_named_there() -> None:
    for key, path in SEEN_ELSEWHERE.items():
        assert key.rpartition(".")[2] in (FULL.parents[1] / path).read_text(), key
