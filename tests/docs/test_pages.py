"""The pages against the code: what they link to, and what they tell people to type."""

from __future__ import annotations

import json
import re
import shlex
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from fargatectl.cli.commands import application
from fargatectl.config.load import load
from tests.docs.reading import DOCS, PAGES, ROOT, anchors, blocks, links, prose, title

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_INLINE = re.compile(r"`(fargatectl [^`]+)`")
_OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
_ABSOLUTE = re.compile(r"(?<![\w.$}])/(?:home|root|Users|work|tmp)/")
TYPED = ("sh", "console")


def typed(page: Path) -> Iterator[str]:
    """Yield every command of fargatectl that a page shows."""
    for language in TYPED:
        for block in blocks(page, language):
            for line in block.replace("\\\n", " ").splitlines():
                command = line.removeprefix("$ ")
                if command.startswith("fargatectl ") and not (language == "console" and command == line):
                    yield command.partition("#")[0].strip()
    yield from _INLINE.findall(prose(page))


COMMANDS = sorted({(title(page), command) for page in PAGES for command in typed(page)})


def files(language: str) -> list[tuple[str, str]]:
    return [(title(page), block) for page in PAGES for block in blocks(page, language)]


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_pages_name_no_place_on_one_machine(page: Path) -> None:
    assert _ABSOLUTE.findall(page.read_text()) == []


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_commands_exist_with_their_options(page: str, command: str) -> None:
    del page
    ours = takewhile(lambda word: word != "--", shlex.split(command)[1:])
    words = [word for word in ours if word not in {">", "|"}]
    found: Any = typer.main.get_command(application())
    while hasattr(found, "commands") and words and not words[0].startswith("-"):
        name = words.pop(0)
        assert name in found.commands, f"there is no command {name}"
        found = found.commands[name]
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = {option for word in words for option in _OPTION.findall(word.partition("=")[0]) if word.startswith("-")}
    assert given - known - {"-h", "--help"} == set()


@pytest.mark.parametrize(("page", "text"), files("toml"))
def test_files_shown_are_valid(page: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "fargatectl.toml"
    path.write_text(text)
    load(path, environment=None if "require_environment" not in text else "prod", variables={}, git_sha=lambda: None)
    assert page


@pytest.mark.parametrize(("page", "text"), files("json"))
def test_documents_shown_are_json_of_version_1(page: str, text: str) -> None:
    assert json.loads(text)["version"] == 1, page


@pytest.mark.parametrize(("page", "text"), files("ndjson"))
def test_events_shown_are_json_of_version_1(page: str, text: str) -> None:
    assert {json.loads(line)["version"] for line in text.splitlines()} == {1}, page


def test_the_architecture_names_every_part() -> None:
    text = (DOCS / "architecture.md").read_text()
    parts = [path for path in (ROOT / "fargatectl").iterdir() if not path.name.startswith("__")]
    names = [f"`{path.name}/`" if path.is_dir() else f"`{path.name}`" for path in parts]
    assert [name for name in names if name not in text] == []


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()
    pages = [str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")]
    assert [page for page in pages if page not in navigation] == []
