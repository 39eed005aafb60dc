"""The screens in the README are what the tool prints, but for what AWS makes up."""

from __future__ import annotations

import re

import pytest

from fargatectl.sandbox.inprocess import LocalAws
from tests.cli.conftest import Shell
from tests.docs.reading import ROOT, blocks

README = ROOT / "README.md"
WIDTH = 96
_MADE_UP = re.compile(r"vpc-[0-9a-f]{17}|-[0-9a-f]{8}-\d+(?=\.)|-\d+(?=\.eu-central-1)|\d{2}:\d{2}:\d{2}")


def screen(command: str) -> str:
    shown = {head.removeprefix("$ "): text for head, _, text in (b.partition("\n") for b in blocks(README, "console"))}
    return masked(shown[command])


def masked(text: str) -> str:
    return _MADE_UP.sub("…", text).strip()


@pytest.fixture
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("app"), LocalAws())
    shell.local.provision({"vpc": {"default": True}})
    shell.write((ROOT / "examples" / "minimal.toml").read_text())
    assert shell("deploy", "--yes").code == 0
    shell.write((ROOT / "examples" / "minimal.toml").read_text().replace("nginx:stable", "nginx:1.29"))
    return shell


def test_the_diff(shell: Shell) -> None:
    assert masked(shell("diff", width=WIDTH).out) == screen("fargatectl diff --sandbox")


def test_the_status(shell: Shell) -> None:
    assert shell("deploy", "--yes").code == 0
    # The README leaves the events away.
    assert masked(shell("status", width=WIDTH).out).startswith(screen("fargatectl status --sandbox"))


def test_the_failure(shell: Shell) -> None:
    shell.write((ROOT / "examples" / "minimal.toml").read_text())
    command = "fargatectl deploy --sandbox --yes --image public.ecr.aws/nginx/nginx:crash"
    failed = shell("deploy", "--yes", "--image", "public.ecr.aws/nginx/nginx:crash", width=WIDTH)
    # The README leaves the plan and the progress away.
    assert masked(failed.err).endswith(screen(command).removeprefix("…\n"))


def test_the_file() -> None:
    assert (ROOT / "examples" / "minimal.toml").read_text() in blocks(README, "toml")
