"""A plot of wall times by the number of services, drawn as SVG by hand: no library is worth one picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.bench.phases import DESTROY, FIRST, IMAGE, NOTHING
from tests.bench.proxy import Network

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.bench.phases import Measured

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 620, 64, 356
_COLOURS = {FIRST: "#0969da", NOTHING: "#1a7f37", IMAGE: "#bc4c00", DESTROY: "#8250df"}
_INK, _FAINT, _GRID = "#1f2328", "#59636e", "#d8dee4"
_NETWORK = Network(0.05)
_LINE_HEIGHT = 15.0
_BURST, _A_SECOND = 10, 0.95
"""What a run takes of ECS's rate for revisions: so many at once, and so many a second from then on."""

Line = list[tuple[float, float]]


def write(path: Path, found: Sequence[Measured]) -> None:
    """Draw the phases at 50 ms, both axes logarithmic, and how fast ECS takes revisions."""
    lines = {phase: _line(found, phase) for phase in _COLOURS}
    lines = {phase: line for phase, line in lines.items() if line}
    if not lines:
        return
    points = [point for line in lines.values() for point in line]
    across, upward = _Axis([x for x, _ in points], _LEFT, _RIGHT), _Axis([y for _, y in points], _BOTTOM, _TOP)
    pace = _pace(across, upward)
    parts = [*_heading(paced=bool(pace)), *_grid(across, upward, sorted({x for x, _ in points})), *pace]
    for phase, line in lines.items():
        parts += _curve([(across.at(x), upward.at(y)) for x, y in line], _COLOURS[phase])
    parts += _labels(lines, across, upward)
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="system-ui, sans-serif" font-size="12"'
    frame = f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="white"/>'
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">', frame, *parts, "</svg>\n"]
    path.write_text("\n".join(svg), encoding="utf-8")


def _line(found: Iterable[Measured], phase: str) -> Line:
    of_phase = [one for one in found if one.phase == phase and one.setting.network == _NETWORK]
    return sorted((one.setting.services, one.run.wall) for one in of_phase)


class _Axis:
    """From a value to a place on the picture."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low, self.high = min(values) * 0.8, max(max(values) * 1.1, min(values) * 10)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        share = math.log10(value / self.low) / math.log10(self.high / self.low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        """Return the round values that the axis shows."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        values = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
        return [value for value in values if self.low <= value <= self.high]


def _heading(*, paced: bool) -> list[str]:
    title = _text(20, 28, "How long a run takes, by the number of services in one file", size=15, weight=600)
    below = "whole processes, 50 ms for each call to AWS; both axes logarithmic"
    below += "; dashed: ECS takes one new revision a second" if paced else ""
    return [title, _text(20, 46, below, colour=_FAINT)]


def _grid(across: _Axis, upward: _Axis, numbers: Sequence[float]) -> list[str]:
    parts = []
    for wall in upward.ticks():
        y = upward.at(wall)
        parts.append(f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_GRID}"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{wall:g} s", anchor="end", colour=_FAINT))
    parts += [_text(across.at(number), _BOTTOM + 20, f"{number:g}", anchor="middle") for number in numbers]
    parts.append(_text((_LEFT + _RIGHT) / 2, _BOTTOM + 42, "services", anchor="middle", colour=_FAINT))
    return parts


def _pace(across: _Axis, upward: _Axis) -> list[str]:
    """Draw how long ECS takes to accept a new revision of each service."""
    shown = [(number, (number - _BURST) / _A_SECOND) for number in range(_BURST + 1, math.floor(across.high) + 1)]
    spots = [(across.at(number), upward.at(wall)) for number, wall in shown if upward.low <= wall <= upward.high]
    return [_path(spots, _FAINT, 'stroke-dasharray="3 4"')] if len(spots) > 1 else []


def _curve(spots: Line, colour: str) -> list[str]:
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}" stroke="white"/>' for x, y in spots]
    return [_path(spots, colour, 'stroke-width="2.5" stroke-linejoin="round"'), *dots]


def _path(spots: Line, colour: str, more: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" {more}/>'


def _labels(lines: dict[str, Line], across: _Axis, upward: _Axis) -> list[str]:
    """Write at each line's end what it is: on the right, or above it where others go on."""
    parts = []
    last = max(line[-1][0] for line in lines.values())
    beside = _apart({phase: upward.at(line[-1][1]) for phase, line in lines.items() if line[-1][0] == last})
    for phase, line in lines.items():
        number, wall = line[-1]
        words = f"{phase}, {wall:.{1 if wall < 10 else 0}f} s"
        x, y, anchor = across.at(number), upward.at(wall), "end"
        if phase in beside:
            x, y, anchor = x + 10, beside[phase] + 12, "start"
        parts.append(_text(x, y - 8, words, anchor=anchor, colour=_COLOURS[phase], weight=600))
    return parts


def _apart(places: dict[str, float]) -> dict[str, float]:
    """Move labels that would lie on each other apart, downward."""
    found: dict[str, float] = {}
    last = -math.inf
    for name, y in sorted(places.items(), key=lambda one: one[1]):
        last = found[name] = max(y, last + _LINE_HEIGHT)
    return found


def _text(  # noqa: PLR0913 - what SVG knows of a text
    x: float, y: float, words: str, *, anchor: str = "start", colour: str = _INK, size: int = 12, weight: int = 400
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}" font-size="{size}" font-weight="{weight}">{words}</text>'
