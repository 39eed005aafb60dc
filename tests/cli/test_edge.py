"""The edge of the process: usage, imports, unforeseen errors, signals, readers that go away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from fargatectl import __version__
from fargatectl.cli.exits import code_of, worst
from fargatectl.cli.signals import Interrupted, Signals
from fargatectl.errors import AwsFailure, ExitCode, FargatectlError, Refused, StillInProgress, UsageError
from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Shell

HEAVY = {"boto3", "botocore", "pydantic", "moto", "tenacity", "werkzeug"}
OURS = {"fargatectl.engine", "fargatectl.aws", "fargatectl.config", "fargatectl.reconcilers", "fargatectl.sandbox"}


def fargatectl(
    *arguments: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "fargatectl", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=cwd,
        env={**os.environ, **(environ or {})},
    )


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_nobody_is_asked_for_a_code_where_nobody_is(tmp_path: Path, flags: list[str]) -> None:
    device = "arn:aws:iam::123456789012:mfa/ann"
    keys = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = example\n"
    role = f"role_arn = arn:aws:iam::123456789012:role/x\nsource_profile = keys\nmfa_serial = {device}\n"
    (tmp_path / "config").write_text(f"[profile keys]\n{keys}[profile deploy]\n{role}")
    (tmp_path / "fargatectl.toml").write_text('app = "a"\nregion = "eu-central-1"\n[services.web]\nimage = "nginx"\n')
    environ = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "deploy", "HOME": str(tmp_path)}
    environ |= dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "")
    done = fargatectl("diff", *flags, cwd=tmp_path, environ=environ)
    assert done.returncode == 5
    said = " ".join((json.loads(done.stdout)["error"]["message"] if flags else done.stderr).split())
    assert "wants an MFA code, and nobody is here to give one" in said
    assert device in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["-h"],
        ["--version"],
        ["deploy", "--help"],
        ["sandbox", "-h"],
        ["deploy", "--nonsense"],
        ["nonsense"],
        ["--show-completion"],
        [],
    ],
)
def test_help_version_and_usage_errors_import_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from fargatectl.cli.main import run\n"
        "from fargatectl.cli.surroundings import Surroundings\n"
        f"run({arguments!r}, Surroundings.of_process())\n"
        "print('\\n' + ' '.join(sys.modules))\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - as above
    modules = set(done.stdout.rsplit("\n", 2)[1].split())
    assert not modules & (HEAVY | OURS)


def test_version() -> None:
    done = fargatectl("--version")
    assert (done.returncode, done.stdout) == (0, f"fargatectl {__version__}\n")


@pytest.mark.parametrize(
    "arguments", [["diff", "--nonsense"], ["nonsense"], ["diff", "--format", "xml"], ["diff", "x"]]
)
def test_usage_errors_are_exit_1_on_stderr(shell: Shell, arguments: list[str]) -> None:
    done = shell(*arguments)
    assert (done.code, done.out) == (1, "")
    assert "--help" in done.err


def test_usage_errors_as_json(shell: Shell) -> None:
    done = shell("diff", "--json", "--nonsense")
    assert done.json["error"]["exit_code"] == 1
    result = shell("deploy", "--json", "--nonsense").events[-1]
    assert (result["event"], result["error"]["exit_code"]) == ("result", 1)


def test_every_option_is_explained(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell("deploy", "--help").code == 0
    shown = capsys.readouterr().out
    for option in ("--yes", "--image", "--service", "--no-wait", "--timeout", "--adopt", "--plan", "--report"):
        assert option in shown
    assert "fargatectl deploy --sandbox" in shown


def test_an_unforeseen_error_is_a_report_and_no_traceback(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fail(call: Call, apply: Callable[[], Response]) -> Response:
        del call, apply
        raise RuntimeError("canary")

    shell.local.intercept(fail)
    done = shell("diff")
    [report] = tmp_path.glob("fargatectl-report-*.txt")
    assert done.code == 70
    assert str(report) in done.err.replace("\n  ", "")
    assert "Traceback" not in done.err
    assert "canary" not in done.err + report.read_text()
    assert "RuntimeError" in report.read_text()
    assert "cli/diff.py" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0
    assert shell("diff", "--json").json["error"]["kind"] == "bug"


ERRORS = [
    (UsageError("x"), 1),
    (Refused("x"), 4),
    (AwsFailure("x"), 5),
    (StillInProgress("x"), 6),
    (Interrupted(ExitCode.TERMINATED), 143),
    (KeyboardInterrupt(), 130),
    (ZeroDivisionError(), 70),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=lambda value: type(value).__name__)
def test_every_error_has_its_code(error: BaseException, code: int) -> None:
    assert code_of(error) == code


@given(st.permutations([130, 70, 3, 5, 4, 6, 0]))
def test_of_several_ends_the_gravest_is_told(codes: list[int]) -> None:
    order = [130, 70, 3, 5, 4, 6, 0]
    for size in range(1, len(codes) + 1):
        some = codes[:size]
        assert worst(ExitCode(code) for code in some) == min(some, key=order.index)


def test_without_anything_all_is_well() -> None:
    assert worst([]) == ExitCode.DONE


def test_every_error_of_ours_has_a_code_and_a_kind() -> None:
    kinds = {cls.kind for cls in FargatectlError.__subclasses__()}
    assert all(kinds)


def test_the_first_signal_is_deferred_while_something_is_written_and_the_second_leaves() -> None:
    left: list[int] = []
    told: list[str] = []
    signals = Signals(leave=left.append)
    with signals.deferred(lambda: told.append("told")):
        signals.handle(signal.SIGTERM, None)
        assert (signals.stopped(), signals.received, told, left) == (True, ExitCode.TERMINATED, ["told"], [])
        signals.handle(signal.SIGINT, None)
    assert left == [130]


def test_while_only_reading_the_first_signal_ends_the_command() -> None:
    with pytest.raises(Interrupted):
        Signals().handle(signal.SIGINT, None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_deploy_says_what_was_done(shell: Shell, number: signal.Signals) -> None:
    def interrupt(call: Call, apply: Callable[[], Response]) -> Response:
        response = apply()
        if call.operation == "CreateCluster":
            assert shell.surroundings is not None
            shell.surroundings.signals.handle(number, None)
        return response

    shell.local.intercept(interrupt)
    code = 128 + number
    done = shell("deploy", "--yes")
    assert done.code == code
    assert "Interrupted." in done.err
    assert "Not done:" in done.err
    assert "ecs:CreateService" not in shell.writes()
    shell.local.intercept(None)
    assert shell("deploy", "--yes").code == 0


def test_an_interrupted_deploy_as_json(shell: Shell) -> None:
    def interrupt(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "CreateCluster":
            assert shell.surroundings is not None
            shell.surroundings.signals.handle(signal.SIGINT, None)
        return apply()

    shell.local.intercept(interrupt)
    result = shell("deploy", "--yes", "--json").events[-1]
    assert (result["outcome"], result["exit_code"]) == ("interrupted", 130)
    assert {"address": "service.service/web", "because": "interrupted"} in result["skipped"]


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "fargatectl.toml").write_text(FILE)
    command = [sys.executable, "-m", "fargatectl", "validate", "--expanded"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)  # noqa: S603
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    shown = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert "BrokenPipe" not in shown


def test_output_survives_a_poor_encoding(tmp_path: Path) -> None:
    (tmp_path / "fargatectl.toml").write_text(FILE.replace('"shop/web:1"', '"shop/web:1"\n"imagé" = "ü"'))
    done = fargatectl("validate", cwd=tmp_path, environ={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert "imag" in done.stderr


def test_colour_is_left_out_where_it_is_not_wanted(shell: Shell) -> None:
    for environ in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        shell.environ = environ
        assert "\x1b" not in shell("diff", typed="").err


def test_where_a_person_reads_a_log_the_json_of_errors_is_one_document(tmp_path: Path) -> None:
    done = fargatectl("diff", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["kind"] == "usage"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fargatectl de", ["deploy", "destroy"]),
        ("fargatectl sandbox st", ["start", "stop", "status"]),
        ("fargatectl deploy --im", ["--image"]),
        ("fargatectl sandbox start --sp", ["--speed"]),
    ],
)
def test_shells_complete_names_and_options(line: str, words: list[str]) -> None:
    place = str(len(line.split()) - 1)
    done = fargatectl(environ={"_FARGATECTL_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": place})
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, words, "")
