"""Everything in an account that fargatectl could touch, in a form that two moments can be compared in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.aws.session import Aws


def contents(aws: Aws) -> dict[str, set[str]]:
    """Return what exists by AWS service; INACTIVE things of ECS are gone."""
    return {
        "clusters": {c["clusterName"] for c in _clusters(aws) if c["status"] == "ACTIVE"},
        "task definitions": set(_pages(aws.ecs, "list_task_definitions", "taskDefinitionArns", status="ACTIVE")),
        "inactive": set(_pages(aws.ecs, "list_task_definitions", "taskDefinitionArns", status="INACTIVE")),
        "load balancers": {b["LoadBalancerName"] for b in aws.elb.describe_load_balancers()["LoadBalancers"]},
        "target groups": {g["TargetGroupName"] for g in aws.elb.describe_target_groups()["TargetGroups"]},
        "security groups": {g["GroupName"] for g in aws.ec2.describe_security_groups()["SecurityGroups"]},
        "roles": {r["RoleName"] for r in aws.iam.list_roles()["Roles"] if not _is_of_aws(r)},
        "log groups": {g["logGroupName"] for g in aws.logs.describe_log_groups()["logGroups"]},
        "namespaces": {n["Name"] for n in aws.cloudmap.list_namespaces()["Namespaces"]},
        "discovery": {s["Name"] for s in aws.cloudmap.list_services()["Services"]},
        "secrets": {s["Name"] for s in aws.secrets.list_secrets()["SecretList"]},
        "alarms": {a["AlarmName"] for page in _alarms(aws) for a in page["MetricAlarms"] if not _is_tracking(a)},
        "dashboards": {d["DashboardName"] for d in aws.cloudwatch.list_dashboards()["DashboardEntries"]},
        "schedules": {f"{s['GroupName']}/{s['Name']}" for s in aws.scheduler.list_schedules()["Schedules"]},
        "schedule groups": {g["Name"] for g in aws.scheduler.list_schedule_groups()["ScheduleGroups"]},
        "records": set(_records(aws)),
        "scaling": {t["ResourceId"] for t in _targets(aws)},
    }


def _clusters(aws: Aws) -> list[Any]:
    arns = aws.ecs.list_clusters()["clusterArns"]
    found: list[Any] = list(aws.ecs.describe_clusters(clusters=arns)["clusters"]) if arns else []
    return found


def _targets(aws: Aws) -> list[Any]:
    found: list[Any] = list(aws.autoscaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"])
    return found


def _alarms(aws: Aws) -> Any:
    return aws.cloudwatch.get_paginator("describe_alarms").paginate()


def _is_tracking(alarm: Any) -> bool:
    """Tell whether an alarm is AWS's own, of a target-tracking policy."""
    return bool(alarm["AlarmName"].startswith("TargetTracking-"))


def _is_of_aws(role: Any) -> bool:
    return bool(role["Path"].startswith("/aws-service-role/"))


def _pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[str]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[key]


def _records(aws: Aws) -> Iterator[str]:
    for zone in aws.route53.list_hosted_zones()["HostedZones"]:
        for page in aws.route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"]):
            yield from (f"{row['Name']} {row['Type']}" for row in page["ResourceRecordSets"])
