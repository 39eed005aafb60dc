"""What the local AWS was told to do beyond being itself: faults between it and its clients, and turns of events."""

from __future__ import annotations

import pickle
from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from fargatectl.sandbox.faults import AwsError, LostAnswer
from fargatectl.sandbox.settings import EVERY, SettingError
from fargatectl.sandbox.throttling import Buckets

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.settings import Setting, Value
    from fargatectl.sandbox.wire import Call

Effect: TypeAlias = "Callable[[Region, str, Value | None], bool]"


class Effects:
    """What follows at once from a setting, by its key's name."""

    def __init__(self) -> None:
        self._known: dict[str, Effect] = {}
        self._watchers: dict[str, Callable[[Region], None]] = {}

    def of(self, name: str) -> Callable[[Effect], Effect]:
        """Register what follows in one Region; it returns whether that Region had anything to do with it."""

        def register(effect: Effect) -> Effect:
            self._known[name] = effect
            return effect

        return register

    def after_write(self, name: str) -> Callable[[Callable[[Region], None]], Callable[[Region], None]]:
        """Register what is done after every write while a setting of this name is in force."""

        def register(watcher: Callable[[Region], None]) -> Callable[[Region], None]:
            self._watchers[name] = watcher
            return watcher

        return register

    def watch(self, script: Script, region: Region) -> None:
        """Let those take notice who look at every write."""
        for name, watcher in self._watchers.items():
            if script.has(name):
                watcher(region)

    def apply(self, setting: Setting, regions: list[Region]) -> None:
        """Have it follow everywhere. Raises SettingError where a turn of events concerns nothing that exists."""
        effect = self._known.get(setting.key.name)
        if effect is None:
            return
        met = [effect(region, one, setting.value) for one in setting.subjects for region in regions]
        if setting.key.once and not any(met):
            message = f"{setting.name} meets nothing: no such thing, or it has no such tasks or scalable target"
            raise SettingError(message, hint="deploy it first")


EFFECTS = Effects()


class Script:
    """The settings in force, and the countdowns that they began."""

    def __init__(self) -> None:
        self._settings: dict[str, Setting] = {}
        self._left: dict[str, int] = {}
        self._buckets = Buckets()
        self._answers: dict[bytes, Response | AwsError] = {}
        self._stale: dict[bytes, int] = defaultdict(int)

    def put(self, setting: Setting) -> None:
        """Keep a setting, or clear it."""
        self._left.pop(setting.name, None)
        if setting.key.name == "stale":
            self._answers.clear()
            self._stale.clear()
        if setting.value is None:
            self._settings.pop(setting.name, None)
        elif not setting.key.once:
            self._settings[setting.name] = setting

    def listed(self) -> dict[str, str]:
        """Return what is set, as it was given."""
        return {name: self._settings[name].text for name in sorted(self._settings)}

    def number(self, name: str, default: float = 0.0) -> float:
        """Return the number that a setting holds."""
        setting = self._settings.get(name)
        return float(setting.value) if setting is not None and isinstance(setting.value, float) else default

    def has(self, name: str, subject: str = "") -> bool:
        """Tell whether something is set."""
        if not subject:
            return name in self._settings
        return any(one.key.name == name and subject in one.subjects for one in self._settings.values())

    def word(self, name: str, subject: str) -> str:
        """Return the word that a setting holds about a subject, or nothing."""
        said = (one.value for one in self._settings.values() if one.key.name == name and subject in one.subjects)
        return str(next(said, ""))

    def answer(self, call: Call, now: float, apply: Callable[[], Response]) -> Response:
        """Answer a call, at a moment of the clock, with the faults that are set.

        Raises AwsError for a refusal, LostAnswer for a lost one.
        """
        if not self._settings:
            return apply()
        if self.has("throttling"):
            self._buckets.take(call, now)
        operation = f"{call.service}.{call.operation}"
        self._refuse(f"error.{operation}")
        response = self._perhaps_stale(call, apply) if self.has("stale") else apply()
        lost = f"lost.{operation}"
        if lost in self._settings and self._due(lost, int(self.number(lost))):
            raise LostAnswer(operation)
        return response

    def _refuse(self, name: str) -> None:
        setting = self._settings.get(name)
        if setting is None or not isinstance(setting.value, tuple):
            return
        number, code = setting.value
        if self._due(name, number):
            raise AwsError(code, f"The local AWS was told to fail here ({name}={setting.text}).", status=_status(code))

    def _due(self, name: str, number: int) -> bool:
        """Count a call; tell whether it is the one. A setting has done its work after that, unless it is for every."""
        if number == EVERY:
            return True
        left = self._left.get(name, number) - 1
        self._left[name] = left
        if left > 0:
            return False
        del self._left[name], self._settings[name]
        return True

    def _perhaps_stale(self, call: Call, apply: Callable[[], Response]) -> Response:
        if call.mutating:
            response = apply()
            for known in self._answers:
                self._stale[known] = int(self.number("stale"))
            return response
        question = pickle.dumps((call.service, call.operation, call.account, call.region, call.params))
        if self._stale[question] > 0:
            self._stale[question] -= 1
            return _given(self._answers[question])
        try:
            self._answers[question] = apply()
        except AwsError as error:
            self._answers[question] = error
        return _given(self._answers[question])


def _given(answer: Response | AwsError) -> Response:
    if isinstance(answer, AwsError):
        raise answer
    return answer


def _status(code: str) -> int:
    """Return the HTTP status of an error: clients retry 5xx whatever the code says."""
    if code in ("InternalFailure", "InternalError", "ServerException", "ServiceException"):
        return 500
    if code in ("ServiceUnavailable", "ServiceUnavailableException"):
        return 503
    return 403 if code.startswith("AccessDenied") else 400
