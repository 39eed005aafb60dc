from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from fargatectl.config.load import find, load
from fargatectl.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from fargatectl.errors import Problem

VALID = b'app = "a"\n[services.web]\nimage = "n"\n'


def problem(path: Path) -> Problem:
    with pytest.raises(ConfigError) as caught:
        load(path, environment=None, variables={}, git_sha=lambda: None)
    (found,) = caught.value.problems
    return found


CONTENTS = [
    (b"", None, "the file is empty"),
    (b" \n\n", None, "the file is empty"),
    (b'app = "a"\0', None, "this is a binary file: null byte at offset 9"),
    (b'app = "a"\n# \xff', 2, "the file is not UTF-8: byte 0xff at offset 12"),
    (b'app = "a"\n\nport 80\n', 3, "this is not TOML: Expected '=' after a key"),
    (b"app = shop\n", 1, "this is not TOML: Invalid value at column 7"),
    (b'app = "a"\napp = "b"\n', 2, "this is not TOML: Cannot overwrite a value"),
    (b'app = "a', 1, "this is not TOML: Unterminated string at the end of the file"),
    (b"a = " + b"[" * 5000 + b"]" * 5000, None, "nested more than 32 deep"),
    (b".".join([b"a"] * 5000) + b" = 1", None, "nested more than 32 deep"),
    (b"a = " + b"9" * 9999, None, "this is not TOML: "),
    (b"#" * (1024 * 1024 + 1), None, "the file is larger than 1024 KiB"),
]


@pytest.mark.parametrize(("content", "line", "message"), CONTENTS, ids=lambda value: str(value)[:20])
def test_a_file_that_cannot_be_read_is_one_problem(
    tmp_path: Path, content: bytes, line: int | None, message: str
) -> None:
    path = tmp_path / "fargatectl.toml"
    path.write_bytes(content)
    found = problem(path)
    assert message in found.message
    assert (found.line, found.file) == (line, str(path))


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "fargatectl.toml"
    path.write_bytes(b"\xef\xbb\xbf" + VALID.replace(b"\n", b"\r\n") + b"count = -1\r\n")
    assert problem(path).line == 4


def test_what_is_no_file_is_said_to_be_none(tmp_path: Path) -> None:
    assert problem(tmp_path / "none.toml").message == "there is no such file"
    assert problem(tmp_path).message == "this is a directory, not a file"
    os.mkfifo(tmp_path / "fifo")
    assert problem(tmp_path / "fifo").message == "this is not a regular file"


def test_the_file_is_found_in_a_parent_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    inner = tmp_path / "repo" / "src" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "fargatectl.toml").write_bytes(VALID)
    assert find(inner) == tmp_path / "fargatectl.toml"
    (tmp_path / "repo" / ".git").mkdir()
    with pytest.raises(UsageError):
        find(inner)
    (tmp_path / "repo" / "fargatectl.toml").write_bytes(VALID)
    assert find(inner) == tmp_path / "repo" / "fargatectl.toml"
