"""How single values are written in the file: durations, sizes, ports, names. Each type says what it expects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic_core import core_schema

from fargatectl.config.interpolate import Interpolated
from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

MIB_PER_GB = 1024
UNITS_PER_VCPU = 1024
_SHOWN = 60
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_DURATION_PATTERN = r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([A-Za-z]*)", re.ASCII)
_DIGITS = re.compile(r"-?\d{1,18}", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}")


def shown(value: object) -> str:
    """Return `value` as the file has it, short, and never with what `${…}` was replaced by."""
    if isinstance(value, Interpolated):
        value = value.written
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= _SHOWN else f'"{value[:_SHOWN]}…"'
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        return "a table"
    return "a list" if isinstance(value, list | tuple) else "a date or time"


class Scalar:
    """A type of value: subclasses parse it, raising ValueError that says what was expected."""

    def parse(self, value: object) -> object:
        """Return the canonical value."""
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of what may be written."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Validate by `parse` alone."""
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe what may be written, not what it becomes."""
        return self.json_schema()


@dataclass(frozen=True)
class Whole(Scalar):
    """A whole number in a range; `${…}` may give it, since a TOML string is the only place for one."""

    low: int
    high: int

    def parse(self, value: object) -> int:
        """Return the number."""
        if isinstance(value, Interpolated) and _DIGITS.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ValueError(f"expected a whole number from {self.low} to {self.high}, got {shown(value)}")
        return value

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return _or_reference({"type": "integer", "minimum": self.low, "maximum": self.high})


@dataclass(frozen=True)
class Number(Scalar):
    """A number in a range, with or without a fraction."""

    low: float
    high: float

    def parse(self, value: object) -> float:
        """Return the number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            raise ValueError(f"expected a number from {self.low:g} to {self.high:g}, got {shown(value)}")
        return value

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "number", "minimum": self.low, "maximum": self.high}


class Flag(Scalar):
    """True or false; `${…}` may give it."""

    def parse(self, value: object) -> bool:
        """Return the flag."""
        if isinstance(value, Interpolated) and value in {"true", "false"}:
            return value == "true"
        if not isinstance(value, bool):
            raise ValueError(f"expected true or false, got {shown(value)}")  # noqa: TRY004 - pydantic collects these
        return value

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return _or_reference({"type": "boolean"})


@dataclass(frozen=True)
class Seconds(Scalar):
    """A duration, as `"30s"`, `"5m"`, `"1h30m"` or a number of seconds; becomes whole seconds."""

    low: int
    high: int

    def parse(self, value: object) -> int:
        """Return the seconds."""
        seconds = self._seconds(value)
        if seconds is None:
            raise ValueError(f'expected a duration such as "30s", "5m" or a number of seconds, got {shown(value)}')
        if not self.low <= seconds <= self.high:
            raise ValueError(f"expected {duration(self.low)} to {duration(self.high)}, got {shown(value)}")
        return seconds

    @staticmethod
    def _seconds(value: object) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if not isinstance(value, str) or not value:
            return None
        if isinstance(value, Interpolated) and _DIGITS.fullmatch(value):
            return int(value)
        found = _DURATION.fullmatch(value)
        if found is None:
            return None
        return sum(int(count or 0) * size for count, size in zip(found.groups(), _SECONDS.values(), strict=True))

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        number = {"type": "integer", "minimum": self.low, "maximum": self.high}
        return _or_reference({"anyOf": [{"type": "string", "pattern": _DURATION_PATTERN}, number]})


def duration(seconds: int) -> str:
    """Return `seconds` in the largest unit that divides them, as the file may have it: `"5m"`."""
    for letter, size in _SECONDS.items():
        if seconds and seconds % size == 0:
            return f"{seconds // size}{letter}"
    return f"{seconds}s"


@dataclass(frozen=True)
class Amount(Scalar):
    """A size: a number in the base unit, or a string with a unit, which must come out whole."""

    example: str
    units: tuple[tuple[str, int], ...]

    def parse(self, value: object) -> int:
        """Return the size in the base unit."""
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        found = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
        factors = dict(self.units)
        if found is None or found[2].lower() not in factors:
            raise ValueError(f"expected a size such as {self.example}, got {shown(value)}")
        size = float(found[1]) * factors[found[2].lower()]
        if size < 1 or not size.is_integer():
            raise ValueError(f"expected a size such as {self.example}, got {shown(value)}")
        return int(size)

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 1}]}


CPU = Amount('"0.5 vCPU" or 512', (("", 1), ("vcpu", UNITS_PER_VCPU)))
MEMORY = Amount('"2 GB" or 2048', (("", 1), ("mb", 1), ("mib", 1), ("gb", MIB_PER_GB), ("gib", MIB_PER_GB)))


@dataclass(frozen=True)
class Text(Scalar):
    """A string that matches a pattern; `expected` says in words what that is."""

    expected: str
    pattern: str = r"[^\x00]+"
    longest: int = 4096

    def parse(self, value: object) -> str:
        """Return the string."""
        if not isinstance(value, str) or len(value) > self.longest or not re.fullmatch(self.pattern, value):
            raise ValueError(f"expected {self.expected}, got {shown(value)}")
        return str(value)

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema; an editor sees the text before `${…}` is replaced, so the pattern is not given."""
        return {"type": "string", "minLength": 1, "maxLength": self.longest}


class Zone(Scalar):
    """A time zone by its IANA name. Where this machine knows no zones, any name of that form is taken."""

    def parse(self, value: object) -> str:
        """Return the name."""
        if not isinstance(value, str) or not _ZONE.fullmatch(value) or not self._exists(value):
            raise ValueError(f'expected a time zone such as "Europe/Berlin" or "UTC", got {shown(value)}')
        return str(value)

    @staticmethod
    def _exists(name: str) -> bool:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return not available_timezones()
        return True

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "minLength": 1}


class VariableValue(Scalar):
    """The value of an environment variable: a string, or a number or flag that becomes one."""

    def parse(self, value: object) -> str:
        """Return the value as the container sees it."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str | int | float):
            raise ValueError(f"expected a string, a number, true or false, got {shown(value)}")  # noqa: TRY004
        return value if isinstance(value, str) else str(value)

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": ["string", "number", "boolean"]}


class OneOrMany:
    """Marks a list that may be written as its only element."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Put a lone string into a list."""
        return core_schema.no_info_before_validator_function(_listed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allow both forms."""
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _or_reference(schema: dict[str, Any]) -> dict[str, Any]:
    """Return `schema`, or a string with a `${…}` in it."""
    return {"anyOf": [schema, {"type": "string", "pattern": r"\$\{"}]}
