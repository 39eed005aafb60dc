"""Nothing is printed around the one door: `render/console.py` for what people read, `Voice.raw` for data.

Both clean what they print (`render/escape.py`). This reads the source: whoever opens another door is found here.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import fargatectl

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(fargatectl.__file__).parent
FUNCTIONS = {"print", "input", "breakpoint", "getpass"}
METHODS = {
    "print", "print_json", "print_exception", "print_exc",  # rich, traceback
    "echo", "secho", "echo_via_pager",  # typer and click
    "write", "writelines",  # streams and files
    "warn", "getLogger", "basicConfig",  # warnings, logging
}  # fmt: skip
OF_CONSOLES = {"log", "rule", "input", "line", "prompt", "confirm", "progressbar", "update_screen"}
CONSOLES = {"console", "_console", "err", "typer", "click"}
QUIET = {"rich.text", "rich.cells"}
"""Modules of rich that lay out, and print nothing."""
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}
NOT_ON_A_SCREEN = {"sandbox"}
"""The local AWS answers HTTP, in a process of its own without a terminal."""

DOORS = {
    ("render/console.py", "console.print"): "every text, escaped",
    ("render/console.py", "rich.live"): "screens redrawn in place, escaped",
    ("render/console.py", "rich.console"): "the consoles are made here",
    ("cli/voice.py", "stream.write"): "data, escaped",
    ("cli/logs.py", "stream.print"): "a method of its own, which speaks through Voice",
    ("cli/commands.py", "typer.echo"): "our version",
    ("cli/signals.py", "os.write"): "one sentence of ours, in a signal handler",
    ("cli/viewers.py", "_console.line"): "an empty line",
    ("cli/surroundings.py", "sys.stdout"): "given to Voice",
    ("cli/surroundings.py", "sys.stderr"): "given to Voice",
    ("cli/failures.py", "file.write"): "the report of a bug, a file",
    ("cli/planfile.py", "file.write"): "a plan, a file",
    ("aws/models.py", "file.write"): "AWS's service models, files",
}


def test_nothing_is_printed_around_the_door() -> None:
    found = {(name, opened) for name, source in sources() for opened in doors(source)}
    around, gone = sorted(found - DOORS.keys()), sorted(DOORS.keys() - found)
    assert not around, "print with Voice, or render.console.show"
    assert not gone


@pytest.mark.parametrize(
    "line",
    [
        "print('x')",
        "console.print(name)",
        "sys.stdout.write(name)",
        "from sys import stderr",
        "typer.echo(name)",
        "import logging; logging.getLogger().warning(name)",
        "os.write(1, name)",
        "from rich.live import Live",
        "import rich",
        "write = surroundings.stdout.write",
        "builtins.print(name)",
        "rich.print(name)",
    ],
)
def test_a_door_is_recognised(line: str) -> None:
    assert list(doors(line))


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE)
        if name.parts[0] not in NOT_ON_A_SCREEN:
            yield name.as_posix(), path.read_text(encoding="utf-8")


def doors(source: str) -> Iterator[str]:
    """Yield what of `source` could print, as it is written there: `console.print`, `sys.stdout`."""
    for node in _run(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            yield node.func.id
        elif isinstance(node, ast.Attribute) and (node.attr in METHODS or _of_console(node)):
            yield f"{_last(node.value)}.{node.attr}"
        elif isinstance(node, ast.Attribute) and _last(node.value) == "sys" and node.attr in STREAMS:
            yield f"sys.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} & STREAMS:
            yield f"{node.module}.{node.names[0].name}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (name for name in names if name.partition(".")[0] == "rich" and name not in QUIET)


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes of a module but those that only a type checker sees."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            yield from _run(node)


def _of_console(node: ast.Attribute) -> bool:
    return node.attr in OF_CONSOLES and _last(node.value) in CONSOLES


def _last(node: ast.expr) -> str:
    """Return the last name of `a.b.c`."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case _:
            return "?"
