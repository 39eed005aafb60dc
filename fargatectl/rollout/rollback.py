"""The way back: which revision a service goes to when its present one is no good, and what is different there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import BotoCoreError, ClientError, explain
from fargatectl.dataclass import dataclass
from fargatectl.errors import Refused
from fargatectl.model.change import Delta, diff
from fargatectl.model.history import DeploymentOutcome as Outcome
from fargatectl.reconcilers.service import describe_revision
from fargatectl.reconcilers.service.reading import describe
from fargatectl.rollout.history import history

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from types_boto3_ecs.type_defs import ServiceTypeDef

    from fargatectl.aws.session import Aws
    from fargatectl.model.history import PastDeployment

_DEPLOY_INSTEAD = "deploy the file of that version instead"


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """Where a service goes back to: the members of the service revision, and what changes in its tasks.

    `deployed` is the deployment that brought it, if ECS remembers. `running` is the ARN of the service deployment to
    stop for it, `undoing` says that ECS goes back already.
    """

    revision: Mapping[str, Any]
    tasks: Delta
    deployed: PastDeployment | None = None
    running: str = ""
    undoing: bool = False

    @property
    def name(self) -> str:
        """`family:revision` of where it goes."""
        return str(self.revision["taskDefinition"]).rpartition("/")[2]


def way_back(aws: Aws, name: str, cluster: str, service: str, *, to: str | None = None) -> WayBack:
    """Return how the service `name` gets back to its last successful deployment, or to the task definition `to`.

    `to` is `family:revision`, or the revision's number alone. Raises `Refused` where there is no way back, and
    `AwsFailure` for what cannot be read.
    """
    try:
        found = describe(aws, [(cluster, service)]).get((cluster, service))
        if found is None or found["status"] != "ACTIVE":
            raise Refused(f"{name} is not in AWS: there is nothing to go back to", hint="deploy it: fargatectl deploy")
        past = history(aws, name, cluster, service)
        if to is not None:
            return _chosen(aws, name, found, past, to)
        newest = past[0] if past else None
        good = _successful(aws, name, found, past)
        if newest is not None and not newest.outcome.ended:
            return _stopping(aws, name, found, newest, good)
        # After a success "back" is the last one before it that was different; after a failure it is the last success.
        if newest is not None and newest.outcome is Outcome.SUCCEEDED:
            good = [one for one in good if one.settings != newest.settings]
        if not good:
            raise _nowhere(name)
        return _to(aws, name, found, good[0])
    except (ClientError, BotoCoreError) as error:
        raise explain(error) from error


def _successful(aws: Aws, name: str, found: ServiceTypeDef, past: Sequence[PastDeployment]) -> list[PastDeployment]:
    """Return the successful deployments, the newest first; where none is among the newest, older ones are asked for."""
    good = [one for one in past if one.outcome is Outcome.SUCCEEDED]
    if not good and past:
        cluster = found["clusterArn"].rpartition("/")[2]
        good = list(history(aws, name, cluster, found["serviceName"], outcomes=[Outcome.SUCCEEDED]))
    return [one for one in good if one.task_definition]


def _stopping(
    aws: Aws, name: str, found: ServiceTypeDef, newest: PastDeployment, good: Sequence[PastDeployment]
) -> WayBack:
    if not good:
        message = f"the deployment of {name} that is under way is its first: there is nothing to go back to"
        raise Refused(message, hint="mend the file and deploy again, or take it away: fargatectl destroy")
    undoing = newest.outcome is Outcome.ROLLING_BACK
    return replace(_to(aws, name, found, good[0], since=newest), running=newest.id, undoing=undoing)


def _chosen(aws: Aws, name: str, found: ServiceTypeDef, past: Sequence[PastDeployment], to: str) -> WayBack:
    family = found["taskDefinition"].rpartition(":")[0]
    wanted = f"{family}:{to}" if to.isdecimal() else f"{family.rpartition('/')[0]}/{to}"
    if wanted.rpartition(":")[0] != family:
        own = family.rpartition("/")[2]
        raise Refused(f"{to} is no revision of {name}", hint=f"name one of {own}: fargatectl history {name}")
    brought = [one for one in past if one.task_definition == wanted]
    known = next((one for one in brought if one.outcome is Outcome.SUCCEEDED), brought[0] if brought else None)
    if known is not None:
        return _to(aws, name, found, known)
    tasks = _what_changes(aws, name, found, found["taskDefinition"], wanted)
    return WayBack(revision={"taskDefinition": wanted}, tasks=tasks)


def _to(
    aws: Aws, name: str, found: ServiceTypeDef, target: PastDeployment, *, since: PastDeployment | None = None
) -> WayBack:
    now = since.task_definition if since is not None and since.task_definition else found["taskDefinition"]
    tasks = _what_changes(aws, name, found, now, target.task_definition)
    return WayBack(revision=target.settings, tasks=tasks, deployed=target)


def _what_changes(aws: Aws, name: str, found: ServiceTypeDef, now: str, then: str) -> Delta:
    """Return the difference between two task definitions. Raises `Refused` for one that cannot be run any more."""
    old, new = describe_revision(aws, now), describe_revision(aws, then)
    short = then.rpartition("/")[2]
    if new is None or not new.out.active:
        raise Refused(f"{short} is not there any more: no task of {name} can be made of it", hint=_DEPLOY_INSTEAD)
    ports = {(one.name, port) for one in new.spec.containers for port in one.ports}
    for one in found.get("loadBalancers", ()):
        if (one["containerName"], one["containerPort"]) not in ports:
            message = f"{short} does not listen on port {one['containerPort']}, where the load balancer sends requests"
            raise Refused(message, hint=_DEPLOY_INSTEAD)
    if old is None:
        return Delta()
    return diff(replace(new.spec, tags={}), replace(old.spec, tags={}))


def _nowhere(name: str) -> Refused:
    message = f"no other deployment of {name} has succeeded: there is nothing to go back to"
    return Refused(message, hint=f"fargatectl history {name} shows what ECS remembers; --to names a revision")
