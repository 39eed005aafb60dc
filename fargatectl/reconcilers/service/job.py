"""Task definitions of jobs: a service's, with another command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fargatectl.aws.errors import ClientError, says
from fargatectl.engine.stack import Declared
from fargatectl.model.change import Delta
from fargatectl.model.ownership import ADDRESS
from fargatectl.model.spec import Effect
from fargatectl.model.values import Address
from fargatectl.reconcilers.service.definition import (
    JOB_DEFINITION,
    TaskDefinition,
    TaskDefinitionOut,
    TaskDefinitions,
    describe_revision,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.engine.reconciler import Live


class JobDefinitions(TaskDefinitions):
    """Reads and registers the task definitions of jobs.

    No service runs them: a new revision is no deployment, and once the file no longer names the job nobody needs one.
    """

    kind = JOB_DEFINITION
    outlives_deploy = False

    def read(
        self, aws: Aws, specs: Sequence[TaskDefinition]
    ) -> Sequence[Live[TaskDefinition, TaskDefinitionOut] | None]:
        found = aws.each(lambda spec: describe_revision(aws, spec.family), specs)
        # Where its tasks run, no answer of ECS says.
        return [
            live and replace(live, spec=replace(live.spec, cluster=spec.cluster))
            for spec, live in zip(specs, found, strict=True)
        ]

    def compare(self, spec: TaskDefinition, live: Live[TaskDefinition, TaskDefinitionOut]) -> Delta:
        return Delta(replace(change, effect=Effect.NONE) for change in super().compare(spec, live))

    def delete(self, aws: Aws, live: Live[TaskDefinition, TaskDefinitionOut]) -> None:
        """Stop what still runs of the job, and would keep its cluster and network in use; delete the family."""
        for arn in _running(aws, live.spec) if live.spec.cluster else ():
            _stop(aws, live.spec.cluster, arn)
        super().delete(aws, live)

    def _is_of_this_kind(self, carried: Mapping[str, str]) -> bool:
        return carried.get(ADDRESS, "").startswith(JOB_DEFINITION)


def _running(aws: Aws, spec: TaskDefinition) -> list[str]:
    try:
        pages = aws.ecs.get_paginator("list_tasks").paginate(
            cluster=spec.cluster, family=spec.family, desiredStatus="RUNNING"
        )
        return [arn for page in pages for arn in page["taskArns"]]
    except ClientError as error:
        if not says(error, "ClusterNotFoundException"):
            raise
        return []


def _stop(aws: Aws, cluster: str, task: str) -> None:
    try:
        aws.ecs.stop_task(cluster=cluster, task=task, reason="fargatectl: its job is destroyed")
    except ClientError as error:
        # It has ended meanwhile, and so has everything else in its cluster.
        if not (says(error, "InvalidParameterException", "task") or says(error, "ClusterNotFoundException")):
            raise


def declared_job(job: str) -> Declared[TaskDefinitionOut]:
    """Return the task definition of a job, which may be declared later."""
    return Declared(Address(f"{JOB_DEFINITION}/{job}"))
