from __future__ import annotations

import tomllib
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit
from hypothesis import given, strategies as st

from fargatectl.config.places import places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.findings import KeyPath

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
SCALARS = st.one_of(
    st.booleans(), st.integers(-9, 9), st.text(max_size=8), st.sampled_from(['"', "'''", "#", "]", "\n}"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)


def paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from paths(item, (*path, key))


def test_every_way_to_write_a_key_is_understood() -> None:
    text = dedent(
        '''\
        plain = 1 # = not a key
        "quo\\"ted".'single' = { inline = [1, { deep = "}" }], "x#" = 2 }
        many = [
          "a]", # comment ]
          """three
        lines""",
          [ 'nested', ],
        ]

        [ table . sub ]
        key = \'\'\'[not.a.table]
        x = 1\'\'\'
        after = 1979-05-27 07:32:00

        [[list]]
        one = 1
        [list.sub]
        two = 2
        [[list]]
        three = 3
        '''
    )
    found = places(text)
    assert set(paths(tomllib.loads(text))) == set(found)
    lines = {
        ("plain",): 1,
        ('quo"ted', "single", "inline", 1, "deep"): 2,
        ('quo"ted', "single", "x#"): 2,
        ("many", 0): 4,
        ("many", 1): 5,
        ("many", 2, 0): 7,
        ("table", "sub"): 10,
        ("table", "sub", "key"): 11,
        ("table", "sub", "after"): 13,
        ("list", 0): 15,
        ("list", 0, "sub", "two"): 18,
        ("list", 1): 19,
        ("list", 1, "three"): 20,
    }
    assert {path: found[path] for path in lines} == lines


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_key_of_an_example_is_on_the_line_it_is_said_to_be(path: Path) -> None:
    text = path.read_text()
    found = places(text)
    assert set(found) == set(paths(tomllib.loads(text)))
    for keys, line in found.items():
        assert isinstance(keys[-1], int) or keys[-1] in text.splitlines()[line - 1]


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_places_has_exactly_the_keys_of_the_data(data: dict[str, Any]) -> None:
    text = tomlkit.dumps(data)
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # tomlkit writes some odd keys wrongly
        return
    assert set(places(text)) == set(paths(parsed))
