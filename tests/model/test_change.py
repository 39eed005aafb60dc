from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, ClassVar

from hypothesis import given, strategies as st

from fargatectl.dataclass import dataclass
from fargatectl.model.change import creation, diff
from fargatectl.model.spec import Effect, Spec, resolve, setting
from fargatectl.model.values import Address, Late, Ref

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Part:
    key: ClassVar[str] = "name"
    name: str
    size: int = 0
    secret: str = setting(sensitive=True, default="")
    options: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted(Spec):
    name: str = "x"
    count: int | None = None
    port: int = setting(immutable=True, default=80)
    image: Late[str] = setting(effect=Effect.NEW_DEPLOYMENT, default="a")
    words: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    whole: tuple[Part, ...] = setting(whole=True, default=())
    start: int = setting(create_only=True, default=1)
    beside: str = setting(wiring=True, default="wire")


def paths(desired: Wanted, live: Wanted) -> list[str]:
    return [change.path for change in diff(desired, live)]


def test_equal_specs_have_no_difference() -> None:
    assert not diff(Wanted(parts=(Part(name="a"),)), Wanted(parts=(Part(name="a"),)))


def test_none_is_not_ours() -> None:
    assert not paths(Wanted(count=None), Wanted(count=7))


def test_none_below_a_whole_field_means_absent() -> None:
    live = Wanted(whole=(Part(name="a", note="by hand"),))
    assert paths(Wanted(whole=(Part(name="a"),)), live) == ["whole[a].note"]
    assert not paths(Wanted(parts=(Part(name="a"),)), Wanted(parts=(Part(name="a", note="by hand"),)))


def test_an_insertion_among_keyed_parts_is_one_change() -> None:
    desired = Wanted(parts=(Part(name="a"), Part(name="b"), Part(name="c")))
    live = Wanted(parts=(Part(name="a"), Part(name="c")))
    assert paths(desired, live) == ["parts[b]"]


def test_a_removal_of_the_last_keyed_part_is_seen() -> None:
    (change,) = diff(Wanted(), Wanted(parts=(Part(name="a"),)))
    assert (change.path, change.after) == ("parts[a]", None)


def test_the_order_of_keyed_parts_does_not_matter() -> None:
    one, two = Part(name="a"), Part(name="b", size=2)
    assert not paths(Wanted(parts=(one, two)), Wanted(parts=(two, one)))


def test_only_our_own_tags_are_compared() -> None:
    assert paths(Wanted(tags={"a": "1"}), Wanted(tags={"a": "2", "theirs": "x"})) == ["tags.a"]


def test_keys_of_other_mappings_are_compared_both_ways() -> None:
    desired = Wanted(parts=(Part(name="a", options={"x": "1"}),))
    live = Wanted(parts=(Part(name="a", options={"y": "2"}),))
    assert paths(desired, live) == ["parts[a].options.x", "parts[a].options.y"]


def test_what_only_creation_sends_is_never_compared() -> None:
    assert not paths(Wanted(start=3), Wanted(start=1))


def test_wiring_is_neither_compared_nor_shown() -> None:
    assert not paths(Wanted(beside="other"), Wanted())
    assert "beside" not in creation(Wanted()).paths
    assert "start" in creation(Wanted()).paths


def test_immutable_settings_force_replacement() -> None:
    (change,) = diff(Wanted(port=81), Wanted(port=80))
    assert change.forces_replacement
    assert change.effect == Effect.REPLACEMENT


def test_the_effect_stands_on_the_field() -> None:
    assert diff(Wanted(image="b"), Wanted(image="a")).effect == Effect.NEW_DEPLOYMENT


def test_sensitivity_is_inherited() -> None:
    (change,) = diff(Wanted(parts=(Part(name="a", secret="new"),)), Wanted(parts=(Part(name="a", secret="old"),)))
    assert change.sensitive


def test_an_unresolved_value_is_known_after_apply() -> None:
    desired = Wanted(image=Ref(Address("x/y"), str))
    (change,) = diff(desired, Wanted(image="a"))
    assert change.known_after_apply
    assert change.after is None
    assert not diff(resolve(desired, {Address("x/y"): "a"}), Wanted(image="a"))


def test_creation_lists_every_setting_but_our_tags() -> None:
    made = creation(Wanted(tags={"fargatectl:app": "shop", "team": "a"}, parts=(Part(name="p", size=3),)))
    assert {"tags.team", "parts[p].size", "port", "image"} <= made.paths
    assert not any("fargatectl" in path for path in made.paths)
    assert all(change.before is None for change in made)


parts = st.builds(
    Part,
    name=st.sampled_from("abcd"),
    size=st.integers(0, 3),
    options=st.dictionaries(st.sampled_from("xyz"), st.sampled_from("12")),
)
specs = st.builds(
    Wanted,
    count=st.none() | st.integers(0, 3),
    port=st.integers(80, 82),
    words=st.lists(st.sampled_from("ab"), max_size=3).map(tuple),
    parts=st.lists(parts, unique_by=lambda part: part.name, max_size=4).map(tuple),
    tags=st.dictionaries(st.sampled_from("abc"), st.sampled_from("12")),
)


@given(specs, specs)
def test_a_difference_is_seen_exactly_where_there_is_one(one: Wanted, other: Wanted) -> None:
    same = (
        one.count in {None, other.count}
        and (one.port, one.words) == (other.port, other.words)
        and {p.name: p for p in one.parts} == {p.name: p for p in other.parts}
        and one.tags.items() <= other.tags.items()
    )
    assert bool(diff(one, other)) is not same


@given(specs, specs)
def test_places_are_named_once(one: Wanted, other: Wanted) -> None:
    found = [change.path for change in diff(one, other)]
    assert len(found) == len(set(found))
