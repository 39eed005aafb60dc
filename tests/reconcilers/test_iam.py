from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.engine.stack import Stack
from fargatectl.errors import Refused
from fargatectl.model.ownership import Ownership
from fargatectl.model.spec import resolve
from fargatectl.model.values import Address
from fargatectl.reconcilers import iam, identity
from fargatectl.reconcilers.iam import Policy, Role, Roles
from tests.sandbox.ecs_scene import TRUST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.reconcilers.iam import Statement
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger, Refusals

EXECUTION, TASK = Address("iam.role/web-execution"), Address("iam.role/web-task")
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"
OTHERS = {"Version": "2012-10-17", "Statement": {"Sid": "Theirs", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}}


def stack(  # noqa: PLR0913 - what a pair of roles is made of
    owner: Ownership,
    *,
    services: Sequence[str] = ("web",),
    path: str = "/fargatectl/shop/",
    boundary: str | None = None,
    execution: Sequence[Statement] | None = None,
    task: Sequence[Statement] = (),
    managed: Sequence[str] = (),
) -> Stack:
    made = Stack(owner, kinds=[Roles()])
    account = identity.declare(made, None)
    for service in services:
        iam.declare(
            made,
            service,
            path=path,
            permissions_boundary=boundary,
            account=account,
            region="eu-central-1",
            execution=iam.read_secrets([SECRET]) if execution is None else execution,
            task=task,
            managed=managed,
        )
    return made


def policy(aws: Aws, name: str) -> str:
    return aws.iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(OTHERS))["Policy"]["Arn"]


def writes(local: LocalAws) -> list[str]:
    return [call.operation for call in local.calls if call.mutating]


def spec(converger: Converger, made: Stack, address: Address) -> Any:
    return resolve(made.resources[address].spec, converger.plan(made).outputs)


@pytest.fixture(params=["all at once", "one by one"])
def way(request: pytest.FixtureRequest, refusals: Refusals) -> str:
    """Both ways to read roles: with and without the right to GetAccountAuthorizationDetails."""
    if request.param == "one by one":
        refusals.add("GetAccountAuthorizationDetails", "AccessDenied", "not authorized", times=100)
    return str(request.param)


def test_only_ecs_tasks_of_this_account_and_region_may_assume_the_roles(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner))

    found: Any = aws.iam.get_role(RoleName="shop-web-execution")["Role"]
    (statement,) = found["AssumeRolePolicyDocument"]["Statement"]
    assert found["Path"] == "/fargatectl/shop/"
    assert statement["Principal"] == {"Service": ["ecs-tasks.amazonaws.com"]}
    assert statement["Condition"] == {
        "ArnLike": {"aws:SourceArn": ["arn:aws:ecs:eu-central-1:123456789012:*"]},
        "StringEquals": {"aws:SourceAccount": ["123456789012"]},
    }


@pytest.mark.usefixtures("way")
def test_a_second_plan_is_empty(aws: Aws, converger: Converger, owner: Ownership) -> None:
    settings: Any = {"boundary": policy(aws, "boundary"), "task": iam.exec_channels(), "managed": [policy(aws, "more")]}

    converger.apply(stack(owner, **settings))

    assert converger.changes(stack(owner, **settings)) == {}


