"""Reports of deploys: kept after ECS has forgotten, and readable without anything else."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Shell

SECRET = "correct-horse-battery"
REGISTRY = """
[registries.ghcr]
match = "ghcr.io"
username = { env = "NAME" }
password = { env = "TOKEN" }
"""


class Page(HTMLParser):
    """Reads a page: what stands in it, and whether it wants anything from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.elsewhere: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.elsewhere += [str(value) for name, value in attrs if name in {"src", "href", "action", "srcset"}]

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def reports(shell: Shell) -> list[Path]:
    return sorted((shell.directory / "state/fargatectl/reports/shop").glob("*"))


def test_a_failed_deploy_leaves_a_report_that_tells_all(shell: Shell) -> None:
    shell.environ |= {"NAME": "bot", "TOKEN": SECRET}
    shell.write(FILE + '[services.web.env]\nNAME = "a<b>&c"\n' + REGISTRY)
    shell("deploy", "--yes")
    failed = shell("deploy", "--yes", "--image", "shop/web:crash")
    page, document = reports(shell)[-2:]
    assert f"Report: {page}" in " ".join(failed.err.split())
    made = json.loads(document.read_text())
    assert made["result"]["exit_code"] == 3
    assert {event["event"] for event in made["events"]} >= {"step", "deployment"}
    said = [
        (one["at"], one["message"]) for event in made["events"] for one in event.get("service", {}).get("events", ())
    ]
    assert len(said) == len(set(said)) > 3
    read = Page(page.read_text())
    assert "exits with code 1" in read.text
    assert "local AWS: container web exits with code 1" in read.text
    assert "shop-web:1 serves 1 of 1 tasks." in read.text
    assert "web: has started 1 tasks: (task" in read.text
    assert {"svg", "pre", "table"} <= set(read.tags)
    assert not {"script", "img", "link", "iframe", "b"} & set(read.tags)
    assert read.elsewhere == []
    assert SECRET not in document.read_text() + page.read_text()
    assert "secretsmanager" in "".join(call.service for call in shell.local.calls)
    assert page.stat().st_mode & 0o077 == 0


def test_what_changed_nothing_has_no_report_and_only_the_latest_are_kept(shell: Shell) -> None:
    shell("deploy", "--yes")
    first = reports(shell)
    assert len(first) == 2
    assert "Nothing to change" in shell("deploy", "--yes").err
    assert reports(shell) == first
    for number in range(25):
        (first[0].parent / f"19990101T0000{number:02}Z.json").touch()
    shell("deploy", "--yes", "--image", "shop/web:2")
    assert len(reports(shell)) == 22  # twenty documents, and two pages
    assert first[0] in reports(shell)


def test_that_a_report_cannot_be_kept_is_no_failure(shell: Shell) -> None:
    (shell.directory / "state").write_text("no directory")
    done = shell("deploy", "--yes")
    assert done.code == 0
    assert "could not be kept" in done.err


def test_a_report_where_it_is_wanted(shell: Shell) -> None:
    assert shell("deploy", "--yes", "--report", "run.html").code == 0
    assert "is steady" not in (shell.directory / "run.html").read_text()
    assert Page((shell.directory / "run.html").read_text()).text.startswith("shop: succeeded")
    assert shell("deploy", "--yes", "--report", "run.json").code == 0
    assert json.loads((shell.directory / "run.json").read_text())["result"]["outcome"] == "unchanged"


@pytest.mark.parametrize("name", ["run.pdf", "run"])
def test_a_report_of_no_kind_that_there_is(shell: Shell, name: str) -> None:
    assert shell("deploy", "--yes", "--report", name).code == 1
