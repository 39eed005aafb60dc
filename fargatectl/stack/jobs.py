"""Jobs: the task definition of a service with another command, and the schedule that starts it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.config.checks.logs import LOG_ROUTER
from fargatectl.model import names
from fargatectl.model.capacity import Capacity
from fargatectl.model.jobs import JobView
from fargatectl.model.values import Address, Ref
from fargatectl.reconcilers import iam, jobs, service as ecs
from fargatectl.stack.logs import source

if TYPE_CHECKING:
    from fargatectl.aws.session import Identity
    from fargatectl.config.models import Job
    from fargatectl.engine.stack import Declared
    from fargatectl.stack.shared import Shared


def declare_jobs(shared: Shared) -> tuple[JobView, ...]:
    """Declare all jobs of the file; their services have been declared. Return how to run each."""
    group = None
    if any(job.schedule for job in shared.config.jobs.values()):
        name = names.schedule_group(shared.stack.owner)
        group = shared.stack.add(jobs.Groups(), name, jobs.ScheduleGroup(name=name), group="schedules")
    views = []
    for name, job in shared.config.jobs.items():
        view = _view(shared, name, job, _declare_definition(shared, name, job))
        views.append(view)
        if group is not None and job.schedule:
            _declare_schedule(shared, job, view, group)
    return tuple(views)


def _view(shared: Shared, name: str, job: Job, definition: Declared[ecs.TaskDefinitionOut]) -> JobView:
    service: Any = shared.stack.resources[Address(f"service.service/{job.from_}")].spec
    return JobView(
        name=name,
        service=job.from_,
        definition=definition.address,
        definition_arn=definition.ref(lambda made: made.arn),
        family=names.family(shared.stack.owner, name),
        cluster=service.cluster,
        subnets=service.subnets,
        security_groups=service.security_groups,
        public_ip=service.public_ip,
        capacity=tuple(Capacity(**one.model_dump()) for one in job.capacity),
        timeout=job.timeout,
        output=source(shared.config, job.from_),
        tags={**shared.stack.extra_tags, **shared.stack.owner.tags(Address(f"jobs.task/{name}"))},
        schedule=job.schedule or "",
        timezone=job.timezone if job.schedule else "",
    )


def _declare_definition(shared: Shared, name: str, job: Job) -> Declared[ecs.TaskDefinitionOut]:
    """Declare the service's definition with the job's command: the main container alone, which ends by itself.

    A log router comes along, for the container hands its lines to it.
    """
    of_service: Any = shared.stack.resources[Address(f"service.task_definition/{job.from_}")].spec
    main = next(one for one in of_service.containers if one.name == job.from_)
    container = replace(
        main, name=name, command=job.command, ports=(), essential=True, depends_on={}, health_check=None
    )
    routers = [one for one in of_service.containers if one.name == LOG_ROUTER]
    mounted = {mount.volume for mount in container.mounts}
    family = names.family(shared.stack.owner, name)
    spec = replace(
        of_service,
        family=family,
        service="",
        containers=tuple(sorted([container, *routers], key=lambda one: one.name)),
        volumes=tuple(volume for volume in of_service.volumes if volume.name in mounted),
        tags={},
    )
    return shared.stack.add(ecs.JobDefinitions(), name, spec, group=f"job {name}")


def _declare_schedule(shared: Shared, job: Job, view: JobView, group: Declared[jobs.GroupOut]) -> None:
    spec = jobs.Schedule(
        name=view.name,
        group=names.schedule_group(shared.stack.owner),
        expression=view.schedule,
        timezone=view.timezone,
        cluster=shared.cluster.ref(lambda made: made.arn),
        definition=view.definition_arn,
        role=_declare_role(shared, view),
        subnets=view.subnets,
        security_groups=view.security_groups,
        public_ip=view.public_ip,
        capacity=view.capacity,
        retries=job.retries,
        parent=group.ref(lambda made: made.arn),
        # A version that does not come up is not to run at night either.
        after_rollout_of=Ref(Address(f"service.service/{job.from_}"), lambda made: made.arn),
    )
    shared.stack.add(jobs.Schedules(), view.name, spec, group=f"job {view.name}")


def _declare_role(shared: Shared, view: JobView) -> Ref[str]:
    """Declare the role that Scheduler starts the task with: this family in this cluster, and nothing else."""
    definition: Any = shared.stack.resources[view.definition].spec
    region = shared.region

    def revisions(who: Identity) -> str:
        return f"arn:{who.partition}:ecs:{region}:{who.account}:task-definition/{view.family}:*"

    return iam.declare_scheduler(
        shared.stack,
        view.name,
        path=shared.config.iam.path,
        permissions_boundary=shared.config.iam.permissions_boundary,
        account=shared.identity,
        region=region,
        rights=iam.run_tasks(
            definitions=shared.identity.ref(revisions),
            cluster=shared.cluster.ref(lambda made: made.arn),
            roles=[role for role in (definition.execution_role, definition.task_role) if role is not None],
        ),
    )
