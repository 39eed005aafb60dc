"""A plot of wall times by the number of services, drawn as SVG by hand: no library is worth one picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.bench.phases import FIRST, IMAGE, NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.phases import Measured

_WIDTH, _HEIGHT, _MARGIN = 640, 360, 56
_COLOURS = {FIRST: "#1f6feb", NOTHING: "#2da44e", IMAGE: "#bf8700"}
_LATENCY = 0.05


def write(path: Path, found: Sequence[Measured]) -> None:
    """Draw the phases at 50 ms, both axes logarithmic."""
    lines = {
        phase: sorted(
            (one.setting.services, one.run.wall)
            for one in found
            if one.phase == phase and one.setting.latency == _LATENCY and not one.setting.per_connection
        )
        for phase in _COLOURS
    }
    points = [point for line in lines.values() for point in line]
    if not points:
        return
    across = _Axis([float(number) for number, _ in points], _MARGIN, _WIDTH - _MARGIN)
    upward = _Axis([wall for _, wall in points], _HEIGHT - _MARGIN, _MARGIN)
    parts = [*_ticks(across, upward, sorted({number for number, _ in points}))]
    for place, (phase, line) in enumerate(lines.items()):
        spots = [(across.at(number), upward.at(wall)) for number, wall in line]
        path_of = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        colour = _COLOURS[phase]
        parts.append(f'<polyline points="{path_of}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in spots]
        parts.append(_text(_MARGIN + 12, _MARGIN + 4 + 18 * place, phase, colour=colour))
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box}>'
    frame = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    path.write_text("\n".join([head, frame, *parts, "</svg>\n"]), encoding="utf-8")


class _Axis:
    """From a value to a place on the picture."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low, self.high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))
        self.high = max(self.high, self.low * 10)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        share = math.log10(value / self.low) / math.log10(self.high / self.low)
        return self._start + share * (self._end - self._start)

    def decades(self) -> list[float]:
        """Return the powers of ten that the axis shows."""
        return [10.0**power for power in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]


def _ticks(across: _Axis, upward: _Axis, numbers: Sequence[int]) -> list[str]:
    parts = []
    for wall in upward.decades():
        y = upward.at(wall)
        parts.append(f'<line x1="{_MARGIN}" x2="{_WIDTH - _MARGIN}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d0d7de"/>')
        parts.append(_text(_MARGIN - 8, y + 4, f"{wall:g} s", anchor="end"))
    below = _HEIGHT - _MARGIN + 20
    parts += [_text(across.at(number), below, str(number), anchor="middle") for number in numbers]
    parts.append(_text(_WIDTH / 2, _HEIGHT - 12, "services in one file (50 ms a call)", anchor="middle"))
    return parts


def _text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = "#24292f") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'
