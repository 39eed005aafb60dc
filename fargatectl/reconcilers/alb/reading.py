"""Reading load balancers with all that hangs on them, in few calls and at most four round trips.

Listeners and rules can only be asked for by what they hang on, each with a call of its own behind the other. So whoever
reads a load balancer reads all of it, level by level, and the listeners and rules are then taken from there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from fargatectl.aws import tags
from fargatectl.aws.errors import ClientError, code_of
from fargatectl.aws.session import chunks
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import same_owner, same_resource
from fargatectl.errors import Refused
from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence, Set as AbstractSet

    from types_boto3_elbv2.type_defs import ListenerTypeDef, LoadBalancerTypeDef, RuleTypeDef, TargetGroupTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership

T = TypeVar("T")

_ARNS = 20  # ELB API Reference, DescribeTags and DescribeLoadBalancers: ARNs of one call
_PAGE = 400  # ELB API Reference: the largest PageSize
LOAD_BALANCER = ":loadbalancer/app/"
TARGET_GROUP = ":targetgroup/"
_LISTENER, _RULE = ":listener/app/", ":listener-rule/app/"
_GONE = frozenset({"LoadBalancerNotFound", "TargetGroupNotFound", "ListenerNotFound", "RuleNotFound"})


@dataclass(frozen=True)
class Whole:
    """A load balancer with all that hangs on it. `rules` and `certificates` (SNI ones, by ARN) are by listener; `tags`
    by ARN, those of `shown` as the tagging API has them."""

    attributes: Mapping[str, str]
    listeners: Sequence[ListenerTypeDef]
    rules: Mapping[str, Sequence[RuleTypeDef]]
    certificates: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, Mapping[str, str]]
    shown: AbstractSet[str]


def whole(aws: Aws, arn: str) -> Whole:
    """Return the load balancer `arn` as it was read in this planning pass, or read it."""
    return aws.reads.once(("alb.whole", arn), lambda: _read(aws, [arn], _NO_HINTS)[arn])


def wholes(aws: Aws, arns: Iterable[str], wanted: Sequence[Mapping[str, str]]) -> dict[str, Whole]:
    """Read several load balancers side by side, and keep the answers for this planning pass.

    `wanted` are the tags that theirs are to be: what the tagging API shows with the same owner says what else to ask
    for at once.
    """
    found = _read(aws, sorted(set(arns)), hints(aws, wanted))
    for arn, one in found.items():
        aws.reads.once(("alb.whole", arn), partial(_same, one))
    return found


def sure_tags(aws: Aws, wanted: Iterable[tuple[Whole, str, Mapping[str, str]]]) -> dict[str, Mapping[str, str]]:
    """Return ARN → tags of parts of load balancers, each given with the tags that it is to have.

    What the tagging API shows with all of these is proven. Where it shows others, it may only be late.
    """
    found: dict[str, Mapping[str, str]] = {}
    doubtful: list[str] = []
    for one, arn, tags_wanted in wanted:
        found[arn] = one.tags.get(arn, {})
        if arn in one.shown and not tags_wanted.items() <= found[arn].items():
            doubtful.append(arn)
    return {**found, **tags_of(aws, doubtful)}


def marked(whole: Whole, owner: Ownership, arns: Iterable[str], known: AbstractSet[str]) -> list[str]:
    """Return those of `arns` that seem to be `owner`'s, except `known` ones; what is to go is asked for once more."""
    return [arn for arn in arns if arn not in known and owner.owns(whole.tags.get(arn, {}))]


Hints: TypeAlias = "Mapping[str, Mapping[str, str]]"
"""ARN → tags of what may hang on load balancers. True ones save round trips; with a false one a call is lost."""

_NO_HINTS: Hints = {}


def hints(aws: Aws, wanted: Iterable[Mapping[str, str]]) -> Hints:
    """Return what the tagging API shows of the owners that `wanted`, tags, name; nothing where it may not be asked."""
    found: dict[str, Mapping[str, str]] = {}
    for whose in {tuple((key, one[key]) for key in (APP, ENVIRONMENT) if key in one) for one in wanted}:
        try:
            found |= aws.tagged(dict(whose)) if whose else {}
        except ClientError:
            return _NO_HINTS
    return {arn: seen for arn, seen in found.items() if ADDRESS in seen}


def _read(aws: Aws, arns: Sequence[str], told: Hints) -> dict[str, Whole]:
    """Ask for load balancers and what is said to hang on them; then for what that brings to light; then for tags."""
    seen = _Level(aws, told)
    starts = tuple(arn.replace(LOAD_BALANCER, _LISTENER) + "/" for arn in arns)
    seen.ask("attributes", _attributes, arns)
    seen.ask("listeners", listeners_of, arns)
    seen.ask("rules", rules_of, [arn for arn in told if arn.startswith(starts)])
    seen.ask_tags(arns)
    seen.take()
    listeners = {one["ListenerArn"]: one for arn in arns for one in seen.of("listeners", arn)}
    seen.ask("rules", rules_of, listeners)
    seen.ask("certificates", _certificates, [arn for arn, one in listeners.items() if one["Protocol"] == "HTTPS"])
    seen.take()
    below = {arn: [one for one in seen.of("rules", arn) if not one.get("IsDefault")] for arn in listeners}
    seen.ask_tags([*listeners, *(rule["RuleArn"] for listed in below.values() for rule in listed)])
    seen.take()
    return {
        arn: Whole(
            attributes=seen.of("attributes", arn),
            listeners=seen.of("listeners", arn),
            rules={one["ListenerArn"]: below[one["ListenerArn"]] for one in seen.of("listeners", arn)},
            certificates={
                one["ListenerArn"]: seen.of("certificates", one["ListenerArn"], ()) for one in seen.of("listeners", arn)
            },
            tags=seen.tags,
            shown=told.keys(),
        )
        for arn in arns
    }


