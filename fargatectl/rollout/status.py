"""The status of services, composed from the health of their parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fargatectl.engine.observer import observe
from fargatectl.engine.reconciler import Live
from fargatectl.model.status import ScalingBounds, ServiceState, ServiceStatus, ServiceView, TargetCounts
from fargatectl.reconcilers.service.health import ServiceHealth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Executor

    from fargatectl.aws.session import Aws
    from fargatectl.engine.reconciler import AnyLive, Source
    from fargatectl.engine.stack import Stack
    from fargatectl.model.values import Address


@dataclass(frozen=True, slots=True)
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
    who = {address: source for address, source in stack.sources.items() if address.startswith("sts.")}
    part = stack.only(address for view in views for address in parts_of(view))
    part.sources = who | _sources(stack, {view.load_balancer for view in views if view.load_balancer})
    seen = observe(part, aws, executor)
    for failure in seen.failures.values():
        raise failure
    return compose(views, stack, seen.lives, aws, found=seen.outputs)


def _sources(stack: Stack, wanted: Iterable[Address]) -> dict[Address, Source[Any, Any]]:
    """Return the look-ups among `wanted`, with those that they need."""
    found: dict[Address, Source[Any, Any]] = {}
    for address in sorted(wanted):
        if address in stack.sources:
            source = stack.sources[address]
            found |= {address: source, **_sources(stack, source.spec.needs())}
    return found


def compose(
    views: Sequence[ServiceView],
    stack: Stack,
    lives: Mapping[Address, AnyLive | None],
    aws: Aws,
    *,
    found: Mapping[Address, Any],
) -> tuple[ServiceStatus, ...]:
    """Return the statuses of `views` from live resources that were read before; asks only for their health.

    `found` are the outputs of look-ups: load balancers that are not ours.
    """
    mine = {address: live for address, live in lives.items() if live is not None and _is_ours(stack, address, live)}
    health = _health(stack, mine, aws, {address for view in views for address in parts_of(view)})
    return tuple(_compose(view, mine, health, found) for view in views)


def parts_of(view: ServiceView) -> list[Address]:
    """Return where the parts of a service stand on the stack."""
    parts = (view.service, view.task_definition, view.load_balancer, view.target_group, view.scaling)
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
        targets=at(view.target_group, TargetCounts),
        scaling=at(view.scaling, ScalingBounds),
    )
    return status_of(view, parts)
