"""The alarms that tell people that a service is in trouble, and those that fail a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.watches import watches
from fargatectl.dataclass import dataclass
from fargatectl.engine.stack import Declared
from fargatectl.model import names
from fargatectl.model.values import Address
from fargatectl.reconcilers import alarms
from fargatectl.stack.metrics import ECS, ELB, of_service, of_targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.config.models import Service
    from fargatectl.model.values import Late, Ref
    from fargatectl.stack.shared import Shared

_QUIET = "notBreaching"
"""What a minute without data counts as where no data means that nothing happened."""


@dataclass(frozen=True, kw_only=True)
class _Watch:
    """One thing to watch: its metric, and after how many minutes in a row beyond the threshold the alarm rings."""

    description: str
    namespace: str
    metric: str
    statistic: str
    minutes: int
    missing: str = _QUIET


_WATCHES = {
    "unhealthy-targets": _Watch(
        description="Targets that fail their health check",
        namespace=ELB,
        metric="UnHealthyHostCount",
        statistic="Maximum",
        minutes=3,
    ),
    "5xx": _Watch(
        description="5XX answers of the tasks in a minute",
        namespace=ELB,
        metric="HTTPCode_Target_5XX_Count",
        statistic="Sum",
        minutes=1,
    ),
    "cpu": _Watch(
        description="Average CPU in percent",
        namespace=ECS,
        metric="CPUUtilization",
        statistic="Average",
        minutes=5,
        missing="missing",
    ),
}


def declare_alarms(shared: Shared, name: str, service: Service) -> list[Ref[str]]:
    """Declare the alarms of the service `name`; return what must be there before its deployments are watched.

    Alarms that `deploy.alarms` names and this file does not make must exist.
    """
    if shared.config.alarms:
        topics = [_topic(shared, arn, place) for place, arn in enumerate(shared.config.alarms.notify)]
        for what, threshold in watches(shared.config.alarms, service).items():
            spec = _alarm(shared, name, service, what, threshold, topics)
            alarms.declare(shared.stack, f"{name}/{what}", spec, group=f"service {name}")
    made = _made(shared)
    for alarm in service.deploy.alarms:
        if alarm not in made:
            alarms.declare_existing(shared.stack, alarm, path=f"services.{name}.deploy.alarms")
    return [made[alarm].ref(lambda out: out.arn) for alarm in service.deploy.alarms if alarm in made]


def _made(shared: Shared) -> dict[str, Declared[alarms.AlarmOut]]:
    """Return the alarms that the file makes for all services, by their names in CloudWatch."""
    return {
        names.service_alarm(shared.stack.owner, name, what): Declared(Address(f"{alarms.Alarms.kind}/{name}/{what}"))
        for name, service in shared.config.services.items()
        for what in watches(shared.config.alarms, service)
    }


def _alarm(  # noqa: PLR0913 - what an alarm is made of
    shared: Shared, name: str, service: Service, what: str, threshold: float, topics: list[Ref[str]]
) -> alarms.Alarm:
    watch = _WATCHES[what]
    dimensions: Mapping[str, Late[str]] = of_service(shared, name)
    if watch.namespace == ELB and service.http:
        dimensions = of_targets(shared, name, service.http.load_balancer)
    return alarms.Alarm(
        name=names.service_alarm(shared.stack.owner, name, what),
        description=f"{watch.description}, service {name}",
        namespace=watch.namespace,
        metric=watch.metric,
        statistic=watch.statistic,
        dimensions=dimensions,
        periods=watch.minutes,
        comparison=alarms.AT_LEAST,
        threshold=threshold,
        missing=watch.missing,
        actions=tuple(topics),
        ok_actions=tuple(topics),
    )


def _topic(shared: Shared, arn: str, place: int) -> Ref[str]:
    found = alarms.declare_topic(shared.stack, arn, path=f"alarms.notify[{place}]")
    shared.stack.note(found.ref(lambda topic: topic.warning))
    return found.ref(lambda topic: topic.arn)
