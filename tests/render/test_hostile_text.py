"""Whatever AWS, the file or a log line holds: no control character reaches the terminal, and nothing ever raises."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings, strategies as st

from fargatectl.errors import AwsFailure, ConfigError, ExitCode, Problem, RolloutFailed
from fargatectl.model.change import Action, Change, Delta, FieldChange
from fargatectl.model.diagnosis import Diagnosis
from fargatectl.model.events import DeploymentEvent, LogEvent, RolloutProgress, StepEvent
from fargatectl.model.spec import Effect
from fargatectl.model.status import DeploymentStatus, ServiceEvent, ServiceState, ServiceStatus
from fargatectl.model.values import Address
from fargatectl.render import machine, markdown, outcome, plan, problems, status
from fargatectl.render.console import make_console, show
from fargatectl.render.escape import escape
from fargatectl.render.outcome import Ending
from fargatectl.render.progress import Lines, Progress
from tests.render import samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
COMMAND = re.compile(r"^\s*(::\w|##\w*\[)", re.MULTILINE)
PIECES = [
    "\x1b]0;title\x07",
    "\x1b[2J",
    "\x9b31m",
    "\r\n::set-env name=A::b",
    "::add-mask::x",
    "##vso[task.complete]",
    "\u202egnp.exe",
    "\u2028",
    "[red]markup[/red]",
    "[/]",
    ":smile:",
    "\x7f",
    "\ud800",
    "a|b`c``d",
    "<script>",
    "@everyone",
    '{"a": [1, null]}',
    "wide 日本語 text",
    " ",
    "\t",
    "x" * 300,
]
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=6).map("".join)


def screens(text: str, width: int) -> Iterator[Text]:
    change = Change(
        Address(text),
        Action.UPDATE,
        Effect.NEW_DEPLOYMENT,
        text,
        Delta([FieldChange(text, text, (text, {text: text})), FieldChange(f"env.{text}", None, text)]),
        text,
        text,
    )
    made = replace(
        samples.PLAN,
        app=text,
        environment=text,
        account=text,
        region=text,
        changes=(change, replace(change, action=Action.CREATE), replace(change, action=Action.DELETE)),
        notes=(text,),
    )
    service = ServiceStatus(
        name=text,
        state=ServiceState.FAILED,
        task_definition=text,
        image=text,
        url=text,
        deployment=DeploymentStatus(text, text, 1, samples.START, text),
        discovery=text,
        events=(ServiceEvent(samples.START, text),),
    )
    failure = AwsFailure(text, operation=text, code=text, address=text, hint=text)
    rollout = RolloutFailed(text, diagnosis=Diagnosis(text, text, (text,), text, text), hint=text)
    progress, lines = Progress(text, samples.START), Lines(samples.START, verbose=True)
    moved = RolloutProgress(text, text, 1, 1, 1, 1, 1, text, 1)
    for event in (
        StepEvent(Address(text), "create", "began", samples.START, text),
        StepEvent(Address("b"), "create", "done", samples.START, text, text),
        StepEvent(Address("c"), "create", "failed", samples.START, text, error=failure),
        StepEvent(Address("d"), "create", "skipped", samples.START, text, because=Address(text)),
        LogEvent(text, samples.START),
        DeploymentEvent(service, samples.START, moved),
    ):
        progress.apply(event)
        line = lines.line(event)
        if line is not None:
            yield line
    reminder = lines.reminder(samples.at(100))
    assert reminder is not None
    yield reminder
    yield progress.screen(now=samples.at(9), width=width, height=30)
    yield plan.screen(made, file=text, width=width)
    yield plan.screen(made, file=text, width=width, verbose=True)
    yield status.screen([service], app=text, environment=text, where=text, now=samples.START, width=width)
    end = Ending(plan=made, exit_code=ExitCode.AWS, seconds=1, failed={text: failure, "b": rollout}, services=[service])
    yield outcome.bad(replace(end, undone=[text]), width=width)
    yield from outcome.good(replace(end, exit_code=ExitCode.DONE), width=width)
    yield outcome.farewell(made, subject=text, nouns={}, tasks=1, stays={"kept": [text]}, width=width)
    yield outcome.gone(text, [text], width=width)
    yield problems.error(ConfigError(text, [Problem(text, text, text, text, 1)]), ExitCode.USAGE, width=width)
    yield problems.error(failure, ExitCode.AWS, width=width)
    yield problems.warnings([Problem(text, text, text, text)], file=text, width=width)


@settings(deadline=None, max_examples=60)
@given(hostile, st.sampled_from([60, 80, 140]))
@example("".join(PIECES), 60)
def test_no_control_character_reaches_a_terminal(text: str, width: int) -> None:
    stream = io.StringIO()
    console = make_console(stream, {"NO_COLOR": "1", "COLUMNS": str(width)})
    for screen in screens(text, width):
        show(console, screen)
    printed = stream.getvalue()
    assert {char for char in printed if unicodedata.category(char) in UNSAFE} <= {"\n"}
    assert not COMMAND.search(printed)


@given(hostile)
@example("".join(PIECES))
def test_escaped_text_is_one_safe_line_and_what_is_harmless_stays(text: str) -> None:
    shown = escape(text)
    assert not [char for char in shown if unicodedata.category(char) in UNSAFE]
    assert escape(shown) == shown


@pytest.mark.parametrize("text", ["arn:aws:iam::123456789012:role/x", "a # b", "日本語", "it's [fine] :ok:", "c::d"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert escape(text) == text


def test_what_is_escaped_can_still_be_read() -> None:
    assert escape("a\x1b[0m\nb\tc\u202e") == "a\\x1b[0m␤b c\\u202e"


@settings(deadline=None)
@given(hostile)
@example("".join(PIECES))
def test_json_survives_and_says_the_same(text: str) -> None:
    made = replace(samples.PLAN, app=text, notes=(text,))
    printed = machine.dump(machine.plan(made))
    assert {char for char in printed if unicodedata.category(char) in UNSAFE} <= {"\n"}
    assert json.loads(printed)["app"] == text


@settings(deadline=None)
@given(hostile)
@example("".join(PIECES))
def test_markdown_holds_no_html_of_others_and_its_tables_stay_whole(text: str) -> None:
    change = Change(Address(text), Action.UPDATE, Effect.NONE, text, Delta([FieldChange(text, text, text)]), text, text)
    printed = markdown.plan(replace(samples.PLAN, changes=(change,), notes=(text,)))
    assert {char for char in printed if unicodedata.category(char) in UNSAFE} <= {"\n"}
    outside_code = re.sub(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", printed.replace("\\<", ""))
    assert "<script" not in outside_code
    [row] = [line for line in printed.splitlines() if line.startswith("| `~`")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5


def test_markdown_mentions_nobody() -> None:
    assert markdown.prose("@everyone *now*") == r"\@everyone \*now\*"
    assert markdown.code("a`b|c") == r"``a`b\|c``"
