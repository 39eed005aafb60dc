"""The ways in which an API call can go wrong.

A kind is made for one mutating call, the k-th of a run: from that call on it is handed every call, reads included, with
the function that applies it, and answers in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ConnectionClosedError

from fargatectl.sandbox.faults import AwsError
from tests.faults.vanish import vanish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set as AbstractSet

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.inprocess import LocalAws
    from fargatectl.sandbox.wire import Call


class Crash(BaseException):
    """The process is gone: nothing that the tool does may catch it."""


class Stage(Protocol):
    """What a fault may do besides answering: the local AWS, a stop signal, and the states of some writes ago."""

    stopped: bool
    halted: bool

    @property
    def local(self) -> LocalAws: ...

    def past(self, writes: int, call: Call) -> Response | None:
        """Return what a read would have been answered `writes` writes ago, None where nobody remembers."""


# A fault that has struck: it answers from the k-th mutating call on.
Fault = Callable[["Call", Callable[[], "Response"]], "Response"]


@dataclass(frozen=True)
class Kind:
    """A kind of fault. `survived`: the run that meets it must succeed all the same. `excuses`: the invariant that a run
    cannot keep while it is met. `unseen`: it may be noticed by the next run only, and then by that one. `within`: it
    goes on to meet later calls too, so that it begins at each of the first so many calls, and at no other."""

    name: str
    strike: Callable[[Stage], Fault]
    survived: bool = False
    applies: Callable[[Call], bool] = lambda _: True
    excuses: str = "none"
    unseen: bool = False
    within: int | None = None

    def hits(self, k: int) -> bool:
        """Tell whether it may begin at the k-th call."""
        return self.within is None or k <= self.within


def _once(answer: Callable[[Call, Callable[[], Response]], Response]) -> Callable[[Stage], Fault]:
    """Let `answer` have the k-th call; all later ones go through."""
    return _times(1, answer)


def _times(most: int, answer: Callable[[Call, Callable[[], Response]], Response]) -> Callable[[Stage], Fault]:
    """Let `answer` have the first `most` calls of the operation that is struck."""

    def strike(_: Stage) -> Fault:
        struck: list[Call] = []

        def fault(call: Call, apply: Callable[[], Response]) -> Response:
            if struck and (call.operation != struck[0].operation or len(struck) >= most):
                return apply()
            struck.append(call)
            return answer(call, apply)

        return fault

    return strike


def _crash_before(_: Call, __: Callable[[], Response]) -> Response:
    raise Crash


def _crash_after(_: Call, apply: Callable[[], Response]) -> Response:
    apply()
    raise Crash


def _lost(_: Call, apply: Callable[[], Response]) -> Response:
    apply()
    raise ConnectionClosedError(endpoint_url="https://aws.invalid")


def _lost_thirds(_: Stage) -> Fault:
    """Lose the answer to this call and to every third after it; what is asked again is answered."""
    calls: list[Call] = []

    def fault(call: Call, apply: Callable[[], Response]) -> Response:
        asked_again = len(calls) % _THIRD == 1 and call == calls[-1]
        if asked_again or not call.mutating:
            return apply()
        calls.append(call)
        return _lost(call, apply) if len(calls) % _THIRD == 1 else apply()

    return fault


def _error_after(_: Call, apply: Callable[[], Response]) -> Response:
    apply()
    raise AwsError("InternalFailure", "The request processing has failed because of an unknown error.", status=500)


def _throttled(call: Call, _: Callable[[], Response]) -> Response:
    code = "Throttling" if call.protocol == "query" else "ThrottlingException"
    if call.protocol == "ec2":
        code = "RequestLimitExceeded"
    raise AwsError(code, "Rate exceeded")


def _denied(call: Call, _: Callable[[], Response]) -> Response:
    code = {"query": "AccessDenied", "ec2": "UnauthorizedOperation"}.get(call.protocol, "AccessDeniedException")
    action = f"{call.service}:{call.operation}"
    raise AwsError(code, f"User is not authorized to perform: {action}", status=403)


_THIRD = 3


def denial(may: AbstractSet[str], denied: set[str]) -> Fault:
    """Deny every mutating operation but those of `may`; what was denied is added to `denied`."""

    def fault(call: Call, apply: Callable[[], Response]) -> Response:
        name = f"{call.service}:{call.operation}"
        if not call.mutating or name in may:
            return apply()
        denied.add(name)
        return _denied(call, apply)

    return fault


# What AWS answers while something that was just made is not seen everywhere, or goes on being used for a while.
_TRANSIENTS: Mapping[str, tuple[str, str]] = {
    "ecs:CreateCluster": (
        "InvalidParameterException",
        "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
    ),
    "ecs:CreateService": (
        "InvalidParameterException",
        "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
    ),
    "ecs:UpdateService": (
        "InvalidParameterException",
        "The target group with targetGroupArn arn:x does not have an associated load balancer.",
    ),
    "ecs:DeleteCluster": (
        "ClusterContainsTasksException",
        "The Cluster cannot be deleted while Tasks are active.",
    ),
    "iam:CreateRole": ("ConcurrentModification", "The request was rejected because multiple requests to change this"),
    "iam:DeleteRole": ("DeleteConflict", "Cannot delete entity, must delete policies first."),
    "elbv2:CreateLoadBalancer": ("InvalidSecurityGroup", "One or more security groups are invalid"),
    "elbv2:ModifyLoadBalancerAttributes": ("LoadBalancerNotFound", "One or more load balancers not found"),
    "elbv2:ModifyTargetGroupAttributes": ("TargetGroupNotFound", "One or more target groups not found"),
    "elbv2:CreateListener": ("TargetGroupNotFound", "One or more target groups not found"),
    "elbv2:CreateRule": ("TargetGroupNotFound", "One or more target groups not found"),
    "elbv2:DeleteTargetGroup": ("ResourceInUse", "Target group is currently in use by a listener or a rule"),
    "ec2:AuthorizeSecurityGroupIngress": ("InvalidGroup.NotFound", "The security group does not exist"),
    "ec2:DeleteSecurityGroup": ("DependencyViolation", "resource sg-x has a dependent object"),
    "logs:DeleteLogGroup": ("OperationAbortedException", "A conflicting operation is currently in progress"),
    "acm:DeleteCertificate": ("ResourceInUseException", "Certificate is in use."),
    "scheduler:CreateSchedule": (
        "ValidationException",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ),
    "servicediscovery:DeleteService": ("ResourceInUse", "Service contains registered instances"),
    "servicediscovery:DeleteNamespace": ("ResourceInUse", "Namespace contains registered services"),
    "application-autoscaling:RegisterScalableTarget": ("ValidationException", "ECS service doesn't exist: service/x/y"),
    "application-autoscaling:PutScalingPolicy": ("ConcurrentUpdateException", "You already have a pending update"),
    "application-autoscaling:DeregisterScalableTarget": ("ConcurrentUpdateException", "You already have a pending"),
}


def _transient(call: Call, _: Callable[[], Response]) -> Response:
    code, message = _TRANSIENTS[f"{call.service}:{call.operation}"]
    raise AwsError(code, message)


def _has_transient(call: Call) -> bool:
    return f"{call.service}:{call.operation}" in _TRANSIENTS


def _transients(_: Stage) -> Fault:
    """Meet every call that has such an error with it, once each."""
    met: list[Call] = []

    def fault(call: Call, apply: Callable[[], Response]) -> Response:
        if call in met or not _has_transient(call):
            return apply()
        met.append(call)
        return _transient(call, apply)

    return fault


def _stale(writes: int) -> Callable[[Stage], Fault]:
    """Answer each read once with what it would have been `writes` writes ago, until the next write."""

    def strike(stage: Stage) -> Fault:
        asked: set[str] = set()
        written: list[Call] = []

        def fault(call: Call, apply: Callable[[], Response]) -> Response:
            if call.mutating:
                written.append(call)
                return apply()
            key = f"{call.service}:{call.operation}:{call.params!r}"
            if len(written) > 1 or key in asked:
                return apply()
            asked.add(key)
            return stage.past(writes, call) or apply()

        return fault

    return strike


def _vanished(stage: Stage) -> Fault:
    """A person deletes what the k-th call makes or changes, at that very moment."""
    struck: list[Call] = []

    def fault(call: Call, apply: Callable[[], Response]) -> Response:
        if struck:
            return apply()
        struck.append(call)
        if call.operation.startswith(("Create", "Register")):
            answer = apply()
            vanish(stage.local, call)
            return answer
        vanish(stage.local, call)
        return apply()

    return fault


def _signal(stage: Stage) -> Fault:
    """Ctrl-C while the k-th call is under way: it ends, and nothing new begins."""

    def fault(_: Call, apply: Callable[[], Response]) -> Response:
        stage.stopped = True
        return apply()

    return fault


def _halted(stage: Stage) -> Fault:
    """AWS finishes nothing more of what it is about: every wait must end by itself."""

    def fault(_: Call, apply: Callable[[], Response]) -> Response:
        stage.halted = True
        return apply()

    return fault


def _by_name(kinds: Sequence[Kind]) -> dict[str, Kind]:
    return {kind.name: kind for kind in kinds}


KINDS: dict[str, Kind] = _by_name(
    [
        Kind("crash-before", _once(_crash_before)),
        Kind("crash-after", _once(_crash_after)),
        Kind("lost", _once(_lost), survived=True),
        Kind("lost-thirds", _lost_thirds, survived=True, within=_THIRD),
        Kind("error-after", _once(_error_after), survived=True),
        Kind("throttled-1", _times(1, _throttled), survived=True),
        Kind("throttled-3", _times(3, _throttled), survived=True),
        Kind("throttled-many", _times(1_000, _throttled)),
        Kind("denied", _times(1_000, _denied)),
        Kind("transient-1", _times(1, _transient), survived=True, applies=_has_transient),
        Kind("transient-3", _times(3, _transient), survived=True, applies=_has_transient),
        Kind("transients", _transients, survived=True, within=1),
        Kind("stale-1", _stale(1)),
        Kind("stale-2", _stale(2)),
        Kind("stale-3", _stale(3)),
        Kind("vanished", _vanished, excuses="I10", unseen=True),
        Kind("signal", _signal),
        Kind("halted", _halted),
    ]
)

CRASHES = ("crash-before", "crash-after")
