"""The local AWS itself: takes a request, lets time catch up, and has it answered by the manners or by moto."""

from __future__ import annotations

import heapq
import itertools
import random
import uuid
from dataclasses import dataclass, replace
from email.utils import format_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from fargatectl.sandbox import botocore_adapter, moto_adapter, wire
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS
from fargatectl.sandbox.http import Response
from fargatectl.sandbox.identity import DEFAULT_REGION, scope_of
from fargatectl.sandbox.reads import Reads
from fargatectl.sandbox.script import EFFECTS, Script
from fargatectl.sandbox.settings import read
from fargatectl.sandbox.wire import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from fargatectl.sandbox.clock import Timeline
    from fargatectl.sandbox.handlers import Forward, Handler
    from fargatectl.sandbox.http import Request

S = TypeVar("S")

# What moto holds of these services is empty: an operation without a handler must not be answered from there.
_OURS = ("application-autoscaling", "ecs", "route53", "scheduler", "servicediscovery")


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call that a client made, for tests; `error` is the code of a refusal."""

    service: str
    operation: str
    params: Mapping[str, Any]
    mutating: bool
    account: str
    region: str
    error: str | None = None


class Cloud:
    """All accounts and Regions of one local AWS. One request at a time: every door takes the same lock.

    `record` keeps every call in `calls`, for tests; a server that runs for hours does without.
    """

    def __init__(self, timeline: Timeline, *, seed: int = 0, record: bool = True) -> None:
        self.timeline = timeline
        self.calls: list[RecordedCall] = []
        self.intercept: Callable[[Call, Callable[[], Response]], Response] | None = None
        self.observe: Callable[[Call, Mapping[str, Any]], None] | None = None
        self.moto = moto_adapter.Moto(seed)
        self.reads = Reads()
        self._seed = seed
        self._recording = record
        self._serial = itertools.count()
        self._begin()

    def _begin(self) -> None:
        self.random = random.Random(self._seed)  # noqa: S311 - ids that repeat from run to run, not secrets
        self._states: dict[tuple[type, str, str], Any] = {}
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._regions: dict[tuple[str, str], Region] = {}
        self.script = Script()
        self._now = self.timeline.seconds()

    def reset(self) -> None:
        """Forget everything but the time."""
        with moto_adapter.LOCK:
            self.moto.reset()
            self.reads.forget()
            self.calls.clear()
            self._begin()

    @property
    def now(self) -> float:
        """The moment being simulated, in AWS seconds: during an event the event's own, else that of the request."""
        return self._now

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Have `action` happen at a moment of the timeline (AWS seconds); a past moment means as soon as possible."""
        heapq.heappush(self._agenda, (max(moment, self._now), next(self._serial), action))

    def catch_up(self) -> None:
        """Let everything happen that was due by now, in order, each at its own moment."""
        target = self.timeline.seconds()
        while self._agenda and self._agenda[0][0] <= target:
            moment, _, action = heapq.heappop(self._agenda)
            self._now = max(self._now, moment)
            action()
        self._now = max(self._now, target)

    def region(self, account: str, region: str) -> Region:
        """Return one account's Region."""
        return self._regions.setdefault((account, region), Region(self, account, region))

    def set(self, *assignments: str) -> None:
        """Do or keep what each `KEY=VALUE` says; all are read before the first is done. Raises SettingError."""
        settings = [read(assignment) for assignment in assignments]
        with moto_adapter.LOCK, self.moto.active():
            self.catch_up()
            for setting in settings:
                self.script.put(setting)
                EFFECTS.apply(setting, list(self._regions.values()))

    def state(self, kind: type[S], account: str, region: str) -> S:
        """Return the state of one kind that belongs to an account's Region, made when first asked for."""
        key = (kind, account, region)
        if key not in self._states:
            self._states[key] = kind()
        return cast("S", self._states[key])

    def handle(self, request: Request) -> Response:
        """Answer one request of a client."""
        scope = scope_of(request)
        if scope is None:
            return wire.encode_error("", "json", _unsigned())
        self.timeline.clock.sleep(self.script.number("latency"))
        with moto_adapter.LOCK, self.moto.active():
            self.catch_up()
            try:
                call = wire.decode(request, scope)
            except AwsError as error:
                protocol = botocore_adapter.protocol_of(scope.service, request.content_type)
                return self._dated(wire.encode_error(scope.service, protocol, error))
            return self._dated(self._answer(call, request))

    def _answer(self, call: Call, request: Request) -> Response:
        def dispatch() -> Response:
            response = self._dispatch(call, request)
            if call.mutating:
                EFFECTS.watch(self.script, self.region(call.account, call.region))
            return response

        def apply() -> Response:
            return self.script.answer(call, self.timeline.clock.monotonic(), dispatch)

        try:
            response = self.intercept(call, apply) if self.intercept else apply()
        except AwsError as error:
            self._record(call, error.code)
            return wire.encode_error(call.service, call.protocol, error)
        except BaseException as error:
            self._record(call, type(error).__name__)
            raise
        self._record(call, _error_code(call, response))
        return response

    def _record(self, call: Call, error: str | None) -> None:
        if not self._recording:
            return
        self.calls.append(
            RecordedCall(call.service, call.operation, call.params, call.mutating, call.account, call.region, error)
        )

    def _dated(self, response: Response) -> Response:
        # Callers read the server's date to order their own writes (S3, SSM): it must be the cloud's, not moto's.
        date = _written(self.timeline.clock.now().replace(microsecond=0))
        return Response(response.status, response.body, {**response.headers, "date": date})

    def _dispatch(self, call: Call, request: Request) -> Response:
        handlers = HANDLERS.of(call.service, call.operation)
        if not handlers and call.service in _OURS:
            message = f"The local AWS does not know this operation of {call.service}: {call.operation}"
            raise AwsError("NotImplemented", message, status=501)
        if not handlers:
            return self.reads.once(call, request.url, lambda: self._pass_on(call, request))
        answer = self._run(handlers, call)
        if self.observe:
            self.observe(call, answer)
        return wire.encode(call, answer)

    def _pass_on(self, call: Call, request: Request) -> Response:
        return self.moto.send(call.service, _for_moto(request, call), call.account)

    def _run(self, handlers: list[Handler], call: Call) -> dict[str, Any]:
        region = self.region(call.account, call.region)

        def forward_from(index: int) -> Forward:
            def forward(params: Mapping[str, Any] | None = None) -> dict[str, Any]:
                onward = call if params is None else replace(call, params=dict(params))
                if index == len(handlers):
                    return self.ask_moto(onward)
                return handlers[index](region, onward, forward_from(index + 1))

            return forward

        return forward_from(0)()

    def ask_moto(self, call: Call) -> dict[str, Any]:
        """Return moto's answer to a call, past all handlers. Raises AwsError where moto refuses."""
        return self.reads.once(call, "", lambda: self._ask_moto(call))

    def _ask_moto(self, call: Call) -> dict[str, Any]:
        request = botocore_adapter.encode_request(call.service, call.operation, call.params, call.region)
        response, members = self.moto.ask(call.service, request, call.account)
        if members is not None:
            return members
        protocol = botocore_adapter.protocol_of(call.service, request.content_type)
        return wire.decode_answer(replace(call, protocol=protocol), response)

    def ask(self, call: Call) -> dict[str, Any]:
        """Return the answer that a client would get. Raises AwsError for a refusal."""
        return self._run(HANDLERS.of(call.service, call.operation), call)


