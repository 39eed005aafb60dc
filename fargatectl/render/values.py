"""Settings as a person reads them in a plan: short ones on a line, structured ones as a small listing."""

from __future__ import annotations

import json
import re
from difflib import unified_diff
from typing import Any

from fargatectl.render.escape import escape
from fargatectl.render.plain import plain
from fargatectl.render.words import HIDDEN, KNOWN_AFTER_APPLY, NOT_SET

_TASK_DEFINITION = re.compile(r"^arn:[\w-]+:ecs:[\w-]*:\d*:task-definition/(\S+)$", re.ASCII)
_INLINE = 56  # cells of a structured value that still reads well on one line
_RAW = frozenset({"tags", "env", "environment", "secrets", "labels", "options", "attributes"})


def label(path: str) -> str:
    """Return the path of a setting in words: `health_check.path` is "health check path". Keys that users chose stay
    as they are."""
    words: list[str] = []
    for part in path.split("."):
        raw = any(word.partition("[")[0] in _RAW for word in words)
        name, bracket, key = part.partition("[")
        words.append(part if raw else name.replace("_", " ") + bracket + key)
    return escape(" ".join(words))


def is_structured(value: object) -> bool:
    """Tell whether a value is better shown as a listing than on one line."""
    data = _data(value)
    return isinstance(data, dict | list) and len(inline(value)) > _INLINE


def inline(value: object) -> str:
    """Return a value on one line, escaped; a task definition by family and revision, as people know it."""
    return escape(_TASK_DEFINITION.sub(r"\1", _inline(_data(value))))


def listing(value: object) -> list[str]:
    """Return a value as lines of indented text, escaped."""
    if value is None:
        return []
    return [escape(line) for line in _lines(_data(value))]


def listing_diff(before: object, after: object) -> list[tuple[str, str]]:
    """Return what distinguishes two structured values: a mark (`-`, `+` or a space) and a line, with a little around
    each difference."""
    old, new = listing(before), listing(after)
    lines = list(unified_diff(old, new, lineterm="", n=1))[2:]
    return [("…", "") if line.startswith("@@") else (line[0], line[1:]) for line in lines][1:] if lines else []


def _data(value: object) -> Any:  # noqa: ANN401 - plain data
    """Return plain data; a JSON document (a policy) is shown by what it holds."""
    data = plain(value, hidden=HIDDEN, unknown=f"({KNOWN_AFTER_APPLY})")
    if isinstance(data, str) and data[:1] in {"{", "["}:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return data
    return data


def _inline(data: object) -> str:
    if data is None:
        return NOT_SET
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, str):
        return data if data and data == data.strip() else json.dumps(data, ensure_ascii=False)
    if isinstance(data, dict):
        return (
            ", ".join(f"{key} {_nested(part)}" for key, part in data.items() if part not in (None, {}, [])) or "empty"
        )
    if isinstance(data, list):
        return ", ".join(_nested(part) for part in data) or "none"
    return str(data)


def _nested(data: object) -> str:
    text = _inline(data)
    return f"({text})" if isinstance(data, dict) or (isinstance(data, list) and len(data) > 1) else text


def _lines(data: object, indent: str = "") -> list[str]:
    """Return data in the manner of YAML: what is short stays on one line."""
    if isinstance(data, dict):
        lines = []
        for key, part in data.items():
            if part in (None, {}, []):
                continue
            if isinstance(part, dict | list) and len(_inline(part)) > _INLINE - len(indent):
                lines += [f"{indent}{key}:", *_lines(part, indent + "  ")]
            else:
                lines.append(f"{indent}{key}: {_inline(part)}")
        return lines
    if isinstance(data, list):
        lines = []
        for part in data:
            first, *rest = _lines(part, indent + "  ") or [f"{indent}  {_inline(part)}"]
            lines += [f"{indent}- {first[len(indent) + 2 :]}", *rest]
        return lines
    return [f"{indent}{_inline(data)}"]