class _Level:
    """Questions about ARNs, put off until all of one level are known and then asked side by side; none twice.

    The tags that `told` has are not asked for.
    """

    def __init__(self, aws: Aws, told: Hints) -> None:
        self.tags = dict(told)
        self._aws = aws
        self._answers: dict[tuple[str, str], Any] = {}
        self._asks: dict[tuple[str, str], Callable[[], Any]] = {}
        self._tag_asks: list[Callable[[], dict[str, dict[str, str]]]] = []

    def ask(self, what: str, how: Callable[[Aws, str], Any], arns: Iterable[str]) -> None:
        for arn in arns:
            if (what, arn) not in self._answers:
                self._asks[what, arn] = partial(how, self._aws, arn)

    def ask_tags(self, arns: Iterable[str]) -> None:
        self._tag_asks += tag_asks(self._aws, [arn for arn in arns if arn not in self.tags])

    def take(self) -> None:
        answers = self._aws.together(*self._asks.values(), *self._tag_asks)
        self._answers |= zip(self._asks, answers, strict=False)
        self.tags |= merged(answers[len(self._asks) :])
        self._asks, self._tag_asks = {}, []

    def of(self, what: str, arn: str, otherwise: Any = None) -> Any:  # noqa: ANN401 - of the kind that was asked for
        return self._answers.get((what, arn), otherwise)


def _attributes(aws: Aws, arn: str) -> dict[str, str]:
    listed = _unless_gone(lambda: aws.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"])
    return {attribute["Key"]: attribute["Value"] for attribute in listed}


def listeners_of(aws: Aws, arn: str) -> list[ListenerTypeDef]:
    """Ask for all listeners of a load balancer; none where it is gone."""
    pages = aws.elb.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
    return _unless_gone(lambda: [listener for page in pages for listener in page["Listeners"]])


def _certificates(aws: Aws, listener_arn: str) -> tuple[str, ...]:
    """Return the SNI certificates of a listener with TLS; any other has none, and is not asked."""
    pages = aws.elb.get_paginator("describe_listener_certificates").paginate(ListenerArn=listener_arn)
    listed = _unless_gone(lambda: [certificate for page in pages for certificate in page["Certificates"]])
    return tuple(certificate["CertificateArn"] for certificate in listed if not certificate.get("IsDefault"))


def rules_of(aws: Aws, listener_arn: str) -> list[RuleTypeDef]:
    """Ask for all rules of a listener, its default one included; none where the listener is gone."""
    request: Any = {"ListenerArn": listener_arn, "PageSize": _PAGE}
    pages = aws.elb.get_paginator("describe_rules").paginate(**request)
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


def require_none_of_others(aws: Aws, what: str, mine: Mapping[str, str], parts: Mapping[str, str]) -> None:
    """Raise `Refused` where one of `parts` (ARN → what it is, in words) does not belong to the owner of `what`.

    AWS deletes them along with what they hang on, without a word. `mine` are the tags of that; what of `parts` is gone
    by now does not count.
    """
    found = tags_of(aws, list(parts))
    theirs = [f"{parts[arn]} belongs to {owner_of(seen)}" for arn, seen in found.items() if not same_owner(mine, seen)]
    if theirs:
        message = f"{what} stays, for others use it: {'; '.join(theirs)}"
        raise Refused(message, hint="delete these or move them elsewhere, then run the same command again")


def load_balancers(aws: Aws, names: Iterable[str]) -> dict[str, LoadBalancerTypeDef]:
    """Return load balancers by name; missing ones are left out."""

    def ask(**which: Any) -> list[LoadBalancerTypeDef]:  # noqa: ANN401 - which ones
        pages = aws.elb.get_paginator("describe_load_balancers").paginate(**which)
        return [one for page in pages for one in page["LoadBalancers"]]

    return {one["LoadBalancerName"]: one for one in _by_name(ask, sorted(set(names)))}


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

    def ask(**which: Any) -> list[TargetGroupTypeDef]:  # noqa: ANN401 - as above
        pages = aws.elb.get_paginator("describe_target_groups").paginate(**which)
        return [one for page in pages for one in page["TargetGroups"]]

    return {one["TargetGroupName"]: one for one in _by_name(ask, sorted(set(names)))}


def target_groups_at(aws: Aws, arns: Iterable[str]) -> list[TargetGroupTypeDef]:
    """Return target groups by ARN; missing ones are left out."""

    def ask(arn: str) -> list[TargetGroupTypeDef]:
        return _unless_gone(lambda: aws.elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"])

    return [one for found in aws.each(ask, sorted(set(arns))) for one in found]


def _by_name(ask: Callable[..., list[T]], names: Sequence[str]) -> list[T]:
    """Ask for things by name. One that is missing fails the whole call: then all there are in the Region are listed.

    So they are, too, where the names are too many for a call: a page holds twenty times as many.
    """

    def some(part: Sequence[str]) -> list[T] | None:
        try:
            return ask(Names=part) if part else []
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
            return [] if len(part) == 1 else None

    found = some(names) if len(names) <= _ARNS else None
    return ask(PageSize=_PAGE) if found is None else found


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
