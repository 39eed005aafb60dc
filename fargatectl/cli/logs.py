"""`logs`: what the containers say, of all tasks in one stream, and on and on with `--follow`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fargatectl.cli.context import require_account, target
from fargatectl.cli.signals import Interrupted
from fargatectl.cli.timeouts import since_of
from fargatectl.dataclass import dataclass
from fargatectl.errors import ExitCode, UsageError
from fargatectl.render import machine
from fargatectl.render.logs import LogPrinter
from fargatectl.rollout.tail import Selection, Tail, last_stopped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fargatectl.cli.context import Target
    from fargatectl.cli.options import LogsOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.model.logs import LogLine, LogSource

_TASK = re.compile(r"[0-9a-f]{1,32}")


def run(options: LogsOptions, surroundings: Surroundings) -> ExitCode:
    """Print the lines, and go on printing until Ctrl-C if they are followed."""
    pattern = _pattern(options)
    since = since_of(options.since, surroundings.clock())
    with target(options, surroundings) as there:
        require_account(there)
        sources = _sources(options, there, surroundings)
        selections = _selections(options, sources, there, surroundings)
        if not selections:
            return ExitCode.DONE
        stream = _Stream(Tail(there.aws, selections, since), there, surroundings, pattern)
        try:
            shown = stream.print(follow=options.follow)
        except Interrupted as asked:
            return asked.exit_code
        if not shown:
            _tell_of_nothing(stream.tail, options, there, surroundings)
    return ExitCode.DONE


def _pattern(options: LogsOptions) -> re.Pattern[str] | None:
    """Check what typer cannot; return the expression of `--grep`."""
    if options.task and not _TASK.fullmatch(options.task.rpartition("/")[2]):
        raise UsageError(f"--task {options.task}: a task's id has up to 32 hexadecimal digits")
    try:
        return re.compile(options.grep) if options.grep else None
    except re.error as error:
        message = f"--grep {options.grep}: no regular expression: {error}"
        raise UsageError(message, hint="put a \\ before characters that stand for themselves") from error


def _sources(options: LogsOptions, there: Target, surroundings: Surroundings) -> list[LogSource]:
    """Return where the services' lines can be read; of the others, say why not."""
    names = {view.name for view in there.views(options.service)}
    found = []
    for source in there.logs:
        if source.name in names and source.silent:
            surroundings.voice.prose(f"Nothing of {source.name}: {source.silent}.")
        elif source.name in names:
            found.append(source)
    return found


def _selections(
    options: LogsOptions, sources: Sequence[LogSource], there: Target, surroundings: Surroundings
) -> list[Selection]:
    task = options.task.rpartition("/")[2] if options.task else ""
    if not options.previous:
        return [one for source in sources for one in Selection.of(source, options.container or "", task)]
    found = []
    for source in sources:
        spec = there.stack.resources[next(view.service for view in there.views([source.name]))].spec
        last = last_stopped(there.aws, spec.cluster, spec.name)
        if last is None:
            surroundings.voice.prose(f"ECS remembers no task of {source.name} that has ended; it does so for an hour.")
        else:
            found += Selection.of(source, options.container or "", last)
    return found


@dataclass
class _Stream:
    """Prints what a tail brings."""

    tail: Tail
    there: Target
    surroundings: Surroundings
    pattern: re.Pattern[str] | None

    def __post_init__(self) -> None:
        voice = self.surroundings.voice
        self.printer = LogPrinter(self.there.aws.now(), brief=voice.out.is_terminal, pattern=self.pattern)

    def print(self, *, follow: bool) -> int:
        """Print until there is no more, or nobody reads any more; return how many lines that were."""
        shown = 0
        for line in self._lines(follow=follow):
            if self.pattern is None or self.pattern.search(line.message):
                shown += 1
                self._show(line)
        return shown

    def _lines(self, *, follow: bool) -> Iterator[LogLine]:
        voice = self.surroundings.voice
        while True:
            for line in self.tail.lines():
                yield line
                if voice.deaf:
                    return
            if not follow:
                return
            self.there.aws.sleep(self.tail.interval)

    def _show(self, line: LogLine) -> None:
        if self.surroundings.json:
            self.surroundings.voice.event(machine.log_line(line))
        else:
            self.surroundings.voice.data(self.printer.line(line))


def _tell_of_nothing(tail: Tail, options: LogsOptions, there: Target, surroundings: Surroundings) -> None:
    voice = surroundings.voice
    for group in sorted(tail.missing):
        voice.prose(f"There is no log group {group}: fargatectl deploy makes it.")
    if not tail.missing:
        what = f" that fits {options.grep}" if options.grep else ""
        voice.prose(f"{there.file}: nothing was said{what} within {options.since}. --since 1d looks further back.")
