"""Choosing the priorities of rules so that the more specific comes first.

A priority follows from what the rule matches and from its own name, not from the other rules: adding or removing a
service leaves all others where they are.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass
from fargatectl.reconcilers.alb.rule import PRIORITY_MAX

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence, Set as AbstractSet

_FIRST = 100  # below it is room for rules that people make by hand
_LONGEST_PATH = 60  # longer ones are equally specific
_PATH_RANKS = _LONGEST_PATH + 3  # exact; with wildcards by length, 0 included; any path
_HOST_RANKS = 3  # exact; with wildcards; any host
_BAND = (PRIORITY_MAX - _FIRST) // (_HOST_RANKS * _PATH_RANKS)


@dataclass(frozen=True)
class Wish:
    """A rule to be, by its name, with what it matches; `priority` where the file gives it one."""

    name: str
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    priority: int | None = None


def place(
    wishes: Iterable[Wish], *, now: Mapping[str, int] | None = None, taken: AbstractSet[int] = frozenset()
) -> dict[str, int]:
    """Return the priority of each wish by its name. None is in `taken`, which are those of others.

    `now` are priorities that our rules have already beside others: kept while they fit, so that nothing moves when
    others come and go.
    """
    wished = list(wishes)
    placed = {wish.name: wish.priority for wish in wished if wish.priority is not None}
    for wish in wished:
        has = (now or {}).get(wish.name)
        fits = has in _band(wish.hosts, wish.paths) and has not in placed.values()
        if has is not None and fits and wish.name not in placed:
            placed[wish.name] = has
    for wish in wished:
        if wish.name not in placed:
            placed[wish.name] = choose(wish.name, wish.hosts, wish.paths, {*taken, *placed.values()})
    return placed


def choose(name: str, hosts: Sequence[str], paths: Sequence[str], taken: Container[int]) -> int:
    """Return a priority for the rule `name` that is not in `taken`.

    Hosts weigh more than paths, exact names more than wildcards, long paths more than short ones. A rule with several
    of them ranks as its least specific one, so that it hides nothing from a narrower rule.
    """
    band = _band(hosts, paths)
    first = int(sha256(name.encode()).hexdigest(), 16) % _BAND
    turns = (band[(first + turn) % _BAND] for turn in range(_BAND))
    return next(priority for priority in turns if priority not in taken)


def _band(hosts: Sequence[str], paths: Sequence[str]) -> range:
    """Return the priorities of all rules that are as specific."""
    start = _FIRST + (_host_rank(hosts) * _PATH_RANKS + _path_rank(paths)) * _BAND
    return range(start, start + _BAND)


def _host_rank(hosts: Sequence[str]) -> int:
    if not hosts:
        return 2
    return max(int(_is_pattern(host)) for host in hosts)


def _path_rank(paths: Sequence[str]) -> int:
    if not paths:
        return _PATH_RANKS - 1
    return max(1 + _LONGEST_PATH - min(_literal(path), _LONGEST_PATH) if _is_pattern(path) else 0 for path in paths)


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _literal(path: str) -> int:
    """Return how many characters come before the first wildcard."""
    return min(place for place, sign in enumerate(path) if sign in "*?")
