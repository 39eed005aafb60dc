"""Whatever AWS, the file or a log line holds: no control character reaches the terminal, and nothing ever raises."""

from __future__ import annotations

import inspect
import io
import json
import re
import sys
import unicodedata
from dataclasses import replace
from importlib import import_module
from itertools import chain
from pkgutil import iter_modules
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from rich.text import Text

import fargatectl.render
from fargatectl.model.change import Action, Change, Delta, FieldChange
from fargatectl.model.spec import Effect
from fargatectl.model.values import Address
from fargatectl.render import machine, markdown
from fargatectl.render.console import make_console, show
from fargatectl.render.escape import escape, escape_text
from tests.render import hostile, samples

if TYPE_CHECKING:
    from collections.abc import Iterator

UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
COMMAND = re.compile(r"^\s*::\w|##[\w\[]", re.MULTILINE)
"""What GitHub obeys at the beginning of a line, and it and Azure Pipelines anywhere."""
texts = st.lists(st.sampled_from(hostile.PIECES) | st.text(max_size=12), max_size=6).map("".join)
EVERYTHING = "".join(hostile.PIECES)


def require_harmless(printed: str) -> None:
    unsafe = {char for char in set(printed) if unicodedata.category(char) in UNSAFE} - {"\n"}
    assert not unsafe
    assert not COMMAND.search(printed)


def on_a_terminal(screens: Iterator[Text], width: int) -> str:
    stream = io.StringIO()
    console = make_console(stream, {"NO_COLOR": "1", "COLUMNS": str(width)})
    for screen in screens:
        assert screen.plain == escape_text(screen.plain), "a renderer leaves it to the console to escape"
        show(console, screen)
    return stream.getvalue()


def test_ten_thousand_hostile_fields_are_harmless_in_every_renderer() -> None:
    fields = hostile.Fields(Random(1))  # noqa: S311 - repeatable
    while fields.given < 10_000:
        width = fields.random.choice([60, 80, 140])
        require_harmless(on_a_terminal(hostile.screens(fields, width), width))
        for page in hostile.pages(fields):
            require_harmless(page)
        for document in hostile.documents(fields):
            printed = (machine.dump(document), machine.line(document))
            for text in printed:
                require_harmless(text)
                assert json.loads(text) == document


def test_no_renderer_is_left_out() -> None:
    """One that is missing here gets its hostile fields in `tests/render/hostile.py`."""
    called: set[Any] = set()
    fields = hostile.Fields(Random(1))  # noqa: S311 - repeatable
    sys.setprofile(lambda frame, event, _: called.add(frame.f_code) if event == "call" else None)
    try:
        for _ in chain(hostile.screens(fields, 80), hostile.pages(fields)):
            pass
        for document in hostile.documents(fields):
            machine.dump(document), machine.line(document)
    finally:
        sys.setprofile(None)
    assert not [name for name, function in renderers() if function.__code__ not in called]


def renderers() -> Iterator[tuple[str, Any]]:
    """Yield the public functions that turn values into what somebody reads."""
    for found in iter_modules(fargatectl.render.__path__, "fargatectl.render."):
        for name, function in inspect.getmembers(import_module(found.name), inspect.isfunction):
            shows = {"Text", "str", "list[Text]", "Document"} & {str(inspect.signature(function).return_annotation)}
            if function.__module__ == found.name != escape.__module__ and not name.startswith("_") and shows:
                yield f"{found.name}.{name}", function


@pytest.mark.parametrize("text", ["", " ", ":", "::x", EVERYTHING], ids=["empty", "space", "colon", "command", "all"])
def test_no_control_character_reaches_a_terminal(text: str) -> None:
    require_harmless(on_a_terminal(hostile.screens(hostile.always(text), 60), 60))


def test_what_a_renderer_forgot_is_escaped_at_the_door() -> None:
    stream = io.StringIO()
    console = make_console(stream, {"NO_COLOR": "1"})
    show(console, Text.assemble(("fine", "green"), "\n\x1b[2J\u202e", ("::set-env name=a::b", "red"), "\nfine too"))
    assert stream.getvalue() == "fine\n\\x1b[2J\\u202e::set-env name=a::b\nfine too\n"


@given(texts)
@example(EVERYTHING)
def test_escaped_text_is_one_safe_line_and_what_is_harmless_stays(text: str) -> None:
    shown = escape(text)
    assert not [char for char in shown if unicodedata.category(char) in UNSAFE]
    assert not COMMAND.search(shown)
    assert escape(shown) == shown


@pytest.mark.parametrize("text", ["arn:aws:iam::123456789012:role/x", "a # b", "日本語", "it's [fine] :ok:", "c::d"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert escape(text) == text


def test_what_is_escaped_can_still_be_read() -> None:
    assert escape("a\x1b[0m\nb\tc\u202e") == "a\\x1b[0m␤b c\\u202e"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts)
@example(EVERYTHING)
def test_json_survives_and_says_the_same(text: str) -> None:
    made = replace(samples.PLAN, app=text, notes=(text,))
    printed = machine.dump(machine.plan(made))
    require_harmless(printed)
    assert json.loads(printed)["app"] == text


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts)
@example(EVERYTHING)
def test_markdown_holds_no_html_of_others_and_its_tables_stay_whole(text: str) -> None:
    change = Change(Address(text), Action.UPDATE, Effect.NONE, text, Delta([FieldChange(text, text, text)]), text, text)
    printed = markdown.plan(replace(samples.PLAN, changes=(change,), notes=(text,)))
    require_harmless(printed)
    outside_code = re.sub(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", printed.replace("\\<", ""))
    assert "<script" not in outside_code
    [row] = [line for line in printed.splitlines() if line.startswith("| `~`")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5


def test_markdown_mentions_nobody() -> None:
    assert markdown.prose("@everyone *now*") == r"\@everyone \*now\*"
    assert markdown.code("a`b|c") == r"``a`b\|c``"