@pytest.mark.usefixtures("way")
def test_policies_that_somebody_added_or_took_off_are_drift_and_healed(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    wanted = stack(owner, task=iam.exec_channels())
    converger.apply(wanted)
    aws.iam.put_role_policy(RoleName="shop-web-task", PolicyName="theirs", PolicyDocument=json.dumps(OTHERS))
    aws.iam.attach_role_policy(RoleName="shop-web-task", PolicyArn=policy(aws, "more"))
    aws.iam.delete_role_policy(RoleName="shop-web-execution", PolicyName="fargatectl")

    fields = {change.address: [f.path for f in change.fields] for change in converger.plan(wanted).plan.changes}
    converger.apply(wanted)

    assert fields == {EXECUTION: ["inline.fargatectl"], TASK: ["inline.theirs", "managed"]}
    assert aws.iam.list_role_policies(RoleName="shop-web-task")["PolicyNames"] == ["fargatectl"]
    assert aws.iam.list_attached_role_policies(RoleName="shop-web-task")["AttachedPolicies"] == []
    assert converger.changes(wanted) == {}


def test_a_trust_policy_opened_by_hand_is_closed_again(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    document: Any = aws.iam.get_role(RoleName="shop-web-task")["Role"]["AssumeRolePolicyDocument"]
    document["Statement"][0].pop("Condition")
    aws.iam.update_assume_role_policy(RoleName="shop-web-task", PolicyDocument=json.dumps(document))

    assert converger.changes(stack(owner)) == {TASK: "update"}
    converger.apply(stack(owner))

    assert converger.changes(stack(owner)) == {}


def test_a_document_saved_in_another_form_is_no_drift(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Resource": SECRET,
            "Action": "secretsmanager:GetSecretValue",
            "Effect": "Allow",
            "Sid": "ReadSecrets",
        },
    }
    aws.iam.put_role_policy(RoleName="shop-web-execution", PolicyName="fargatectl", PolicyDocument=json.dumps(document))

    assert converger.changes(stack(owner)) == {}


def test_a_role_without_rights_has_no_policy(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, task=()))

    assert aws.iam.list_role_policies(RoleName="shop-web-task")["PolicyNames"] == []


def test_rights_that_are_no_longer_needed_are_taken_away(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, task=iam.exec_channels()))

    converger.apply(stack(owner, task=()))

    assert aws.iam.list_role_policies(RoleName="shop-web-task")["PolicyNames"] == []


def test_a_boundary_is_there_from_the_first_moment_and_changes_in_place(
    aws: Aws, local: LocalAws, converger: Converger, owner: Ownership
) -> None:
    first, second = policy(aws, "first"), policy(aws, "second")

    converger.apply(stack(owner, boundary=first))
    created = next(call for call in local.calls if call.operation == "CreateRole")
    converger.apply(stack(owner, boundary=second))

    boundary = aws.iam.get_role(RoleName="shop-web-task")["Role"]["PermissionsBoundary"]
    assert created.params["PermissionsBoundary"] == first
    assert boundary["PermissionsBoundaryArn"] == second


def test_a_boundary_that_somebody_else_set_stays(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    aws.iam.put_role_permissions_boundary(RoleName="shop-web-task", PermissionsBoundary=policy(aws, "theirs"))

    assert converger.changes(stack(owner)) == {}


def test_another_path_is_another_role_of_the_same_name(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))

    assert converger.changes(stack(owner, path="/elsewhere/")) == {EXECUTION: "replace", TASK: "replace"}
    converger.apply(stack(owner, path="/elsewhere/"))

    assert aws.iam.get_role(RoleName="shop-web-task")["Role"]["Path"] == "/elsewhere/"
    assert converger.changes(stack(owner, path="/elsewhere/")) == {}


def test_a_crash_before_the_policies_is_seen_by_the_next_plan(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    wanted = stack(owner)
    spec_ = spec(converger, wanted, EXECUTION)
    refusals.add("PutRolePolicy", "ServiceFailure")
    with pytest.raises(Exception, match="ServiceFailure"):
        Roles().create(aws, spec_)

    assert converger.changes(wanted) == {EXECUTION: "update", TASK: "create"}


def test_a_create_takes_up_its_own_earlier_success(aws: Aws, converger: Converger, owner: Ownership) -> None:
    wanted = stack(owner)
    spec_ = spec(converger, wanted, EXECUTION)
    converger.apply(stack(owner, execution=()))

    out = Roles().create(aws, spec_)

    assert out.arn == "arn:aws:iam::123456789012:role/fargatectl/shop/shop-web-execution"
    assert converger.changes(wanted) == {}


@pytest.mark.parametrize("tags", [{}, {"fargatectl:app": "shop", "fargatectl:env": "prod"}])
def test_a_create_leaves_the_role_of_somebody_else_alone(
    aws: Aws, local: LocalAws, owner: Ownership, tags: dict[str, str]
) -> None:
    listed: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
    aws.iam.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=listed)
    local.calls.clear()

    with pytest.raises(Refused, match="exists already"):
        Roles().create(aws, Role(name="web", trust=Policy.parse(TRUST), tags=owner.tags()))

    assert writes(local) == ["CreateRole"]


