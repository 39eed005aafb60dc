"""What a command loads besides itself: what takes long to load is loaded by those alone that need it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import FILE

SCRIPT = """
import sys
from fargatectl.cli.main import run
from fargatectl.cli.surroundings import Surroundings
run(sys.argv[1:], Surroundings.of_process())
loaded = {name.partition(".")[0] for name in sys.modules}
print("LOADED", *sorted(loaded), file=sys.stderr)
"""
ROOT = Path(__file__).parents[2]
SLOW = {"asyncio", "boto3", "botocore", "filelock", "moto", "platformdirs", "pydantic", "rich", "tenacity", "werkzeug"}
READS_FILE = {"pydantic", "rich"}
ASKS_AWS = {*READS_FILE, "boto3", "botocore", "platformdirs"}

CASES = [
    ("--version", set()),
    ("--help", {"rich"}),
    ("deploy --help", {"rich"}),
    ("sandbox start --help", {"rich"}),
    ("deploy --nope", {"rich"}),
    ("nope", {"rich"}),
    ("validate", READS_FILE),
    ("validate --config none.toml", READS_FILE),  # typer itself takes the value of an option through pydantic
    ("sandbox status", {"rich", "filelock", "platformdirs"}),
    ("diff --region eu-central-1", ASKS_AWS),
]


def run(directory: Path, arguments: str, **more: str) -> tuple[str, set[str]]:
    """Return what a process says, and the packages that it has loaded."""
    (directory / "fargatectl.toml").write_text(FILE)
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(directory),
        "XDG_STATE_HOME": str(directory),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        **more,
    }
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [sys.executable, "-c", SCRIPT, *arguments.split()],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, set(done.stderr.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize(("arguments", "allowed"), CASES, ids=[arguments for arguments, _ in CASES])
def test_a_command_loads_what_it_needs(arguments: str, allowed: set[str], tmp_path: Path) -> None:
    _, loaded = run(tmp_path, arguments)
    assert "typer" in loaded
    assert loaded & SLOW <= allowed


@pytest.mark.parametrize(
    ("line", "word", "offered"),
    [
        ("fargatectl dep", 1, {"deploy"}),
        ("fargatectl deploy --yes --no-w", 3, {"--no-wait"}),
        ("fargatectl diff --config a.toml --format mark", 5, {"markdown"}),
        ("fargatectl sandbox st", 2, {"start", "stop", "status"}),
    ],
)
def test_a_line_is_completed_without_what_its_command_needs(
    line: str, word: int, offered: set[str], tmp_path: Path
) -> None:
    told, loaded = run(tmp_path, "", _FARGATECTL_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(word))
    assert set(told.split()) == offered
    assert loaded & SLOW <= {"rich"}