@dataclass(frozen=True, slots=True)
class Region:
    """One account's Region: what a handler sees of the cloud."""

    cloud: Cloud
    account: str
    name: str

    @property
    def now(self) -> float:
        """The moment being simulated, in AWS seconds."""
        return self.cloud.now

    @property
    def script(self) -> Script:
        """What the local AWS was told to do beyond being itself."""
        return self.cloud.script

    def date(self) -> datetime:
        """Return the moment being simulated as a date in UTC."""
        return self.cloud.timeline.stamp(self.cloud.now)

    def state(self, kind: type[S]) -> S:
        """Return this Region's state of one kind."""
        return self.cloud.state(kind, self.account, self.name)

    def ask(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - AWS's members
        """Call the local AWS as a client would. Raises AwsError for a refusal."""
        return self.cloud.ask(Call(service, operation, params, self.account, self.name))

    def moto(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - AWS's members
        """Call moto directly, past all manners. Raises AwsError for a refusal."""
        return self.cloud.ask_moto(Call(service, operation, params, self.account, self.name))

    def view(self, service: str) -> Any:  # noqa: ANN401 - moto's objects are untyped
        """Return moto's own object for a service, for `moto_adapter` to look at."""
        return self.cloud.moto.backend(service, self.account, self.name)

    def backend(self, service: str) -> Any:  # noqa: ANN401 - moto's objects are untyped
        """Return moto's own object for a service, for `moto_adapter` to change."""
        self.cloud.reads.forget(service)
        return self.cloud.moto.backend(service, self.account, self.name)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Have `action` happen in so many AWS seconds."""
        self.cloud.at(self.cloud.now + seconds, action)

    def hex(self, digits: int) -> str:
        """Return a random hexadecimal number, as AWS's ids are made of."""
        return f"{self.cloud.random.getrandbits(digits * 4):0{digits}x}"

    def uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.UUID(int=self.cloud.random.getrandbits(128), version=4))

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and Region."""
        return f"arn:aws:{service}:{self.name}:{self.account}:{resource}"


@lru_cache(maxsize=16)
def _written(date: datetime) -> str:
    return format_datetime(date, usegmt=True)


def _unsigned() -> AwsError:
    message = "The local AWS needs signed requests: they say for which service, account and Region they are."
    return AwsError("MissingAuthenticationToken", message, status=403)


def _error_code(call: Call, response: Response) -> str | None:
    if response.status < 300:  # noqa: PLR2004 - HTTP's own boundary
        return None
    try:
        wire.decode_answer(call, response)
    except AwsError as error:
        return error.code
    return str(response.status)


def _for_moto(request: Request, call: Call) -> Request:
    if ".amazonaws.com" in request.headers.get("host", "") or ".amazonaws.com" in request.url.split("/")[2]:
        return request
    rest = "/" + request.url.split("/", 3)[3] if request.url.count("/") >= 3 else "/"  # noqa: PLR2004 - scheme://host/
    host = botocore_adapter.endpoint(call.service, call.region or DEFAULT_REGION)
    return replace(request, url=f"https://{host}{rest}", headers={**request.headers, "host": host})
