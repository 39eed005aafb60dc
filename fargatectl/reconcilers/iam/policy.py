"""Policy documents as values: two that say the same are equal, however IAM or a person wrote them down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, Union

from fargatectl.dataclass import dataclass
from fargatectl.model.values import Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Value: TypeAlias = Union[str, None, Ref[str], Ref[Union[str, None]]]
"""A value of a statement. None is no value: a late one may turn out to be that."""

_VERSION = "2012-10-17"
_LEAVING = "Leaving"  # added to the Sid of an old statement that stays for a while
_FRAME = len('{"Version":"2012-10-17","Statement":}')
_OURS = frozenset({"Sid", "Effect", "Action", "Resource", "Condition", "Principal"})


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy. Orders mean nothing in it, and one value is a list of one.

    `conditions` is operator → condition key → values; `principals` are written `Service:ecs-tasks.amazonaws.com`;
    `rest` is the JSON of elements that we never write (`NotAction`, …), kept so that they show as a difference.
    """

    key: ClassVar[str] = "sid"

    sid: str
    effect: str = "Allow"
    actions: tuple[str, ...] = ()
    resources: tuple[Value, ...] = ()
    conditions: Mapping[str, Mapping[str, tuple[Value, ...]]] = field(default_factory=dict)
    principals: tuple[str, ...] = ()
    rest: str = ""

    def __post_init__(self) -> None:
        conditions = {
            operator: {name: _canonical(values) for name, values in by_name.items()}
            for operator, by_name in self.conditions.items()
        }
        object.__setattr__(self, "actions", tuple(sorted(set(self.actions))))
        object.__setattr__(self, "resources", _canonical(self.resources))
        object.__setattr__(self, "conditions", conditions)
        object.__setattr__(self, "principals", tuple(sorted(set(self.principals))))

    @property
    def is_empty(self) -> bool:
        """Tell whether it speaks of nothing: all that it was about turned out to be None."""
        return not (self.resources or self.principals or self.rest)

    def covers(self, other: Statement) -> bool:
        """Tell whether it allows all that `other` does, as far as that is plain to see."""
        same = replace(other, sid=self.sid, actions=self.actions, resources=self.resources)
        return same == self and set(other.actions) <= set(self.actions) and set(other.resources) <= set(self.resources)

    def document(self) -> dict[str, Any]:
        """Return it as IAM reads it. All late values must be known."""
        parts: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect, "Action": list(self.actions)}
        if self.resources:
            parts["Resource"] = list(self.resources)
        if self.conditions:
            parts["Condition"] = {
                operator: {name: list(values) for name, values in sorted(by_name.items())}
                for operator, by_name in sorted(self.conditions.items())
            }
        principals: dict[str, list[str]] = {}
        for principal in self.principals:
            kind, _, name = principal.partition(":")
            principals.setdefault(kind, []).append(name)
        if principals:
            parts["Principal"] = principals
        return parts


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A policy document: its statements, told apart by their Sid."""

    statements: tuple[Statement, ...] = ()

    def __post_init__(self) -> None:
        spoken = (statement for statement in self.statements if not statement.is_empty)
        object.__setattr__(self, "statements", tuple(sorted(spoken, key=lambda statement: statement.sid)))

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Policy:
        """Return what a document says. botocore has decoded it: IAM sends documents URL-encoded."""
        listed = document.get("Statement", [])
        parts = [listed] if isinstance(listed, Mapping) else listed
        return cls(statements=tuple(_parsed(part, place) for place, part in enumerate(parts, 1)))

    def beside(self, old: Policy) -> Policy:
        """Return what allows all that this policy allows, and all that `old` does.

        A statement of `old` is taken over as it is: the actions of one beside the resources of another would allow
        more than both.
        """
        made = {statement.sid: statement for statement in self.statements}
        for statement in old.statements:
            if statement.effect == "Allow" and not any(one.covers(statement) for one in made.values()):
                sid = statement.sid
                while sid in made:
                    sid += _LEAVING
                made[sid] = replace(statement, sid=sid)
        return Policy(statements=tuple(made.values()))

    @property
    def size(self) -> int:
        """How many characters IAM counts, roughly where a value is not known yet."""
        statements = [statement.document() for statement in self.statements]
        return len(json.dumps(statements, separators=(",", ":"), default=str)) + _FRAME

    def to_json(self) -> str:
        """Return the document as IAM reads it. All late values must be known."""
        document = {"Version": _VERSION, "Statement": [statement.document() for statement in self.statements]}
        return json.dumps(document, separators=(",", ":"))


def allow(sid: str, actions: Iterable[str], resources: Iterable[Value]) -> Statement:
    """Return a statement that allows `actions` on `resources`."""
    return Statement(sid=sid, actions=tuple(actions), resources=tuple(resources))


def pull_from_ecr(repository_arns: Sequence[Value]) -> tuple[Statement, ...]:
    """Return what pulling from private ECR repositories takes; the token cannot be limited to one."""
    if not repository_arns:
        return ()
    actions = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    return allow("EcrToken", ("ecr:GetAuthorizationToken",), ("*",)), allow("EcrPull", actions, repository_arns)


def write_logs(group_arns: Sequence[Value]) -> tuple[Statement, ...]:
    """Return what the awslogs driver takes to write to log groups that exist."""
    streams = [_map(arn, _streams) for arn in group_arns]
    return (allow("WriteLogs", ("logs:CreateLogStream", "logs:PutLogEvents"), streams),)


def read_secrets(secret_arns: Sequence[Value]) -> tuple[Statement, ...]:
    """Return what reading secrets takes, those of private registries among them."""
    return (allow("ReadSecrets", ("secretsmanager:GetSecretValue",), secret_arns),)


def read_parameters(parameter_arns: Sequence[Value]) -> tuple[Statement, ...]:
    """Return what reading parameters takes."""
    return (allow("ReadParameters", ("ssm:GetParameters",), parameter_arns),)


def decrypt(key_arns: Sequence[Value]) -> tuple[Statement, ...]:
    """Return what decrypting with customers' KMS keys takes, given by the ARN of the key or of an alias; None is none.

    A policy that names an alias as its resource allows nothing: the keys behind an alias are allowed by the condition
    `kms:ResourceAliases` (KMS Developer Guide, "Using aliases to control access to KMS keys").
    """
    keys = [_map(arn, _key) for arn in key_arns]
    behind = [_map(arn, _keys_behind) for arn in key_arns]
    aliases = tuple(_map(arn, _alias) for arn in key_arns)
    by_alias = Statement(
        sid="DecryptByAlias",
        actions=("kms:Decrypt",),
        resources=tuple(behind),
        conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": aliases}},
    )
    return allow("Decrypt", ("kms:Decrypt",), keys), by_alias


def read_objects(object_arns: Sequence[str]) -> tuple[Statement, ...]:
    """Return what reading environment files from S3 takes (ECS Developer Guide, "Required IAM permissions")."""
    buckets = {arn.partition("/")[0] for arn in object_arns}
    return (
        allow("ReadEnvironmentFiles", ("s3:GetObject",), object_arns),
        allow("LocateEnvironmentFiles", ("s3:GetBucketLocation",), sorted(buckets)),
    )


def mount_efs(sid: str, file_system: Value, access_point: Value, *, write: bool) -> Statement:
    """Return what mounting an EFS file system as this role takes, only through `access_point` where that is not ""
    (EFS User Guide, "Using IAM to control file system data access")."""
    actions = ("ClientMount", "ClientWrite") if write else ("ClientMount",)
    return Statement(
        sid=sid,
        actions=tuple(f"elasticfilesystem:{action}" for action in actions),
        resources=(file_system,),
        conditions={"StringEquals": {"elasticfilesystem:AccessPointArn": (access_point,)}} if access_point else {},
    )


def exec_channels() -> tuple[Statement, ...]:
    """Return what ECS Exec takes in the task role (ECS Developer Guide, "Using ECS Exec")."""
    channels = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
    return (allow("ExecChannels", (f"ssmmessages:{channel}" for channel in channels), ("*",)),)


def record_to_logs(group_arn: Value) -> tuple[Statement, ...]:
    """Return what recording sessions of ECS Exec in a log group takes in the task role (ECS Developer Guide, "Logging
    and auditing ECS Exec")."""
    actions = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
    return (
        allow("ExecFindGroup", ("logs:DescribeLogGroups",), ("*",)),
        allow("ExecRecord", actions, (_map(group_arn, _streams),)),
    )


def record_to_bucket(bucket_arn: Value, prefix: str) -> tuple[Statement, ...]:
    """Return what recording sessions in an S3 bucket takes, below `prefix` ("" or with a slash behind it)."""
    return (
        allow("ExecFindBucket", ("s3:GetBucketLocation", "s3:GetEncryptionConfiguration"), (bucket_arn,)),
        allow("ExecStore", ("s3:PutObject",), (_map(bucket_arn, lambda arn: f"{arn}/{prefix}*"),)),
    )


def run_tasks(*, definitions: Value, cluster: Value, roles: Sequence[Value]) -> tuple[Statement, ...]:
    """Return what running tasks of some definitions in one cluster takes: their roles must be handed to them."""
    run = Statement(
        sid="RunTask",
        actions=("ecs:RunTask",),
        resources=(definitions,),
        conditions={"ArnEquals": {"ecs:cluster": (cluster,)}},
    )
    hand = Statement(
        sid="PassRoles",
        actions=("iam:PassRole",),
        resources=tuple(roles),
        conditions={"StringEquals": {"iam:PassedToService": ("ecs-tasks.amazonaws.com",)}},
    )
    return run, hand


def _streams(group: str | None) -> str | None:
    return f"{group}:*" if group else None


def _key(arn: str | None) -> str | None:
    return arn if arn and ":alias/" not in arn else None


def _keys_behind(arn: str | None) -> str | None:
    return f"{arn.partition(':alias/')[0]}:key/*" if arn and ":alias/" in arn else None


def _alias(arn: str | None) -> str | None:
    return arn.rpartition(":")[2] if arn and ":alias/" in arn else None


def _map(value: Value, change: Callable[[str | None], str | None]) -> Value:
    return value.then(change) if isinstance(value, Ref) else change(value)


def _canonical(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return values sorted and once each. Several unknown ones may come from one source: they stay apart."""
    late = [value for value in values if isinstance(value, Ref)]
    settled = {value for value in values if value is not None and not isinstance(value, Ref)}
    return (*sorted(settled), *sorted(late, key=lambda value: value.source))


def _parsed(part: Mapping[str, Any], place: int) -> Statement:
    rest = {name: element for name, element in part.items() if name not in _OURS}
    return Statement(
        sid=part.get("Sid") or f"Statement{place}",
        effect=part.get("Effect", "Allow"),
        actions=_listed(part.get("Action")),
        resources=_listed(part.get("Resource")),
        conditions={
            operator: {name: _listed(values) for name, values in by_name.items()}
            for operator, by_name in part.get("Condition", {}).items()
        },
        principals=_principals(part.get("Principal", {})),
        rest=json.dumps(rest, sort_keys=True) if rest else "",
    )


def _principals(found: Mapping[str, Any] | str) -> tuple[str, ...]:
    if isinstance(found, str):
        return (f"AWS:{found}",)
    return tuple(f"{kind}:{name}" for kind, names in found.items() for name in _listed(names))


def _listed(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    """Return one value or a list of them as IAM compares them: booleans and numbers are text in conditions."""
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in values)
