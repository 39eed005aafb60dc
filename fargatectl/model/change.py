"""Changes: what distinguishes the desired settings from the live ones, as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fargatectl.dataclass import dataclass
from fargatectl.model.spec import Effect, Spec
from fargatectl.model.values import Address, Ref, sources

if TYPE_CHECKING:
    from collections.abc import Iterable

OWNERSHIP_PREFIX = "fargatectl:"


class Action(StrEnum):
    """What is done to a resource. NOOP is never shown; unchanged resources are counted."""

    NOOP = "noop"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"


@dataclass(frozen=True)
class FieldChange:
    """One setting that changes. `after` is None where `known_after_apply` is true."""

    path: str
    before: object
    after: object
    forces_replacement: bool = False
    known_after_apply: bool = False
    sensitive: bool = False
    effect: Effect = Effect.NONE


class Delta(tuple[FieldChange, ...]):
    """The settings that differ, in the order of the spec's fields. Empty means equal."""

    __slots__ = ()

    def touches(self, *paths: str) -> bool:
        """Tell whether a change lies at or below one of `paths`."""
        return any(
            change.path == path or change.path.startswith((f"{path}.", f"{path}[")) for change in self for path in paths
        )

    @property
    def paths(self) -> frozenset[str]:
        """All places that change."""
        return frozenset(change.path for change in self)

    @property
    def forces_replacement(self) -> bool:
        """Tell whether a setting changes that AWS cannot change in place."""
        return any(change.forces_replacement for change in self)

    @property
    def effect(self) -> Effect:
        """The worst effect on traffic among the changes."""
        return worst(change.effect for change in self)


@dataclass(frozen=True)
class Change:
    """What happens to one resource.

    `summary` is a phrase of people's words ("target group for web"); `group` is the headline under which a person
    looks for it ("load balancer public"); `cause` says why, where the fields do not ("removed from the file").
    """

    address: Address
    action: Action
    effect: Effect
    summary: str
    fields: Delta
    group: str = ""
    cause: str = ""

    @property
    def deploys(self) -> bool:
        """Tell whether it makes something that serves, or changes what serves."""
        if self.action in {Action.CREATE, Action.REPLACE}:
            return True
        return self.action in {Action.UPDATE, Action.ADOPT} and self.effect is not Effect.NONE


def worst(effects: Iterable[Effect]) -> Effect:
    """Return the most harmful of `effects`."""
    return max(effects, key=lambda effect: effect.rank, default=Effect.NONE)


def diff(desired: Spec, live: Spec) -> Delta:
    """Compare what is wanted with what is there. `None` on the desired side means "not ours"."""
    return Delta(_walk("", desired, live, {}))


def creation(desired: Spec) -> Delta:
    """Return all settings of a resource that does not exist yet. Our ownership tags are left out: they go without
    saying."""
    return Delta(
        change for change in _leaves("", desired, {}) if not change.path.startswith(f"tags.{OWNERSHIP_PREFIX}")
    )


def _walk(path: str, want: Any, have: Any, said: Mapping[str, Any]) -> Iterator[FieldChange]:  # noqa: ANN401
    if want == have or (want is None and not said.get("whole")):
        return
    if _is_record(want) and type(want) is type(have):
        for f in fields(want):
            wanted, found = getattr(want, f.name), getattr(have, f.name)
            if wanted != found and not (f.metadata.get("create_only") or f.metadata.get("wiring")):
                yield from _walk(_join(path, f.name), wanted, found, _inherit(said, f.metadata))
    elif isinstance(want, Mapping) and isinstance(have, Mapping):
        yield from _walk_mapping(path, want, have, said)
    elif _is_keyed(want) and isinstance(have, tuple) and (_is_keyed(have) or not have):
        yield from _walk_mapping(path, _by_key(want), _by_key(have), said, bracket=True)
    elif isinstance(want, tuple) and not want and _is_keyed(have):
        yield from _walk_mapping(path, {}, _by_key(have), said, bracket=True)
    else:
        yield _field_change(path, have, want, said)


def _walk_mapping(
    path: str, want: Mapping[Any, Any], have: Mapping[Any, Any], said: Mapping[str, Any], *, bracket: bool = False
) -> Iterator[FieldChange]:
    for key in sorted(want, key=str):
        where = f"{path}[{key}]" if bracket else _join(path, str(key))
        if key in have:
            yield from _walk(where, want[key], have[key], said)
        else:
            yield _field_change(where, None, want[key], said)
    if not said.get("partial"):
        for key in sorted(have.keys() - want.keys(), key=str):
            where = f"{path}[{key}]" if bracket else _join(path, str(key))
            yield _field_change(where, have[key], None, said)


def _leaves(path: str, value: Any, said: Mapping[str, Any]) -> Iterator[FieldChange]:  # noqa: ANN401
    if value is None or (isinstance(value, str | tuple | Mapping) and not value):
        return
    if _is_record(value):
        for f in fields(value):
            if f.metadata.get("wiring"):
                continue
            yield from _leaves(_join(path, f.name), getattr(value, f.name), _inherit(said, f.metadata))
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from _leaves(_join(path, str(key)), value[key], said)
    elif _is_keyed(value):
        for key, part in sorted(_by_key(value).items(), key=lambda item: str(item[0])):
            yield from _leaves(f"{path}[{key}]", part, said)
    else:
        yield _field_change(path, None, value, {**said, "immutable": False, "effect": Effect.NONE})


def _field_change(path: str, before: object, after: object, said: Mapping[str, Any]) -> FieldChange:
    unknown = next(sources(after), None) is not None
    return FieldChange(
        path=path,
        before=before,
        after=None if unknown else after,
        forces_replacement=bool(said.get("immutable")),
        known_after_apply=unknown,
        sensitive=bool(said.get("sensitive")),
        effect=Effect.REPLACEMENT if said.get("immutable") else said.get("effect", Effect.NONE),
    )


def _inherit(said: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "immutable": said.get("immutable") or own.get("immutable"),
        "sensitive": said.get("sensitive") or own.get("sensitive"),
        "effect": worst([said.get("effect", Effect.NONE), own.get("effect", Effect.NONE)]),
        "partial": own.get("partial"),
        "whole": said.get("whole") or own.get("whole"),
    }


def _is_record(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, type | Ref)


def _is_keyed(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(hasattr(part, "key") for part in value)


def _by_key(value: tuple[Any, ...]) -> dict[Any, Any]:
    return {getattr(part, part.key): part for part in value}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
