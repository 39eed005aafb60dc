"""What moto answered to reads, kept until a write that could change it: planning asks for the same things again."""

from __future__ import annotations

import pickle
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.wire import Call

T = TypeVar("T")

# Services whose state changes by writes alone; ACM's certificates, for one, are issued by the passing of time.
_STEADY = ("ec2", "elbv2", "iam", "logs", "route53", "secretsmanager", "ssm")
_MOST = 2_000

# A write changes the answers of its own service, and of those that look into it. ELB shows of EC2 only what stays.
_WATCHED_BY = {"secretsmanager": ("ssm",)}

# The busiest writes, by what their names contain (the first counts), and the reads that can tell.
_NARROW = {
    "ec2": {
        "SecurityGroup": ("SecurityGroup", "DescribeTags"),
        "NetworkInterface": ("NetworkInterface", "DescribeSubnets", "DescribeTags"),
    },
    "elbv2": {
        "ModifyLoadBalancerAttributes": ("DescribeLoadBalancerAttributes",),
        "ModifyTargetGroupAttributes": ("DescribeTargetGroupAttributes",),
        "Rule": ("DescribeRules", "DescribeTags", "DescribeTargetGroups", "DescribeTargetHealth"),
    },
}


class Reads:
    """Answers by what was asked. Everyone gets a copy, so that amending an answer harms nobody."""

    def __init__(self) -> None:
        self._answers: defaultdict[str, dict[tuple[Any, ...], bytes]] = defaultdict(dict)

    def once(self, call: Call, more: object, ask: Callable[[], T]) -> T:
        """Return the answer to a call, asked for at the first time; `more` tells apart what the call does not say.

        A call that writes is always asked, and what it may change is forgotten before and after.
        """
        if call.mutating:
            self.forget(call.service, call.operation)
            try:
                return ask()
            finally:
                self.forget(call.service, call.operation)
        if call.service not in _STEADY:
            return ask()
        answers = self._answers[call.service]
        key = (call.operation, call.account, call.region, pickle.dumps((call.params, more)))
        known = answers.get(key)
        if known is None:
            answer = ask()
            if len(answers) >= _MOST:
                answers.clear()
            answers[key] = pickle.dumps(answer)
            return answer
        return cast("T", pickle.loads(known))  # noqa: S301 - pickled above, in this process

    def forget(self, service: str = "", operation: str = "") -> None:
        """Forget what a write by `operation` of `service` may change; all that a service answers; everything."""
        if service not in _STEADY:  # such as the tagging API, which writes into all of them
            self._answers.clear()
            return
        for other in _WATCHED_BY.get(service, ()):
            self._answers[other].clear()
        narrow = _NARROW.get(service, {})
        seen = next((reads for noun, reads in narrow.items() if noun in operation), ("",))
        answers = self._answers[service]
        for key in [key for key in answers if any(part in key[0] for part in seen)]:
            del answers[key]
