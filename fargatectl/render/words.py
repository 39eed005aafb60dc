"""Words for the values of the model: what changes are called, what they mean for traffic, how numbers are said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fargatectl.model.change import Action
from fargatectl.model.spec import Effect
from fargatectl.model.status import ServiceState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from fargatectl.model.events import StepVerb
    from fargatectl.model.status import ServiceEvent

SYMBOLS = {
    Action.NOOP: " ",
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "±",
    Action.DELETE: "-",
    Action.ADOPT: "=",
}
STYLES = {
    Action.NOOP: "dim",
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "red",
    Action.DELETE: "red",
    Action.ADOPT: "cyan",
}
EFFECTS = {
    Effect.NONE: "",
    Effect.NEW_DEPLOYMENT: "starts a new deployment",
    Effect.REPLACEMENT: "replaces what serves traffic",
    Effect.INTERRUPTION: "interrupts traffic",
}
EFFECT_STYLES = {
    Effect.NONE: "",
    Effect.NEW_DEPLOYMENT: "yellow",
    Effect.REPLACEMENT: "red",
    Effect.INTERRUPTION: "bold red",
}
STATES = {
    ServiceState.STEADY: "steady",
    ServiceState.DEPLOYING: "deploying",
    ServiceState.ROLLING_BACK: "rolling back",
    ServiceState.FAILED: "failed",
    ServiceState.DRAINING: "draining",
    ServiceState.MISSING: "missing",
}
STATE_STYLES = {
    ServiceState.STEADY: "green",
    ServiceState.DEPLOYING: "yellow",
    ServiceState.ROLLING_BACK: "red",
    ServiceState.FAILED: "red",
    ServiceState.DRAINING: "yellow",
    ServiceState.MISSING: "dim",
}
ONGOING: dict[StepVerb, str] = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "adopt": "taking over",
    "run": "running",
}
DONE: dict[StepVerb, str] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "adopt": "taken over",
    "run": "completed",
}
KNOWN_AFTER_APPLY = "known after apply"
HIDDEN = "(hidden)"
NOT_SET = "not set"
_COMMAND = "fargatectl"


def count(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: "1 task", "2 tasks"."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def duration(seconds: float) -> str:
    """Return a duration in words: "0.4 s", "12 s", "1 m 12 s", "2 h 5 m"."""
    if seconds < 9.95:  # noqa: PLR2004 - from here on tenths say nothing
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} m"
    return f"{minutes} m {rest} s" if rest else f"{minutes} m"


def clock(seconds: float) -> str:
    """Return elapsed time as a clock shows it: "00:48", "1:02:03"."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"


def sentence(text: str) -> str:
    """Return a message as a sentence: it ends with a full stop, and begins with a capital letter if that is a word."""
    stripped = text.strip()
    if not stripped or not stripped[0].isalpha():
        return stripped
    ended = stripped if stripped[-1] in ".:!?)…`>" else f"{stripped}."
    first = stripped.split(maxsplit=1)[0]
    is_word = first.isalpha() and first.islower() and first != _COMMAND
    return ended[0].upper() + ended[1:] if is_word else ended


def without_service(message: str) -> str:
    """Return an event of ECS without the "(service NAME) " that it begins with, where the name has been said."""
    return message.split(") ", 1)[1] if message.startswith("(service ") and ") " in message else message


# The resource ends in no punctuation: it is the sentence's, like the quotes around it.
_ARN = re.compile(r"arn:aws[\w-]*:(?P<service>[\w-]*):[\w-]*:\d*:(?P<resource>[^\s)'\"]*[\w*])")
_OF_LOAD_BALANCERS = re.compile(r"\w+/(?:(?:app|net|gwy)/)?(?P<name>[^/]+)")
_TASK_ID = re.compile(r"\b(?P<short>[0-9a-f]{8})[0-9a-f]{24}\b")
_MANUAL = re.compile(r"\s*For more information, see .*Amazon ECS Developer Guide\.?")


def without_arns(text: str) -> str:
    """Return `text` with the names of things in place of their ARNs."""
    return _ARN.sub(_name, text)


def _name(arn: re.Match[str]) -> str:
    """Return the name in an ARN. Service Authorization Reference: load balancing has an id behind it, others a path
    before it, and some (secrets, log groups) have slashes in it."""
    resource = arn["resource"]
    if arn["service"] == "elasticloadbalancing" and (found := _OF_LOAD_BALANCERS.match(resource)):
        return found["name"]
    kind, _, named = resource.partition(":")
    return named.removesuffix(":*") if named and "/" not in kind else resource.rpartition("/")[2]


# What ECS says of a role that IAM has not shown it yet, seconds after it was made. It tries again in any case.
_NOT_ASSUMED = re.compile(r"\(error ECS was unable to assume the role '([^']+)'.*\)", re.DOTALL)


def event_words(message: str) -> str:
    """Return an event of ECS as people read it: without the service and the manual, names in place of ARNs, and of a
    task's id as much as `fargatectl logs --task` needs."""
    words = _TASK_ID.sub(r"\g<short>", without_arns(_MANUAL.sub("", without_service(message))))
    return _NOT_ASSUMED.sub(r"role \1: ECS cannot assume it yet, and tries again", words)


def events_words(events: Iterable[ServiceEvent]) -> dict[str, datetime]:
    """Return what ECS said, the oldest first, with its time; what it said several times over comes once, counted."""
    said: dict[str, list[datetime]] = {}
    for event in sorted(events, key=lambda one: one.at):
        said.setdefault(event_words(event.message), []).append(event.at)
    return {text if len(at) == 1 else f"{text} ({len(at)} times)": at[-1] for text, at in said.items()}


def stack_name(app: str, environment: str | None) -> str:
    """Return what people call one app in one environment: "shop", "shop · prod"."""
    return f"{app} · {environment}" if environment else app
