"""Reading load balancers with all that hangs on them, in few calls and at most four round trips.

Listeners and rules can only be asked for by what they hang on, each with a call of its own behind the other. So whoever
reads a load balancer reads all of it, level by level, and the listeners and rules are then taken from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, code_of
from fargatectl.aws.session import chunks
from fargatectl.engine.proof import same_resource
from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence, Set as AbstractSet

    from types_boto3_elbv2.type_defs import ListenerTypeDef, LoadBalancerTypeDef, RuleTypeDef, TargetGroupTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership

T = TypeVar("T")

_ARNS = 20  # ELB API Reference, DescribeTags and DescribeLoadBalancers: ARNs of one call
LOAD_BALANCER = ":loadbalancer/app/"
TARGET_GROUP = ":targetgroup/"
_RULE = ":listener-rule/app/"
_GONE = frozenset({"LoadBalancerNotFound", "TargetGroupNotFound", "ListenerNotFound", "RuleNotFound"})


@dataclass(frozen=True, slots=True)
class Whole:
    """A load balancer with all that hangs on it. `rules` and `certificates` (SNI ones, by ARN) are by listener; `tags`
    by ARN."""

    attributes: Mapping[str, str]
    listeners: Sequence[ListenerTypeDef]
    rules: Mapping[str, Sequence[RuleTypeDef]]
    certificates: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, Mapping[str, str]]


def whole(aws: Aws, arn: str) -> Whole:
    """Return the load balancer `arn` as it was read in this planning pass, or read it."""
    return aws.reads.once(("alb.whole", arn), lambda: _read(aws, [arn])[arn])


def wholes(aws: Aws, arns: Iterable[str]) -> dict[str, Whole]:
    """Read several load balancers side by side, and keep the answers for this planning pass."""
    found = _read(aws, sorted(set(arns)))
    for arn, one in found.items():
        aws.reads.once(("alb.whole", arn), partial(_same, one))
    return found


def _read(aws: Aws, arns: Sequence[str]) -> dict[str, Whole]:
    attributes, listeners = _both(aws, _attributes, _listeners, arns)
    below = [listener for listed in listeners for listener in listed]
    rules, certificates = _both(aws, _rules, _certificates, below)
    below_arns = [listener["ListenerArn"] for listener in below]
    seen = tags_of(aws, [*arns, *below_arns, *(rule["RuleArn"] for listed in rules for rule in listed)])
    rules_by, certificates_by = (dict(zip(below_arns, found, strict=True)) for found in (rules, certificates))
    return {
        arn: Whole(
            attributes=attributes[place],
            listeners=listeners[place],
            rules={one["ListenerArn"]: rules_by[one["ListenerArn"]] for one in listeners[place]},
            certificates={one["ListenerArn"]: certificates_by[one["ListenerArn"]] for one in listeners[place]},
            tags=seen,
        )
        for place, arn in enumerate(arns)
    }


def _both(
    aws: Aws, first: Callable[..., Any], second: Callable[..., Any], items: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Ask two things of every item, all side by side."""
    answers = aws.together(*(partial(ask, aws, item) for ask in (first, second) for item in items))
    return answers[: len(items)], answers[len(items) :]


