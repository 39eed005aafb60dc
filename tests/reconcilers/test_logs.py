from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.engine.stack import Stack
from fargatectl.errors import Refused
from fargatectl.reconcilers import logs
from fargatectl.reconcilers.logs import LogGroup, LogGroups

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger, Refusals

GROUP = "logs.group/shop/web"


def stack(owner: Ownership, *, retention_days: int | None = 30, keep: bool = False) -> Stack:
    made = Stack(owner, kinds=[LogGroups()])
    logs.declare(made, "/shop/web", retention_days=retention_days, keep=keep, group="service web")
    return made


def described(aws: Aws, name: str = "/shop/web") -> Any:
    found = aws.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next((group for group in found if group["logGroupName"] == name), None)


def tags(aws: Aws) -> dict[str, str]:
    return aws.logs.list_tags_for_resource(resourceArn=described(aws)["arn"].removesuffix(":*"))["tags"]


def writes(local: LocalAws) -> list[str]:
    return [call.operation for call in local.calls if call.mutating]


def test_a_group_is_made_with_tags_and_retention(aws: Aws, converger: Converger, owner: Ownership) -> None:
    outcome = converger.apply(stack(owner))

    made = next(iter(outcome.outputs.values()))
    assert described(aws)["retentionInDays"] == 30
    assert tags(aws) == {**owner.tags(), "fargatectl:address": GROUP}
    assert made.arn == described(aws)["arn"].removesuffix(":*")
    assert converger.changes(stack(owner)) == {}


@pytest.mark.parametrize("names", [["/shop/web"], ["/shop/web", "/shop/a", "/shop/b", "/shop/c"]])
def test_only_the_exact_name_counts(aws: Aws, names: list[str]) -> None:
    aws.logs.create_log_group(logGroupName="/shop/web-2")
    aws.logs.create_log_group(logGroupName="/shop/web/more")
    specs = [LogGroup(name=name) for name in names]
    assert LogGroups().read(aws, specs) == [None] * len(names)

    aws.logs.create_log_group(logGroupName="/shop/web")

    found = LogGroups().read(aws, specs)
    assert [live and live.out.name for live in found] == ["/shop/web", *[None] * (len(names) - 1)]


def test_many_groups_are_read_fifty_a_call(converger: Converger, owner: Ownership, local: LocalAws) -> None:
    made = Stack(owner, kinds=[LogGroups()])
    for number in range(60):
        logs.declare(made, f"/shop/{number}", retention_days=30, keep=False, group="service web")
    converger.apply(made)
    local.calls.clear()

    assert converger.changes(made) == {}

    asked = [call.params["logGroupIdentifiers"] for call in local.calls if call.operation == "DescribeLogGroups"]
    assert sorted({len(names) for names in asked}) == [10, 50]


