"""What is done to a running service beside deploying a file: it is restarted, taken back, or given another count.

Each is an update of the live service, so that the engine proves ownership, orders and tells it like any other. What is
wanted is the live service itself, with what changes: the file has no say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, says
from fargatectl.errors import PlanChanged, Refused
from fargatectl.model.capacity import from_answer
from fargatectl.model.change import Delta, FieldChange
from fargatectl.model.spec import Effect
from fargatectl.reconcilers.service.service import Service, ServiceOut, Services, is_scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.aws.session import Aws
    from fargatectl.engine.reconciler import Live

NEW = Effect.NEW_DEPLOYMENT
CONTINUE, ROLLBACK = "CONTINUE", "ROLLBACK"
_FORCED = FieldChange("force_new_deployment", before=False, after=True, effect=NEW)
_STOPPED = FieldChange("deployment", before="in progress", after="stopped, and rolled back", effect=NEW)


class Restarts(Services):
    """Replaces the tasks of a service by new ones of the same revision."""

    def compare(self, spec: Service, live: Live[Service, ServiceOut]) -> Delta:
        return Delta((*super().compare(replace(spec, capacity=live.spec.capacity), live), _FORCED))

    def detail(self, out: ServiceOut) -> str:
        return f"new tasks of {out.health.task_definition}"


class Rollbacks(Services):
    """Takes a service back: by a deployment of an older revision, or by stopping the one that is under way.

    `running` is the ARN of the service deployment to stop; ECS then goes back to the last one that was completed, by
    itself (ECS API Reference, StopServiceDeployment: ROLLBACK).
    """

    def __init__(self, running: str = "") -> None:
        self._running = running

    def compare(self, spec: Service, live: Live[Service, ServiceOut]) -> Delta:
        return Delta((_STOPPED,)) if self._running else super().compare(spec, live)

    def update(self, aws: Aws, live: Live[Service, ServiceOut], spec: Service, delta: Delta) -> ServiceOut:
        if not self._running:
            return super().update(aws, live, spec, delta)
        try:
            aws.ecs.stop_service_deployment(serviceDeploymentArn=self._running, stopType="ROLLBACK")
        except ClientError as error:
            if not says(error, "ConflictException"):
                raise
            message = f"the deployment of {spec.name} ended before it could be stopped"
            raise PlanChanged(message, hint="run the same command again to see where it stands") from error
        return live.out


class Answers(Services):
    """Answers the hook at which a deployment pauses: it goes on, or is rolled back.

    `deployment` is the ARN of the service deployment, `hook` the id of the hook, `action` ECS's word: CONTINUE or
    ROLLBACK (ECS API Reference, ContinueServiceDeployment).
    """

    def __init__(self, deployment: str, hook: str, stage: str, action: str) -> None:
        self._deployment, self._hook, self._stage, self._action = deployment, hook, stage, action

    def compare(self, spec: Service, live: Live[Service, ServiceOut]) -> Delta:
        del spec, live
        after = "goes on" if self._action == CONTINUE else "is rolled back"
        return Delta((FieldChange("deployment", before=f"paused at {self._stage}", after=after, effect=NEW),))

    def update(self, aws: Aws, live: Live[Service, ServiceOut], spec: Service, delta: Delta) -> ServiceOut:
        del delta
        action: Any = self._action
        try:
            aws.ecs.continue_service_deployment(serviceDeploymentArn=self._deployment, hookId=self._hook, action=action)
        except ClientError as error:
            if not (says(error, "InvalidParameterException") or says(error, "ConflictException")):
                raise
            message = f"the deployment of {spec.name} does not wait for an answer any more"
            raise PlanChanged(message, hint="run the same command again to see where it stands") from error
        return live.out


class Counts(Services):
    """Sets the number of a service's tasks. Raises `Refused` where an autoscaler owns it, and sends nothing then."""

    def compare(self, spec: Service, live: Live[Service, ServiceOut]) -> Delta:
        delta = super().compare(spec, live)
        if live.out.health.failed_with_nothing_serving:
            return delta
        return Delta(tuple(change for change in delta if change != _FORCED))  # from none, too, it is a count only

    def update(self, aws: Aws, live: Live[Service, ServiceOut], spec: Service, delta: Delta) -> ServiceOut:
        if is_scaled(aws, spec):
            message = f"the autoscaler owns the count of {spec.name} since a moment ago; nothing was changed"
            raise Refused(message, hint="give it other bounds: fargatectl scale SERVICE --min N --max N")
        return super().update(aws, live, spec, delta)


def as_of(revision: Mapping[str, Any], service: Service) -> Service:
    """Return `service` as the service revision `revision` had it (ECS API Reference, ServiceRevision).

    Its tasks, where they run, and on what capacity; load balancer and discovery stay as they are, for what they name
    may be gone.
    """
    service = replace(service, task_definition=revision["taskDefinition"])
    if "capacityProviderStrategy" in revision or "launchType" in revision:
        service = replace(service, capacity=from_answer(revision.get("capacityProviderStrategy")))
    network = (revision.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if network is None:
        return service
    return replace(
        service,
        subnets=tuple(network["subnets"]),
        security_groups=tuple(network.get("securityGroups", ())),
        public_ip=network.get("assignPublicIp") == "ENABLED",
    )
