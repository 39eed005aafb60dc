"""From TOML data to a `Config`, with all problems of shape at once, in the words of the file's author."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from fargatectl.config.findings import Finding
from fargatectl.config.known import meant
from fargatectl.config.models import Config
from fargatectl.config.scalars import shown
from fargatectl.model.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

    from fargatectl.config.findings import KeyPath

_PLACEHOLDERS = {
    ("app",): "app",
    ("services", "*", "image"): "image",
    ("services", "*", "sidecars", "*", "image"): "image",
}
"""What stands in for a missing required key, so that the rest of its table is checked all the same."""
_ROUNDS = 25


def validate(data: Mapping[str, Any], bad: Iterable[KeyPath] = ()) -> tuple[Config | None, list[Finding], set[KeyPath]]:
    """Return the config, what is wrong, and the keys that are not to be trusted in it.

    `bad` are keys known to be wrong already. What is wrong is left out and the rest is validated again, so that the
    checks that need a whole `Config` still see all that is right.
    """
    left_out = set(bad)
    rest = dict(data)
    for path in left_out:
        rest = _without(rest, path)
    findings: list[Finding] = []
    for _ in range(_ROUNDS):
        try:
            return Config.model_validate(rest), findings, left_out
        except ValidationError as error:
            details = error.errors(include_url=False)
        news = [_finding(detail, rest) for detail in details]
        mistyped = {path for finding in news for path in finding.about}
        findings += [finding for finding in news if not related(finding.path, left_out | mistyped)]
        for finding, detail in zip(news, details, strict=True):
            left_out |= {finding.path, *finding.about}
            rest = _mended(rest, finding.path, missing=detail["type"] == "missing")
    return None, findings, left_out


def unknown_keys(data: Mapping[str, Any]) -> list[Finding]:
    """Return only the unknown keys of `data`, for an overlay that was not chosen: its `${…}` are not replaced."""
    try:
        Config.model_validate(data)
    except ValidationError as error:
        return [_finding(item, data) for item in error.errors(include_url=False) if item["type"] == "extra_forbidden"]
    return []


def related(path: KeyPath, others: Iterable[KeyPath]) -> bool:
    """Tell whether `path` leads to, or through, one of `others`."""
    return any(path[: len(other)] == other[: len(path)] for other in others)


def _path(location: KeyPath, data: Mapping[str, Any]) -> KeyPath:
    """Return pydantic's location without the names of forms, which begin with "~" and are no keys of the file."""
    path: KeyPath = ()
    for part in location:
        table = _at(data, path)
        is_form = isinstance(part, str) and part.startswith("~") and not (isinstance(table, dict) and part in table)
        path = path if is_form else (*path, part)
    return path


def _finding(detail: ErrorDetails, data: Mapping[str, Any]) -> Finding:
    path = _path(detail["loc"], data)
    if path[-1:] == ("[key]",):
        return Finding(path[:-1], f"a bad name: {_reason(detail)}")
    if detail["type"] == "extra_forbidden":
        return _unknown(path, data)
    if detail["type"] == "missing":
        return Finding(path, f"`{path[-1]}` is required" if isinstance(path[-1], str) else "too few items in this list")
    while path and _at(data, path) is None:  # the file has a shorthand where the model has a table
        path = path[:-1]
    return Finding(path, _reason(detail), hint=_hint(detail))


def _unknown(path: KeyPath, data: Mapping[str, Any]) -> Finding:
    key, hint = meant(path, Config)
    siblings = _at(data, path[:-1])
    about = ((*path[:-1], key),) if key and isinstance(siblings, dict) and key not in siblings else ()
    return Finding(path, "unknown key", hint=hint, about=about)


_NO_TABLE = "`false` in [environments.NAME] removes a table that the rest of the file has; here is none"


def _reason(detail: ErrorDetails) -> str:
    got = shown(detail["input"])
    match detail["type"]:
        case "value_error":
            return str(detail["ctx"]["error"])
        case "literal_error":
            return f"expected {_options(detail)}, got {got}"
        case "model_type" | "dict_type":
            return f"expected a table, got {got}"
        case "tuple_type":
            return f"expected a list, got {got}"
        case "too_long":
            return f"expected at most {detail['ctx']['max_length']} items, got {detail['ctx']['actual_length']}"
        case _:
            return detail["msg"]


def _hint(detail: ErrorDetails) -> str:
    value = detail["input"]
    if detail["type"] in {"model_type", "dict_type"} and value is False:
        return _NO_TABLE
    if detail["type"] == "model_type" and detail["ctx"]["class_name"] == "ContainerHealthCheck":
        return "this is the container's own health check, with a `command`; the load balancer's is `http.health_check`"
    if detail["type"] == "literal_error" and isinstance(value, str):
        words = _options(detail).replace(" or ", ", ").replace('"', "").split(", ")
        close = nearest(value, words)
        return f'did you mean "{close}"?' if close and len(words) > 1 else ""
    return ""


def _options(detail: ErrorDetails) -> str:
    return str(detail["ctx"]["expected"]).replace("'", '"')


def _at(data: object, path: KeyPath) -> object:
    for part in path:
        if isinstance(data, tuple) and isinstance(part, int):
            data = dict(enumerate(data))
        if not isinstance(data, dict) or part not in data:
            return None
        data = data[part]
    return data


def _mended(data: dict[str, Any], path: KeyPath, *, missing: bool) -> dict[str, Any]:
    """Return `data` without what stands at `path`; where something is missing, without the table that misses it."""
    if missing and isinstance(_at(data, path[:-1]), dict) and _at(data, path) is None:
        placeholder = next((word for keys, word in _PLACEHOLDERS.items() if _fits(path, keys)), None)
        return _without(data, path[:-1]) if placeholder is None else _with(data, path, placeholder)
    return _without(data, path)


def _fits(path: KeyPath, pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(key in {"*", part} for part, key in zip(path, pattern, strict=True))


def _with(data: dict[str, Any], path: KeyPath, value: object) -> dict[str, Any]:
    key = str(path[0])
    return {**data, key: value if len(path) == 1 else _with(data[key], path[1:], value)}


def _without(data: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    """Return `data` without the value at `path`, or the list or shorthand that it is a part of."""
    key = path[0] if path else None
    if not isinstance(key, str) or key not in data:
        return data
    if len(path) > 1 and isinstance(data[key], dict):
        return {**data, key: _without(data[key], path[1:])}
    return {other: value for other, value in data.items() if other != key}
