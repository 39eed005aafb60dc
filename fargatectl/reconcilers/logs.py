"""CloudWatch Logs: the log groups that tasks write to, made before the tasks and kept for as long as the file says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.waits import Transient, retrying
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.spec import Spec, setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

# CloudWatch Logs API Reference, DeleteLogGroup: another change of the group is under way.
_BUSY = Transient("OperationAbortedException", seconds=60)


@dataclass(frozen=True, slots=True)
class LogGroupOut:
    """`arn` has no `:*` suffix; it names the group itself."""

    name: str
    arn: str


@dataclass(frozen=True, kw_only=True)
class LogGroup(Spec):
    """A log group; `retention_days` is None where the file leaves it to others, 0 for "never expire"."""

    name: str
    retention_days: int | None = None
    keep: bool = setting(create_only=True, default=False)


class LogGroups(Reconciler[LogGroup, LogGroupOut]):
    """Reads and changes log groups."""

    kind = "logs.group"
    noun = "log group"

    def read(self, aws: Aws, specs: Sequence[LogGroup]) -> Sequence[Live[LogGroup, LogGroupOut] | None]:
        return aws.each(lambda spec: self._read(aws, spec.name), specs)

    def _read(self, aws: Aws, name: str) -> Live[LogGroup, LogGroupOut] | None:
        # DescribeLogGroups matches by prefix: only the exact name counts.
        pages = aws.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        found = next((group for page in pages for group in page["logGroups"] if group["logGroupName"] == name), None)
        if found is None:
            return None
        arn = found["arn"].removesuffix(":*")
        listed = aws.logs.list_tags_for_resource(resourceArn=arn)["tags"]
        spec = LogGroup(name=name, retention_days=found.get("retentionInDays", 0), tags=listed)
        return Live(spec, LogGroupOut(name, arn), arn)

    def create(self, aws: Aws, spec: LogGroup) -> LogGroupOut:
        try:
            aws.logs.create_log_group(logGroupName=spec.name, tags=dict(spec.tags))
        except ClientError as error:
            # A repeated call may meet its own earlier success; whose group it is was settled when it was read.
            if not says(error, "ResourceAlreadyExistsException"):
                raise
        # CreateLogGroup takes no retention: a crash in between is seen as drift by the next run.
        self._set_retention(aws, spec)
        made = self._read(aws, spec.name)
        if made is None:
            identity = aws.identity()
            arn = f"arn:{identity.partition}:logs:{aws.region}:{identity.account}:log-group:{spec.name}"
            return LogGroupOut(spec.name, arn)
        return made.out

    def update(self, aws: Aws, live: Live[LogGroup, LogGroupOut], spec: LogGroup, delta: Delta) -> LogGroupOut:
        if delta.touches("tags"):
            aws.logs.tag_resource(resourceArn=live.out.arn, tags=dict(spec.tags))
        if delta.touches("retention_days"):
            self._set_retention(aws, spec)
        return live.out

    def delete(self, aws: Aws, live: Live[LogGroup, LogGroupOut]) -> None:
        try:
            retrying(aws, lambda: aws.logs.delete_log_group(logGroupName=live.out.name), _BUSY)
        except ClientError as error:
            if not says(error, "ResourceNotFoundException"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[Live[LogGroup, LogGroupOut]]:
        arns = {arn.removesuffix(":*") for arn in aws.tagged(owner.tags()) if ":log-group:" in arn} - known
        found = aws.each(lambda arn: self._read(aws, arn.partition(":log-group:")[2]), sorted(arns))
        return [live for live in found if live is not None and owner.owns(live.spec.tags)]

    def _set_retention(self, aws: Aws, spec: LogGroup) -> None:
        if spec.retention_days:
            aws.logs.put_retention_policy(logGroupName=spec.name, retentionInDays=spec.retention_days)
        elif spec.retention_days == 0:
            aws.logs.delete_retention_policy(logGroupName=spec.name)


def declare(stack: Stack, name: str, *, retention_days: int | None, keep: bool, group: str) -> Declared[LogGroupOut]:
    """Declare the log group `name` (AWS's name for it); several services may share one."""
    return stack.add(
        LogGroups(), name.strip("/"), LogGroup(name=name, retention_days=retention_days, keep=keep), group=group
    )
