"""Asking AWS what it knows of a failed deployment. What cannot be asked is noted, and shortens the story only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, code_of
from fargatectl.dataclass import dataclass
from fargatectl.reconcilers.service.reading import describe
from fargatectl.rollout.diagnosis.case import Case
from fargatectl.rollout.diagnosis.surroundings import SURROUNDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from fargatectl.aws.session import Aws

_TASKS_MAX = 100  # ECS API Reference, DescribeTasks: tasks
_LOG_LINES = 50
_TASKS_WITH_LOGS = 2  # one may have been cut off; more say the same


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is to be explained: a deployment of a service that the file calls `name`.

    `seen` are answers of DescribeTargetHealth from the time of the rollout: after a rollback the sick targets are gone.
    """

    name: str
    cluster: str
    service: str
    deployment: str
    service_deployment: Mapping[str, Any] | None = None
    seen: Sequence[Mapping[str, Any]] = ()


class Asking:
    """Asks, and notes what was refused."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.unread: list[str] = []

    def of(self, what: str, ask: Callable[[], Any], otherwise: Any = ()) -> Any:  # noqa: ANN401 - AWS's answers
        """Return what `ask` returns, or `otherwise`; `what` is what people call it."""
        try:
            return ask()
        except ClientError as error:
            self.unread.append(f"{what} ({error.operation_name}: {code_of(error)})")
            return otherwise


def gather(aws: Aws, subject: Subject) -> Case:
    """Return what ECS, the load balancer and the logs say of a deployment."""
    asking = Asking(aws)
    key = (subject.cluster, subject.service)
    service: Any = asking.of("the service", lambda: describe(aws, [key]).get(key), None)
    tasks = [
        task
        for task in asking.of("the stopped tasks", lambda: stopped_tasks(aws, subject.cluster, subject.service))
        if task.get("startedBy", subject.deployment) == subject.deployment
    ]
    failed, before = _definitions(subject, service, tasks)
    definition = _definition(asking, failed)
    return Case(
        name=subject.name,
        deployment=subject.deployment,
        service=service,
        service_deployment=subject.service_deployment,
        tasks=tasks,
        targets=[*subject.seen, *asking.of("the targets' health", lambda: _targets(aws, service))],
        definition=definition,
        previous=_definition(asking, before) if before != failed else None,
        logs=_logs(asking, definition, tasks),
        unread=tuple(asking.unread),
    )


def gather_task(aws: Aws, name: str, task: Mapping[str, Any], *, table: str, network: Mapping[str, Any]) -> Case:
    """Return what ECS and the logs say of a task that belongs to no service; its container is called `name` too.

    `table` is the table of the file that its settings are in, `network` its AwsVpcConfiguration.
    """
    asking = Asking(aws)
    definition = _definition(asking, task.get("taskDefinitionArn", ""))
    return Case(
        name=name,
        deployment=task.get("startedBy", ""),
        service={"networkConfiguration": {"awsvpcConfiguration": network}},
        tasks=[task],
        definition=definition,
        logs=_logs(asking, definition, [task]),
        unread=tuple(asking.unread),
        table=table,
    )


def with_surroundings(aws: Aws, case: Case, names: Collection[str]) -> Case:
    """Return `case` with the facts of the account that the rule of its suspicion asks for."""
    asking = Asking(aws)
    found: dict[str, Any] = {}
    for name in names:
        for what, ask in SURROUNDINGS.get(name, {}).items():
            answer = asking.of(what.replace("_", " "), lambda ask=ask: ask(aws, case), None)  # type: ignore[misc]
            if answer is not None:
                found[what] = answer
    return replace(case, account={**case.account, **found}, unread=(*case.unread, *asking.unread))


def stopped_tasks(aws: Aws, cluster: str, service: str) -> list[Any]:
    """Return the stopped tasks of a service, the newest first; ECS remembers them for about an hour."""
    arns = aws.ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"]
    if not arns:
        return []
    found: list[Any] = aws.ecs.describe_tasks(cluster=cluster, tasks=arns[:_TASKS_MAX])["tasks"]
    return sorted(found, key=lambda task: task["createdAt"], reverse=True)


def _definitions(
    subject: Subject, service: Mapping[str, Any] | None, tasks: Sequence[Mapping[str, Any]]
) -> tuple[str, str]:
    """Return the ARNs of the failed task definition and of the one that served before; "" for an unknown one."""
    deployments: Sequence[Mapping[str, Any]] = (service or {}).get("deployments", ())
    mine = next((d.get("taskDefinition", "") for d in deployments if d["id"] == subject.deployment), "")
    failed = (
        mine or next((task["taskDefinitionArn"] for task in tasks), "") or (service or {}).get("taskDefinition", "")
    )
    others = (d.get("taskDefinition", "") for d in deployments if d["id"] != subject.deployment)
    return failed, next(others, "")


def _definition(asking: Asking, arn: str) -> Mapping[str, Any] | None:
    if not arn:
        return None
    ask = asking.aws.ecs.describe_task_definition
    found: Any = asking.of("the task definition", lambda: ask(taskDefinition=arn)["taskDefinition"], None)
    return found  # type: ignore[no-any-return]


def _targets(aws: Aws, service: Mapping[str, Any] | None) -> list[Any]:
    groups = [one["targetGroupArn"] for one in (service or {}).get("loadBalancers", ()) if "targetGroupArn" in one]
    return [
        target
        for group in groups
        for target in aws.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    ]


def _logs(
    asking: Asking, definition: Mapping[str, Any] | None, tasks: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """Return the last lines of the containers of the newest tasks that ran."""
    found: dict[str, list[str]] = {}
    for task in [task for task in tasks if task.get("startedAt")][:_TASKS_WITH_LOGS]:
        identifier = task["taskArn"].rpartition("/")[2]
        for container in (definition or {}).get("containerDefinitions", ()):
            log = container.get("logConfiguration") or {}
            options = log.get("options") or {}
            prefix, group = options.get("awslogs-stream-prefix"), options.get("awslogs-group")
            if log.get("logDriver") != "awslogs" or not prefix or not group:
                continue
            stream = f"{prefix}/{container['name']}/{identifier}"
            found[f"{identifier}/{container['name']}"] = asking.of(
                f"the log of {container['name']}",
                lambda group=group, stream=stream: _lines(asking.aws, group, stream),  # type: ignore[misc]
            )
    return found


def _lines(aws: Aws, group: str, stream: str) -> list[str]:
    answer = aws.logs.get_log_events(logGroupName=group, logStreamName=stream, limit=_LOG_LINES, startFromHead=False)
    return [event["message"] for event in answer["events"]]
