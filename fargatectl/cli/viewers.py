"""Whoever watches a run: a person at a terminal, a person reading a log later, or a machine.

Events come from many threads, and from signal handlers; one thread of the viewer's own shows them, so that nothing
waits for a slow terminal and no two lines are mixed up. A reader who goes away ends the showing, never the run.
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol, Self

from fargatectl.render import machine
from fargatectl.render.console import Redrawn, is_redrawable, show, width_of
from fargatectl.render.progress import Lines, Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

    from rich.console import Console

    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.model.events import Event

_TICK_SECONDS = 0.1
_LINES_TICK_SECONDS = 1.0
_ROOM_BESIDE = 3  # cells for the "^C" that a terminal echoes: on a line of its own it would push the screen up
_ROOM_BELOW = 2  # lines that stay free at the bottom of a terminal


class View(Protocol):
    """Shows events to one kind of reader; called by one thread only."""

    tick_seconds: float

    def show(self, event: Event) -> None:
        """Show what happened."""

    def tick(self) -> None:
        """Show that time passes."""

    def close(self) -> None:
        """Leave the screen as it shall stay."""


class Viewer:
    """Brings events to a view. Use as a context: at its end everything has been shown."""

    def __init__(self, view: View | None) -> None:
        self._view = view
        self.told: list[Event] = []
        """Everything that was to be shown, for a report."""
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="viewer", daemon=True)

    def emit(self, event: Event) -> None:
        """Have `event` shown. Never blocks, never fails."""
        self.told.append(event)
        self._events.put(event)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._events.put(None)
        self._thread.join()

    def _run(self) -> None:
        view = self._view
        try:
            while (event := self._next(view)) is not None:
                if view is not None:
                    view.show(event)
            if view is not None:
                view.close()
        except (OSError, ValueError):
            self._discard()  # the reader went away, or closed the stream

    def _next(self, view: View | None) -> Event | None:
        while True:
            try:
                return self._events.get(timeout=None if view is None else view.tick_seconds)
            except Empty:
                if view is not None:
                    view.tick()

    def _discard(self) -> None:
        while self._events.get() is not None:
            pass


class Events:
    """For machines: one JSON document a line."""

    tick_seconds = 3600.0

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def show(self, event: Event) -> None:
        """Print the event."""
        self._surroundings.voice.event(machine.event(event))

    def tick(self) -> None:
        """Print nothing: machines have time."""

    def close(self) -> None:
        """Leave it at that."""


class Log:
    """For a log that is read from top to bottom: one line a fact."""

    tick_seconds = _LINES_TICK_SECONDS

    def __init__(self, console: Console, clock: Callable[[], datetime], *, verbose: bool) -> None:
        self._console = console
        self._clock = clock
        self._lines = Lines(clock(), verbose=verbose)

    def show(self, event: Event) -> None:
        """Print the line of the event, if it says something new."""
        line = self._lines.line(event)
        if line is not None:
            show(self._console, line)

    def tick(self) -> None:
        """Remind of what is waited for."""
        line = self._lines.reminder(self._clock())
        if line is not None:
            show(self._console, line)

    def close(self) -> None:
        """Leave it at that."""


class Screen:
    """For a person at a terminal: one screen, redrawn in place, which stays when the run is over."""

    tick_seconds = _TICK_SECONDS

    def __init__(self, console: Console, clock: Callable[[], datetime], title: str, steps: int) -> None:
        self._console = console
        self._clock = clock
        self._progress = Progress(title, clock(), steps=steps)
        self._live: Redrawn | None = None

    def show(self, event: Event) -> None:
        """Take the event in and redraw."""
        self._progress.apply(event)
        self.tick()

    def tick(self) -> None:
        """Redraw; the first time, take over the lines of the screen."""
        height = self._console.height - _ROOM_BELOW
        width = min(width_of(self._console), self._console.width - _ROOM_BESIDE)
        text = self._progress.screen(now=self._clock(), width=width, height=height)
        if self._live is None:
            self._console.line()
            self._live = Redrawn(self._console)
        self._live.update(text)

    def close(self) -> None:
        """Leave the last screen standing."""
        if self._live is not None:
            self._live.close()


def viewer(surroundings: Surroundings, title: str, steps: int) -> Viewer:
    """Return the viewer that fits whoever reads a run of so many steps."""
    if surroundings.json:
        return Viewer(Events(surroundings))
    if surroundings.quiet:
        return Viewer(None)
    console = surroundings.voice.err
    if is_redrawable(console, surroundings.environ):
        return Viewer(Screen(console, surroundings.clock, title, steps))
    return Viewer(Log(console, surroundings.clock, verbose=surroundings.verbose))
