from __future__ import annotations

import json

from inline_snapshot import snapshot

from fargatectl.dataclass import dataclass
from fargatectl.errors import ConfigError, ExitCode, NotFoundError, Refused
from fargatectl.model.change import Action, Change, Delta, FieldChange
from fargatectl.model.plan import Plan
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.values import Address, Ref
from fargatectl.render import machine
from tests.render import samples


def test_the_plan_has_the_contracts_fields() -> None:
    document = machine.plan(samples.PLAN)
    assert {
        key: document[key] for key in ("version", "app", "environment", "account", "region", "summary")
    } == snapshot(
        {
            "version": 1,
            "app": "shop",
            "environment": "prod",
            "account": "123456789012",
            "region": "eu-central-1",
            "summary": {"create": 1, "update": 3, "replace": 1, "delete": 1, "adopt": 0, "unchanged": 21},
        }
    )
    rule = next(change for change in document["changes"] if change["address"] == "alb.rule/web")
    assert rule == snapshot(
        {
            "address": "alb.rule/web",
            "action": "create",
            "effect": "none",
            "summary": "rule 100 of web",
            "group": "load balancer public",
            "cause": "",
            "fields": [
                {
                    "path": "priority",
                    "before": None,
                    "after": 100,
                    "forces_replacement": False,
                    "known_after_apply": False,
                    "sensitive": False,
                },
                {
                    "path": "hosts",
                    "before": None,
                    "after": ["shop.example.com"],
                    "forces_replacement": False,
                    "known_after_apply": False,
                    "sensitive": False,
                },
                {
                    "path": "target_group",
                    "before": None,
                    "after": None,
                    "forces_replacement": False,
                    "known_after_apply": True,
                    "sensitive": False,
                },
            ],
        }
    )


def test_no_sensitive_value_leaves_in_any_form() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Login(Spec):
        name: str
        password: str = setting(sensitive=True)

    added = Delta(
        [
            FieldChange("token", "canary-1", "canary-2", sensitive=True),
            FieldChange("logins[web]", None, Login(name="web", password="canary-3")),
        ]
    )
    change = Change(Address("a.b/c"), Action.UPDATE, Effect.NONE, "c", added)
    text = machine.dump(machine.plan(Plan("a", None, "1", "eu", (change,), 0)))
    assert "canary" not in text
    assert '"name": "web"' in text


def test_what_is_known_after_apply_is_null_wherever_it_hides() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Rule(Spec):
        name: str
        target: object

    value = (Rule(name="web", target=Ref(Address("alb.target_group/web"), str)),)
    change = Change(Address("a.b/c"), Action.UPDATE, Effect.NONE, "c", Delta([FieldChange("rules", value, None)]))
    [field] = machine.plan(Plan("a", None, "1", "eu", (change,), 0))["changes"][0]["fields"]
    assert field["before"] == [{"tags": {}, "name": "web", "target": None}]


def test_a_service() -> None:
    assert machine.service(samples.WEB) == snapshot(
        {
            "name": "web",
            "state": "deploying",
            "desired": 3,
            "running": 3,
            "pending": 1,
            "task_definition": "shop-web:8",
            "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:1.1.0",
            "url": "https://shop.example.com",
            "deployment": {
                "id": "ecs-svc/1",
                "state": "IN_PROGRESS",
                "failed_tasks": 0,
                "started_at": "2026-03-01T12:00:00Z",
                "reason": None,
            },
            "targets": {"healthy": 2, "unhealthy": 0, "initial": 1, "draining": 0},
            "scaling": {"min": 3, "max": 30},
            "discovery": None,
            "events": [
                {
                    "at": "2026-03-01T12:00:31Z",
                    "message": samples.WEB.events[0].message,
                },
                {"at": "2026-03-01T12:00:12Z", "message": "(service shop-web) has started 1 tasks."},
            ],
        }
    )


def test_a_missing_service_has_every_field() -> None:
    document = machine.service(samples.BATCH)
    assert document.keys() == machine.service(samples.WEB).keys()
    assert (document["state"], document["url"], document["deployment"]) == ("missing", None, None)


