"""Service deployments and service revisions (AWS: ECS API Reference, DescribeServiceDeployments and its neighbours)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.cloudwatch.state import ALARM, on_change
from fargatectl.sandbox.ecs import hooks, monitors, outcome, scheduler
from fargatectl.sandbox.ecs.requests import invalid, missing, page, require, service as find_service, without_empty
from fargatectl.sandbox.ecs.services import counts
from fargatectl.sandbox.ecs.state import Ecs, Members, Revision, Rollout, Service
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_DESCRIBED = 20


def _services(region: Region) -> Iterator[Service]:
    for cluster in region.state(Ecs).clusters.values():
        yield from cluster.services.values()


@HANDLERS.handles("ecs", "ListServiceDeployments")
def list_service_deployments(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return a service's deployments, newest first, by page."""
    service = find_service(region, call.params)
    wanted = call.params.get("status")
    found = [
        rollout
        for rollout in reversed(service.rollouts)
        if (not wanted or rollout.status in wanted) and _in_time(rollout, call.params.get("createdAt") or {})
    ]
    shown, more = page(call.params, found, default=20)
    return {"serviceDeployments": [_brief(service, rollout) for rollout in shown], **more}


def _in_time(rollout: Rollout, window: Mapping[str, Any]) -> bool:
    moment = rollout.created_at.timestamp()
    before, after = window.get("before"), window.get("after")
    return (before is None or moment < _seconds(before)) and (after is None or moment > _seconds(after))


def _seconds(moment: Any) -> float:  # noqa: ANN401 - a number or a date, as the client's protocol has it
    return moment.timestamp() if hasattr(moment, "timestamp") else float(moment)


def _brief(service: Service, rollout: Rollout) -> Members:
    return without_empty(
        {
            "serviceDeploymentArn": rollout.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster.arn,
            "createdAt": rollout.created_at,
            "startedAt": rollout.started_at,
            "finishedAt": rollout.finished_at,
            "targetServiceRevisionArn": rollout.target.arn,
            "status": rollout.status,
            "statusReason": rollout.reason or None,
        }
    )


