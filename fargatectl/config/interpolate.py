"""`${…}` in the file's strings. Text is replaced and nothing is evaluated; what was replaced is not read again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

from fargatectl.config.findings import Finding
from fargatectl.dataclass import dataclass
from fargatectl.model.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fargatectl.config.findings import KeyPath

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^{}:]*)(?::-(?P<default>[^}]*))?\}|(?P<open>\$\{)")
_NAMES = "env.NAME, var.NAME, git.sha, app, environment"
_FORMS = "references are ${NAME} and ${NAME:-default}"
_MISSING = object()


class Interpolated(str):
    """A string in which something was replaced.

    `written` is the text of the file: messages show that, for an environment variable may hold a secret. `foreign`
    tells whether one is in it.
    """

    __slots__ = ("foreign", "written")
    written: str
    foreign: bool

    def __new__(cls, value: str, written: str, *, foreign: bool) -> Self:
        """Remember how `value` was written."""
        self = super().__new__(cls, value)
        self.written, self.foreign = written, foreign
        return self


@dataclass
class Scope:
    """What `${…}` may refer to: the process's variables, the file's `vars`, the commit, app and environment.

    `git_sha` is asked at most once, and only when the file refers to it; None means that there is no commit.
    """

    variables: Mapping[str, str]
    environment: str | None
    git_sha: Callable[[], str | None]
    app: str | None = None
    vars: Mapping[str, Any] | None = None
    _sha: object = _MISSING

    def value(self, name: str) -> str | None:
        """Return what `name` stands for, None when it is undefined; raise KeyError when there is no such name."""
        kind, _, rest = name.partition(".")
        if kind == "env" and rest:
            return self.variables.get(rest)
        if kind == "var" and rest and self.vars is not None:
            return _text(self.vars.get(rest))
        if name == "git.sha":
            if self._sha is _MISSING:
                self._sha = self.git_sha()
            return self._sha if isinstance(self._sha, str) else None
        if name == "environment":
            return self.environment
        if name == "app" and self.app is not None:
            return self.app
        raise KeyError(name)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) else None


def interpolate(data: Mapping[str, Any], scope: Scope) -> tuple[dict[str, Any], list[Finding]]:
    """Return `data` with every `${…}` replaced, and what could not be.

    `app` is replaced first and may not refer to itself or to vars; `vars` next, which may not refer to one another.
    """
    findings: list[Finding] = []
    result = dict(data)
    if "app" in data:
        result["app"] = _walk(data["app"], ("app",), scope, findings)
        scope.app = result["app"] if isinstance(result["app"], str) else None
    if "vars" in data:
        result["vars"] = _walk(data["vars"], ("vars",), scope, findings)
        scope.vars = result["vars"] if isinstance(result["vars"], dict) else {}
    else:
        scope.vars = {}
    for key, value in data.items():
        if key not in {"app", "vars"}:
            result[key] = _walk(value, (key,), scope, findings)
    return result, findings


def _walk(value: object, path: KeyPath, scope: Scope, findings: list[Finding]) -> object:
    if isinstance(value, str):
        return _replaced(value, path, scope, findings) if "${" in value else value
    if isinstance(value, dict):
        return {key: _walk(item, (*path, key), scope, findings) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_walk(item, (*path, index), scope, findings) for index, item in enumerate(value))
    return value


def _replaced(text: str, path: KeyPath, scope: Scope, findings: list[Finding]) -> str:
    foreign = False

    def put(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        if found["open"]:
            findings.append(
                Finding(path, "this `${` begins no reference", hint=f"{_FORMS}; write $${{ for a literal ${{")
            )
            return found[0]
        try:
            value = scope.value(found["name"])
        except KeyError:
            findings.append(Finding(path, f"unknown reference ${{{found['name']}}}", hint=_help(found["name"], scope)))
            return found[0]
        if found["default"] is not None and not value:
            return str(found["default"])
        if value is None:
            findings.append(_undefined(found["name"], path, scope))
            return found[0]
        nonlocal foreign
        foreign = foreign or found["name"].startswith("env.") or (isinstance(value, Interpolated) and value.foreign)
        return value

    replaced = _REFERENCE.sub(put, text)
    return Interpolated(replaced, text, foreign=foreign)


def _help(name: str, scope: Scope) -> str:
    if name.startswith("var."):
        return "a var cannot refer to another var"
    if name == "app":
        return "the app's name cannot refer to itself"
    if scope.app is None and scope.vars is None:
        return "known here are env.NAME, git.sha, environment"
    return f"known are {_NAMES}; write $${{{name}}} to keep it as it is"


def _undefined(name: str, path: KeyPath, scope: Scope) -> Finding:
    kind, _, rest = name.partition(".")
    if kind == "env":
        close = nearest(rest, scope.variables)
        hint = f"set the environment variable {rest}, or give a default: ${{env.{rest}:-value}}"
        return Finding(
            path, f"the environment variable {rest} is not set" + (f"; {close} is" if close else ""), hint=hint
        )
    if kind == "var":
        close = nearest(rest, scope.vars or {})
        hint = f"did you mean `{close}`?" if close else f'add {rest} = "…" to [vars]'
        return Finding(path, f"there is no var `{rest}`", hint=hint, about=(("vars", rest),))
    if name == "git.sha":
        return Finding(path, "${git.sha} is unknown: the file is in no git repository with a commit")
    return Finding(path, "${environment} is undefined: no environment was chosen", hint="choose one with -e NAME")
