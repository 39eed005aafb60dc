"""The tables of `docs/local-aws.md`, from the data that they show: `python -m tests.sandbox.page` writes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fargatectl.sandbox.fidelity import SERVICES
from fargatectl.sandbox.settings import KEYS
from tests.sandbox.refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fargatectl.sandbox.fidelity import Row

PAGE = Path(__file__).parents[2] / "docs" / "local-aws.md"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |".replace("  ", " ")


def _row(row: Row) -> tuple[str, ...]:
    return ", ".join(f"`{name}`" for name in row.operations), row.faithful, row.simpler


def operations() -> Iterator[str]:
    for service in SERVICES:
        yield from (f"#### {service.title} (`{service.name}`)", "", f"After: {service.source}.", "")
        yield from _table(("Operations", "As AWS", "Simpler than AWS"), map(_row, service.ours))
        yield ""
        if service.moto:
            yield from _table(("Answered by moto", "As AWS", "Simpler than AWS"), map(_row, service.moto))
            yield ""


def refusals() -> Iterator[str]:
    rows = ((row.fact, row.page, f"`{row.code}`") for row in REFUSALS)
    yield from _table(("Fact", "AWS's page", "Code"), rows)


def settings() -> Iterator[str]:
    rows = ((f"`{key.pattern}={key.value}`", key.meaning) for key in KEYS.values())
    yield from _table(("Key", "What happens"), rows)


PARTS = {"operations": operations, "refusals": refusals, "settings": settings}


def written(text: str) -> str:
    """Return the page with its tables as they should be."""
    for name, part in PARTS.items():
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        after = rest.partition("<!-- end -->")[2]
        text = "\n".join([f"{before}<!-- {name} -->", *part(), f"<!-- end -->{after}"])
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
