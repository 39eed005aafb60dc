"""Looking at all followed deployments at once: batched, so that two hundred services cost little more than one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, explain, is_expired, is_passing
from fargatectl.aws.session import chunks
from fargatectl.model.status import TargetCounts
from fargatectl.reconcilers.service.reading import describe
from fargatectl.reconcilers.service.strategy import target_groups
from fargatectl.rollout.outcome import is_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.rollout.context import RunContext
    from fargatectl.rollout.watch import Watch

_DESCRIBED_MAX = 20  # ECS API Reference, DescribeServiceDeployments: serviceDeploymentArns
_SICK = frozenset({"unhealthy", "unused"})


class Poller:
    """Asks AWS about watches and puts the answers into them."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._aws = context.aws
        self._refused = False

    def look(self, watched: Sequence[Watch]) -> None:
        """Bring `watched` up to date. Raises what botocore raises where services cannot be read."""
        self._aws.reads.clear()
        found = describe(self._aws, ((watch.out.cluster, watch.out.name) for watch in watched))
        for watch in watched:
            watch.service = found.get((watch.out.cluster, watch.out.name))
        self._read_records(watched)
        for watch in watched:
            if watch.first is None:
                watch.first = is_first(watch.service, watch.out.deployment_id)
        self._aws.each(self._read_surroundings, [watch for watch in watched if watch.service is not None])

    def _read_records(self, watched: Sequence[Watch]) -> None:
        """Read ECS's service deployments of those whose record can be found; it may take seconds to appear."""
        if self._refused:
            return
        try:
            self._aws.each(self._find, [watch for watch in watched if not watch.service_deployment])
            arns = sorted({watch.service_deployment for watch in watched if watch.service_deployment})
            pages = self._aws.each(self._described, chunks(arns, _DESCRIBED_MAX))
        except ClientError as error:
            if is_expired(error) or is_passing(error):
                raise  # whatever else is asked, there is no answer now
            self._refused = True
            self._context.caution(f"{explain(error)}; the rollout is followed by DescribeServices instead")
            return
        records = {one["serviceDeploymentArn"]: one for page in pages for one in page}
        for watch in watched:
            watch.record = records.get(watch.service_deployment)

    def _described(self, arns: Sequence[str]) -> Any:  # noqa: ANN401 - ECS's records
        return self._aws.ecs.describe_service_deployments(serviceDeploymentArns=list(arns))["serviceDeployments"]

    def _find(self, watch: Watch) -> None:
        """Find the record that belongs to a deployment id, and whether any deployment before it succeeded."""
        number = watch.out.deployment_id.rpartition("/")[2]
        found = self._aws.ecs.list_service_deployments(cluster=watch.out.cluster, service=watch.out.name)
        records = found["serviceDeployments"]
        mine = (one for one in records if number and number in one["targetServiceRevisionArn"])
        watch.service_deployment = next((one["serviceDeploymentArn"] for one in mine), "")
        if any(one["status"] == "SUCCESSFUL" and number not in one["targetServiceRevisionArn"] for one in records):
            watch.first = False

    def _read_surroundings(self, watch: Watch) -> None:
        watch.targets = self._targets(watch)
        arn = watch.service["taskDefinition"] if watch.service else ""
        watch.image = self._image(watch, arn)

    def _image(self, watch: Watch, arn: str) -> str:
        """Return the image of a task definition, asked for once: definitions do not change."""
        if arn not in watch.images:
            found = self._aws.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
            mains = [c["image"] for c in found["containerDefinitions"] if c["name"] == watch.view.name]
            watch.images[arn] = mains[0] if mains else found["containerDefinitions"][0]["image"]
        return watch.images[arn]

    def _targets(self, watch: Watch) -> TargetCounts | None:
        service: Any = watch.service
        groups = target_groups(service)
        if not groups:
            return None
        found = [
            target
            for group in groups
            for target in self._aws.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        ]
        states = [target["TargetHealth"].get("State", "") for target in found]
        # After a rollback the sick targets are gone, and with them the reason: it is kept for the diagnosis.
        watch.sick |= {t["Target"]["Id"]: t for t in found if t["TargetHealth"].get("State") in _SICK}
        return TargetCounts(
            healthy=states.count("healthy"),
            unhealthy=states.count("unhealthy"),
            initial=states.count("initial"),
            draining=states.count("draining"),
        )
