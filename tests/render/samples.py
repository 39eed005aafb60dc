"""A plan, services and events that show everything a screen can show."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from fargatectl.errors import AwsFailure, Problem, RolloutFailed
from fargatectl.model.change import Action, Change, Delta, FieldChange
from fargatectl.model.diagnosis import Diagnosis
from fargatectl.model.events import DeploymentEvent, Event, LogEvent, RolloutProgress, StepEvent
from fargatectl.model.plan import Plan
from fargatectl.model.spec import Effect
from fargatectl.model.status import (
    DeploymentStatus,
    Load,
    ScalingBounds,
    ServiceEvent,
    ServiceState,
    ServiceStatus,
    TargetCounts,
    Usage,
)
from fargatectl.model.values import Address

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def policy(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": ["arn:aws:s3:::shop-assets/*"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


CHANGES = (
    Change(
        Address("service.task_definition/web"),
        Action.UPDATE,
        Effect.NEW_DEPLOYMENT,
        "task definition web",
        Delta(
            [
                FieldChange("containers[web].image", f"{REGISTRY}/shop/web:1.0.0", f"{REGISTRY}/shop/web:1.1.0"),
                FieldChange("memory", 1024, 2048),
                FieldChange("containers[web].environment.TOKEN", "hush", "hush-hush", sensitive=True),
            ]
        ),
        "service web",
    ),
    Change(
        Address("service.service/web"),
        Action.UPDATE,
        Effect.NEW_DEPLOYMENT,
        "service web",
        Delta([FieldChange("task_definition", "shop-web:7", None, known_after_apply=True)]),
        "service web",
    ),
    Change(
        Address("iam.role/web-task"),
        Action.UPDATE,
        Effect.NONE,
        "role shop-web-task",
        Delta([FieldChange("policy", policy("s3:GetObject"), policy("s3:GetObject", "s3:PutObject"))]),
        "service web",
    ),
    Change(
        Address("alb.target_group/web"),
        Action.REPLACE,
        Effect.REPLACEMENT,
        "target group for web",
        Delta(
            [
                FieldChange("health_check.path", "/healthz", "/up"),
                FieldChange("port", 8080, 9090, forces_replacement=True),
            ]
        ),
        "load balancer public",
    ),
    Change(
        Address("alb.rule/web"),
        Action.CREATE,
        Effect.NONE,
        "rule 100 of web",
        Delta(
            [
                FieldChange("priority", None, 100),
                FieldChange("hosts", None, ("shop.example.com",)),
                FieldChange("target_group", None, None, known_after_apply=True),
            ]
        ),
        "load balancer public",
    ),
    Change(
        Address("scaling.policy/memory"),
        Action.DELETE,
        Effect.NONE,
        "policy memory",
        Delta(),
        "scaling web",
        "no longer in the file",
    ),
)
PLAN = Plan(
    app="shop",
    environment="prod",
    account="123456789012",
    region="eu-central-1",
    changes=CHANGES,
    unchanged=21,
    notes=("tasks of web run in public subnets with a public IP: there is no NAT for the private ones",),
)
EMPTY = Plan("shop", None, "123456789012", "eu-central-1", (), 27)

WEB = ServiceStatus(
    name="web",
    state=ServiceState.DEPLOYING,
    desired=3,
    running=3,
    pending=1,
    task_definition="shop-web:8",
    image=f"{REGISTRY}/shop/web:1.1.0",
    url="https://shop.example.com",
    deployment=DeploymentStatus("ecs-svc/1", "IN_PROGRESS", 0, START),
    targets=TargetCounts(healthy=2, initial=1),
    scaling=ScalingBounds(3, 30),
    events=(
        ServiceEvent(
            at(31),
            "(service shop-web) registered 1 targets in "
            "(target-group arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/web/7)",
        ),
        ServiceEvent(at(12), "(service shop-web) has started 1 tasks."),
    ),
)
API = ServiceStatus(
    name="api",
    state=ServiceState.STEADY,
    desired=2,
    running=2,
    task_definition="shop-api:3",
    image="acme/api:1.1.0",
    deployment=DeploymentStatus("ecs-svc/2", "COMPLETED", 0, START),
    discovery="api.shop.internal:50051",
    events=(ServiceEvent(at(-90000), "(service shop-api) has reached a steady state."),),
)
WORKER = ServiceStatus(
    name="worker",
    state=ServiceState.FAILED,
    desired=1,
    task_definition="shop-worker:2",
    image="acme/worker:2",
    deployment=DeploymentStatus("ecs-svc/3", "FAILED", 3, START, "tasks failed to start"),
)
BATCH = ServiceStatus(name="batch", state=ServiceState.MISSING)
USAGE = Usage(
    {
        "web": Load((12, 24, 31, 47, 58, 71, 83, 96, 101, 93.4), (40, 41, 41, 42, 44, 47, 47, 47, 48, 48.2)),
        "api": Load((0, 0.4, 2.6), (12.4, 12.5, 12.6)),
        "worker": Load(),
    }
)

TOO_MANY_RULES = AwsFailure(
    "AWS answered elbv2:CreateRule with TooManyRules: 100 of 100 rules are used",
    operation="elbv2:CreateRule",
    code="TooManyRules",
    address="alb.rule/web",
    hint="ask for a higher quota, or let web use a load balancer of its own",
)
CRASHED = RolloutFailed(
    "web did not become healthy",
    diagnosis=Diagnosis(
        service="web",
        cause="The container exits with code 1 right after the start: DATABASE_URL is not set.",
        evidence=(
            '3 tasks stopped within 4 s: "Essential container in task exited", exit code 1',
            "log   KeyError: 'DATABASE_URL'",
        ),
        serving="The old version (shop-web:7) still serves 3 of 3 tasks.",
        fix='fargatectl.toml:41  [services.web.secrets]  add DATABASE_URL = "shop/db"',
        confidence="high",
        code="variable-missing",
    ),
)

EVENTS: tuple[Event, ...] = (
    StepEvent(Address("service.task_definition/web"), "update", "began", at(1), "task definition web"),
    StepEvent(Address("service.task_definition/web"), "update", "done", at(1.4), "task definition web", "shop-web:8"),
    StepEvent(Address("alb.rule/web"), "create", "began", at(1), "rule 100 of web"),
    StepEvent(Address("service.service/web"), "update", "began", at(2), "service web"),
    StepEvent(Address("service.service/web"), "update", "done", at(2.5), "service web", "deployment ecs-svc/1"),
    StepEvent(Address("alb.rule/web"), "create", "failed", at(3), "rule 100 of web", error=TOO_MANY_RULES),
    StepEvent(Address("alb.rule/api"), "create", "skipped", at(3), "rule 101 of api", because=Address("alb.rule/web")),
    StepEvent(Address("alb.load_balancer/public"), "create", "began", at(3), "load balancer public"),
    LogEvent("service deployments may not be read; following by DescribeServices", at(4), "warning"),
    DeploymentEvent(
        WEB,
        at(31),
        RolloutProgress(
            stage="waiting for healthy targets",
            revision="shop-web:8",
            desired=3,
            running=3,
            pending=1,
            healthy=2,
            failed=0,
            old_revision="shop-web:7",
            old_running=3,
            targets=TargetCounts(healthy=5, initial=1),
            left=48,
        ),
    ),
)

PROBLEMS = (
    Problem("unknown key", "services.web.memmory", "did you mean `memory`?", "fargatectl.toml", 14),
    Problem(
        "not a Fargate size: 256 CPU units take 512, 1024 or 2048 MiB",
        "services.web.memory",
        "8192 MiB needs cpu 1024, 2048 or 4096",
        "fargatectl.toml",
        115,
    ),
    Problem("the load balancer `public` speaks plain HTTP", "services.web.http", severity="warning"),
)
