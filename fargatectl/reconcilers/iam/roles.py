"""Roles: read all at once where that is allowed, and one by one where not."""

from __future__ import annotations

from dataclasses import field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, code_of, says
from fargatectl.aws.tags import as_dict, pairs
from fargatectl.aws.waits import Transient, polling, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import require_ours
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.errors import Refused
from fargatectl.model import names
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.iam.policy import Policy, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws, Identity
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership
    from fargatectl.model.values import Ref

POLICY = "fargatectl"
"""The one inline policy of our roles."""

TASKS = "Service:ecs-tasks.amazonaws.com"
"""Who assumes the roles of tasks."""

ECS = "Service:ecs.amazonaws.com"
"""Who assumes the role that shifts requests."""

SHIFT = "AmazonECSInfrastructureRolePolicyForLoadBalancers"
"""AWS's policy for it: to register targets, and to change rules (AWS Managed Policy Reference)."""

_GONE = "NoSuchEntity"
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})

# One page of the account's roles: a hundred, or as many as make it likely that ours are among them.
_PAGE_MIN, _PAGE_MAX, _PAGE_PER_ROLE = 100, 1000, 8

# IAM API Reference, CreateRole, TagRole and DeleteRole: somebody changes the same entity at this moment. Policies are
# refused so, too, as other tools found.
_EDITED = Transient("ConcurrentModification", seconds=120)
# IAM API Reference, DeleteRole: policies that were just taken off still count for a while.
_STILL_ATTACHED = Transient("DeleteConflict", seconds=120)
_GONE_SECONDS = 60

# IAM User Guide, "IAM and AWS STS quotas": characters of all inline policies of a role, and managed policies on one.
_INLINE_ROOM, _MANAGED_ROOM = 10_240, 10


@dataclass(frozen=True, kw_only=True)
class Role(Spec):
    """A role. On a role of ours everything is ours: policies that somebody added are drift, and taken off.

    The one exception is a permissions boundary that the file does not name: it only takes rights away, so it stays.
    """

    name: str = setting(immutable=True)
    path: str = setting(immutable=True, default="/")
    trust: Policy = field(default_factory=Policy)
    inline: Mapping[str, Policy] = field(default_factory=dict)
    managed: tuple[Late[str], ...] = ()
    permissions_boundary: str | None = None
    description: str = setting(create_only=True, default="")

    def __post_init__(self) -> None:
        spoken = {name: policy for name, policy in sorted(self.inline.items()) if policy.statements}
        object.__setattr__(self, "inline", spoken)
        if all(isinstance(arn, str) for arn in self.managed):
            object.__setattr__(self, "managed", tuple(sorted(set(self.managed))))


@dataclass(frozen=True)
class RoleOut:
    """A role; its path is part of the ARN."""

    name: str
    arn: str


RoleLive = Live[Role, RoleOut]