def _attributes(aws: Aws, arn: str) -> dict[str, str]:
    listed = _unless_gone(lambda: aws.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"])
    return {attribute["Key"]: attribute["Value"] for attribute in listed}


def _listeners(aws: Aws, arn: str) -> list[ListenerTypeDef]:
    pages = aws.elb.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
    return _unless_gone(lambda: [listener for page in pages for listener in page["Listeners"]])


def _rules(aws: Aws, listener: ListenerTypeDef) -> list[RuleTypeDef]:
    return [rule for rule in rules_of(aws, listener["ListenerArn"]) if not rule.get("IsDefault")]


def _certificates(aws: Aws, listener: ListenerTypeDef) -> tuple[str, ...]:
    """Return the SNI certificates; a listener without TLS has none, and is not asked."""
    if listener["Protocol"] != "HTTPS":
        return ()
    pages = aws.elb.get_paginator("describe_listener_certificates").paginate(ListenerArn=listener["ListenerArn"])
    listed = _unless_gone(lambda: [certificate for page in pages for certificate in page["Certificates"]])
    return tuple(certificate["CertificateArn"] for certificate in listed if not certificate.get("IsDefault"))


def rules_of(aws: Aws, listener_arn: str) -> list[RuleTypeDef]:
    """Ask for all rules of a listener, its default one included; none where the listener is gone."""
    pages = aws.elb.get_paginator("describe_rules").paginate(ListenerArn=listener_arn)
    return _unless_gone(lambda: [rule for page in pages for rule in page["Rules"]])


def tags_of(aws: Aws, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return ARN → tags. What is gone by now is left out."""
    return merged(aws.together(*tag_asks(aws, arns)))


def tag_asks(aws: Aws, arns: Sequence[str]) -> list[Callable[[], dict[str, dict[str, str]]]]:
    """Return the calls that read tags, to be made beside others; `merged` puts their answers together."""
    return [partial(_tags, aws, part) for part in chunks(arns, _ARNS)]


def merged(answers: Iterable[Mapping[str, dict[str, str]]]) -> dict[str, dict[str, str]]:
    """Return ARN → tags of several answers."""
    return {arn: seen for answer in answers for arn, seen in answer.items()}


def _tags(aws: Aws, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    try:
        answer = aws.elb.describe_tags(ResourceArns=list(arns))["TagDescriptions"]
    except ClientError as error:
        # One ARN that is gone fails the whole call.
        if code_of(error) not in _GONE:
            raise
        return {} if len(arns) == 1 else merged(_tags(aws, [arn]) for arn in arns)
    return {one["ResourceArn"]: tags.as_dict(one["Tags"]) for one in answer}


def load_balancers(aws: Aws, names: Iterable[str]) -> dict[str, LoadBalancerTypeDef]:
    """Return load balancers by name; missing ones are left out."""

    def ask(**which: Sequence[str]) -> list[LoadBalancerTypeDef]:
        pages = aws.elb.get_paginator("describe_load_balancers").paginate(**which)  # type: ignore[arg-type]
        return [one for page in pages for one in page["LoadBalancers"]]

    return {one["LoadBalancerName"]: one for one in _by_name(aws, ask, sorted(set(names)))}


def all_load_balancers(aws: Aws) -> list[LoadBalancerTypeDef]:
    """Return all load balancers of the Region."""
    pages = aws.elb.get_paginator("describe_load_balancers").paginate()
    return [one for page in pages for one in page["LoadBalancers"]]


def load_balancers_at(aws: Aws, arns: Iterable[str]) -> list[LoadBalancerTypeDef]:
    """Return load balancers by ARN; missing ones are left out."""

    def ask(arn: str) -> list[LoadBalancerTypeDef]:
        return _unless_gone(lambda: aws.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"])

    return [one for found in aws.each(ask, sorted(set(arns))) for one in found]


def target_groups(aws: Aws, names: Iterable[str]) -> dict[str, TargetGroupTypeDef]:
    """Return target groups by name; missing ones are left out."""

    def ask(**which: Sequence[str]) -> list[TargetGroupTypeDef]:
        pages = aws.elb.get_paginator("describe_target_groups").paginate(**which)  # type: ignore[arg-type]
        return [one for page in pages for one in page["TargetGroups"]]

    return {one["TargetGroupName"]: one for one in _by_name(aws, ask, sorted(set(names)))}


def target_groups_at(aws: Aws, arns: Iterable[str]) -> list[TargetGroupTypeDef]:
    """Return target groups by ARN; missing ones are left out."""

    def ask(arn: str) -> list[TargetGroupTypeDef]:
        return _unless_gone(lambda: aws.elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"])

    return [one for found in aws.each(ask, sorted(set(arns))) for one in found]


def _by_name(aws: Aws, ask: Callable[..., list[T]], names: Sequence[str]) -> list[T]:
    """Ask for things by name. One that is missing fails the whole call: then all there are in the Region are listed."""

    def some(part: Sequence[str]) -> list[T] | None:
        try:
            return ask(Names=part)
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
            return [] if len(part) == 1 else None

    answers = aws.each(some, chunks(names, _ARNS))
    return ask() if None in answers else [one for answer in answers for one in answer or ()]


def candidates(aws: Aws, wanted: Mapping[str, str], part: str) -> list[str]:
    """Return the ARNs (with `part` in them) of what the tagging API shows as the resource that `wanted` are the tags
    of: hints, to be read afresh."""
    whose = {key: wanted[key] for key in (APP, ENVIRONMENT) if key in wanted}
    return sorted(arn for arn, seen in aws.tagged(whose).items() if part in arn and same_resource(wanted, seen))


def own_load_balancers(aws: Aws, owner: Ownership, known: AbstractSet[str]) -> list[str]:
    """Return the ARNs of load balancers that may carry something of ours: known ones, and what the tags show.

    The tag of a rule shows one that is not ours itself.
    """
    tagged = aws.tagged(owner.tags())
    on_others = {_balancer_of(arn) for arn in tagged if _RULE in arn}
    return sorted(on_others | {arn for arn in {*tagged, *known} if LOAD_BALANCER in arn})


def _balancer_of(rule: str) -> str:
    """Return the ARN of the load balancer that a rule's ARN is made from."""
    return "/".join(rule.replace(_RULE, LOAD_BALANCER).split("/")[:4])


def name_in(seen: Mapping[str, str], otherwise: str) -> str:
    """Return our name of a resource from its tags: "web" of "alb.target_group/web"."""
    return seen.get(ADDRESS, "").partition("/")[2] or otherwise


def _unless_gone(ask: Callable[[], Sequence[T]]) -> list[T]:
    try:
        return list(ask())
    except ClientError as error:
        if code_of(error) in _GONE:
            return []
        raise


def _same(one: Whole) -> Whole:
    return one
