from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Protocol

import pytest

from fargatectl.config.load import load
from fargatectl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.config.load import Loaded
    from fargatectl.config.models import Config
    from fargatectl.errors import Problem

EXAMPLES = Path(__file__).parents[2] / "examples"


class Load(Protocol):
    def __call__(self, text: str, environment: str | None = None, **variables: str) -> Loaded: ...


class Problems(Protocol):
    def __call__(self, text: str, environment: str | None = None, **variables: str) -> list[Problem]: ...


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    def run(text: str, environment: str | None = None, **variables: str) -> Loaded:
        path = tmp_path / "fargatectl.toml"
        path.write_text(dedent(text))
        return load(path, environment=environment, variables=variables, git_sha=lambda: "abc1234")

    return run


@pytest.fixture
def problems(load_text: Load) -> Problems:
    """All problems of a file, warnings included, whether it loads or not."""

    def run(text: str, environment: str | None = None, **variables: str) -> list[Problem]:
        try:
            return list(load_text(text, environment, **variables).warnings)
        except ConfigError as error:
            return list(error.problems)

    return run


def load_file(path: Path, environment: str | None = None, variables: Mapping[str, str] | None = None) -> Config:
    return load(path, environment=environment, variables=variables or {}, git_sha=lambda: None).config
