"""The alarms that tell people that a service is in trouble, and those that fail a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass
from fargatectl.model import names
from fargatectl.reconcilers import alarms
from fargatectl.stack.metrics import ECS, ELB, of_service, of_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.config.models import Alarms, Service
    from fargatectl.model.values import Late, Ref
    from fargatectl.stack.shared import Shared

_QUIET = "notBreaching"
"""What a minute without data counts as where no data means that nothing happened."""


@dataclass(frozen=True, kw_only=True)
class _Watch:
    """One thing to watch: its name in addresses, what rings, and after how many minutes in a row."""

    what: str
    description: str
    namespace: str
    metric: str
    statistic: str
    at: float
    minutes: int
    missing: str = _QUIET


def declare_alarms(shared: Shared, name: str, service: Service) -> list[Ref[str]]:
    """Declare the alarms of the service `name`; return what must be there before its deployments are watched.

    Alarms that `deploy.alarms` names and this file does not make must exist.
    """
    made: dict[str, Ref[str]] = {}
    if shared.config.alarms:
        topics = [_topic(shared, arn, place) for place, arn in enumerate(shared.config.alarms.notify)]
        for watch in _watches(shared.config.alarms, service):
            spec = _alarm(shared, name, service, watch, topics)
            declared = alarms.declare(shared.stack, f"{name}/{watch.what}", spec, group=f"service {name}")
            made[spec.name] = declared.ref(lambda out: out.arn)
    for alarm in service.deploy.alarms:
        if alarm not in made:
            alarms.declare_existing(shared.stack, alarm, path=f"services.{name}.deploy.alarms")
    return [made[alarm] for alarm in service.deploy.alarms if alarm in made]


def _watches(wanted: Alarms, service: Service) -> Iterator[_Watch]:
    if wanted.unhealthy_targets is not None and service.http:
        yield _Watch(
            what="unhealthy-targets",
            description="Targets that fail their health check",
            namespace=ELB,
            metric="UnHealthyHostCount",
            statistic="Maximum",
            at=wanted.unhealthy_targets,
            minutes=3,
        )
    if wanted.errors_5xx is not None and service.http:
        yield _Watch(
            what="5xx",
            description="5XX answers of the tasks in a minute",
            namespace=ELB,
            metric="HTTPCode_Target_5XX_Count",
            statistic="Sum",
            at=wanted.errors_5xx,
            minutes=1,
        )
    if wanted.cpu_above is not None:
        yield _Watch(
            what="cpu",
            description="Average CPU in percent",
            namespace=ECS,
            metric="CPUUtilization",
            statistic="Average",
            at=wanted.cpu_above,
            minutes=5,
            missing="missing",
        )


def _alarm(shared: Shared, name: str, service: Service, watch: _Watch, topics: list[Ref[str]]) -> alarms.Alarm:
    dimensions: Mapping[str, Late[str]] = of_service(shared, name)
    if watch.namespace == ELB and service.http:
        dimensions = of_targets(shared, name, service.http.load_balancer)
    return alarms.Alarm(
        name=names.service_alarm(shared.stack.owner, name, watch.what),
        description=f"{watch.description}, service {name}",
        namespace=watch.namespace,
        metric=watch.metric,
        statistic=watch.statistic,
        dimensions=dimensions,
        periods=watch.minutes,
        comparison=alarms.AT_LEAST,
        threshold=watch.at,
        missing=watch.missing,
        actions=tuple(topics),
        ok_actions=tuple(topics),
    )


def _topic(shared: Shared, arn: str, place: int) -> Ref[str]:
    found = alarms.declare_topic(shared.stack, arn, path=f"alarms.notify[{place}]")
    shared.stack.note(found.ref(lambda topic: topic.warning))
    return found.ref(lambda topic: topic.arn)