def test_a_crash_before_the_retention_is_seen_by_the_next_plan(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    made = stack(owner)
    spec = next(iter(made.resources.values())).spec
    refusals.add("PutRetentionPolicy", "ServiceUnavailable")
    with pytest.raises(Exception, match="ServiceUnavailable"):
        LogGroups().create(aws, spec)

    (change,) = converger.plan(made).plan.changes
    converger.apply(made)

    assert [(f.path, f.before, f.after) for f in change.fields] == [("retention_days", 0, 30)]
    assert described(aws)["retentionInDays"] == 30


@pytest.mark.parametrize(("wanted", "expected"), [(None, 30), (0, None), (7, 7)])
def test_retention_is_left_alone_lifted_or_changed(
    aws: Aws, converger: Converger, owner: Ownership, wanted: int | None, expected: int | None
) -> None:
    converger.apply(stack(owner))

    converger.apply(stack(owner, retention_days=wanted))

    assert described(aws).get("retentionInDays") == expected
    assert converger.changes(stack(owner, retention_days=wanted)) == {}


def test_a_name_that_is_longer_than_a_tag_is_known_all_the_same(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    name = "/shop/" + "w" * 400

    def named() -> Stack:
        made = Stack(owner, kinds=[LogGroups()])
        logs.declare(made, name, retention_days=30, keep=False, group="service web")
        return made

    converger.apply(named())
    assert described(aws, name)
    assert converger.changes(named()) == {}
    converger.apply(Stack(owner, kinds=[LogGroups()]))
    assert described(aws, name) is None


def test_a_create_takes_up_its_own_earlier_success(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, retention_days=0))
    made = stack(owner)

    LogGroups().create(aws, next(iter(made.resources.values())).spec)

    assert converger.changes(made) == {}


def test_a_create_leaves_the_group_of_somebody_else_alone(aws: Aws, local: LocalAws, owner: Ownership) -> None:
    aws.logs.create_log_group(logGroupName="/shop/web")
    local.calls.clear()

    with pytest.raises(Refused, match="somebody else"):
        LogGroups().create(aws, LogGroup(name="/shop/web", retention_days=1, tags=owner.tags()))

    assert writes(local) == ["CreateLogGroup"]


def test_tags_of_others_survive_and_ours_are_put_back(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    arn = described(aws)["arn"].removesuffix(":*")
    aws.logs.tag_resource(resourceArn=arn, tags={"theirs": "1"})
    aws.logs.untag_resource(resourceArn=arn, tagKeys=["fargatectl:address"])

    assert converger.changes(stack(owner)) == {GROUP: "update"}
    converger.apply(stack(owner))

    assert tags(aws) == {**owner.tags(), "fargatectl:address": GROUP, "theirs": "1"}


def test_a_delete_waits_for_another_change_and_is_done_twice(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner))
    (live,) = LogGroups().read(aws, [LogGroup(name="/shop/web")])
    assert live is not None
    refusals.add("DeleteLogGroup", "OperationAbortedException", times=3)

    converger.apply(stack(owner), absent=True)
    LogGroups().delete(aws, live)

    assert described(aws) is None


def test_each_change_waits_for_another_one(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    for operation in ("CreateLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy"):
        refusals.add(operation, "OperationAbortedException", "A conflicting operation is in progress.", times=2)

    converger.apply(stack(owner))
    assert described(aws)["retentionInDays"] == 30
    converger.apply(stack(owner, retention_days=0))
    assert "retentionInDays" not in described(aws)


def test_a_group_to_keep_says_so_itself(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, keep=True))
    assert tags(aws)["fargatectl:keep"] == "true"
    assert converger.changes(stack(owner, keep=True)) == {}

    converger.apply(stack(owner, keep=False))

    assert "fargatectl:keep" not in tags(aws)
    assert converger.changes(stack(owner, keep=False)) == {}


def test_a_group_to_keep_is_kept_when_the_file_no_longer_names_it(converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, keep=True))

    planning = converger.plan(Stack(owner, kinds=[LogGroups()]))

    assert planning.plan.changes == ()
    assert planning.kept == ("log group /shop/web",)


def test_what_the_file_no_longer_names_is_swept(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))

    converger.apply(Stack(owner, kinds=[LogGroups()]))

    assert described(aws) is None


@pytest.mark.parametrize(("deployed", "wanted"), [(True, True), (True, False), (False, True)])
def test_the_file_or_the_tag_is_enough_to_keep_a_group(
    aws: Aws, converger: Converger, owner: Ownership, *, deployed: bool, wanted: bool
) -> None:
    converger.apply(stack(owner, keep=deployed))
    spec = LogGroup(name="/shop/web", keep=wanted)
    (live,) = LogGroups().read(aws, [spec])
    assert live is not None

    assert LogGroups().kept(LogGroups().match(spec, live))


def test_tags_that_the_tagging_api_proves_are_not_asked_for_again(
    aws: Aws,
    local: LocalAws,
    converger: Converger,
    owner: Ownership,
    show_tagged: Callable[[dict[str, dict[str, str]]], None],
) -> None:
    converger.apply(stack(owner))
    show_tagged({described(aws)["arn"].removesuffix(":*"): tags(aws)})
    local.calls.clear()

    assert converger.changes(stack(owner)) == {}

    assert "ListTagsForResource" not in {call.operation for call in local.calls}
