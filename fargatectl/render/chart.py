"""A rollout as a drawing: how many tasks of the new and the old revision there were, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.render.words import count, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT, _MARGIN = 640, 96, 4
_LINES = (  # the last is on top; readers without our style sheet draw it, too
    ("wanted", 3, 'fill="none" stroke="#888" stroke-dasharray="3 4"'),
    ("old", 2, 'fill="none" stroke="#9a6700" stroke-width="2"'),
    ("new", 1, 'fill="none" stroke="#1a7f37" stroke-width="2"'),
)


def chart(points: Sequence[tuple[float, int, int, int]]) -> str:
    """Return an SVG of steps. A point is a moment in seconds, healthy new tasks, running old ones, and wanted ones."""
    first, last = points[0][0], points[-1][0]
    most = max(1, *(max(new, old, wanted) for _, new, old, wanted in points))
    across = (_WIDTH - 2 * _MARGIN) / max(last - first, 1)
    up = (_HEIGHT - 2 * _MARGIN) / most

    def steps(place: int) -> str:
        path: list[str] = []
        for point in points:
            x, y = _MARGIN + (point[0] - first) * across, _HEIGHT - _MARGIN - point[place] * up
            path.append(f"M{x:.1f} {y:.1f}" if not path else f"H{x:.1f} V{y:.1f}")
        return f"{' '.join(path)} H{_WIDTH - _MARGIN}"

    label = f"{duration(last - first)}, up to {count(most, 'task')}"
    lines = [(kind, steps(place), looks) for kind, place, looks in _LINES if any(point[place] for point in points)]
    drawn = "".join(f'<path class="{kind}" d="{path}" {looks}/>' for kind, path, looks in lines)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{drawn}</svg><p class="dim">{label}</p>'
    )
