"""`run`: one task of a job, its lines as they come, and its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.aws.errors import explain
from fargatectl.cli.context import target
from fargatectl.cli.failures import tell
from fargatectl.errors import ExitCode, UsageError
from fargatectl.model.events import LogEvent
from fargatectl.render import job as screens, machine
from fargatectl.render.console import width_of
from fargatectl.rollout.jobs import NotPlaced, Watch, diagnose, how, locate, start, token_of

if TYPE_CHECKING:
    from fargatectl.cli.context import Target
    from fargatectl.cli.options import RunOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.model.diagnosis import Diagnosis
    from fargatectl.model.jobs import JobEnd, JobView
    from fargatectl.model.logs import LogLine


def run(options: RunOptions, surroundings: Surroundings) -> int:
    """Run a job and return its container's exit code; 125 for whatever keeps it from starting."""
    try:
        with target(options, surroundings) as there:
            return _Run(options, there, surroundings).run()
    except Exception as error:  # noqa: BLE001 - explained; a bug of ours is raised again by explain
        return tell(explain(error), surroundings, ExitCode.NOT_STARTED)


class _Run:
    def __init__(self, options: RunOptions, there: Target, surroundings: Surroundings) -> None:
        self.options = options
        self.there = there
        self.aws = there.aws
        self.surroundings = surroundings
        self.voice = surroundings.voice
        self.view = locate(there.aws, there.stack, there.executor, self._named(options.job))

    def _named(self, name: str) -> JobView:
        found = next((view for view in self.there.jobs if view.name == name), None)
        if found is None:
            known = ", ".join(view.name for view in self.there.jobs) or "none"
            raise UsageError(f"{self.there.file} has no job {name}", hint=f"it has {known}")
        return found

    def run(self) -> int:
        signals = self.surroundings.signals
        with signals.winding_up(lambda: self.say("stopping the task; Ctrl-C again leaves it running")):
            signals.writing = True
            token = token_of(self.aws, self.view)
            started = start(self.aws, self.view, token=token, command=self.options.command or ())
            self.voice.stop_waiting()
            if isinstance(started, NotPlaced):
                return self._not_started(diagnose(self.aws, self.view, started.as_task(self.view), self.there.place))
            arn = started["taskArn"]
            self.say(f"{self.view.name}: started task {arn.rpartition('/')[2]}")
            if self.options.no_wait:
                return self._handed_over(arn)
            if self.view.output.silent:
                self.say(f"its lines cannot be shown: {self.view.output.silent}")
            end = Watch(
                self.aws,
                self.view,
                started,
                lines=self.output,
                moved=lambda state: self.say(f"{self.view.name}: {state.lower()}"),
                warn=self.say,
                stopped=lambda: signals.received is not None,
            ).run()
        return self._ended(end)

    def say(self, sentence: str) -> None:
        """Tell people what goes on, and machines too."""
        if self.surroundings.json:
            self.voice.event(machine.event(LogEvent(sentence, self.aws.now())))
        else:
            self.voice.aside(sentence)

    def output(self, line: LogLine) -> None:
        """Pass on a line of the container."""
        if self.surroundings.json:
            self.voice.event(machine.log_line(line))
        else:
            self.voice.data(screens.output(line))

    def _ended(self, end: JobEnd) -> int:
        if end.exit_code is None and not (end.interrupted or end.timed_out):
            return self._not_started(diagnose(self.aws, self.view, end.task, self.there.place), end)
        code = self._code(end)
        if self.surroundings.json:
            outcome = "interrupted" if end.interrupted else "failed" if code else "succeeded"
            self.voice.event(machine.job_result(self.view.name, outcome, end))
        elif not self.surroundings.quiet or code:
            self.voice.prose(screens.ended(self.view.name, how(end), end.seconds, good=code == 0))
        return code

    def _code(self, end: JobEnd) -> int:
        received = self.surroundings.signals.received
        if received is not None:
            return int(received)
        if end.exit_code is None:
            return int(ExitCode.NOT_STARTED)
        # A container that ends well when it is told to stop has not done its work.
        return end.exit_code or (int(ExitCode.FAILED) if end.timed_out else 0)

    def _not_started(self, diagnosis: Diagnosis, end: JobEnd | None = None) -> int:
        if self.surroundings.json:
            self.voice.event(machine.job_result(self.view.name, "failed", end, diagnosis))
        else:
            message = f"the job {self.view.name} never started"
            self.voice.prose(screens.not_started(message, diagnosis, width=width_of(self.voice.err)))
        return int(ExitCode.NOT_STARTED)

    def _handed_over(self, arn: str) -> int:
        if self.surroundings.json:
            self.voice.event(machine.job_result(self.view.name, "detached", task=arn.rpartition("/")[2]))
        return int(ExitCode.DONE)
