"""CloudWatch Logs: the log groups that tasks write to, made before the tasks and kept for as long as the file says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.session import chunks
from fargatectl.aws.tags import as_dict
from fargatectl.aws.waits import Transient, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import require_ours, tags_shown
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.errors import Refused
from fargatectl.model.change import diff
from fargatectl.model.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws, Identity
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

KEEP = "fargatectl:keep"
"""Our tag on log groups that outlive their app; it says so when the file is gone."""

# CloudWatch Logs API Reference, CreateLogGroup, PutRetentionPolicy, AssociateKmsKey and DeleteLogGroup: another change
# of the group is under way.
_BUSY = Transient("OperationAbortedException", seconds=60)

_IDENTIFIERS_MAX = 50  # CloudWatch Logs API Reference, DescribeLogGroups: logGroupIdentifiers
_ASK_EACH_MAX = 3


@dataclass(frozen=True)
class LogGroupOut:
    """`arn` has no `:*` suffix; it names the group itself."""

    name: str
    arn: str


@dataclass(frozen=True, kw_only=True)
class LogGroup(Spec):
    """A log group; `retention_days` is None where the file leaves it to others, 0 for "never expire".

    `keep`: it stays when everything else of its app is destroyed. `kms_key` is an ARN, "" for AWS's own key; what was
    written before keeps the key that it was written with.
    """

    name: str
    retention_days: int | None = None
    keep: bool = False
    log_class: str = "STANDARD"
    kms_key: str = ""


LogGroupLive = Live[LogGroup, LogGroupOut]


class LogGroups(Reconciler[LogGroup, LogGroupOut]):
    """Reads and changes log groups."""

    kind = "logs.group"
    noun = "log group"
    tagged_as = "logs"

    def read(self, aws: Aws, specs: Sequence[LogGroup]) -> Sequence[LogGroupLive | None]:
        found = _describe(aws, [spec.name for spec in specs])

        def live(spec: LogGroup) -> LogGroupLive | None:
            group = found.get(spec.name)
            return _live(group, _tags(aws, group, _tags_wanted(spec))) if group else None

        return aws.each(live, specs)

    def match(self, spec: LogGroup, live: LogGroupLive) -> LogGroupLive:
        # The file's word counts even before it was deployed: what it keeps, a destroy may not delete.
        return replace(live, spec=replace(live.spec, keep=spec.keep or live.spec.keep))

    def compare(self, spec: LogGroup, live: LogGroupLive) -> Delta:
        if spec.log_class != live.spec.log_class:
            message = f"the log group {spec.name} is of the class {live.spec.log_class}, which never changes"
            raise Refused(message, hint="name another `logs.group`; to make it anew would lose what it holds")
        return diff(spec, replace(live.spec, keep=_kept(live.spec.tags)))

    def kept(self, live: LogGroupLive) -> bool:
        return live.spec.keep

    def create(self, aws: Aws, spec: LogGroup) -> LogGroupOut:
        try:
            retrying(aws, lambda: aws.logs.create_log_group(**_creation(spec)), _BUSY)
        except ClientError as error:
            if not says(error, "ResourceAlreadyExistsException"):
                raise
            return self._take_up(aws, spec, error)
        # CreateLogGroup takes no retention: a crash in between is seen as drift by the next run.
        self._set_retention(aws, spec)
        return LogGroupOut(spec.name, arn_of(spec.name, aws.identity(), aws.region))

    def _take_up(self, aws: Aws, spec: LogGroup, error: ClientError) -> LogGroupOut:
        found = _describe(aws, [spec.name]).get(spec.name)
        if found is None:
            raise error
        live = _live(found, _tags(aws, found, {}))
        require_ours(self.summary(spec), spec.tags, live.spec.tags)
        return self.update(aws, live, spec, self.compare(spec, live))

    def update(self, aws: Aws, live: LogGroupLive, spec: LogGroup, delta: Delta) -> LogGroupOut:
        if delta.touches("tags", "keep"):
            aws.logs.tag_resource(resourceArn=live.out.arn, tags=dict(_tags_wanted(spec)))
        if delta.touches("keep") and not spec.keep:
            aws.logs.untag_resource(resourceArn=live.out.arn, tagKeys=[KEEP])
        if delta.touches("retention_days"):
            self._set_retention(aws, spec)
        if delta.touches("kms_key"):
            self._set_key(aws, spec)
        return live.out

    def delete(self, aws: Aws, live: LogGroupLive) -> None:
        try:
            retrying(aws, lambda: aws.logs.delete_log_group(logGroupName=live.out.name), _BUSY)
        except ClientError as error:
            if not says(error, "ResourceNotFoundException"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[LogGroupLive]:
        arns = {arn.removesuffix(":*") for arn in aws.tagged(owner.tags()) if ":log-group:" in arn} - known
        found = _describe(aws, sorted(arn.partition(":log-group:")[2] for arn in arns))
        lives = aws.each(lambda group: _live(group, _tags(aws, group, {})), found.values())
        return [live for live in lives if owner.owns(live.spec.tags)]

    @staticmethod
    def _set_retention(aws: Aws, spec: LogGroup) -> None:
        name, days = spec.name, spec.retention_days
        if days:
            retrying(aws, lambda: aws.logs.put_retention_policy(logGroupName=name, retentionInDays=days), _BUSY)
        elif days == 0:
            retrying(aws, lambda: aws.logs.delete_retention_policy(logGroupName=name), _BUSY)

    @staticmethod
    def _set_key(aws: Aws, spec: LogGroup) -> None:
        name, key = spec.name, spec.kms_key
        if key:
            retrying(aws, lambda: aws.logs.associate_kms_key(logGroupName=name, kmsKeyId=key), _BUSY)
        else:
            retrying(aws, lambda: aws.logs.disassociate_kms_key(logGroupName=name), _BUSY)


def declare(  # noqa: PLR0913 - the settings of a group
    stack: Stack,
    name: str,
    *,
    retention_days: int | None,
    keep: bool,
    log_class: str = "STANDARD",
    kms_key: str = "",
    group: str,
) -> Declared[LogGroupOut]:
    """Declare the log group `name` (AWS's name for it); several services may share one."""
    spec = LogGroup(name=name, retention_days=retention_days, keep=keep, log_class=log_class, kms_key=kms_key)
    return stack.add(LogGroups(), name.strip("/"), spec, group=group)


def arn_of(name: str, identity: Identity, region: str) -> str:
    """Return the ARN of a log group, which follows from its name: who needs no more need not wait for the group."""
    return f"arn:{identity.partition}:logs:{region}:{identity.account}:log-group:{name}"


def _creation(spec: LogGroup) -> dict[str, Any]:
    request: dict[str, Any] = {"logGroupName": spec.name, "tags": dict(_tags_wanted(spec))}
    if spec.log_class != "STANDARD":
        request["logGroupClass"] = spec.log_class
    if spec.kms_key:
        request["kmsKeyId"] = spec.kms_key
    return request


def _describe(aws: Aws, names: Sequence[str]) -> dict[str, Any]:
    """Return the log groups of `names` that exist, by name."""

    def by_prefix(name: str) -> list[Any]:
        # Answers are sorted by name: of all that begin with it, the name itself comes first.
        return list(aws.logs.describe_log_groups(logGroupNamePrefix=name, limit=1)["logGroups"])

    def by_names(batch: Sequence[str]) -> list[Any]:
        pages = aws.logs.get_paginator("describe_log_groups").paginate(logGroupIdentifiers=list(batch))
        return [group for page in pages for group in page["logGroups"]]

    if len(names) <= _ASK_EACH_MAX:
        answers = aws.each(by_prefix, names)
    else:
        answers = aws.each(by_names, chunks(names, _IDENTIFIERS_MAX))
    return {group["logGroupName"]: group for groups in answers for group in groups if group["logGroupName"] in names}


def _live(found: Any, tags: Mapping[str, str]) -> LogGroupLive:  # noqa: ANN401 - CloudWatch Logs' log group
    name, arn = found["logGroupName"], _arn(found)
    # Without a retention of its own a group keeps everything.
    spec = LogGroup(
        name=name,
        retention_days=found.get("retentionInDays", 0),
        keep=_kept(tags),
        log_class=found.get("logGroupClass", "STANDARD"),
        kms_key=found.get("kmsKeyId", ""),
        tags=tags,
    )
    return Live(spec, LogGroupOut(name, arn), arn)


def _arn(found: Any) -> str:  # noqa: ANN401 - as above
    return str(found["arn"]).removesuffix(":*")


def _tags(aws: Aws, found: Any, wanted: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ANN401 - as above
    arn = _arn(found)

    def ask() -> Mapping[str, str]:
        listed = aws.logs.list_tags_for_resource(resourceArn=arn)["tags"]
        return as_dict({"Key": key, "Value": value} for key, value in listed.items())

    return tags_shown(aws, arn, wanted, ask)


def _tags_wanted(spec: LogGroup) -> dict[str, str]:
    return {**spec.tags, KEEP: "true"} if spec.keep else dict(spec.tags)


def _kept(tags: Mapping[str, str]) -> bool:
    return tags.get(KEEP) == "true"
