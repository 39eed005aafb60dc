"""The deployments of services as a table: the newest first, and what runs now marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.model.history import DeploymentOutcome as Outcome
from fargatectl.render.escape import escape
from fargatectl.render.layout import columns, fitted, joined, with_cut, wrap
from fargatectl.render.words import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.model.history import PastDeployment

_COLUMNS = ("when", "revision", "image", "outcome", "took", "registered by")
_WORDS = {
    Outcome.RUNNING: ("in progress", "yellow"),
    Outcome.ROLLING_BACK: ("rolling back", "red"),
    Outcome.SUCCEEDED: ("succeeded", "green"),
    Outcome.FAILED: ("failed", "red"),
    Outcome.ROLLED_BACK: ("rolled back", "red"),
    Outcome.ROLLBACK_FAILED: ("rollback failed", "red"),
    Outcome.STOPPED: ("stopped", "yellow"),
}
_NONE = "\N{EN DASH}"
_DIGEST = 12  # hexadecimal digits, as many as tell images apart
_NARROWEST_IMAGE = 11


def screen(found: Sequence[tuple[str, Sequence[PastDeployment]]], *, width: int, verbose: bool = False) -> Text:
    """Return a table for each service. `verbose` adds ECS's reasons and the whole digests."""
    lines: list[Text] = []
    for name, deployments in found:
        lines += [Text(escape(name), "bold")]
        if not deployments:
            lines += [Text("  no deployment: it is not in AWS, or ECS remembers none", "dim"), Text()]
            continue
        table = _table(deployments, width)
        lines.append(table[0])
        for one, line in zip(deployments, table[1:], strict=True):
            lines += [line, *(_more(one, width) if verbose else ())]
        lines.append(Text())
    return joined(lines[:-1])


def _table(deployments: Sequence[PastDeployment], width: int) -> list[Text]:
    rows = [[Text(name, "dim") for name in _COLUMNS], *map(_cells, deployments)]
    place = _COLUMNS.index("image")
    narrower = [row[:-1] for row in rows]
    return (
        fitted(rows, width, shrink=place, least=_NARROWEST_IMAGE)
        or fitted(narrower, width, shrink=place, least=_NARROWEST_IMAGE)
        or columns([with_cut(row, place, _NARROWEST_IMAGE) for row in narrower])
    )


def _cells(one: PastDeployment) -> list[Text]:
    words, style = _WORDS[one.outcome]
    revision = Text(escape(one.name) or _NONE, "bold" if one.current else "")
    if one.current:
        revision.append(" ←", "green")
    digest = one.digest.removeprefix("sha256:")[:_DIGEST]
    image = f"{one.image}@{digest}" if digest and "@" not in one.image else one.image
    return [
        Text(one.created_at.astimezone().strftime("%Y-%m-%d %H:%M")),
        revision,
        Text(escape(_without_registry(image)) or _NONE),
        Text(words, style),
        Text(duration(one.seconds) if one.seconds is not None else _NONE),
        Text(escape(one.registered_by.rpartition("/")[2]) or _NONE, "dim"),
    ]


def _without_registry(image: str) -> str:
    host, slash, rest = image.partition("/")
    return rest if slash and ("." in host or ":" in host) else image


def _more(one: PastDeployment, width: int) -> list[Text]:
    told = [text for text in (one.reason, one.digest, one.registered_by, one.id) if text]
    return [Text(line, "dim") for text in told for line in wrap(escape(text), width, indent="    ")]
