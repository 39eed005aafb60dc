"""Secret canaries (I16): values that nothing may ever show, put wherever the tool could come by a secret.

One is the value of every secret and parameter, one the session's secret key and token, one a variable of a container.
"""

from __future__ import annotations

import base64
import json
import traceback
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from fargatectl.render import machine, markdown, plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fargatectl.engine.planner import Planning
    from fargatectl.errors import FargatectlError
    from fargatectl.model.events import Event
    from fargatectl.sandbox.inprocess import LocalAws
    from fargatectl.sandbox.wire import Call

CANARY = 'kanari\\"/ü+&<1>\tsings'  # every way of writing it down is another text

READS_OF_VALUES = frozenset(
    {"GetSecretValue", "BatchGetSecretValue", "GetParameter", "GetParameters", "GetParametersByPath", "GetObject"}
)


@cache
def forms() -> tuple[str, ...]:
    """Return the canary raw, as JSON and Python write it, in URLs, and in base64 at each of its three places."""
    raw = CANARY.encode()
    inner = [base64.b64encode(b" " * before + raw).decode().rstrip("=")[4:-2] for before in range(3)]
    escaped = [json.dumps(CANARY, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    return tuple(dict.fromkeys([CANARY, *escaped, repr(CANARY)[1:-1], quote(CANARY), quote_plus(CANARY), *inner]))


def sings(text: str) -> bool:
    """Tell whether the canary can be heard in `text`."""
    return any(form in text for form in forms())


def release(local: LocalAws) -> None:
    """Make the canary the value of every secret and parameter of the account."""
    region = local.cloud.region(local.account, local.region)
    with local.cloud.moto.active():
        for secret in region.ask("secretsmanager", "ListSecrets")["SecretList"]:
            held = region.ask("secretsmanager", "GetSecretValue", SecretId=secret["ARN"])["SecretString"]
            region.ask("secretsmanager", "PutSecretValue", SecretId=secret["ARN"], SecretString=_like(held))
        for parameter in region.ask("ssm", "DescribeParameters").get("Parameters", ()):
            asked = {"Name": parameter["Name"], "Type": parameter["Type"], "Overwrite": True}
            region.ask("ssm", "PutParameter", Value=CANARY, **asked)


def _like(held: str) -> str:
    """Return the canary, under each of the keys if there are any."""
    try:
        keys = json.loads(held)
    except ValueError:
        return CANARY
    return json.dumps(dict.fromkeys(keys, CANARY)) if isinstance(keys, dict) else CANARY


def shown(planning: Planning | None, events: Iterable[Event], errors: Iterable[FargatectlError]) -> Iterator[str]:
    """Yield all texts that a run may show: the plan in every form, its events, and its errors with their causes."""
    for error in errors:
        yield "".join(traceback.format_exception(error))
        yield repr(error)
        yield machine.line(machine.failure(error))
    for event in events:
        yield machine.line(machine.event(event))
    if planning:
        yield machine.dump(machine.plan(planning.plan))
        yield markdown.plan(planning.plan)
        yield plan.screen(planning.plan, file="fargatectl.toml", width=100, verbose=True).plain


def sent(call: Call) -> Iterator[str]:
    """Yield what a call does with secrets that it should not: read them, or carry one where it does not belong."""
    if call.operation in READS_OF_VALUES:
        yield "it reads the value of a secret"
    elif call.mutating and sings(str(_elsewhere(call.params)) + json.dumps(_elsewhere(call.params), default=str)):
        yield "a secret is in it"


def _elsewhere(value: Any) -> Any:
    """Leave out where values belong: the environment of containers, and a secret's own string."""
    if isinstance(value, dict):
        return {key: _elsewhere(part) for key, part in value.items() if key not in {"environment", "SecretString"}}
    return [_elsewhere(part) for part in value] if isinstance(value, list) else value