def test_a_name_that_is_taken_in_other_capitals_is_told(aws: Aws, owner: Ownership, refusals: Refusals) -> None:
    refusals.add("CreateRole", "EntityAlreadyExists", "Role with name Web already exists.")

    with pytest.raises(Refused, match="other capitals"):
        Roles().create(aws, Role(name="web", tags=owner.tags()))


def test_a_delete_takes_off_what_others_attached_and_waits_for_iam(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner))
    aws.iam.put_role_policy(RoleName="shop-web-task", PolicyName="theirs", PolicyDocument=json.dumps(OTHERS))
    aws.iam.attach_role_policy(RoleName="shop-web-task", PolicyArn=policy(aws, "more"))
    refusals.add("DeleteRole", "DeleteConflict", "Cannot delete entity, must detach all policies first.", times=2)

    converger.apply(stack(owner), absent=True)

    assert converger.changes(stack(owner), absent=True) == {}
    assert [role["RoleName"] for role in aws.iam.list_roles(PathPrefix="/fargatectl/")["Roles"]] == []


def test_a_role_that_somebody_else_edits_at_this_moment_is_waited_for(
    converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    for operation in ("CreateRole", "PutRolePolicy", "DeleteRole"):
        refusals.add(operation, "ConcurrentModification", "The request was rejected: it was modified.", times=2)

    converger.apply(stack(owner))
    assert converger.changes(stack(owner)) == {}
    converger.apply(stack(owner), absent=True)


def test_a_role_that_is_gone_already_is_deleted(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, execution=()))
    (live,) = Roles().read(aws, [Role(name="shop-web-task")])
    assert live is not None
    aws.iam.delete_role(RoleName="shop-web-task")

    Roles().delete(aws, live)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("path", ["/fargatectl/shop/", "/teams/checkout/"])
def test_roles_of_a_service_that_the_file_no_longer_names_are_swept(
    converger: Converger, owner: Ownership, path: str
) -> None:
    converger.apply(stack(owner, services=("web", "api"), path=path))
    staging = Ownership("shop", "staging")
    converger.apply(stack(staging, path=path))

    changes = converger.changes(stack(owner, path=path))

    assert changes == {"iam.role/api-execution": "delete", "iam.role/api-task": "delete"}


def test_reading_many_roles_takes_one_call(converger: Converger, owner: Ownership, local: LocalAws) -> None:
    services = [f"s{number}" for number in range(50)]
    converger.apply(stack(owner, services=services))
    local.calls.clear()

    assert converger.changes(stack(owner, services=services)) == {}

    assert [call.operation for call in local.calls if call.service == "iam"] == ["GetAccountAuthorizationDetails"]


def test_roles_beyond_the_first_page_are_read_singly(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    converger.apply(stack(owner))

    def empty_page(call: Any, apply: Any) -> Any:
        response = apply()
        if call.operation != "GetAccountAuthorizationDetails":
            return response
        body = response.body.replace(b"RoleDetailList>", b"Elsewhere>")
        body = body.replace(b"<IsTruncated>false", b"<IsTruncated>true")
        return type(response)(response.status, body, response.headers)

    local.intercept(empty_page)

    assert converger.changes(stack(owner)) == {}
    (live,) = Roles().read(aws, [Role(name="shop-web-task")])
    assert live is not None
