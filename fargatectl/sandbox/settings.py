"""What a user or a test may have the local AWS do: keys, their values, and what they mean.

The same `KEY=VALUE` works in process (`LocalAws.set`) and on the command line (`fargatectl sandbox set`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fargatectl.model.nearest import nearest
from fargatectl.sandbox import botocore_adapter

if TYPE_CHECKING:
    from collections.abc import Callable

Value = float | str | tuple[int, str]

_CODE = re.compile(r"(?:(\d+|\*):)?([A-Za-z][\w.]*)")
EVERY = 0


class SettingError(Exception):
    """A key or value that the local AWS does not know; `hint` says what it does know."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Key:
    """One kind of setting, with an `example`. `subject` follows the name in the key; one done `once` is not kept."""

    name: str
    value: str
    meaning: str
    parse: Callable[[str], Value]
    example: str
    subject: str = ""
    once: bool = False

    @property
    def pattern(self) -> str:
        """The key as documentation writes it."""
        return f"{self.name}.{self.subject}" if self.subject else self.name


@dataclass(frozen=True, slots=True)
class Setting:
    """One `KEY=VALUE`, understood; `value` is None where it is to be cleared."""

    key: Key
    subject: str
    text: str
    value: Value | None

    @property
    def name(self) -> str:
        """The key as it was given."""
        return f"{self.key.name}.{self.subject}" if self.subject else self.key.name

    @property
    def subjects(self) -> tuple[str, ...]:
        """What it may be about: the service `web` of the cluster `hello` is that, or fargatectl's `hello-web`."""
        cluster, slash, rest = self.subject.partition("/")
        of_service = self.key.subject in {_TASKS, _ACTION}
        return (self.subject, f"{cluster}/{cluster}-{rest}") if slash and of_service else (self.subject,)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 86_400:  # noqa: PLR2004 - a day: more is a typing mistake
        raise ValueError(text)
    return seconds


def _count(text: str) -> float:
    if not text.isdigit():
        raise ValueError(text)
    return float(text)


def _nth(text: str) -> float:
    if text == "*":
        return float(EVERY)
    number = _count(text)
    if number < 1:
        raise ValueError(text)
    return number


def _error(text: str) -> tuple[int, str]:
    found = _CODE.fullmatch(text)
    if not found:
        raise ValueError(text)
    return int(_nth(found.group(1) or "1")), found.group(2)


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return parse


_OPERATION, _TASKS, _PROVIDER = "SERVICE.OPERATION", "CLUSTER/SERVICE", "PROVIDER"
_ACTION, _SCHEDULE, _ALARM, _DOMAIN = "CLUSTER/SERVICE/ACTION", "GROUP/SCHEDULE", "NAME", "DOMAIN"
_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
_SUBJECTS = {
    _TASKS: (re.compile(r"[\w-]+/[\w-]+"), "a cluster and a service"),
    _ACTION: (re.compile(r"[\w-]+/[\w-]+/.+"), "a cluster, a service and a scheduled action"),
    _SCHEDULE: (re.compile(r"[\w.-]+/[\w.-]+"), "a group and a schedule"),
    _ALARM: (re.compile(r".+"), "an alarm's name"),
    _DOMAIN: (re.compile(r"[a-z0-9*.-]+"), "a domain in small letters"),
}

