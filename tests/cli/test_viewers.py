from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from fargatectl.cli.viewers import Viewer
from fargatectl.model.events import LogEvent
from tests.render import samples

if TYPE_CHECKING:
    from fargatectl.model.events import Event
    from tests.cli.conftest import Shell

TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "90", "LINES": "30"}


class Notes:
    """A view that remembers; it breaks when it is asked to show what it cannot."""

    tick_seconds = 0.01

    def __init__(self, *, breaks: bool = False) -> None:
        self.shown: list[Event] = []
        self.threads: set[str] = set()
        self.breaks = breaks
        self.closed = False

    def show(self, event: Event) -> None:
        if self.breaks:
            raise BrokenPipeError
        self.threads.add(threading.current_thread().name)
        self.shown.append(event)

    def tick(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def test_everything_is_shown_in_order_by_one_thread_before_the_end() -> None:
    view = Notes()
    events = [LogEvent(str(n), samples.START) for n in range(200)]
    with Viewer(view) as viewer:
        for event in events:
            viewer.emit(event)
    assert view.shown == events
    assert view.threads == {"viewer"}
    assert view.closed


def test_a_reader_that_goes_away_does_not_stop_the_run() -> None:
    with Viewer(Notes(breaks=True)) as viewer:
        for event in samples.EVENTS:
            viewer.emit(event)


def test_a_terminal_is_redrawn_and_keeps_the_last_screen(shell: Shell) -> None:
    shell.environ = {**TERMINAL, "NO_COLOR": ""}
    done = shell("deploy", typed="y\n")
    assert done.code == 0
    assert "\x1b[?25l" in done.err  # the cursor is hidden while the screen is redrawn …
    assert done.err.rindex("\x1b[?25h") > done.err.rindex("\x1b[?25l")  # … and comes back
    assert "rollout of web" in done.err
    assert "[00:0" not in done.err


def test_a_ci_system_gets_lines_even_on_a_terminal(shell: Shell) -> None:
    shell.environ = {**TERMINAL, "CI": "true"}
    done = shell("deploy", "--yes", typed="")
    assert "\x1b[?25l" not in done.err
    assert "[00:0" in done.err


def test_the_width_of_the_terminal_is_kept(shell: Shell) -> None:
    done = shell("deploy", "--yes", width=70)
    plan = done.err.split("[00:0", 1)[0]
    assert all(len(line) <= 70 for line in plan.splitlines()), plan


def test_streams_without_a_terminal_hold_no_escape_codes(shell: Shell) -> None:
    shell.environ = {"NO_COLOR": ""}
    done = shell("deploy", "--yes")
    assert "\x1b" not in done.out + done.err
