"""What every command answers when it cannot do its work: the exit code, and the error as a document or an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import typer

from fargatectl.cli.commands import application
from fargatectl.sandbox.faults import AwsError
from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Done, Shell

WITH_JOB = FILE + '\n[jobs.migrate]\nfrom = "web"\ncommand = ["migrate"]\n'
EVENTS = {
    "abort": "abort web",
    "continue": "continue web",
    "deploy": "deploy --yes",
    "destroy": "destroy --yes",
    "logs": "logs",
    "restart": "restart",
    "rollback": "rollback --yes",
    "run": "run migrate",
    "scale": "scale web 2",
}
"""The commands that answer machines with events, as they are called."""
DOCUMENTS = {
    "diff": "diff",
    "exec": "exec web",
    "history": "history",
    "insights": "insights errors",
    "status": "status",
    "unlock": "unlock 7",
    "validate": "validate",
    "why": "why",
}
"""Those that answer with one document."""
OTHERS = {"sandbox start", "sandbox stop", "sandbox reset", "sandbox status", "sandbox set"}
"""Those that have nothing to do with a file or an account."""
FIELDS = {"exit_code", "kind", "message", "hint", "problems"}
STARTED_NOTHING = 125
"""What `run` and `exec` answer for all that goes wrong before there is a container to give its own code."""


def commands() -> Iterator[str]:
    group = typer.main.get_command(application())
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        yield from [name] if below is None else [f"{name} {each}" for each in below]


COMMANDS = frozenset(commands())
CALLS = {name: words for name, words in {**EVENTS, **DOCUMENTS}.items() if name in COMMANDS}
ASKING = sorted(CALLS.keys() - {"validate"})
"""Those that ask AWS."""


def expected(name: str, code: int) -> int:
    return STARTED_NOTHING if name in {"run", "exec"} else code


def require_error(done: Done, name: str, code: int, kind: str) -> Any:
    """The process's code and the document's are the same, and the document is whole."""
    assert done.code == code, (done.out, done.err)
    assert done.err == ""
    if name in EVENTS:
        result = done.events[-1]
        assert (result["version"], result["event"]) == (1, "result")
        assert result["outcome"] in {"failed", "refused", "interrupted"}
        error = result["error"]
    else:
        assert done.json.keys() == {"version", "error"}
        assert done.json["version"] == 1
        error = done.json["error"]
    assert error.keys() >= FIELDS
    assert (error["kind"], error["exit_code"]) == (kind, done.code)
    return error


def require_words(done: Done, code: int) -> None:
    """People get a sentence, the next step and the code on stderr, and no traceback."""
    assert (done.code, done.out) == (code, "")
    assert "Traceback" not in done.err
    assert done.err.rstrip().endswith(f"exit {done.code}")


def test_every_command_is_in_the_table() -> None:
    assert set(commands()) == CALLS.keys() | OTHERS


@pytest.mark.parametrize("name", sorted(CALLS.keys() | OTHERS))
def test_a_mistake_on_the_command_line(shell: Shell, name: str) -> None:
    require_error(shell(*name.split(), "--json", "--nonsense"), name, 1, "usage")
    require_words(shell(*name.split(), "--nonsense"), 1)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_no_file_and_a_file_with_mistakes(shell: Shell, name: str) -> None:
    words = CALLS[name].split()
    require_error(shell(*words, "--json", "-c", "nowhere.toml"), name, expected(name, 1), "usage")
    shell.write(FILE.replace("image =", "imagee =").replace("port = 80", 'port = "x"'))
    if name == "validate":
        assert [problem["line"] for problem in shell("validate", "--json").json["problems"]]
        return
    error = require_error(shell(*words, "--json"), name, expected(name, 1), "config")
    assert len(error["problems"]) >= 2
    assert all(problem["line"] and problem["path"] and problem["message"] for problem in error["problems"])
    require_words(shell(*words), expected(name, 1))
    assert shell.local.calls == []


def deny(call: Call, _: Callable[[], Response]) -> Response:
    raise AwsError("AccessDeniedException", f"not authorized to perform {call.operation}", status=403)


def break_off(call: Call, _: Callable[[], Response]) -> Response:
    raise RuntimeError(call.operation)


@pytest.mark.parametrize("name", ASKING)
def test_an_account_that_refuses_or_is_another_one(shell: Shell, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(shell.directory))
    words = CALLS[name].split()
    shell.write(WITH_JOB)
    shell.local.intercept(deny)
    error = require_error(shell(*words, "--json"), name, expected(name, 5), "aws")
    assert (error["code"], error["operation"].partition(":")[1]) == ("AccessDeniedException", ":")
    assert error["hint"]
    require_words(shell(*words), expected(name, 5))

    shell.local.intercept(break_off)
    error = require_error(shell(*words, "--json"), name, 70, "bug")
    assert "RuntimeError" in error["message"]
    shell.local.intercept(None)
    shell.write(WITH_JOB.replace('app = "shop"', 'app = "shop"\naccount = "999999999999"'))
    error = require_error(shell(*words, "--json"), name, expected(name, 4), "refused")
    assert "999999999999" in error["message"]
    assert shell.writes() == []