def test_events_are_one_line_each_with_version_and_kind() -> None:
    lines = [machine.line(machine.event(event)) for event in samples.EVENTS]
    assert all("\n" not in line for line in lines)
    documents = [json.loads(line) for line in lines]
    assert {document["version"] for document in documents} == {1}
    assert [document["event"] for document in documents] == ["step"] * 8 + ["log", "deployment"]
    assert documents[1] == snapshot(
        {
            "version": 1,
            "event": "step",
            "address": "service.task_definition/web",
            "verb": "update",
            "state": "done",
            "at": "2026-03-01T12:00:01Z",
            "summary": "task definition web",
            "detail": "shop-web:8",
        }
    )
    assert documents[5]["error"]["code"] == "TooManyRules"
    assert documents[6]["because"] == "alb.rule/web"
    assert documents[-1]["service"]["name"] == "web"
    assert documents[-1]["rollout"]["healthy"] == 2


def test_the_result_of_a_run() -> None:
    document = machine.result(
        "failed",
        ExitCode.AWS,
        applied=4,
        failed=[("alb.rule/web", samples.TOO_MANY_RULES)],
        skipped=[("service.service/web", "alb.rule/web")],
        services=[samples.API],
    )
    assert {**document, "services": [one["name"] for one in document["services"]]} == snapshot(
        {
            "version": 1,
            "event": "result",
            "outcome": "failed",
            "exit_code": 5,
            "applied": 4,
            "failed": [
                {
                    "address": "alb.rule/web",
                    "operation": "elbv2:CreateRule",
                    "code": "TooManyRules",
                    "message": "AWS answered elbv2:CreateRule with TooManyRules: 100 of 100 rules are used",
                }
            ],
            "skipped": [{"address": "service.service/web", "because": "alb.rule/web"}],
            "services": ["api"],
            "diagnosis": [],
        }
    )


def test_a_failed_rollout_brings_its_diagnosis() -> None:
    document = machine.result("failed", ExitCode.FAILED, failed=[("service.service/web", samples.CRASHED)])
    assert document["diagnosis"] == snapshot(
        [
            {
                "service": "web",
                "code": "variable-missing",
                "cause": "The container exits with code 1 right after the start: DATABASE_URL is not set.",
                "evidence": [
                    '3 tasks stopped within 4 s: "Essential container in task exited", exit code 1',
                    "log   KeyError: 'DATABASE_URL'",
                ],
                "fix": 'fargatectl.toml:41  [services.web.secrets]  add DATABASE_URL = "shop/db"',
                "serving": "The old version (shop-web:7) still serves 3 of 3 tasks.",
                "confidence": "high",
            }
        ]
    )


def test_a_destroy_tells_what_is_kept_and_what_is_left() -> None:
    document = machine.result("succeeded", ExitCode.DONE, kept=["log group /shop/web"], remaining={})
    assert (document["kept"], document["remaining"]) == (["log group /shop/web"], [])


def test_validation() -> None:
    assert machine.validation(samples.PROBLEMS[:1]) == snapshot(
        {
            "version": 1,
            "valid": False,
            "problems": [
                {
                    "severity": "error",
                    "file": "fargatectl.toml",
                    "line": 14,
                    "path": "services.web.memmory",
                    "message": "unknown key",
                    "hint": "did you mean `memory`?",
                }
            ],
        }
    )
    assert machine.validation(samples.PROBLEMS[-1:])["valid"] is True


def test_errors_carry_their_problems() -> None:
    config = machine.failure(ConfigError("two problems", samples.PROBLEMS))
    assert [problem["line"] for problem in config["problems"]] == [14, 115, None]
    missing = machine.failure(NotFoundError("there is no secret shop/db", path="services.web.secrets.DB"))
    assert [problem["path"] for problem in missing["problems"]] == ["services.web.secrets.DB"]
    assert machine.error_document(machine.failure(Refused("no", hint="yes"))) == snapshot(
        {
            "version": 1,
            "error": {"exit_code": 4, "kind": "refused", "message": "no", "hint": "yes", "problems": []},
        }
    )
