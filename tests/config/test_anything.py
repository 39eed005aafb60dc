"""Whatever stands in the file, loading gives a config or a `ConfigError`, never another exception."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings, strategies as st

from fargatectl.config.expand import expanded
from fargatectl.config.load import load
from fargatectl.config.references import references
from fargatectl.config.schema import json_schema
from fargatectl.errors import ConfigError

if TYPE_CHECKING:
    from fargatectl.config.load import Loaded

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
JUNK = (
    "\x00",
    "\x1b[2J",
    "\u202e",
    "\ud7ff",
    "[[",
    "]",
    "{",
    '"',
    "'",
    "=",
    "#",
    "\\",
    "\n",
    "${env.",
    "$${",
    "é",
    ",",
    ".",
)
VALUES = (
    "0",
    "-1",
    "1e999",
    "nan",
    '""',
    "[]",
    "{}",
    "[[]]",
    "true",
    "1979-05-27",
    '"${app}"',
    '"\\u0000"',
    '"a\\nb"',
    "9" * 30,
)
SHARED_FOLDER = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
KNOWN = sorted(
    {key for table in (json_schema(), *json_schema()["$defs"].values()) for key in table.get("properties", {})}
)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-2, 6000),
    st.floats(),
    st.datetimes(),
    st.text(max_size=6),
    st.sampled_from(["5s", "2 GB", "nginx", "/", "public", "${env.A}", "${var.", "${app}", "10.0.0.0/8", "never"]),
)
KEYS = st.sampled_from([*KNOWN, "web", "prod"]) | st.text(max_size=3)


def tables(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    inner = tables(depth - 1) if depth else st.nothing()
    return st.dictionaries(KEYS, st.one_of(SCALARS, st.lists(SCALARS, max_size=2), inner), max_size=5)


SERVICE = st.dictionaries(KEYS, st.one_of(SCALARS, st.lists(SCALARS, max_size=2), tables(2)), max_size=6)
FILES = st.fixed_dictionaries(
    {"app": st.just("shop")},
    optional={
        "services": st.dictionaries(
            st.sampled_from(["web", "api"]), SERVICE | SERVICE.map(lambda s: {"image": "n", **s})
        ),
        "environments": st.dictionaries(st.sampled_from(["prod", "dev"]), tables(3)),
        **{key: SCALARS | tables(2) for key in ("load_balancers", "network", "registries", "vars", "tags", "cluster")},
    },
)


def attempt(path: Path, environment: str | None = None) -> Loaded | None:
    try:
        return load(path, environment=environment, variables={"A": "1"}, git_sha=lambda: None)
    except ConfigError as error:
        problems = error.problems
    assert problems
    assert len(set(problems)) == len(problems)
    return None


@SHARED_FOLDER
@given(content=st.binary(max_size=60))
def test_random_bytes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bytes.toml"
    path.write_bytes(content)
    attempt(path)


@SHARED_FOLDER
@given(text=st.text(st.sampled_from("ab[]{}=.,\"'\\#\n 1${}"), max_size=40))
def test_random_syntax(tmp_path: Path, text: str) -> None:
    path = tmp_path / "syntax.toml"
    path.write_text('app = "a"\n' + text)
    attempt(path)


@SHARED_FOLDER
@given(data=FILES | tables(3), environment=st.sampled_from([None, "prod"]))
def test_random_tables(tmp_path: Path, data: dict[str, Any], environment: str | None) -> None:
    path = tmp_path / "tables.toml"
    path.write_text(tomlkit.dumps(data))
    result = attempt(path, environment)
    if result is not None:
        references(result.config)
        expanded(result.config)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_with_a_slip_of_the_pen_loads_or_says_where_it_is_wrong(tmp_path: Path, example: Path) -> None:
    random = Random(example.stem)  # noqa: S311 - repeatable
    path = tmp_path / "fargatectl.toml"
    wrong = 0
    for _ in range(150):
        path.write_text(_with_a_slip(example.read_text(), random), encoding="utf-8")
        try:
            load(path, environment=None, variables={}, git_sha=lambda: None)
        except ConfigError as error:
            wrong += 1
            for problem in error.problems:
                assert problem.message
                assert problem.file == str(path)
                assert problem.line is not None or problem.path or "offset" in problem.message, problem
    assert wrong > 50


def _with_a_slip(text: str, random: Random) -> str:
    """Return `text` with one to three of: a character or line too few or too many, a line elsewhere, another value."""
    for _ in range(random.randint(1, 3)):
        lines = text.splitlines()
        number, place = random.randrange(len(lines)), random.randrange(len(text))
        key, equals, _value = lines[number].partition("=")
        lines[number : number + 1] = random.choice(
            [
                [],
                [lines[number]] * 2,
                [random.choice(lines)],
                [f"{key}{equals} {random.choice(VALUES)}"],
                [f"{key}x {equals}{_value}"],
                [lines[number][: random.randint(0, len(lines[number]))]],
            ]
        )
        junk = random.choice(JUNK) if random.random() < 0.4 else ""
        text = "\n".join(lines)
        text = text[:place] + junk + text[place + random.randint(0, 1) * bool(junk) :]
    return text or "x"


def test_a_key_that_begins_like_the_name_of_a_form_is_an_unknown_key(tmp_path: Path) -> None:
    path = tmp_path / "fargatectl.toml"
    path.write_text('app = "a"\n"~" = false\n"~id" = 1\n')
    with pytest.raises(ConfigError) as caught:
        load(path, environment=None, variables={}, git_sha=lambda: None)
    assert {problem.line for problem in caught.value.problems if "unknown key" in problem.message} == {2, 3}
