"""The status of services, composed from the health of their parts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.dataclass import dataclass
from fargatectl.engine.observer import observe
from fargatectl.engine.reconciler import Live
from fargatectl.model.change import Action
from fargatectl.model.status import ScalingBounds, ServiceState, ServiceStatus, ServiceView, TargetCounts
from fargatectl.reconcilers.service.health import ServiceHealth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet
    from concurrent.futures import Executor

    from fargatectl.aws.session import Aws
    from fargatectl.engine.executor import Outcome
    from fargatectl.engine.observer import Observation
    from fargatectl.engine.planner import Planning
    from fargatectl.engine.reconciler import AnyLive, Source
    from fargatectl.engine.stack import Stack
    from fargatectl.model.values import Address


@dataclass(frozen=True)
class Parts:
    """What there is of one service in AWS. `https` is None where the file says it."""

    health: ServiceHealth | None
    image: str = ""
    load_balancer_name: str = ""
    targets: TargetCounts | None = None
    scaling: ScalingBounds | None = None
    https: bool | None = None


def statuses(views: Sequence[ServiceView], stack: Stack, aws: Aws, executor: Executor) -> tuple[ServiceStatus, ...]:
    """Read what `status` shows of `views`, and nothing else of the stack.

    Raises `Refused` for the wrong account and `AwsFailure` for what cannot be read.
    """
    seen = observed(views, stack, aws, executor)
    return compose(views, stack, seen.lives, aws, found=seen.outputs)


def observed(views: Sequence[ServiceView], stack: Stack, aws: Aws, executor: Executor) -> Observation:
    """Read the parts of `views`, and whose account it is. Raises as `statuses` does."""
    who = {address: source for address, source in stack.sources.items() if address.startswith("sts.")}
    part = stack.only(address for view in views for address in parts_of(view))
    part.sources = who | _sources(stack, {view.load_balancer for view in views if view.load_balancer})
    seen = observe(part, aws, executor)
    for failure in seen.failures.values():
        raise failure
    return seen


def _sources(stack: Stack, wanted: Iterable[Address]) -> dict[Address, Source[Any, Any]]:
    """Return the look-ups among `wanted`, with those that they need."""
    found: dict[Address, Source[Any, Any]] = {}
    for address in sorted(wanted):
        if address in stack.sources:
            source = stack.sources[address]
            found |= {address: source, **_sources(stack, source.spec.needs())}
    return found


def after(views: Sequence[ServiceView], planning: Planning, outcome: Outcome, aws: Aws) -> tuple[ServiceStatus, ...]:
    """Return the statuses of `views` at the end of a run that went well, without another call.

    They are made of what was read for the plan, what was made, and what following the rollouts showed. The targets of a
    service without a rollout are not told: they would be a call for each.
    """
    lives = {address: _left(planning, outcome, address) for view in views for address in parts_of(view)}
    unasked = {view.target_group for view in views if view.target_group}
    known = compose(views, planning.stack, lives, aws, found=planning.outputs, unasked=unasked)
    return tuple(_settled(one, outcome.settled.get(view.service)) for view, one in zip(views, known, strict=True))


def _left(planning: Planning, outcome: Outcome, address: Address) -> AnyLive | None:
    """Return a resource as a run has left it."""
    planned = planning.planned.get(address)
    if planned is None or planned.change.action == Action.DELETE or address not in outcome.outputs:
        return None
    untouched = planned.live is not None and planned.change.action == Action.NOOP
    spec = planned.live.spec if planned.live and untouched else planning.stack.resources[address].spec
    return Live(spec, outcome.outputs[address], "")


def _settled(before: ServiceStatus, seen: ServiceStatus | None) -> ServiceStatus:
    return before if seen is None else replace(seen, scaling=before.scaling, image=seen.image or before.image)


def compose(  # noqa: PLR0913 - what a status is made of
    views: Sequence[ServiceView],
    stack: Stack,
    lives: Mapping[Address, AnyLive | None],
    aws: Aws,
    *,
    found: Mapping[Address, Any],
    unasked: AbstractSet[Address] = frozenset(),
) -> tuple[ServiceStatus, ...]:
    """Return the statuses of `views` from live resources that were read before; asks only for their health.

    `found` are the outputs of look-ups: load balancers that are not ours. The health of what is `unasked` is left out.
    """
    mine = {address: live for address, live in lives.items() if live is not None and _is_ours(stack, address, live)}
    health = _health(stack, mine, aws, {address for view in views for address in parts_of(view)} - unasked)
    return tuple(_compose(view, mine, health, found) for view in views)


def parts_of(view: ServiceView) -> list[Address]:
    """Return where the parts of a service stand on the stack."""
    groups = (view.target_group, view.alternate)
    parts = (view.service, view.task_definition, view.load_balancer, *groups, view.scaling)
    return [address for address in parts if address is not None]


def status_of(view: ServiceView, parts: Parts) -> ServiceStatus:
    """Return the status of one service from its parts."""
    health = parts.health
    if health is None:
        return ServiceStatus(name=view.name, state=ServiceState.MISSING, discovery=view.discovery)
    return ServiceStatus(
        name=view.name,
        state=health.state,
        desired=health.desired,
        running=health.running,
        pending=health.pending,
        task_definition=health.task_definition,
        image=parts.image,
        url=url_of(view, parts.load_balancer_name, https=parts.https),
        deployment=health.deployment,
        targets=parts.targets,
        scaling=parts.scaling,
        discovery=view.discovery,
        events=health.events,
    )


def url_of(view: ServiceView, load_balancer_name: str, *, https: bool | None = None) -> str | None:
    """Return where people reach the service: its host, or else the load balancer's own name.

    `https` is known of a load balancer that is not ours; of ours the view knows it.
    """
    host = view.host or load_balancer_name
    if view.load_balancer is None or not host:
        return None
    secure = view.https if https is None else https
    return f"{'https' if secure else 'http'}://{host}{view.path}"


def _is_ours(stack: Stack, address: Address, live: AnyLive) -> bool:
    return not stack.resources[address].reconciler.taggable or stack.owner.owns(live.spec.tags)


def _health(
    stack: Stack, lives: Mapping[Address, AnyLive], aws: Aws, wanted: Iterable[Address]
) -> dict[Address, object]:
    by_kind: dict[str, list[Address]] = {}
    for address in sorted(wanted):
        if address in lives:
            by_kind.setdefault(address.partition("/")[0], []).append(address)
    found: dict[Address, object] = {}
    for addresses in by_kind.values():
        reconciler = stack.resources[addresses[0]].reconciler
        found |= dict(zip(addresses, reconciler.health(aws, [lives[a] for a in addresses]), strict=True))
    return found


def _compose(
    view: ServiceView, lives: Mapping[Address, AnyLive], health: Mapping[Address, Any], found: Mapping[Address, Any]
) -> ServiceStatus:
    def at(address: Address | None, kind: type[Any]) -> Any:  # noqa: ANN401 - of type `kind`, or None
        shown = health.get(address) if address is not None else None
        return shown if isinstance(shown, kind) else None

    def out(address: Address | None, name: str) -> str:
        live = lives.get(address) if address is not None else None
        return str(getattr(live.out, name, "")) if isinstance(live, Live) else ""

    balancer = found.get(view.load_balancer) if view.load_balancer is not None else None
    parts = Parts(
        health=at(view.service, ServiceHealth),
        image=out(view.task_definition, "image"),
        load_balancer_name=out(view.load_balancer, "dns_name") or getattr(balancer, "dns_name", ""),
        https=getattr(balancer, "https", None),
        targets=_sum(at(view.target_group, TargetCounts), at(view.alternate, TargetCounts)),
        scaling=at(view.scaling, ScalingBounds),
    )
    return status_of(view, parts)


def _sum(first: TargetCounts | None, second: TargetCounts | None) -> TargetCounts | None:
    """Return the targets of both groups of a pair."""
    if first is None or second is None:
        return first or second
    return TargetCounts(
        healthy=first.healthy + second.healthy,
        unhealthy=first.unhealthy + second.unhealthy,
        initial=first.initial + second.initial,
        draining=first.draining + second.draining,
    )
