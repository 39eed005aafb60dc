"""What the local ECS knows: clusters, task definitions, services with their deployments, tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.targets import Target

Members = dict[str, Any]
Tags = dict[str, str]

_EVENTS = 100
RUNNING, STOPPED = "RUNNING", "STOPPED"


@dataclass(slots=True, kw_only=True)
class TaskDefinition:
    """One revision of a family; `content` are its members in AWS's canonical form, without status and dates."""

    arn: str
    family: str
    revision: int
    content: Members
    tags: Tags
    registered_at: datetime
    status: str = "ACTIVE"
    deregistered_at: datetime | None = None
    delete_requested_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Revision:
    """What the tasks of a deployment are made of (AWS: service revision). Never changes."""

    arn: str
    definition: TaskDefinition
    members: Members
    created_at: datetime
    group: str = ""
    """The target group of its tasks, of the two that ECS shifts requests between."""

    @property
    def load_balancers(self) -> list[Members]:
        """Target groups with the container and port they get."""
        balancers: list[Members] = self.members.get("loadBalancers", [])
        return [self._resolved(one) for one in balancers]

    def _resolved(self, balancer: Members) -> Members:
        if self.group and balancer.get("advancedConfiguration"):
            return {**balancer, "targetGroupArn": self.group}
        return balancer

    @property
    def registries(self) -> list[Members]:
        """Cloud Map services."""
        return list(self.members.get("serviceRegistries", []))


@dataclass(slots=True, kw_only=True)
class Container:
    """A container of a task."""

    name: str
    arn: str
    runtime_id: str
    definition: Members
    last_status: str = "PENDING"
    health: str = "UNKNOWN"
    exit_code: int | None = None
    reason: str | None = None


@dataclass(slots=True, kw_only=True)
class Interface:
    """A task's elastic network interface; `id` is empty until it is provisioned."""

    attachment: str
    subnet: str
    zone: str
    groups: list[str]
    public: bool
    id: str = ""
    mac: str = ""
    address: str = ""
    status: str = "PRECREATED"


@dataclass(slots=True, kw_only=True)
class Task:
    """A task and the moments of its life. `watcher` hears of every change of its state or health."""

    arn: str
    cluster: Cluster
    definition: TaskDefinition
    members: Members
    containers: list[Container]
    interface: Interface | None
    created_at: datetime
    tags: Tags
    service: Service | None = None
    deployment: Deployment | None = None
    watcher: Callable[[Task], None] | None = None
    desired: str = RUNNING
    last_status: str = "PROVISIONING"
    version: int = 1
    dates: dict[str, datetime] = field(default_factory=dict)
    stop_code: str | None = None
    stopped_reason: str | None = None
    running_since: float | None = None
    targets: list[Target] = field(default_factory=list)
    healthy: bool = False
    failed: bool = False
    counted: bool = False

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def alive(self) -> bool:
        """Whether ECS wants it to run."""
        return self.desired == RUNNING

    @property
    def gone(self) -> bool:
        """Whether it has stopped."""
        return self.last_status == STOPPED

    @property
    def load_balancers(self) -> list[Members]:
        """The target groups that it is registered in."""
        return self.deployment.revision.load_balancers if self.deployment else []

    @property
    def registries(self) -> list[Members]:
        """The Cloud Map services that it is registered in."""
        return self.deployment.revision.registries if self.deployment else []


@dataclass(slots=True, kw_only=True)
class Deployment:
    """A deployment as DescribeServices shows it."""

    id: str
    revision: Revision
    created_at: datetime
    updated_at: datetime
    status: str = "PRIMARY"
    failed_tasks: int = 0
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = ""


@dataclass(slots=True, kw_only=True)
class Rollout:
    """A service deployment: one attempt to bring a service to a revision (AWS: service deployment).

    Of one that shifts requests: `hooks` that were asked at the stages `asked`, what it waits `until` (AWS seconds), and
    the percentages of production and test requests that its tasks have.
    """

    arn: str
    target: Revision
    sources: list[Revision]
    configuration: Members
    created_at: datetime
    status: str = "PENDING"
    reason: str = ""
    stage: str = ""
    breaker: str = "DISABLED"
    alarms: str = "DISABLED"
    triggered: list[str] = field(default_factory=list)
    baked_at: float | None = None
    hooks: list[Members] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    until: float | None = None
    shifted: float = 0.0
    tested: float = 0.0
    failures: int = 0
    threshold: int = 0
    updated_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    rollback: Members | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")


@dataclass(slots=True, kw_only=True)
class Service:
    """A service; `members` are its settings as DescribeServices shows them (AWS's canonical form)."""

    arn: str
    name: str
    cluster: Cluster
    members: Members
    created_at: datetime
    tags: Tags
    request: Members
    status: str = "ACTIVE"
    desired: int = 0
    deployments: list[Deployment] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    events: list[Members] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    last_completed: Deployment | None = None
    look_again: Callable[[float], None] = lambda _: None
    """Have the scheduler look at it in so many seconds."""
    steady: bool = False
    start_failures: int = 0
    hold_until: float = 0.0

    def say(self, region: Region, message: str) -> None:
        """Add an event, newest first; ECS keeps the last hundred (AWS: ECS API Reference, Service)."""
        event = {"id": region.uuid(), "createdAt": region.date(), "message": f"(service {self.name}) {message}"}
        self.events = [event, *self.events][:_EVENTS]

    @property
    def primary(self) -> Deployment | None:
        """The deployment that ECS works towards."""
        return next((one for one in self.deployments if one.status == "PRIMARY"), None)

    @property
    def rollout(self) -> Rollout | None:
        """The service deployment in progress, or the last one."""
        return self.rollouts[-1] if self.rollouts else None

    def tasks_of(self, deployment: Deployment) -> list[Task]:
        """Return the tasks of a deployment that have not stopped."""
        return [task for task in self.tasks if task.deployment is deployment and not task.gone]

    @property
    def running(self) -> int:
        """How many of its tasks run."""
        return sum(task.last_status == RUNNING and task.alive for task in self.tasks)

    @property
    def pending(self) -> int:
        """How many of its tasks are on their way to run."""
        return sum(task.last_status != RUNNING and task.alive for task in self.tasks)


@dataclass(slots=True, kw_only=True)
class Cluster:
    """A cluster; INACTIVE ones stay describable. `attaching` is true while its capacity providers are changed."""

    arn: str
    name: str
    request: Members
    settings: dict[str, str]
    tags: Tags
    configuration: Members | None = None
    service_connect: Members | None = None
    providers: list[str] = field(default_factory=list)
    strategy: list[Members] = field(default_factory=list)
    status: str = "ACTIVE"
    attaching: bool = False
    services: dict[str, Service] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)

    def active_services(self) -> Iterator[Service]:
        """Yield the services that are ACTIVE or DRAINING."""
        return (service for service in self.services.values() if service.status != "INACTIVE")


@dataclass(slots=True)
class Ecs:
    """All of ECS in one account's Region."""

    clusters: dict[str, Cluster] = field(default_factory=dict)
    families: dict[str, list[TaskDefinition]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, tuple[Members, list[str]]] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict)
