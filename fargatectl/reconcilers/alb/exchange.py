"""Exchanging a target group that is in use: no request meets a group without healthy targets.

A target group's protocol cannot be changed, and a forward to a new, still empty one would answer 503. So the new one
stands beside the old one for a while (ELB API Reference, TargetGroupTuple; ECS API Reference, UpdateService):

1. every forward of ours to the old one names both, weighted 1 and 0: that ties the new one to the load balancer;
2. the ECS service registers its tasks in both, by a deployment of its own;
3. once that is over and the targets are healthy, the weights change places.

The service then leaves the old one with its next deployment, and the old one is released and deleted at the end. Each
step can be seen in AWS, so that a run that died is taken up where it was: the group that receives requests is the one
in use, and until that is the wanted one the exchange goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, polling, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import require_ours, same_owner
from fargatectl.errors import RolloutFailed
from fargatectl.model.diagnosis import Diagnosis
from fargatectl.reconcilers.alb import reading
from fargatectl.reconcilers.alb.actions import weights_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from types_boto3_ecs.type_defs import ServiceTypeDef

    from fargatectl.aws.session import Aws

# ECS sees that a target group hangs on a load balancer a little later; the bound is other tools' experience.
_NOT_ATTACHED = Transient("InvalidParameterException", "does not have an associated load balancer", seconds=240)
_DEPLOYMENT_SECONDS = 1800.0
_EVENTS_SHOWN = 3


@dataclass(frozen=True)
class Consumer:
    """The ECS service whose tasks are the targets. `timeout` bounds a deployment of it, in seconds; None for ours."""

    cluster: str
    service: str
    rolling: bool = True
    timeout: float | None = None


@dataclass(frozen=True)
class _Forward:
    """A forward of ours: what has it (a listener or a rule, by ARN), and the weight of each target group."""

    arn: str
    is_rule: bool
    weights: Mapping[str, int]


def in_use(aws: Aws, balancer: str, owner: Mapping[str, str]) -> set[str]:
    """Return the target groups that the forwards of `owner` (its tags) on a load balancer send requests to."""
    forwards = _forwards(aws, balancer, owner)
    return {arn for forward in forwards for arn, weight in forward.weights.items() if weight}


def exchange(aws: Aws, old: str, new: str, owner: Mapping[str, str], consumer: Consumer | None) -> None:
    """Move requests from the target group `old` to `new` (ARNs) without a gap; goes on where an earlier run stopped.

    Raises `RolloutFailed` where the tasks do not get healthy in `new`; requests go to `old` as before then.
    """
    balancers = _balancers(aws, old)
    _weigh(aws, balancers, owner, old, new, shifted=False)
    if consumer is not None:
        _register_in_both(aws, old, new, owner, consumer)
    _weigh(aws, balancers, owner, old, new, shifted=True)


def release(aws: Aws, group: str, owner: Mapping[str, str]) -> None:
    """Take a target group that gets no requests any more out of the forwards of `owner`."""
    for balancer in _balancers(aws, group):
        for forward in _forwards(aws, balancer, owner):
            rest = {arn: weight for arn, weight in forward.weights.items() if arn != group}
            if forward.weights.get(group) == 0 and any(rest.values()):
                _set(aws, forward, rest)


def _balancers(aws: Aws, group: str) -> list[str]:
    return [arn for one in reading.target_groups_at(aws, [group]) for arn in one.get("LoadBalancerArns", ())]


def _forwards(aws: Aws, balancer: str, owner: Mapping[str, str]) -> Iterator[_Forward]:
    """Yield what `owner` has on a load balancer that forwards."""
    whole = reading.whole(aws, balancer)
    found: list[tuple[str, bool, Any]] = [(one["ListenerArn"], False, one["DefaultActions"]) for one in whole.listeners]
    found += [(rule["RuleArn"], True, rule["Actions"]) for rules in whole.rules.values() for rule in rules]
    for arn, is_rule, actions in found:
        weights = weights_of(actions)
        if weights and same_owner(owner, whole.tags.get(arn, {})):
            yield _Forward(arn, is_rule, weights)


def _weigh(  # noqa: PLR0913 - both sides and where they stand
    aws: Aws, balancers: list[str], owner: Mapping[str, str], old: str, new: str, *, shifted: bool
) -> None:
    """Have every forward to `old` name both groups; all requests go to `new` where `shifted`, else to `old`."""
    wanted = {old: 0, new: 1} if shifted else {old: 1, new: 0}
    for balancer in balancers:
        for forward in _forwards(aws, balancer, owner):
            if forward.weights.get(old) and forward.weights != wanted:
                _set(aws, forward, wanted)


def _set(aws: Aws, forward: _Forward, weights: Mapping[str, int]) -> None:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    actions: Any = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    try:
        if forward.is_rule:
            aws.elb.modify_rule(RuleArn=forward.arn, Actions=actions)
        else:
            aws.elb.modify_listener(ListenerArn=forward.arn, DefaultActions=actions)
    except ClientError as error:
        if not (says(error, "RuleNotFound") or says(error, "ListenerNotFound")):
            raise


def _register_in_both(aws: Aws, old: str, new: str, owner: Mapping[str, str], consumer: Consumer) -> None:
    service = _service(aws, consumer)
    if service is None:
        return  # nothing runs: there are no targets to wait for
    require_ours(f"the ECS service {consumer.service}", owner, tags.as_dict(service.get("tags")))
    listed: list[Any] = list(service.get("loadBalancers", ()))
    entry = next((one for one in listed if one.get("targetGroupArn") == old), None)
    if entry is None:
        return
    if not _lists(service, new):
        request: dict[str, Any] = {"loadBalancers": [*listed, {**entry, "targetGroupArn": new}]}
        # UpdateService documents 0 for an omitted grace period.
        request["healthCheckGracePeriodSeconds"] = service.get("healthCheckGracePeriodSeconds", 0)
        call = aws.ecs.update_service
        retrying(aws, lambda: call(cluster=consumer.cluster, service=consumer.service, **request), _NOT_ATTACHED)
    _wait_until_healthy(aws, new, consumer)


def _wait_until_healthy(aws: Aws, new: str, consumer: Consumer) -> None:
    def look() -> bool | None:
        aws.reads.clear()
        service = _service(aws, consumer)
        if service is None:
            return True
        primary = next((one for one in service["deployments"] if one["status"] == "PRIMARY"), None)
        if not _lists(service, new) or (primary and primary.get("rolloutState") == "FAILED"):
            raise _unhealthy(consumer, service)
        done = primary is not None and primary.get("rolloutState") == "COMPLETED"
        return True if done and _healthy(aws, new) >= service["runningCount"] else None

    seconds = consumer.timeout or _DEPLOYMENT_SECONDS
    polling(aws, f"the tasks of {consumer.service} are healthy in both target groups", look, seconds=seconds)


def _service(aws: Aws, consumer: Consumer) -> ServiceTypeDef | None:
    try:
        answer = aws.ecs.describe_services(cluster=consumer.cluster, services=[consumer.service], include=["TAGS"])
    except ClientError as error:
        if says(error, "ClusterNotFoundException"):
            return None
        raise
    return next((one for one in answer["services"] if one["status"] == "ACTIVE"), None)


def _lists(service: ServiceTypeDef, group: str) -> bool:
    return any(one.get("targetGroupArn") == group for one in service.get("loadBalancers", ()))


def _healthy(aws: Aws, group: str) -> int:
    listed = aws.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return sum(one["TargetHealth"]["State"] == "healthy" for one in listed)


def _unhealthy(consumer: Consumer, service: ServiceTypeDef) -> RolloutFailed:
    cause = "the running tasks do not get healthy in the new target group"
    events = tuple(f"event: {event['message']}" for event in service.get("events", ())[:_EVENTS_SHOWN])
    fix = "deploy tasks that answer in both protocols first, then change `protocol_version`"
    serving = "the tasks that were there before, through the old target group"
    message = f"{consumer.service}: {cause}; requests go to the old one as before"
    return RolloutFailed(message, diagnosis=Diagnosis(consumer.service, cause, events, serving, fix), hint=fix)
