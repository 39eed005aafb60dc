"""The role with which EventBridge Scheduler starts the task of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.model import names
from fargatectl.reconcilers.iam.policy import Policy, Statement
from fargatectl.reconcilers.iam.roles import POLICY, Role, Roles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Identity
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.model.values import Ref

_SCHEDULER = "Service:scheduler.amazonaws.com"


def declare_scheduler(  # noqa: PLR0913 - what makes up a role
    stack: Stack,
    job: str,
    *,
    path: str,
    permissions_boundary: str | None,
    account: Declared[Identity],
    region: str,
    rights: Sequence[Statement],
) -> Ref[str]:
    """Declare the role with which EventBridge Scheduler starts `job`.

    Only schedules of the app's own group may assume it: the source that Scheduler names is the group, never a schedule
    (EventBridge Scheduler User Guide, "Confused deputy prevention").
    """

    def group(identity: Identity) -> str:
        name = names.schedule_group(stack.owner)
        return f"arn:{identity.partition}:scheduler:{region}:{identity.account}:schedule-group/{name}"

    trust = Statement(
        sid="Scheduler",
        actions=("sts:AssumeRole",),
        principals=(_SCHEDULER,),
        conditions={
            "StringEquals": {
                "aws:SourceAccount": (account.ref(lambda identity: identity.account),),
                "aws:SourceArn": (account.ref(group),),
            },
        },
    )
    spec = Role(
        name=names.scheduler_role(stack.owner, job),
        path=path,
        trust=Policy(statements=(trust,)),
        inline={POLICY: Policy(statements=tuple(rights))},
        permissions_boundary=permissions_boundary,
        description=f"schedule role of {job}, made by fargatectl",
    )
    return stack.add(Roles(), f"{job}-schedule", spec, group=f"job {job}").ref(lambda out: out.arn)
