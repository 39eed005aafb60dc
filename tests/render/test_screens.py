"""What people see, as text files: look at the difference when one of these fails, and keep what reads better."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import external_file

from fargatectl.errors import AwsFailure, ConfigError, ExitCode, NotFoundError, Refused, StillInProgress
from fargatectl.model.events import DeploymentEvent, StepEvent
from fargatectl.model.status import Load, Usage
from fargatectl.model.values import Address
from fargatectl.render import markdown, outcome, plan, problems, status
from fargatectl.render.outcome import Ending
from fargatectl.render.progress import Lines, Progress
from tests.render import samples

if TYPE_CHECKING:
    from rich.text import Text

WIDTHS = (60, 80, 100, 140)


def matches(name: str, shown: Text | str) -> None:
    text = shown if isinstance(shown, str) else shown.plain
    assert "\x1b" not in text
    lines = [line.rstrip() for line in text.splitlines()]
    assert "\n".join(lines) + "\n" == external_file(f"golden/{name}.txt")


@pytest.mark.parametrize("width", WIDTHS)
def test_plan(width: int) -> None:
    matches(f"plan-{width}", plan.screen(samples.PLAN, file="fargatectl.toml", width=width))


def test_plan_told_in_full() -> None:
    matches("plan-verbose", plan.screen(samples.PLAN, file="fargatectl.toml", width=100, verbose=True))


def test_plan_without_changes() -> None:
    matches("plan-empty", plan.screen(samples.EMPTY, file="fargatectl.toml", width=80))


def test_plan_as_markdown() -> None:
    matches("plan-markdown", markdown.plan(samples.PLAN))


def test_report_of_a_run_as_markdown() -> None:
    text = markdown.run(
        samples.PLAN, sentence="shop is up to date in 12 s.", services=[samples.WEB], failures=["alb.rule/web: no"]
    )
    matches("run-markdown", text)


@pytest.mark.parametrize("width", WIDTHS)
def test_status(width: int) -> None:
    services = [samples.WEB, samples.API, samples.WORKER, samples.BATCH]
    shown = status.screen(
        services,
        app="shop",
        environment="prod",
        where="123456789012 eu-central-1",
        now=samples.at(40),
        width=width,
    )
    matches(f"status-{width}", shown)


@pytest.mark.parametrize("width", WIDTHS)
def test_status_with_the_load(width: int) -> None:
    services = [samples.WEB, samples.API, samples.WORKER]
    shown = status.screen(
        services,
        app="shop",
        environment="prod",
        where="123456789012 eu-central-1",
        now=samples.at(40),
        width=width,
        usage=samples.USAGE,
    )
    matches(f"status-load-{width}", shown)


def test_a_load_without_values_says_why() -> None:
    first = Usage({"api": Load()})
    shown = status.screen(
        [samples.API], app="shop", environment=None, where="1 eu", now=samples.START, width=80, usage=first
    )
    assert "  cpu, memory: no values yet, CloudWatch is a minute or two behind\n" in shown.plain


@pytest.mark.parametrize("width", WIDTHS)
def test_progress_on_a_terminal(width: int) -> None:
    progress = Progress("shop · prod · 123456789012 eu-central-1", samples.START)
    for event in samples.EVENTS:
        progress.apply(event)
    matches(f"progress-{width}", progress.screen(now=samples.at(48), width=width, height=40))


def test_a_rollout_took_as_long_as_it_took_whatever_else_goes_on() -> None:
    progress = Progress("shop", samples.START)
    moving = next(event for event in samples.EVENTS if isinstance(event, DeploymentEvent))
    progress.apply(replace(moving, began=samples.at(11)))
    progress.apply(replace(moving, at=samples.at(41), rollout=replace(moving.rollout, stage="failed", over=True)))
    (line,) = progress.screen(now=samples.at(300), width=80, height=40).plain.splitlines()[1:]
    assert line.startswith("  ✗ rollout of web  failed")
    assert line.endswith(" 30 s")


@pytest.mark.parametrize("height", range(4, 16))
def test_a_low_terminal_shows_what_goes_on(height: int) -> None:
    progress = Progress("shop", samples.START)
    for event in samples.EVENTS:
        progress.apply(event)
    shown = progress.screen(now=samples.at(48), width=80, height=height).plain
    assert len(shown.splitlines()) <= height
    assert "rule 100 of web" in shown
    assert height < 7 or "load balancer public creating" in shown


def test_two_hundred_rollouts_are_told_in_one_screen() -> None:
    progress = Progress("shop", samples.START)
    moving = next(event for event in samples.EVENTS if isinstance(event, DeploymentEvent))
    for number in range(200):
        progress.apply(replace(moving, service=replace(moving.service, name=f"s{number:03}")))
    shown = progress.screen(now=samples.at(48), width=80, height=24).plain.splitlines()
    assert len(shown) <= 24
    named = sum(" s0" in line for line in shown)
    assert f"{200 - named} more rollouts under way" in shown[-1]
    assert named > 10


def test_what_does_not_fit_is_counted_and_what_is_to_come() -> None:
    progress = Progress("shop", samples.START, steps=1109)
    done = next(event for event in samples.EVENTS if isinstance(event, StepEvent) and event.state == "done")
    for number in range(200):
        progress.apply(replace(done, address=Address(f"logs.group/s{number}")))
    shown = progress.screen(now=samples.at(48), width=80, height=24).plain.splitlines()
    assert shown[1] == "  … 178 more done, 909 to come"
    assert len(shown) == 24


@pytest.mark.parametrize("verbose", [False, True], ids=["log", "log-verbose"])
def test_progress_in_a_log(verbose: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    lines = Lines(samples.START, verbose=verbose)
    told = [lines.line(event) for event in (*samples.EVENTS, samples.EVENTS[-1])]
    told.append(lines.reminder(samples.at(45)))
    told.append(lines.reminder(samples.at(90)))
    name = "progress-log-verbose" if verbose else "progress-log"
    matches(name, "\n".join(line.plain for line in told if line is not None))


def test_silence_is_broken_only_while_something_goes_on() -> None:
    lines = Lines(samples.START)
    assert lines.reminder(samples.at(600)) is None


def ending(exit_code: ExitCode, **rest: object) -> Ending:
    return replace(Ending(plan=samples.PLAN, exit_code=exit_code, seconds=72.4), **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", WIDTHS)
def test_end_of_a_good_deploy(width: int) -> None:
    sentence, table = outcome.good(ending(ExitCode.DONE, services=[samples.WEB, samples.API]), width=width)
    matches(f"good-{width}", f"{sentence.plain}\n{table.plain}")


def test_nothing_to_do() -> None:
    sentence, _ = outcome.good(ending(ExitCode.DONE, plan=samples.EMPTY), width=80)
    assert sentence.plain == "shop is up to date. Nothing to change."


def test_handed_over() -> None:
    sentence, _ = outcome.good(ending(ExitCode.DONE, handed_over=True), width=80)
    assert sentence.plain == (
        "shop · prod is handed over to AWS after 1 m 12 s: its rollouts go on there. "
        "Follow them: fargatectl deploy --attach."
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_a_failed_rollout(width: int) -> None:
    end = ending(
        ExitCode.FAILED,
        failed={"service.service/web": samples.CRASHED},
        undone=["service.service/web", "scaling.policy/memory"],
        services=[samples.API],
    )
    matches(f"rollout-failed-{width}", outcome.bad(end, width=width))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_refusal_of_aws_in_the_middle(width: int) -> None:
    failed = {"alb.rule/web": samples.TOO_MANY_RULES}
    end = ending(ExitCode.AWS, failed=failed, undone=["alb.rule/web", "service.service/web"])
    matches(f"partial-{width}", outcome.bad(end, width=width))


def test_one_reason_for_many_failures_is_told_once() -> None:
    failed = {f"alb.rule/{n}": AwsFailure("AWS could not be reached") for n in range(9)}
    shown = outcome.bad(ending(ExitCode.AWS, failed=failed), width=80).plain
    assert shown.count("AWS could not be reached") == 1


def test_interrupted() -> None:
    matches("interrupted", outcome.bad(ending(ExitCode.INTERRUPTED, undone=["service.service/web"]), width=80))


def test_out_of_time() -> None:
    failed = {"service.service/web": StillInProgress("the rollout of web is still in progress and goes on in AWS")}
    matches("detached", outcome.bad(ending(ExitCode.IN_PROGRESS, failed=failed, services=[samples.WEB]), width=80))


@pytest.mark.parametrize("width", WIDTHS)
def test_what_a_destroy_takes_away(width: int) -> None:
    nouns = {
        "service.service": "service",
        "service.task_definition": "task definition",
        "iam.role": "role",
        "scaling.policy": "scaling policy",
        "alb.target_group": "target group",
        "alb.rule": "listener rule",
    }
    shown = outcome.farewell(
        samples.PLAN,
        subject="shop · prod",
        nouns=nouns,
        tasks={"service.service": 5},
        stays={"kept": ["log group /shop/web"], "in use": [], "not ours": ["vpc main", "secret shop/db"]},
        width=width,
    )
    matches(f"farewell-{width}", shown)


def test_nothing_is_left() -> None:
    matches("gone", outcome.gone("shop · prod", ["log group /shop/web"], width=80))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_file_with_mistakes(width: int) -> None:
    error = ConfigError("fargatectl.toml has 2 problems.", samples.PROBLEMS)
    matches(f"problems-{width}", problems.error(error, ExitCode.USAGE, width=width))


def test_warnings() -> None:
    matches("warnings", problems.warnings(samples.PROBLEMS[-1:], file="fargatectl.toml", width=80))


def test_refused() -> None:
    error = Refused(
        "not ours, and left alone: role shop-web-task (iam.role/web) belongs to the app blog", hint="rename"
    )
    matches("refused", problems.error(error, ExitCode.REFUSED, width=80))


def test_refused_by_aws() -> None:
    matches("aws", problems.error(samples.TOO_MANY_RULES, ExitCode.AWS, width=80))


def test_something_the_file_names_does_not_exist() -> None:
    error = NotFoundError("there is no secret shop/db", path="services.web.secrets.DATABASE_URL")
    matches("not-found", problems.error(error, ExitCode.USAGE, width=80, file="fargatectl.toml"))


@pytest.mark.parametrize("width", WIDTHS)
def test_screens_fit_the_terminal(width: int) -> None:
    """All but single words that are longer than a line: those stay whole, to be copied."""
    services = [samples.WEB, samples.API, samples.WORKER, samples.BATCH]
    shown = [
        plan.screen(samples.PLAN, file="fargatectl.toml", width=width),
        status.screen(services, app="shop", environment=None, where="1 eu", now=samples.START, width=width),
        outcome.bad(ending(ExitCode.FAILED, failed={"x": samples.CRASHED}, services=services), width=width),
    ]
    for line in (line for screen in shown for line in screen.plain.splitlines()):
        assert len(line.rstrip()) <= width, line