KEYS = {
    key.name: key
    for key in (
        Key("latency", "SECONDS", "every answer takes that many seconds of the clock", _seconds, "latency=0.2"),
        Key(
            "error",
            "[N:]CODE",
            "the Nth call from now (the next; *: every one) fails with CODE",
            _error,
            "error.ecs.UpdateService=2:ServerException",
            _OPERATION,
        ),
        Key(
            "lost",
            "N",
            "the Nth call from now (*: every one) takes effect, and its answer is lost",
            _nth,
            "lost.ecs.CreateService=1",
            _OPERATION,
        ),
        Key("stale", "N", "after a write, a question asked before is N times answered as before", _count, "stale=2"),
        Key("throttling", "on", "ECS refuses what exceeds its documented rates", _one_of("on"), "throttling=on"),
        Key(
            "tagging_lag",
            "SECONDS",
            "the tagging API learns of tags and deletions so much later",
            _seconds,
            "tagging_lag=30",
        ),
        Key("iam_lag", "SECONDS", "a role is assumable so long after it was made (10)", _seconds, "iam_lag=60"),
        Key("drain", "SECONDS", "targets drain so long, whatever their target group says", _seconds, "drain=900"),
        Key(
            "health",
            "failing",
            "load balancers find the service's tasks unhealthy",
            _one_of("failing"),
            "health.hello/web=failing",
            _TASKS,
        ),
        Key(
            "hook",
            "failing",
            "functions that the service's deployments ask at their stages say no",
            _one_of("failing"),
            "hook.hello/web=failing",
            _TASKS,
        ),
        Key(
            "capacity",
            "none",
            "there is no capacity to start tasks on",
            _one_of("none"),
            "capacity.FARGATE_SPOT=none",
            _PROVIDER,
        ),
        Key(
            "alarm",
            "STATE",
            "an alarm of CloudWatch goes into a state (ALARM, OK, INSUFFICIENT_DATA), now",
            _one_of("ALARM", "OK", "INSUFFICIENT_DATA"),
            "alarm.hello-errors=ALARM",
            _ALARM,
            once=True,
        ),
        Key(
            "count", "N", "the autoscaler sets the service's count, now", _count, "count.hello/web=4", _TASKS, once=True
        ),
        Key(
            "spot",
            "interrupt",
            "AWS takes the service's Spot tasks back",
            _one_of("interrupt"),
            "spot.hello/web=interrupt",
            _TASKS,
            once=True,
        ),
        Key(
            "scheduled_action",
            "run",
            "an action of the autoscaler is due, now",
            _one_of("run"),
            "scheduled_action.hello/web/night=run",
            _ACTION,
            once=True,
        ),
        Key(
            "schedule",
            "run",
            "a schedule of EventBridge Scheduler is due, now",
            _one_of("run"),
            "schedule.hello/nightly=run",
            _SCHEDULE,
            once=True,
        ),
        Key(
            "certificate",
            "REASON",
            "certificates with that domain are not issued: never (pending), or ACM fails them (CAA_ERROR, "
            "DOMAIN_NOT_ALLOWED, INVALID_PUBLIC_DOMAIN, ADDITIONAL_VERIFICATION_REQUIRED, OTHER)",
            _one_of(
                "pending",
                "CAA_ERROR",
                "DOMAIN_NOT_ALLOWED",
                "INVALID_PUBLIC_DOMAIN",
                "ADDITIONAL_VERIFICATION_REQUIRED",
                "OTHER",
            ),
            "certificate.hello.example.com=CAA_ERROR",
            _DOMAIN,
        ),
    )
}


def read(assignment: str) -> Setting:
    """Return what a `KEY=VALUE` means; `KEY=` clears. Raises SettingError."""
    name, equals, text = (part.strip() for part in assignment.partition("="))
    if not equals:
        message = f"{assignment!r} sets nothing"
        raise SettingError(message, hint=f"write {name}=VALUE, or {name}= to clear it")
    word, _, subject = name.partition(".")
    key = _key(word)
    _check_subject(key, subject)
    if not text:
        if key.once:
            message = f"{key.name} is done at once and cannot be cleared"
            raise SettingError(message, hint=f"write {key.pattern}={key.value}")
        return Setting(key, subject, "", None)
    try:
        return Setting(key, subject, text, key.parse(text))
    except ValueError:
        message = f"{name} cannot be {text!r}"
        raise SettingError(message, hint=f"write {key.pattern}={key.value}: {key.meaning}") from None


def _key(word: str) -> Key:
    if word in KEYS:
        return KEYS[word]
    close = nearest(word, KEYS)
    message = f"There is no setting {word!r}"
    hint = f"did you mean {KEYS[close].pattern}?" if close else f"there are {', '.join(KEYS)}"
    raise SettingError(message, hint=hint)


def _check_subject(key: Key, subject: str) -> None:
    if not key.subject:
        if subject:
            message = f"{key.name} is about everything, not about {subject!r}"
            raise SettingError(message, hint=f"write {key.name}={key.value}")
        return
    if key.subject == _OPERATION:
        _check_operation(key, subject)
    elif key.subject == _PROVIDER and subject not in _PROVIDERS:
        message = f"There is no capacity provider {subject!r}"
        raise SettingError(message, hint=f"there are {' and '.join(_PROVIDERS)}")
    elif key.subject in _SUBJECTS:
        form, words = _SUBJECTS[key.subject]
        if not form.fullmatch(subject):
            message = f"{key.name} needs {words}, not {subject!r}"
            raise SettingError(message, hint=f"write {key.pattern}={key.value}")


def _check_operation(key: Key, subject: str) -> None:
    service, _, operation = subject.partition(".")
    known = botocore_adapter.operations(service)
    if not known:
        close = nearest(service, botocore_adapter.SERVICES)
        message = f"There is no AWS service {service!r}"
        raise SettingError(message, hint=f"did you mean {close}?" if close else f"write {key.pattern}={key.value}")
    if operation not in known:
        close = nearest(operation, known)
        message = f"{service} has no operation {operation!r}"
        raise SettingError(message, hint=f"did you mean {close}?" if close else f"write {key.pattern}={key.value}")
