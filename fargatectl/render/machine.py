"""Everything that machines read: one JSON document per command, or events one a line. Version 1 throughout.

Sensitive values are null, times are ISO 8601 in UTC. What is here is a contract: fields are added, never changed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fargatectl.errors import AwsFailure, ConfigError, FargatectlError, JobFailed, NotFoundError, RolloutFailed
from fargatectl.model.change import Action
from fargatectl.model.events import DeploymentEvent, StepEvent
from fargatectl.render.plain import plain, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fargatectl.errors import ExitCode, Problem
    from fargatectl.model.change import Change
    from fargatectl.model.diagnosis import Diagnosis
    from fargatectl.model.events import Event
    from fargatectl.model.history import PastDeployment
    from fargatectl.model.insights import QueryResult, ReadyQuery
    from fargatectl.model.jobs import JobEnd, JobStatus
    from fargatectl.model.logs import LogLine
    from fargatectl.model.plan import Plan
    from fargatectl.model.status import ServiceStatus

VERSION = 1
Document = dict[str, Any]


def dump(document: Document) -> str:
    """Return a document to be read by people as well. Holds no control character but line breaks."""
    return _safe(json.dumps(document, indent=2, allow_nan=False))


def line(document: Document) -> str:
    """Return a document on one line."""
    return _safe(json.dumps(document, allow_nan=False))


def _safe(text: str) -> str:
    # DEL is the one control character that JSON lets stand; "##" begins what some CI systems obey anywhere in a line.
    return text.replace("\x7f", "\\u007f").replace("##", "#\\u0023")


def plan(made: Plan) -> Document:
    """Return the plan, as `diff --json` prints it."""
    counted = (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE, Action.ADOPT)
    return {
        "version": VERSION,
        "app": made.app,
        "environment": made.environment,
        "account": made.account,
        "region": made.region,
        "changes": [_change(change) for change in made.changes],
        "summary": {**{str(action): made.count(action) for action in counted}, "unchanged": made.unchanged},
        "notes": list(made.notes),
    }


def _change(change: Change) -> Document:
    return {
        "address": change.address,
        "action": str(change.action),
        "effect": str(change.effect),
        "summary": change.summary,
        "group": change.group,
        "cause": change.cause,
        "fields": [
            {
                "path": field.path,
                "before": None if field.sensitive else plain(field.before),
                "after": None if field.sensitive or field.known_after_apply else plain(field.after),
                "forces_replacement": field.forces_replacement,
                "known_after_apply": field.known_after_apply,
                "sensitive": field.sensitive,
            }
            for field in change.fields
        ],
    }


def status(  # noqa: PLR0913 - the contract's fields
    services: Iterable[ServiceStatus],
    *,
    app: str,
    environment: str | None,
    account: str,
    region: str,
    jobs: Iterable[JobStatus] = (),
) -> Document:
    """Return what `status --json` prints."""
    return {
        "version": VERSION,
        "app": app,
        "environment": environment,
        "account": account,
        "region": region,
        "services": [service(found) for found in services],
        "jobs": [job(found) for found in jobs],
    }


def job(found: JobStatus) -> Document:
    """Return one job, as `status` has it. `last_run` is null when ECS remembers none."""
    last = found.last
    return {
        "name": found.name,
        "service": found.service,
        "schedule": found.schedule or None,
        "timezone": found.timezone or None,
        "running": found.running,
        "last_run": None
        if last is None
        else {
            "task": last.task,
            "state": last.state,
            "started_at": last.started_at and timestamp(last.started_at),
            "stopped_at": last.stopped_at and timestamp(last.stopped_at),
            "exit_code": last.exit_code,
            "reason": last.reason or None,
        },
    }


def service(found: ServiceStatus) -> Document:
    """Return one service, as `status` and events have it."""
    deployment, targets, scaling = found.deployment, found.targets, found.scaling
    return {
        "name": found.name,
        "state": str(found.state),
        "desired": found.desired,
        "running": found.running,
        "pending": found.pending,
        "task_definition": found.task_definition or None,
        "image": found.image or None,
        "url": found.url,
        "deployment": None
        if deployment is None
        else {
            "id": deployment.id,
            "state": deployment.state,
            "failed_tasks": deployment.failed_tasks,
            "started_at": deployment.started_at and timestamp(deployment.started_at),
            "reason": deployment.reason or None,
        },
        "targets": None
        if targets is None
        else {
            "healthy": targets.healthy,
            "unhealthy": targets.unhealthy,
            "initial": targets.initial,
            "draining": targets.draining,
        },
        "scaling": None if scaling is None else {"min": scaling.min, "max": scaling.max},
        "discovery": found.discovery,
        "events": [{"at": timestamp(event.at), "message": event.message} for event in found.events],
    }


def event(told: Event) -> Document:
    """Return an event of a run."""
    base: Document = {"version": VERSION}
    if isinstance(told, StepEvent):
        base |= {"event": "step", "address": told.address, "verb": told.verb, "state": told.state}
        base |= {"at": timestamp(told.at), "summary": told.summary, "detail": told.detail or None}
        if told.error is not None:
            base["error"] = failure(told.error)
        if told.because is not None:
            base["because"] = told.because
        return base
    if isinstance(told, DeploymentEvent):
        progress = {name: value for name, value in plain(told.rollout).items() if value != ""}
        return {
            **base,
            "event": "deployment",
            "at": timestamp(told.at),
            "service": service(told.service),
            "rollout": progress,
        }
    return {**base, "event": "log", "at": timestamp(told.at), "level": told.level, "message": told.message}


def log_line(line: LogLine) -> Document:
    """Return a line of a container."""
    return {
        "version": VERSION,
        "event": "log",
        "at": timestamp(line.at),
        "level": "output",
        "message": line.message,
        "service": line.service,
        "container": line.container,
        "task": line.task or None,
        "id": line.id,
    }


def ready_queries(found: Iterable[ReadyQuery]) -> Document:
    """Return what `insights --json` prints without a query."""
    return {"version": VERSION, "queries": [{"name": one.name, "description": one.says} for one in found]}


def query(found: QueryResult, *, text: str, name: str, groups: Sequence[str]) -> Document:
    """Return what `insights --json` prints; values are texts, as AWS gives them."""
    return {
        "version": VERSION,
        "name": name or None,
        "query": text,
        "log_groups": list(groups),
        "columns": list(found.columns),
        "rows": [dict(row) for row in found.rows],
        "statistics": {"matched": found.matched, "scanned": found.scanned, "scanned_bytes": found.scanned_bytes},
    }


def job_result(
    job: str, outcome: str, end: JobEnd | None = None, why: Diagnosis | None = None, *, task: str = ""
) -> Document:
    """Return the last event of `run`; its `exit_code` is the container's, None if that never started."""
    return {
        "version": VERSION,
        "event": "result",
        "outcome": outcome,
        "exit_code": None if end is None else end.exit_code,
        "job": job,
        "task": end.id if end is not None else task or None,
        "seconds": None if end is None else round(end.seconds, 1),
        "timed_out": end is not None and end.timed_out,
        "diagnosis": [] if why is None else [diagnosis(why)],
    }