class Roles(Reconciler[Role, RoleOut]):
    """Reads and changes roles.

    GetAccountAuthorizationDetails shows roles with their tags and all their policies in one call, where reading one
    role takes four. One page is asked for; a role that it lacks, or all of them where the call is denied, are read
    singly.
    """

    kind = "iam.role"
    noun = "role"
    tagged_as = ""

    def read(self, aws: Aws, specs: Sequence[Role]) -> Sequence[RoleLive | None]:
        if len(specs) == 1:  # proof of one, asked for again
            return [_read_singly(aws, [specs[0].name])[specs[0].name]]
        seen = _snapshot(aws, len(specs))
        found: dict[str, RoleLive | None] = dict(seen.roles)
        if not seen.complete:
            found |= _read_singly(aws, [spec.name for spec in specs if spec.name not in found])
        return [found.get(spec.name) for spec in specs]

    def create(self, aws: Aws, spec: Role) -> RoleOut:
        request: dict[str, Any] = {
            "RoleName": spec.name,
            "Path": spec.path,
            "AssumeRolePolicyDocument": spec.trust.to_json(),
            "Tags": pairs(spec.tags),
        }
        if spec.description:
            request["Description"] = spec.description
        if spec.permissions_boundary:
            request["PermissionsBoundary"] = spec.permissions_boundary
        try:
            made = _write(aws, aws.iam.create_role, **request)["Role"]
        except ClientError as error:
            if not says(error, "EntityAlreadyExists"):
                raise
            return self._take_up(aws, spec)
        _put_policies(aws, spec, spec.inline, spec.managed)
        return RoleOut(made["RoleName"], made["Arn"])

    def _take_up(self, aws: Aws, spec: Role) -> RoleOut:
        live = _read_singly(aws, [spec.name])[spec.name]
        if live is None:
            message = (
                f"a role {spec.name} exists already, in other capitals: role names are unique without regard to them"
            )
            raise Refused(message, hint="rename yours in the file, or delete the other one")
        require_ours(self.summary(spec), spec.tags, live.spec.tags)
        return self.update(aws, live, spec, self.compare(spec, live))

    def update(self, aws: Aws, live: RoleLive, spec: Role, delta: Delta) -> RoleOut:
        if delta.touches("tags"):
            _write(aws, aws.iam.tag_role, RoleName=spec.name, Tags=pairs(spec.tags))
        if delta.touches("trust"):
            document = spec.trust.to_json()
            _write(aws, aws.iam.update_assume_role_policy, RoleName=spec.name, PolicyDocument=document)
        if delta.touches("permissions_boundary") and spec.permissions_boundary:
            boundary = spec.permissions_boundary
            _write(aws, aws.iam.put_role_permissions_boundary, RoleName=spec.name, PermissionsBoundary=boundary)
        # What is new comes first, so that running tasks keep the rights that only move.
        have = live.spec
        changed = {name: policy for name, policy in spec.inline.items() if have.inline.get(name) != policy}
        _put_policies(aws, spec, changed, [arn for arn in spec.managed if arn not in have.managed])
        _remove_policies(
            aws,
            spec.name,
            [name for name in have.inline if name not in spec.inline],
            [known(arn) for arn in have.managed if arn not in spec.managed],
        )
        return live.out

    def meanwhile(self, spec: Role, live: RoleLive) -> Role:
        """Keep the rights that tasks of the old revision may have been made for, where the role has room for them."""
        old = live.spec
        inline = {
            name: spec.inline.get(name, Policy()).beside(old.inline.get(name, Policy()))
            for name in {*spec.inline, *old.inline}
        }
        managed = {*spec.managed, *old.managed}
        full = sum(policy.size for policy in inline.values()) > _INLINE_ROOM
        return replace(
            spec,
            inline=spec.inline if full else inline,
            managed=spec.managed if len(managed) > _MANAGED_ROOM else tuple(managed),
        )

    def delete(self, aws: Aws, live: RoleLive) -> None:
        name = live.out.name

        def gone() -> bool | None:
            return True if _role(aws, name) is None else None

        inline, attached = aws.together(lambda: _inline_names(aws, name), lambda: _attached(aws, name))
        _remove_policies(aws, name, inline, attached)
        _ignoring_gone(lambda: retrying(aws, lambda: aws.iam.delete_role(RoleName=name), _STILL_ATTACHED, _EDITED))
        # A replacement takes the name at once; IAM may go on showing the old role for a moment.
        polling(aws, f"deletion of the role {name}", gone, seconds=_GONE_SECONDS, interval=1)

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[RoleLive]:
        seen = _snapshot(aws, 0)
        if seen.complete:
            return [live for live in seen.roles.values() if live.id not in known and owner.owns(live.spec.tags)]
        arns = {arn for path in _paths(owner, known) for arn in _listed(aws, path)} - known
        listed = [arn.rpartition("/")[2] for arn in sorted(arns)]
        tagged = zip(listed, aws.each(lambda name: _tags(aws, name), listed), strict=True)
        ours = _read_singly(aws, [name for name, tags in tagged if owner.owns(tags)])
        return [live for live in ours.values() if live is not None]


@dataclass(frozen=True)
class ServiceRoles:
    """The ARNs of a service's roles: ECS uses `execution` to start its tasks, the containers have `task`."""

    execution: Late[str]
    task: Late[str]


@dataclass(frozen=True)
class Existing:
    """The ARNs of roles that a service has already; None where one is to be made."""

    execution: Ref[str] | None = None
    task: Ref[str] | None = None


_NONE = Existing()


