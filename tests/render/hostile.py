"""Text that means harm, and every renderer fed with it: a piece of its own for each field that others can fill."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rich.text import Text

from fargatectl.errors import AwsFailure, ConfigError, ExitCode, NotFoundError, Problem, RolloutFailed
from fargatectl.model.change import Action, Change, Delta, FieldChange
from fargatectl.model.diagnosis import Diagnosis
from fargatectl.model.events import DeploymentEvent, LogEvent, RolloutProgress, StepEvent
from fargatectl.model.history import DeploymentOutcome, PastDeployment
from fargatectl.model.insights import QueryResult, ReadyQuery
from fargatectl.model.jobs import JobEnd, JobRun, JobStatus
from fargatectl.model.logs import LogLine
from fargatectl.model.spec import Effect
from fargatectl.model.status import DeploymentStatus, Load, ServiceEvent, ServiceState, ServiceStatus, Usage
from fargatectl.model.values import Address
from fargatectl.render import history, insights, job, logs, machine, markdown, outcome, plan, problems, report, status
from fargatectl.render.outcome import Ending
from fargatectl.render.progress import Lines, Progress
from tests.render import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from fargatectl.model.plan import Plan

PIECES = (
    "\x1b]0;title\x07",
    "\x1b[2J",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJmIH4=\x07",
    "\x1bP+q544e\x1b\\",
    "\x9b31m",
    "\x9d0;title\x9c",
    "\b\b\b\b",
    "\r\n::set-env name=A::b",
    "\n::add-mask::x",
    "::set-output name=x::y",
    "##vso[task.complete]",
    "x##vso[task.setvariable variable=a]b",
    "##[group]x",
    "\u202egnp.exe",
    "\u2066\u2067\u2068\u2069",
    "\u200f\u061c",
    "\u2028",
    "\x85",
    "[red]markup[/red]",
    "[/]",
    "[link=https://evil.example]here[/link]",
    ":smile:",
    ":warning:",
    "\x7f",
    "\x00",
    "\ud800",
    "\U000e0041",
    "a|b`c``d",
    "<script>",
    "</details>",
    "@everyone",
    "[x](https://evil.example)",
    '{"a": [1, null]}',
    "wide 日本語 text",
    " ",
    "\t",
    "x" * 90,
)
_CHARS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x2030), *range(0x2060, 0x2070))]


@dataclass
class Fields:
    """A source of hostile texts that counts how many it gave."""

    random: Random
    given: int = 0

    def __call__(self) -> str:
        self.given += 1
        parts = self.random.choices(PIECES, k=self.random.randint(1, 3))
        return "".join([*parts, *self.random.choices(_CHARS, k=self.random.randint(0, 3)), str(self.given)])


def always(text: str) -> Callable[[], str]:
    """Return a source that gives `text` for every field."""
    return lambda: text


def a_plan(field: Callable[[], str], actions: tuple[Action, ...] = tuple(Action)[1:]) -> Plan:
    """Return a plan with a change of each kind, and settings of each shape."""
    changes = tuple(
        Change(
            Address(f"x.y/{field()}"),
            action,
            Effect.NEW_DEPLOYMENT,
            field(),
            Delta(
                [
                    FieldChange(field(), field(), field()),
                    FieldChange(field(), (field(), {field(): field()}), (field(), {field(): [field()]})),
                    FieldChange(f"env.{field()}", None, field()),
                    FieldChange(field(), field(), None, forces_replacement=True),
                    FieldChange(field(), None, None, known_after_apply=True),
                    FieldChange(field(), field(), field(), sensitive=True),
                ]
            ),
            field(),
            field(),
        )
        for action in actions
    )
    named = replace(samples.PLAN, app=field(), environment=field(), account=field(), region=field())
    return replace(named, changes=changes, notes=(field(), field()))


def a_service(field: Callable[[], str], state: ServiceState) -> ServiceStatus:
    return ServiceStatus(
        name=field(),
        state=state,
        task_definition=field(),
        image=field(),
        url=field(),
        deployment=DeploymentStatus(field(), field(), 1, samples.START, field()),
        discovery=field(),
        events=tuple(ServiceEvent(samples.START, field()) for _ in range(3)),
    )


def a_diagnosis(field: Callable[[], str]) -> Diagnosis:
    evidence = tuple(field() for _ in range(20))
    return Diagnosis(field(), field(), evidence, field(), fix=field(), code=field())


def past_deployments(field: Callable[[], str]) -> list[PastDeployment]:
    return [
        PastDeployment(
            service=field(),
            id=field(),
            revision=field(),
            outcome=ended,
            created_at=samples.START,
            reason=field(),
            task_definition=field(),
            image=field(),
            digest=field(),
            registered_by=field(),
        )
        for ended in DeploymentOutcome
    ]


def a_failure(field: Callable[[], str]) -> AwsFailure:
    return AwsFailure(field(), operation=field(), code=field(), address=field(), hint=field())


def a_config_error(field: Callable[[], str]) -> ConfigError:
    found = [Problem(field(), field(), field(), field(), 1, severity) for severity in ("error", "warning")]
    return ConfigError(field(), [*found, Problem(field())])


def a_result(field: Callable[[], str]) -> QueryResult:
    columns = (field(), field(), field())
    return QueryResult(field(), columns, tuple({name: field() for name in columns} for _ in range(3)), 1, 2, 3_000)


def a_line(field: Callable[[], str]) -> LogLine:
    return LogLine(field(), samples.START, field(), field(), field(), field())


def some_jobs(field: Callable[[], str]) -> list[JobStatus]:
    runs = [
        JobRun(field(), field(), samples.START, stopped, code, field())
        for stopped, code in [(None, None), (samples.START, 1), (samples.START, None)]
    ]
    return [JobStatus(field(), field(), field(), field(), 1, run) for run in (*runs, None)]


def an_end(field: Callable[[], str]) -> JobEnd:
    return JobEnd({"taskArn": field(), "containers": [{"reason": field()}]}, 1, 2.0)


def events(field: Callable[[], str]) -> list[Any]:
    service, moved = (
        a_service(field, ServiceState.DEPLOYING),
        RolloutProgress(field(), field(), 1, 1, 1, 1, 1, field(), 1),
    )
    failed = a_failure(field)
    return [
        StepEvent(Address(field()), "create", "began", samples.START, field()),
        StepEvent(Address(field()), "create", "done", samples.START, field(), field()),
        StepEvent(Address(field()), "create", "failed", samples.START, field(), error=failed),
        StepEvent(Address(field()), "create", "skipped", samples.START, field(), because=Address(field())),
        LogEvent(field(), samples.START),
        LogEvent(field(), samples.START, "warning"),
        DeploymentEvent(service, samples.START, moved),
    ]


def an_ending(field: Callable[[], str], made: Plan) -> Ending:
    rollout = RolloutFailed(field(), diagnosis=a_diagnosis(field), hint=field())
    failed = {made.changes[0].address: a_failure(field), field(): a_failure(field), "b": rollout}
    services = [a_service(field, state) for state in ServiceState]
    undone = [change.address for change in made.changes]
    return Ending(plan=made, exit_code=ExitCode.AWS, seconds=1, failed=failed, undone=undone, services=services)


def screens(field: Callable[[], str], width: int) -> Iterator[Text]:
    """Yield everything that a terminal may be shown."""
    made = a_plan(field)
    yield plan.screen(made, file=field(), width=width)
    yield plan.screen(a_plan(field), file=field(), width=width, verbose=True)
    yield plan.screen(a_plan(field, ()), file=field(), width=width)
    yield from _progress(field, width)
    services = [a_service(field, state) for state in ServiceState]
    yield status.screen(
        [], jobs=some_jobs(field), app=field(), environment=None, where=field(), now=samples.START, width=width
    )
    yield status.screen(
        services, jobs=some_jobs(field), app=field(), environment=field(), where=field(), now=samples.START, width=width
    )
    yield status.screen(
        services,
        app=field(),
        environment=None,
        where=field(),
        now=samples.START,
        width=width,
        usage=Usage({"web": Load((1.0,))}, field()),
    )
    end = an_ending(field, made)
    yield outcome.bad(end, width=width)
    yield outcome.bad(replace(end, exit_code=ExitCode.INTERRUPTED), width=width)
    yield from outcome.good(replace(end, exit_code=ExitCode.DONE), width=width)
    yield outcome.why([(field(), a_diagnosis(field)), (field(), None)], width=width)
    yield outcome.why([(field(), a_diagnosis(field))], width=width, full=True)
    stays = {"kept": [field()], "not ours": [field()]}
    yield outcome.farewell(made, subject=field(), nouns={}, tasks={"service.service": 1}, stays=stays, width=width)
    yield outcome.well(field(), 1.0)
    yield history.screen([(field(), past_deployments(field)), (field(), [])], width=width)
    yield history.screen([(field(), past_deployments(field))], width=width, verbose=True)
    yield outcome.left({field(): field()}, width=width)
    yield outcome.gone(field(), [field()], width=width)
    yield job.output(a_line(field))
    yield insights.table(a_result(field), width=width)
    yield insights.ready([ReadyQuery(field(), field(), field())])
    yield Text(insights.counts(a_result(field), since=field()))
    yield Text(insights.progress(a_result(field)))
    for brief in (True, False):
        yield logs.LogPrinter(samples.START, brief=brief, pattern=re.compile("e")).line(a_line(field))
    yield job.ended(field(), field(), 1.0, good=True)
    yield job.not_started(field(), a_diagnosis(field), width=width)
    wrong = a_config_error(field)
    yield problems.error(wrong, ExitCode.USAGE, width=width)
    yield problems.error(a_failure(field), ExitCode.AWS, width=width)
    yield problems.error(NotFoundError(field(), path=field(), hint=field()), ExitCode.USAGE, width=width, file=field())
    yield problems.warnings(wrong.problems, file=field(), width=width)


def _progress(field: Callable[[], str], width: int) -> Iterator[Text]:
    progress, lines = Progress(field(), samples.START), Lines(samples.START, verbose=True)
    for event in events(field):
        progress.apply(event)
        line = lines.line(event)
        if line is not None:
            yield line
    reminder = lines.reminder(samples.at(100))
    assert reminder is not None
    yield reminder
    yield lines.say(field(), samples.at(101))
    yield progress.screen(now=samples.at(9), width=width, height=30)


def documents(field: Callable[[], str]) -> Iterator[dict[str, Any]]:
    """Yield everything that a machine may be given."""
    made = a_plan(field)
    yield machine.plan_event(made)
    yield from map(machine.event, events(field))
    services = [a_service(field, state) for state in ServiceState]
    yield machine.status(
        services, jobs=some_jobs(field), app=field(), environment=field(), account=field(), region=field()
    )
    yield machine.log_line(a_line(field))
    yield machine.ready_queries([ReadyQuery(field(), field(), field())])
    yield machine.query(a_result(field), text=field(), name=field(), groups=[field()])
    yield machine.job_result(field(), field(), an_end(field), a_diagnosis(field))
    yield machine.job_result(field(), field(), task=field())
    yield machine.why([a_diagnosis(field)], app=field(), environment=field())
    yield a_report(field)
    yield machine.history(past_deployments(field), app=field(), environment=field())
    wrong = a_config_error(field)
    yield machine.validation(wrong.problems)
    for error in (wrong, a_failure(field), NotFoundError(field(), path=field())):
        yield machine.error_document(machine.failure(error))
    end = an_ending(field, made)
    yield machine.result(
        "failed",
        ExitCode.AWS,
        failed=list(end.failed.items()),
        skipped=[(field(), field())],
        services=end.services,
        kept=[field()],
        remaining={field(): field()},
    )


def a_report(field: Callable[[], str]) -> dict[str, Any]:
    failed = [
        (field(), RolloutFailed(field(), diagnosis=a_diagnosis(field), hint=field())),
        (field(), a_failure(field)),
    ]
    services = [a_service(field, state) for state in ServiceState]
    ended = machine.result(field(), ExitCode.AWS, failed=failed, services=services)
    return report.document(a_plan(field), events(field), ended, began=samples.START, ended=samples.at(90))


def pages(field: Callable[[], str]) -> Iterator[str]:
    """Yield everything that is written as Markdown or HTML."""
    made = a_plan(field)
    yield markdown.plan(made)
    yield markdown.run(
        made, sentence=field(), services=[a_service(field, state) for state in ServiceState], failures=[field()]
    )
    yield report.page(a_report(field))
