"""What moto answered to reading calls, kept until the next write: planning asks for the same things again and again."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.wire import Call

T = TypeVar("T")

# Services whose state changes by writes alone; ACM's certificates, for one, are issued by the passing of time.
_STEADY = ("ec2", "elbv2", "iam", "logs", "route53", "secretsmanager", "ssm")
_MOST = 2_000


class Reads:
    """Answers by what was asked. Everyone gets a copy, so that amending an answer harms nobody."""

    def __init__(self) -> None:
        self._answers: dict[tuple[Any, ...], bytes] = {}

    def once(self, call: Call, more: object, ask: Callable[[], T]) -> T:
        """Return the answer to a call, asked for at the first time; `more` tells apart what the call does not say.

        A call that writes is always asked, and empties the memory before and after.
        """
        if call.mutating:
            self.forget()
            try:
                return ask()
            finally:
                self.forget()
        if call.service not in _STEADY:
            return ask()
        key = (call.service, call.operation, call.account, call.region, pickle.dumps((call.params, more)))
        known = self._answers.get(key)
        if known is None:
            answer = ask()
            if len(self._answers) >= _MOST:
                self.forget()
            self._answers[key] = pickle.dumps(answer)
            return answer
        return cast("T", pickle.loads(known))  # noqa: S301 - pickled above, in this process

    def forget(self) -> None:
        """Empty the memory: something was written."""
        self._answers.clear()
