"""Where the output of a service's containers goes: their log options, the log router, the log groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.checks.logs import LOG_ROUTER
from fargatectl.model.logs import LogSource
from fargatectl.reconcilers import logs, service as ecs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fargatectl.config.models import Config, Service
    from fargatectl.engine.stack import Declared, Stack

_RECORD_DAYS = 30
_ROUTER_PREFIX = "log-router"


def declare_groups(config: Config, stack: Stack) -> dict[str, Declared[logs.LogGroupOut]]:
    """Declare each log group once; the first service that names it says how it is kept, else it is for sessions."""
    declared: dict[str, Declared[logs.LogGroupOut]] = {}
    for name, service in config.services.items():
        wanted = service.logs
        if wanted.driver == "none" or wanted.group in declared:
            continue
        declared[wanted.group] = logs.declare(
            stack,
            wanted.group,
            retention_days=0 if wanted.retention == "never" else wanted.retention,
            keep=wanted.keep_on_destroy,
            log_class=wanted.class_,
            kms_key=wanted.kms_key or "",
            group=f"service {name}",
        )
    recorded = config.cluster.exec.log_group if config.cluster.exec else None
    if recorded and recorded not in declared:
        declared[recorded] = logs.declare(stack, recorded, retention_days=_RECORD_DAYS, keep=False, group="cluster")
    return declared


def source(config: Config, name: str) -> LogSource:
    """Return where the lines of a service's containers can be read, or why they cannot."""
    service = config.services[name]
    wanted = service.logs
    if wanted.driver == "none":
        return LogSource(name, silent=f'{name} keeps no logs: its `logs.driver` is "none"')
    if wanted.driver == "awsfirelens" and wanted.options:
        return LogSource(name, silent=f"the log router of {name} sends its logs elsewhere (`logs.options`)")
    if wanted.class_ == "INFREQUENT_ACCESS":
        # CloudWatch Logs User Guide, "Log classes": FilterLogEvents and GetLogEvents read the class STANDARD alone.
        only = f"the log group of {name} is of the class INFREQUENT_ACCESS, which only Logs Insights can read"
        return LogSource(name, wanted.group, wanted.stream_prefix, silent=only)
    jobs = (job for job, one in config.jobs.items() if one.from_ == name)
    routed = wanted.driver == "awsfirelens"
    return LogSource(name, wanted.group, wanted.stream_prefix, (name, *service.sidecars, *jobs), routed=routed)


def logging(service: Service, region: str) -> ecs.Logging | None:
    """Return the log options of a service's containers."""
    wanted = service.logs
    if wanted.driver == "none":
        return None
    if wanted.driver == "awsfirelens":
        return ecs.Logging(driver="awsfirelens", options=dict(wanted.options) or _to_group(service, region))
    return _awslogs(service, region, wanted.stream_prefix)


def routers(service: Service, region: str) -> Iterable[ecs.Container]:
    """Yield the log router of a service that has one. What it says itself goes to the group by awslogs."""
    if service.logs.driver == "awsfirelens":
        yield ecs.Container(
            name=LOG_ROUTER,
            image=service.logs.router,
            user="0",  # FireLens demands root for its socket (ECS Developer Guide, "Custom log routing")
            log_router="fluentbit",
            logging=_awslogs(service, region, _ROUTER_PREFIX),
        )


def _awslogs(service: Service, region: str, prefix: str) -> ecs.Logging:
    """The mode is always sent, for an account's setting changes what leaving it out means (ECS API Reference,
    LogConfiguration)."""
    wanted = service.logs
    options = {
        "awslogs-group": wanted.group,
        "awslogs-region": region,
        "awslogs-stream-prefix": prefix,
        "mode": wanted.mode,
    }
    if wanted.mode == "non-blocking":
        options["max-buffer-size"] = wanted.buffer
    if wanted.multiline:
        options["awslogs-multiline-pattern"] = wanted.multiline
    if wanted.datetime:
        options["awslogs-datetime-format"] = wanted.datetime
    return ecs.Logging(driver="awslogs", options=options)


def _to_group(service: Service, region: str) -> dict[str, str]:
    """Return the options of Fluent Bit's output to CloudWatch Logs."""
    return {
        "Name": "cloudwatch_logs",
        "region": region,
        "log_group_name": service.logs.group,
        "log_stream_prefix": f"{service.logs.stream_prefix}/",
        "auto_create_group": "false",
    }
