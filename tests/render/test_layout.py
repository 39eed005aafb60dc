from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len
from rich.text import Text

from fargatectl.render.layout import columns, cut, spread, wrap
from fargatectl.render.values import inline, label, listing, listing_diff
from fargatectl.render.words import clock, duration


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])), st.integers(1, 80))
def test_a_cut_text_fits(text: str, width: int) -> None:
    assert cell_len(cut(text, width)) <= width


def test_an_image_keeps_both_its_ends() -> None:
    shown = cut("123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:1.1.0", 30)
    assert shown.startswith("123456789")
    assert shown.endswith("/shop/web:1.1.0")


def test_a_sentence_keeps_its_beginning() -> None:
    assert cut("tasks failed to start in time", 12) == "tasks faile…"


def test_long_words_stay_whole_to_be_copied() -> None:
    arn = "arn:aws:iam::123456789012:role/fargatectl/shop/shop-web-execution"
    assert arn in wrap(f"the role {arn} is not ours", 40)


def test_ends_are_spread_or_the_right_one_is_left_out() -> None:
    assert spread(Text("ab"), Text("cd"), 8).plain == "ab    cd"
    assert spread(Text("abcdef"), Text("cd"), 8).plain == "abcdef"


def test_empty_columns_take_no_room() -> None:
    rows = [[Text("a"), Text(), Text("b")], [Text("ccc"), Text(), Text("d")]]
    assert [line.plain for line in columns(rows)] == ["  a    b", "  ccc  d"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.42, "0.4 s"), (9.96, "10 s"), (59.7, "1 m"), (72, "1 m 12 s"), (3600, "1 h 0 m"), (-1, "0.0 s")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_clock() -> None:
    assert [clock(48.9), clock(3723)] == ["00:48", "1:02:03"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("health_check.path", "health check path"),
        ("tags.cost_center", "tags cost_center"),
        ("containers[web_app].image", "containers[web_app] image"),
        ("containers[web].environment.LOG_LEVEL", "containers[web] environment LOG_LEVEL"),
    ],
)
def test_labels_keep_the_keys_that_users_chose(path: str, words: str) -> None:
    assert label(path) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "not set"),
        (True, "true"),
        ("", '""'),
        (" a", '" a"'),
        (("a", "b"), "a, b"),
        ({"a": 1, "b": None, "c": {"d": ("e", "f")}}, "a 1, c (d (e, f))"),
        ((), "none"),
        ('{"a": "b"}', "a b"),
        ("{not json", "{not json"),
    ],
)
def test_values_on_a_line(value: object, words: str) -> None:
    assert inline(value) == words


def test_a_structured_value_reads_like_yaml() -> None:
    value = {"name": "web", "ports": (80, 443), "check": {"command": ("CMD-SHELL", "x" * 50), "retries": 3}}
    assert listing(value) == [
        "name: web",
        "ports: 80, 443",
        "check:",
        "  command:",
        "    - CMD-SHELL",
        "    - " + "x" * 50,
        "  retries: 3",
    ]


def test_only_what_differs_is_listed() -> None:
    before = {f"key{n}": n for n in range(9)}
    after = {**before, "key4": "new"}
    shown = listing_diff(before, after)
    assert shown == [(" ", "key3: 3"), ("-", "key4: 4"), ("+", "key4: new"), (" ", "key5: 5")]