def plan_event(made: Plan) -> Document:
    """Return the plan as the first event of a run."""
    return {"version": VERSION, "event": "plan", **plan(made)}


def failure(error: FargatectlError) -> Document:
    """Return an error with all that is known of it."""
    document: Document = {
        "exit_code": int(error.exit_code),
        "kind": error.kind,
        "message": error.message,
        "hint": error.hint or None,
        "problems": problems(error),
    }
    if isinstance(error, AwsFailure):
        document |= {"operation": error.operation or None, "code": error.code or None, "address": error.address or None}
    return document


def error_document(document: Document) -> Document:
    """Return what any command prints that fails; `document` is what `failure` made."""
    return {"version": VERSION, "error": document}


def problems(error: FargatectlError) -> list[Document]:
    """Return what is wrong with the file, as far as `error` says so."""
    if isinstance(error, ConfigError):
        return [problem(found) for found in error.problems]
    if isinstance(error, NotFoundError) and error.path:
        return [_problem("error", None, None, error.path, error.message, error.hint)]
    return []


def problem(found: Problem) -> Document:
    """Return one thing that is wrong with the file."""
    return _problem(found.severity, found.file or None, found.line, found.path, found.message, found.hint)


def _problem(severity: str, file: str | None, line: int | None, path: str, message: str, hint: str) -> Document:  # noqa: PLR0913 - the contract's fields
    return {
        "severity": severity,
        "file": file,
        "line": line,
        "path": path or None,
        "message": message,
        "hint": hint or None,
    }


