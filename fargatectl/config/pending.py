"""Keys that the file's schema has and this version of fargatectl does not do yet: refused, never ignored.

A concern that lands takes its rows out of this table; that is all there is to do here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.config.findings import Finding
from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.config.findings import KeyPath


@dataclass(frozen=True)
class Pending:
    """A key path, `*` standing for any one name; with `values`, only these values are refused."""

    path: str
    values: tuple[object, ...] = ()


PENDING: tuple[Pending, ...] = ()


def refused(data: Mapping[str, Any], pending: tuple[Pending, ...] = PENDING) -> list[Finding]:
    """Return a finding for each key of `data` that is pending. What is empty (`volumes = {}`) asks for nothing."""
    findings = []
    for row in pending:
        for path, value in _matches(data, tuple(row.path.split(".")), ()):
            if row.values and value in row.values:
                findings.append(Finding(path, f"`{path[-1]} = {_text(value)}` is not supported by this version yet"))
            elif not row.values and value not in ({}, (), [], False):
                findings.append(Finding(path, f"`{path[-1]}` is not supported by this version yet"))
    return findings


def _matches(value: object, keys: tuple[str, ...], path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    if not keys:
        yield path, value
    elif isinstance(value, dict):
        for key in value if keys[0] == "*" else [key for key in value if key == keys[0]]:
            yield from _matches(value[key], keys[1:], (*path, key))


def _text(value: object) -> str:
    if value is True:
        return "true"
    return f'"{value[0] if isinstance(value, tuple) else value}"'