@HANDLERS.handles("ecs", "DescribeServiceDeployments")
def describe_service_deployments(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return up to twenty service deployments by ARN."""
    require(call.params, "serviceDeploymentArns")
    arns = call.params["serviceDeploymentArns"]
    if len(arns) > _DESCRIBED:
        raise invalid(f"serviceDeploymentArns can not contain more than {_DESCRIBED} items.")
    known = {rollout.arn: (service, rollout) for service in _services(region) for rollout in service.rollouts}
    return {
        "serviceDeployments": [_show(*known[arn]) for arn in arns if arn in known],
        "failures": [missing(arn) for arn in arns if arn not in known],
    }


def _show(service: Service, rollout: Rollout) -> Members:
    alarms = rollout.configuration["alarms"]
    return without_empty(
        {
            "serviceDeploymentArn": rollout.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster.arn,
            "createdAt": rollout.created_at,
            "startedAt": rollout.started_at,
            "finishedAt": rollout.finished_at,
            "stoppedAt": rollout.stopped_at,
            "updatedAt": rollout.updated_at,
            "sourceServiceRevisions": [
                {"arn": one.arn, **counts(service, one), **_traffic(rollout, target=False)} for one in rollout.sources
            ],
            "targetServiceRevision": {
                "arn": rollout.target.arn,
                **counts(service, rollout.target),
                **_traffic(rollout, target=True),
            },
            "status": rollout.status,
            "statusReason": rollout.reason or None,
            "lifecycleStage": rollout.stage or None,
            "lifecycleHookDetails": rollout.hooks or None,
            "deploymentConfiguration": rollout.configuration,
            "rollback": rollout.rollback,
            "deploymentCircuitBreaker": {
                "status": rollout.breaker,
                "failureCount": rollout.failures,
                "threshold": rollout.threshold,
            },
            "alarms": {
                "status": rollout.alarms,
                "alarmNames": alarms["alarmNames"],
                "triggeredAlarmNames": rollout.triggered,
            },
        }
    )


def _traffic(rollout: Rollout, *, target: bool) -> Members:
    """Return the shares of requests that a revision is to have; nothing where ECS shifts none."""
    if not rollout.target.group:
        return {}
    mine = {"requestedProductionTrafficWeight": rollout.shifted, "requestedTestTrafficWeight": rollout.tested}
    return mine if target else {name: 100.0 - share for name, share in mine.items()}


@HANDLERS.handles("ecs", "DescribeServiceRevisions")
def describe_service_revisions(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return up to twenty service revisions by ARN."""
    require(call.params, "serviceRevisionArns")
    arns = call.params["serviceRevisionArns"]
    if len(arns) > _DESCRIBED:
        raise invalid(f"serviceRevisionArns can not contain more than {_DESCRIBED} items.")
    known = {revision.arn: (service, revision) for service in _services(region) for revision in service.revisions}
    return {
        "serviceRevisions": [_show_revision(*known[arn]) for arn in arns if arn in known],
        "failures": [missing(arn) for arn in arns if arn not in known],
    }


def _show_revision(service: Service, revision: Revision) -> Members:
    images = [
        {"containerName": container["name"], "image": container["image"]}
        for container in revision.definition.content["containerDefinitions"]
    ]
    asked = revision.members.get("platformVersion")
    return {
        **revision.members,
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster.arn,
        "taskDefinition": revision.definition.arn,
        "platformVersion": "1.4.0" if asked == "LATEST" else asked,
        "platformFamily": "Linux",
        "containerImages": images,
        "guardDutyEnabled": False,
        "createdAt": revision.created_at,
        **_resolved(revision),
    }


def _resolved(revision: Revision) -> Members:
    if not revision.group:
        return {}
    balancers = [
        {
            "targetGroupArn": one["targetGroupArn"],
            "productionListenerRule": one["advancedConfiguration"]["productionListenerRule"],
        }
        for one in revision.load_balancers
        if one.get("advancedConfiguration")
    ]
    return {"resolvedConfiguration": {"loadBalancers": balancers}}


@HANDLERS.handles("ecs", "ContinueServiceDeployment")
def continue_service_deployment(region: Region, call: Call, _forward: Forward) -> Answer:
    """Answer a hook that pauses a deployment: it goes on, or is rolled back."""
    require(call.params, "serviceDeploymentArn", "hookId")
    arn, action = call.params["serviceDeploymentArn"], call.params.get("action", "CONTINUE")
    for service in _services(region):
        for rollout in service.rollouts:
            if rollout.arn != arn:
                continue
            waiting = [hook for hook in rollout.hooks if hook["status"] == hooks.WAITING]
            hook = next((one for one in waiting if one["hookId"] == call.params["hookId"]), None)
            if hook is None or rollout.ended:
                raise invalid("The hook is not awaiting an action.")
            if action == "ROLLBACK":
                hook["status"] = hooks.NO
                _roll_back(region, service)
                scheduler.poke(region, service)
            else:
                hooks.settle(service, hook, hooks.YES)
            return {"serviceDeploymentArn": arn}
    raise AwsError("ServiceDeploymentNotFoundException", "The service deployment was not found.")


@HANDLERS.handles("ecs", "StopServiceDeployment")
def stop_service_deployment(region: Region, call: Call, _forward: Forward) -> Answer:
    """Stop a deployment in progress: by ROLLBACK (the default) to the last one that completed, or where it is."""
    require(call.params, "serviceDeploymentArn")
    arn = call.params["serviceDeploymentArn"]
    for service in _services(region):
        rollout = service.rollout
        if rollout is None or arn not in [one.arn for one in service.rollouts]:
            continue
        primary = service.primary
        if rollout.arn != arn or rollout.status not in ("PENDING", "IN_PROGRESS") or primary is None:
            raise AwsError("ConflictException", "The service deployment is not in a state in which it can be stopped.")
        if call.params.get("stopType", "ROLLBACK") == "ABORT":
            outcome.abort(region, service, primary)
        else:
            _roll_back(region, service)
        scheduler.poke(region, service)
        return {"serviceDeploymentArn": arn}
    raise AwsError("ServiceDeploymentNotFoundException", "The service deployment was not found.")


def _roll_back(region: Region, service: Service) -> None:
    primary = service.primary
    if primary is None:
        return
    primary.rollout_state = "FAILED"
    primary.rollout_reason = "Service deployment stopped by a user."
    primary.updated_at = region.date()
    reason = "Service deployment rolled back because of a StopServiceDeployment call."
    outcome.roll_back(region, service, primary, reason, "ECS deployment rolling back to deploymentId")


@on_change
def watch_alarm(region: Region, alarm: Members) -> None:
    """Fail what is being deployed while an alarm rings that watches it."""
    if alarm["StateValue"] != ALARM:
        return
    for service in _services(region):
        rollout, primary = service.rollout, service.primary
        if rollout is not None and primary is not None and monitors.concerns(rollout, alarm["AlarmName"]):
            outcome.fail_by_alarm(region, service, primary, alarm["AlarmName"])
            scheduler.poke(region, service)
