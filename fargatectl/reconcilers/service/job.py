"""Task definitions of jobs: a service's, with another command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

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
        return aws.each(lambda spec: describe_revision(aws, spec.family), specs)

    def compare(self, spec: TaskDefinition, live: Live[TaskDefinition, TaskDefinitionOut]) -> Delta:
        return Delta(replace(change, effect=Effect.NONE) for change in super().compare(spec, live))

    def _is_of_this_kind(self, carried: Mapping[str, str]) -> bool:
        return carried.get(ADDRESS, "").startswith(JOB_DEFINITION)


def declared_job(job: str) -> Declared[TaskDefinitionOut]:
    """Return the task definition of a job, which may be declared later."""
    return Declared(Address(f"{JOB_DEFINITION}/{job}"))