def validation(found: Sequence[Problem]) -> Document:
    """Return what `validate --json` prints."""
    valid = not any(each.severity == "error" for each in found)
    return {"version": VERSION, "valid": valid, "problems": [problem(each) for each in found]}


def result(  # noqa: PLR0913 - the contract's fields
    outcome: str,
    exit_code: ExitCode,
    *,
    applied: int = 0,
    failed: Sequence[tuple[str, FargatectlError]] = (),
    skipped: Sequence[tuple[str, str]] = (),
    services: Iterable[ServiceStatus] = (),
    stuck: Iterable[Diagnosis] = (),
    error: Document | None = None,
    kept: Sequence[str] | None = None,
    remaining: Mapping[str, str] | None = None,
) -> Document:
    """Return the last event of a run. `stuck` are rollouts that go on.

    `kept` and `remaining`, which says why, belong to `destroy`.
    """
    document: Document = {
        "version": VERSION,
        "event": "result",
        "outcome": outcome,
        "exit_code": int(exit_code),
        "applied": applied,
        "failed": [_failed(address, why) for address, why in failed],
        "skipped": [{"address": address, "because": because} for address, because in skipped],
        "services": [service(found) for found in services],
        "diagnosis": [
            *(diagnosis(why.diagnosis) for _, why in failed if isinstance(why, RolloutFailed | JobFailed)),
            *map(diagnosis, stuck),
        ],
    }
    if kept is not None:
        document["kept"] = list(kept)
    if remaining is not None:
        document["remaining"] = list(remaining)
        document["reasons"] = dict(remaining)
    if error is not None:
        document["error"] = error
    return document


def diagnosis(found: Diagnosis) -> Document:
    """Return why a deployment failed."""
    return {
        "service": found.service,
        "code": found.code,
        "cause": found.cause,
        "evidence": list(found.evidence),
        "fix": found.fix or None,
        "serving": found.serving,
        "confidence": found.confidence,
    }


def why(found: Iterable[Diagnosis], *, app: str, environment: str | None) -> Document:
    """Return what `why --json` prints: a diagnosis for each service of which a deployment failed."""
    return {
        "version": VERSION,
        "app": app,
        "environment": environment,
        "diagnosis": [diagnosis(one) for one in found],
    }


def history(found: Iterable[PastDeployment], *, app: str, environment: str | None) -> Document:
    """Return what `history --json` prints: deployments, those of one service together, the newest first."""
    return {
        "version": VERSION,
        "app": app,
        "environment": environment,
        "deployments": [_past(one) for one in found],
    }


def _past(one: PastDeployment) -> Document:
    return {
        "service": one.service,
        "id": one.id,
        "revision": one.revision,
        "task_definition": one.name or None,
        "image": one.image or None,
        "digest": one.digest or None,
        "outcome": str(one.outcome),
        "reason": one.reason or None,
        "created_at": timestamp(one.created_at),
        "started_at": one.started_at and timestamp(one.started_at),
        "finished_at": one.finished_at and timestamp(one.finished_at),
        "seconds": None if one.seconds is None else round(one.seconds, 1),
        "registered_by": one.registered_by or None,
        "current": one.current,
    }


def _failed(address: str, why: FargatectlError) -> Document:
    operation = why.operation if isinstance(why, AwsFailure) else ""
    code = why.code if isinstance(why, AwsFailure) else ""
    return {"address": address, "operation": operation or None, "code": code or why.kind, "message": why.message}
