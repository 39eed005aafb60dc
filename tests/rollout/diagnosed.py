"""The corpus of failed deployments: what AWS says of each, in the shapes of its API, and the cause that is to be found.

`python -m tests.rollout.diagnosed` (make diagnosis) prints precision and recall of every cause.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fargatectl.rollout.diagnosis import Case, explain
from fargatectl.rollout.diagnosis.catalogue import RULES

FOLDER = Path(__file__).with_name("corpus")
CREATED = "2026-03-02T12:00:00+00:00"
ARN = "arn:aws:ecs:eu-central-1:123456789012"
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:9"
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db-a1B2c3:password::"
PARAMETER = "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/token"


@dataclass(frozen=True)
class Example:
    """One case of the corpus, under the name of its file and its number."""

    name: str
    data: dict[str, Any]

    @property
    def expected(self) -> str:
        return str(self.data["expect"])

    @property
    def accepted(self) -> set[str]:
        return {self.expected, *self.data.get("expect_any", ())}

    @property
    def case(self) -> Case:
        data = self.data
        return Case(
            name="web",
            deployment="ecs-svc/2",
            service=dated(self._service()),
            tasks=dated([{**_task(place), **one} for place, one in enumerate(data.get("tasks", ()), start=1)]),
            targets=data.get("targets", ()),
            definition=self._definition(2, ()),
            previous=self._definition(1, data.get("previous_secrets", ())),
            logs=data.get("logs", {}),
            account=data.get("account", {}),
        )

    def found(self) -> Any:
        return explain(self.case, "shop-web:1 serves 2 of 2 tasks.", lambda key: f"fargatectl.toml:7 {key}")

    def _service(self) -> dict[str, Any]:
        events = [
            one if isinstance(one, dict) else {"message": one, "createdAt": CREATED}
            for one in self.data.get("events", ())
        ]
        network = {"subnets": ["subnet-0aaa"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}
        primary = {"id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": f"{ARN}:task-definition/shop-web:1"}
        failed = {
            "id": "ecs-svc/2",
            "status": "ACTIVE",
            "createdAt": CREATED,
            "rolloutState": "FAILED",
            "taskDefinition": f"{ARN}:task-definition/shop-web:2",
            "rolloutStateReason": self.data.get("deployment_reason", ""),
        }
        return {
            "serviceName": "shop-web",
            "status": "ACTIVE",
            "deployments": [{**primary, "createdAt": "2026-03-01T12:00:00+00:00"}, failed],
            "events": events,
            "networkConfiguration": {"awsvpcConfiguration": network},
            "loadBalancers": [{"targetGroupArn": "arn:tg", "containerName": "web", "containerPort": 8080}],
            "healthCheckGracePeriodSeconds": 60,
        }

    def _definition(self, revision: int, secrets: Any) -> dict[str, Any]:
        options = {"awslogs-group": "/shop/web", "awslogs-stream-prefix": "web"}
        web = {
            "name": "web",
            "image": self.data.get("image", IMAGE),
            "essential": True,
            "portMappings": [{"containerPort": 8080}],
            "logConfiguration": {"logDriver": "awslogs", "options": options},
            "healthCheck": {"command": ["CMD-SHELL", "curl -f localhost:8080"]},
            "secrets": [
                {"name": "DATABASE_PASSWORD", "valueFrom": SECRET},
                {"name": "TOKEN", "valueFrom": PARAMETER},
                *({"name": name, "valueFrom": f"{SECRET}{name}"} for name in secrets),
            ],
        }
        more = [{"name": self.data["sidecar"], "image": "envoy:1", "essential": True}] if "sidecar" in self.data else []
        return {
            "taskDefinitionArn": f"{ARN}:task-definition/shop-web:{revision}",
            "executionRoleArn": "arn:aws:iam::123456789012:role/fargatectl/shop/shop-web-execution",
            "memory": "512",
            "containerDefinitions": [web, *more],
        }


def _task(place: int) -> dict[str, Any]:
    return {
        "taskArn": f"{ARN}:task/shop/task-{place}",
        "taskDefinitionArn": f"{ARN}:task-definition/shop-web:2",
        "startedBy": "ecs-svc/2",
        "lastStatus": "STOPPED",
        "createdAt": CREATED,
        "containers": [{"name": "web", "lastStatus": "STOPPED"}],
    }


def dated(value: Any) -> Any:
    """Return an answer with its dates as boto3 gives them."""
    if isinstance(value, dict):
        return {key: _date(one) if key.endswith("At") else dated(one) for key, one in value.items()}
    return [dated(one) for one in value] if isinstance(value, list) else value


def _date(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def examples() -> list[Example]:
    return [
        Example(f"{path.stem}-{place}", data)
        for path in sorted(FOLDER.glob("*.json"))
        for place, data in enumerate(json.loads(path.read_text()), start=1)
    ]


def main() -> None:
    right: Counter[str] = Counter()
    found: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    for example in examples():
        code = example.found().code
        as_expected = example.expected if code in example.accepted else code
        found[as_expected] += 1
        expected[example.expected] += 1
        right[example.expected] += as_expected == example.expected
        if as_expected != example.expected:
            print(f"{example.name}: {example.expected} expected, {code} found")  # noqa: T201 - its output
    print(f"{'cause':<26} cases  precision  recall")  # noqa: T201
    for code in sorted(expected | found):
        precision = right[code] / found[code] if found[code] else 0.0
        recall = right[code] / expected[code] if expected[code] else 0.0
        print(f"{code:<26} {expected[code]:5}  {precision:9.0%}  {recall:6.0%}")  # noqa: T201
    total = expected.total()
    print(f"{len({rule.code for rule in RULES})} causes, {total} cases, {right.total() / total:.1%} right")  # noqa: T201


if __name__ == "__main__":
    main()
