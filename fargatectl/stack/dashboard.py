"""The dashboard: the curves of all services on one page, a line for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.reconcilers import dashboard
from fargatectl.reconcilers.dashboard import Chart, Line
from fargatectl.stack.metrics import ECS, ELB, INSIGHTS, of_service, of_targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.stack.shared import Shared


def declare_dashboard(shared: Shared) -> None:
    """Declare the dashboard, if the file has one."""
    wanted, owner = shared.config.dashboard, shared.stack.owner
    if wanted is None or not wanted.enabled or not shared.config.services:
        return
    title = f"{owner.app} \N{MIDDLE DOT} {owner.environment}" if owner.environment else owner.app
    text = f"# {title}\nMade by fargatectl: the next deploy undoes what is changed here."
    charts = {
        "CPU": _of_tasks(shared, ("", ECS, "CPUUtilization", "Average")),
        "Memory": _of_tasks(shared, ("", ECS, "MemoryUtilization", "Average")),
        "Tasks": _tasks(shared),
        "Requests": _of_requests(shared, ("", "RequestCount", "Sum")),
        "Latency": _of_requests(shared, ("p50", "TargetResponseTime", "p50"), ("p95", "TargetResponseTime", "p95")),
        "5XX": _of_requests(shared, ("", "HTTPCode_Target_5XX_Count", "Sum")),
        "Targets": _of_requests(
            shared, ("healthy", "HealthyHostCount", "Minimum"), ("unhealthy", "UnHealthyHostCount", "Maximum")
        ),
    }
    made = [Chart(title=name, lines=tuple(lines)) for name, lines in charts.items()]
    dashboard.declare(shared.stack, shared.region, text=text, charts=[chart for chart in made if chart.lines])


def _tasks(shared: Shared) -> Iterator[Line]:
    if shared.config.cluster.container_insights == "disabled":
        # Every task tells its CPU once a minute (ECS Developer Guide, "Service RUNNING task count").
        return _of_tasks(shared, ("running", ECS, "CPUUtilization", "SampleCount"))
    return _of_tasks(
        shared,
        ("running", INSIGHTS, "RunningTaskCount", "Average"),
        ("desired", INSIGHTS, "DesiredTaskCount", "Average"),
    )


def _of_tasks(shared: Shared, *metrics: tuple[str, str, str, str]) -> Iterator[Line]:
    for name in shared.config.services:
        for what, namespace, metric, statistic in metrics:
            yield Line(
                label=f"{name} {what}".strip(),
                namespace=namespace,
                metric=metric,
                statistic=statistic,
                dimensions=of_service(shared, name),
            )


def _of_requests(shared: Shared, *metrics: tuple[str, str, str]) -> Iterator[Line]:
    for name, service in shared.config.services.items():
        if service.http is None:
            continue
        for what, metric, statistic in metrics:
            yield Line(
                label=f"{name} {what}".strip(),
                namespace=ELB,
                metric=metric,
                statistic=statistic,
                dimensions=of_targets(shared, name, service.http.load_balancer),
            )
