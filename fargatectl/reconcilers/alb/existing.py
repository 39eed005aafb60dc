"""Load balancers that exist and are not ours: read, and given nothing but the rules of the services behind them."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, ClassVar

from fargatectl.aws.answers import answer_each
from fargatectl.dataclass import dataclass
from fargatectl.engine.existing import missing, require_foreign
from fargatectl.engine.proof import same_owner
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import NotFoundError, Refused
from fargatectl.model.spec import Spec
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.alb import reading
from fargatectl.reconcilers.alb.actions import Redirect, from_aws
from fargatectl.reconcilers.alb.listener import HTTPS
from fargatectl.reconcilers.alb.priority import place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from types_boto3_elbv2.type_defs import ListenerTypeDef, LoadBalancerTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.errors import FargatectlError
    from fargatectl.reconcilers.alb.priority import Wish

_HTTPS_PORT = 443


@dataclass(frozen=True)
class Existing:
    """A load balancer as it is. `listener` is the ARN of the one that our rules hang on; `https` says that it has TLS.

    `own` are the priorities of our rules there, by name; `taken` are those of all others.
    """

    arn: str
    name: str
    dns_name: str
    zone_id: str
    vpc_id: str
    security_groups: tuple[str, ...]
    listener: str
    https: bool
    own: Mapping[str, int] = field(default_factory=dict)
    taken: frozenset[int] = frozenset()

    @property
    def suffix(self) -> str:
        """What CloudWatch calls it, the dimension `LoadBalancer`: "app/NAME/ID"."""
        return self.arn.partition(":loadbalancer/")[2]


@dataclass(frozen=True, kw_only=True)
class ExistingQuery(Spec):
    """A load balancer by name or ARN, which must be in the VPC `vpc_id` and not be ours, as the tags are; `path` is
    where the file names it."""

    identity: ClassVar[tuple[str, ...]] = ("load_balancer",)

    load_balancer: str
    vpc_id: Late[str]
    path: str


class ExistingLoadBalancers(Lookup[ExistingQuery, Existing]):
    """Finds load balancers that are used as they are."""

    kind = "alb.existing_load_balancer"

    def read(self, aws: Aws, specs: Sequence[ExistingQuery]) -> Sequence[Existing | FargatectlError]:
        """Return the load balancers; `NotFoundError` for what is missing or carries no requests, `Refused` for what is
        ours, of another type or in another VPC."""
        return answer_each(aws, lambda spec: _find(aws, spec), specs)


def priorities(wishes: Sequence[Wish], found: Existing) -> dict[str, int]:
    """Return the priority of each wish by its name, beside the rules of others.

    Raises `Refused` where the file wants one that somebody else has.
    """
    for wish in wishes:
        if wish.priority in found.taken:
            message = f"priority {wish.priority} for {wish.name} is taken on the load balancer {found.name}, by a rule"
            raise Refused(
                f"{message} that is not ours", hint="set another `priority`, or none: then a free one is used"
            )
    return place(wishes, now=found.own, taken=found.taken)


def _find(aws: Aws, query: ExistingQuery) -> Existing:
    wanted = query.load_balancer
    if wanted.startswith("arn:"):
        found = next(iter(reading.load_balancers_at(aws, [wanted])), None)
    else:
        found = reading.load_balancers(aws, [wanted]).get(wanted)
    if found is None:
        there = [one["LoadBalancerName"] for one in reading.all_load_balancers(aws)]
        raise missing("load balancer", wanted, there, path=query.path)
    name = found["LoadBalancerName"]
    if found.get("Type", "application") != "application":
        message = f"the load balancer {name} is of the type {found['Type']}, not an Application Load Balancer"
        raise Refused(message, hint=f"name another one at `{query.path}`")
    if found["VpcId"] != known(query.vpc_id):
        message = f"the load balancer {name} is in {found['VpcId']}, and the tasks are to be in {known(query.vpc_id)}"
        raise Refused(message, hint="a load balancer reaches tasks of its own VPC: change `[network] vpc`")
    return _existing(aws, query, found)


def _existing(aws: Aws, query: ExistingQuery, found: LoadBalancerTypeDef) -> Existing:
    arn, name = found["LoadBalancerArn"], found["LoadBalancerName"]
    whole = reading.whole(aws, arn)
    require_foreign(f"the load balancer {name}", query.tags, whole.tags.get(arn, {}), path=query.path)
    listener = _carrier(whole.listeners)
    if listener is None:
        message = f"the load balancer {name} has no listener that could carry requests: HTTPS, or HTTP without redirect"
        raise NotFoundError(message, path=query.path, hint="give it one, or name another load balancer")
    own: dict[str, int] = {}
    taken = set()
    for rule in whole.rules.get(listener["ListenerArn"], ()):
        seen = whole.tags.get(rule["RuleArn"], {})
        if same_owner(query.tags, seen):
            own[reading.name_in(seen, rule["RuleArn"])] = int(rule["Priority"])
        else:
            taken.add(int(rule["Priority"]))
    return Existing(
        arn=arn,
        name=name,
        dns_name=found["DNSName"],
        zone_id=found["CanonicalHostedZoneId"],
        vpc_id=found["VpcId"],
        security_groups=tuple(sorted(found.get("SecurityGroups", ()))),
        listener=listener["ListenerArn"],
        https=listener["Protocol"] == HTTPS,
        own=own,
        taken=frozenset(taken),
    )


def _carrier(listeners: Sequence[ListenerTypeDef]) -> ListenerTypeDef | None:
    """Return the listener for our rules: HTTPS before HTTP, 443 before others; one that only redirects carries none."""

    def rank(one: ListenerTypeDef) -> tuple[bool, bool, int]:
        return (one["Protocol"] != HTTPS, one["Port"] != _HTTPS_PORT, one["Port"])

    def carries(one: ListenerTypeDef) -> bool:
        return one["Protocol"] == HTTPS or not isinstance(from_aws(one["DefaultActions"]), Redirect)

    return min(filter(carries, listeners), key=rank, default=None)