def declare(  # noqa: PLR0913 - what makes up a pair of roles
    stack: Stack,
    service: str,
    *,
    path: str,
    permissions_boundary: str | None,
    account: Declared[Identity],
    region: str,
    execution: Sequence[Statement],
    task: Sequence[Statement],
    managed: Sequence[str] = (),
    existing: Existing = _NONE,
) -> ServiceRoles:
    """Declare the roles of `service`: `execution` and `task` are their rights, `managed` policies go to the task role.

    Only ECS tasks of this account and Region may assume them (ECS Developer Guide, "Task IAM role"). In place of one
    that is `existing` none is made.
    """
    trust = _trust(account, region)

    def role(name: str, suffix: str, statements: Sequence[Statement], arns: Sequence[str]) -> Ref[str]:
        spec = Role(
            name=name,
            path=path,
            trust=trust,
            inline={POLICY: Policy(statements=tuple(statements))},
            managed=tuple(arns),
            permissions_boundary=permissions_boundary,
            description=f"{suffix} role of {service}, made by fargatectl",
        )
        return stack.add(Roles(), f"{service}-{suffix}", spec, group=f"service {service}").ref(lambda out: out.arn)

    return ServiceRoles(
        execution=existing.execution or role(names.execution_role(stack.owner, service), "execution", execution, ()),
        task=existing.task or role(names.task_role(stack.owner, service), "task", task, managed),
    )


def declare_infrastructure(  # noqa: PLR0913 - what makes up a role
    stack: Stack,
    service: str,
    *,
    path: str,
    permissions_boundary: str | None,
    account: Declared[Identity],
    statements: Sequence[Statement] = (),
) -> Ref[str]:
    """Declare the role with which ECS shifts the requests of `service`, and return its ARN.

    `statements` are rights beside: to call the functions of hooks (ECS Developer Guide, "Amazon ECS infrastructure IAM
    role for load balancers").
    """
    spec = Role(
        name=names.infrastructure_role(stack.owner, service),
        path=path,
        # AWS's own example has no conditions: which keys ECS sends here is not documented.
        trust=Policy(statements=(Statement(sid="Ecs", actions=("sts:AssumeRole",), principals=(ECS,)),)),
        inline={POLICY: Policy(statements=tuple(statements))},
        managed=(account.ref(lambda identity: f"arn:{identity.partition}:iam::aws:policy/{SHIFT}"),),
        permissions_boundary=permissions_boundary,
        description=f"infrastructure role of {service}, made by fargatectl",
    )
    return stack.add(Roles(), f"{service}-infrastructure", spec, group=f"service {service}").ref(lambda out: out.arn)


def _trust(account: Declared[Identity], region: str) -> Policy:
    def source(identity: Identity) -> str:
        return f"arn:{identity.partition}:ecs:{region}:{identity.account}:*"

    statement = Statement(
        sid="EcsTasks",
        actions=("sts:AssumeRole",),
        principals=(TASKS,),
        conditions={
            "StringEquals": {"aws:SourceAccount": (account.ref(lambda identity: identity.account),)},
            "ArnLike": {"aws:SourceArn": (account.ref(source),)},
        },
    )
    return Policy(statements=(statement,))


@dataclass(frozen=True)
class _Snapshot:
    roles: Mapping[str, RoleLive]
    complete: bool


def _snapshot(aws: Aws, wanted: int) -> _Snapshot:
    """Return the first page of the account's roles, asked for once in a planning pass."""

    def ask() -> _Snapshot:
        size = max(_PAGE_MIN, min(_PAGE_MAX, wanted * _PAGE_PER_ROLE))
        try:
            page: Any = aws.iam.get_account_authorization_details(Filter=["Role"], MaxItems=size)
        except ClientError as error:
            if code_of(error) not in _DENIED:
                raise
            return _Snapshot({}, complete=False)
        lives = (_from_details(found) for found in page.get("RoleDetailList", ()))
        return _Snapshot({live.out.name: live for live in lives}, complete=not page.get("IsTruncated"))

    return aws.reads.once(("iam", "roles"), ask)


def _from_details(found: Mapping[str, Any]) -> RoleLive:
    inline = {policy["PolicyName"]: policy["PolicyDocument"] for policy in found.get("RolePolicyList", ())}
    return _live(found, inline, [policy["PolicyArn"] for policy in found.get("AttachedManagedPolicies", ())])


def _live(found: Mapping[str, Any], inline: Mapping[str, Any], managed: Sequence[str]) -> RoleLive:
    boundary = found.get("PermissionsBoundary") or {}
    spec = Role(
        name=found["RoleName"],
        path=found["Path"],
        trust=Policy.parse(found["AssumeRolePolicyDocument"]),
        inline={name: Policy.parse(document) for name, document in inline.items()},
        managed=tuple(managed),
        permissions_boundary=boundary.get("PermissionsBoundaryArn"),
        tags=as_dict(found.get("Tags")),
    )
    return Live(spec, RoleOut(found["RoleName"], found["Arn"]), found["Arn"])


def _read_singly(aws: Aws, wanted: Sequence[str]) -> dict[str, RoleLive | None]:
    asks: list[Callable[[], Any]] = [
        partial(ask, aws, name) for name in wanted for ask in (_role, _inline_names, _attached)
    ]
    answers = iter(aws.each(lambda ask: ask(), asks))
    parts = {name: (next(answers), next(answers), next(answers)) for name in wanted}
    pairs_of_names = [(name, policy) for name, (_, inline, _) in parts.items() for policy in inline]
    documents = aws.each(lambda pair: _document(aws, *pair), pairs_of_names)
    inline: dict[str, dict[str, Any]] = {name: {} for name in wanted}
    for (name, policy), document in zip(pairs_of_names, documents, strict=True):
        inline[name][policy] = document
    return {name: _live(role, inline[name], managed) if role else None for name, (role, _, managed) in parts.items()}


def _role(aws: Aws, name: str) -> Any:  # noqa: ANN401 - IAM's role, or None
    return _ignoring_gone(lambda: aws.iam.get_role(RoleName=name)["Role"])


def _inline_names(aws: Aws, name: str) -> list[str]:
    def ask() -> list[str]:
        pages = aws.iam.get_paginator("list_role_policies").paginate(RoleName=name)
        return [policy for page in pages for policy in page["PolicyNames"]]

    return _ignoring_gone(ask) or []


def _attached(aws: Aws, name: str) -> list[str]:
    def ask() -> list[str]:
        pages = aws.iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]

    return _ignoring_gone(ask) or []


def _document(aws: Aws, name: str, policy: str) -> Any:  # noqa: ANN401 - a decoded policy document
    def ask() -> Any:  # noqa: ANN401 - the same
        return aws.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]

    return _ignoring_gone(ask) or {}


def _tags(aws: Aws, name: str) -> dict[str, str]:
    return as_dict(_ignoring_gone(lambda: aws.iam.list_role_tags(RoleName=name)["Tags"]))


def _listed(aws: Aws, path: str) -> list[str]:
    pages = aws.iam.get_paginator("list_roles").paginate(PathPrefix=path)
    return [role["Arn"] for page in pages for role in page["Roles"]]


def _paths(owner: Ownership, known: AbstractSet[str]) -> set[str]:
    """Return where roles of ours may lie: the default path, and the paths of those that the file names now."""
    resources = (arn.partition(":role/")[2] for arn in known if ":iam::" in arn and ":role/" in arn)
    return {names.role_path(owner), *(f"/{name.rpartition('/')[0]}/".replace("//", "/") for name in resources)}


def _put_policies(aws: Aws, spec: Role, inline: Mapping[str, Policy], managed: Sequence[Late[str]]) -> None:
    for name, policy in inline.items():
        document = policy.to_json()
        _write(aws, aws.iam.put_role_policy, RoleName=spec.name, PolicyName=name, PolicyDocument=document)
    for arn in managed:
        _write(aws, aws.iam.attach_role_policy, RoleName=spec.name, PolicyArn=known(arn))


def _remove_policies(aws: Aws, role: str, inline: Sequence[str], managed: Sequence[str]) -> None:
    for name in inline:
        _ignoring_gone(partial(_write, aws, aws.iam.delete_role_policy, RoleName=role, PolicyName=name))
    for arn in managed:
        _ignoring_gone(partial(_write, aws, aws.iam.detach_role_policy, RoleName=role, PolicyArn=arn))


def _write(aws: Aws, call: Callable[..., Any], **request: Any) -> Any:  # noqa: ANN401 - IAM's request and its answer
    return retrying(aws, lambda: call(**request), _EDITED)


def _ignoring_gone(ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it answers
    try:
        return ask()
    except ClientError as error:
        if not says(error, _GONE):
            raise
        return None
