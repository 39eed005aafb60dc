from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from fargatectl.engine.reconciler import Live
from fargatectl.model.change import diff
from fargatectl.model.values import Address, Ref, fill
from fargatectl.reconcilers import iam
from fargatectl.reconcilers.iam import Policy, Role, Roles, Statement
from fargatectl.reconcilers.iam.roles import RoleOut

if TYPE_CHECKING:
    import random

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234"
ALIAS = "arn:aws:kms:eu-central-1:123456789012:alias/shop"
HERE = Address("secrets.secret/db")

words = st.text("abcdefgh", min_size=1, max_size=4)
lists = st.lists(words, min_size=1, max_size=3)
statements = st.builds(
    Statement,
    sid=words,
    effect=st.sampled_from(["Allow", "Deny"]),
    actions=lists.map(tuple),
    resources=lists.map(tuple),
    conditions=st.dictionaries(words, st.dictionaries(words, lists.map(tuple), min_size=1, max_size=2), max_size=2),
    principals=st.lists(words.map("Service:{}".format), max_size=2).map(tuple),
)
policies = st.lists(statements, max_size=3, unique_by=lambda statement: statement.sid).map(
    lambda listed: Policy(statements=tuple(listed))
)


def scrambled(value: Any, order: random.Random) -> Any:
    """Return a document that says the same: other orders, and one value without its list."""
    if isinstance(value, dict):
        return {key: scrambled(part, order) for key, part in order.sample(sorted(value.items()), len(value))}
    if isinstance(value, list):
        parts = [scrambled(part, order) for part in order.sample(value, len(value))]
        return parts[0] if len(parts) == 1 and order.random() < 0.5 else parts
    return value


@given(policies, st.randoms(use_true_random=False))
def test_documents_that_say_the_same_are_equal(policy: Policy, order: random.Random) -> None:
    document = scrambled(json.loads(policy.to_json()), order)

    assert Policy.parse(document) == policy


@given(policies)
def test_the_document_of_a_policy_is_always_the_same_text(policy: Policy) -> None:
    assert Policy.parse(json.loads(policy.to_json())).to_json() == policy.to_json()


def test_what_we_never_write_shows_as_a_difference() -> None:
    ours = Policy(statements=(iam.allow("A", ["s3:GetObject"], ["*"]),))
    theirs = json.loads(ours.to_json())
    theirs["Statement"][0]["NotAction"] = "iam:*"

    assert Policy.parse(theirs) != ours


def test_numbers_and_booleans_are_text_in_conditions() -> None:
    condition = {"Bool": {"aws:SecureTransport": True}, "NumericLessThan": {"s3:max-keys": 10}}
    document = {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition}}

    (statement,) = Policy.parse(document).statements

    assert statement.conditions == {
        "Bool": {"aws:SecureTransport": ("true",)},
        "NumericLessThan": {"s3:max-keys": ("10",)},
    }


def test_a_difference_names_the_statement() -> None:
    def role(*secrets: str) -> Role:
        return Role(name="web", inline={"fargatectl": Policy(statements=iam.read_secrets(secrets))})

    (change,) = diff(role(SECRET, "b"), role(SECRET))

    assert change.path == "inline.fargatectl.statements[ReadSecrets].resources"
    assert (change.before, change.after) == ((SECRET,), (SECRET, "b"))


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            iam.pull_from_ecr(["arn:repo"]),
            {
                "ecr:GetAuthorizationToken": ["*"],
                "ecr:BatchCheckLayerAvailability": ["arn:repo"],
                "ecr:BatchGetImage": ["arn:repo"],
                "ecr:GetDownloadUrlForLayer": ["arn:repo"],
            },
        ),
        (iam.write_logs(["arn:g"]), {"logs:CreateLogStream": ["arn:g:*"], "logs:PutLogEvents": ["arn:g:*"]}),
        (iam.read_secrets([SECRET]), {"secretsmanager:GetSecretValue": [SECRET]}),
        (iam.read_parameters(["arn:p"]), {"ssm:GetParameters": ["arn:p"]}),
        (iam.decrypt([KEY, None]), {"kms:Decrypt": [KEY]}),
        (
            iam.exec_channels(),
            {f"ssmmessages:{verb}{kind}Channel": ["*"] for verb in ("Create", "Open") for kind in ("Control", "Data")},
        ),
    ],
)
def test_rights_are_exactly_what_is_needed(statements: tuple[Statement, ...], expected: dict[str, list[str]]) -> None:
    document = json.loads(Policy(statements=statements).to_json())

    allowed = {action: part["Resource"] for part in document["Statement"] for action in part["Action"]}

    assert allowed == expected
    assert all(part["Effect"] == "Allow" for part in document["Statement"])


@pytest.mark.parametrize(
    "statements",
    [
        iam.pull_from_ecr([]),
        iam.write_logs([]),
        iam.read_secrets([]),
        iam.read_parameters([]),
        iam.decrypt([]),
        iam.decrypt([None]),
    ],
)
def test_rights_on_nothing_are_no_statement(statements: tuple[Statement, ...]) -> None:
    assert Policy(statements=statements) == Policy()
    assert Role(name="web", inline={"fargatectl": Policy(statements=statements)}).inline == {}


def test_keys_behind_an_alias_are_allowed_by_its_name() -> None:
    document = json.loads(Policy(statements=iam.decrypt([ALIAS])).to_json())

    assert document["Statement"] == [
        {
            "Sid": "DecryptByAlias",
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": ["arn:aws:kms:eu-central-1:123456789012:key/*"],
            "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ["alias/shop"]}},
        }
    ]


def test_a_late_value_that_turns_out_to_be_none_takes_its_statement_along() -> None:
    late: Ref[str | None] = Ref(HERE, lambda out: out)
    policy = Policy(statements=(*iam.read_secrets([SECRET]), *iam.decrypt([late])))

    assert [s.sid for s in fill(policy, {HERE: None}).statements] == ["ReadSecrets"]
    assert [s.sid for s in fill(policy, {HERE: KEY}).statements] == ["Decrypt", "ReadSecrets"]
    assert [s.sid for s in fill(policy, {HERE: ALIAS}).statements] == ["DecryptByAlias", "ReadSecrets"]


def allowed(policy: Policy) -> set[tuple[str, str, str]]:
    """Return what a policy allows: action, resource, and under what conditions for whom."""
    return {
        (action, str(resource), f"{statement.conditions} {statement.principals}")
        for statement in policy.statements
        if statement.effect == "Allow"
        for action in statement.actions
        for resource in statement.resources
    }


@given(policies, policies)
def test_two_policies_side_by_side_allow_what_both_allow_and_nothing_else(new: Policy, old: Policy) -> None:
    both = new.beside(old)
    assert allowed(both) == allowed(new) | allowed(old)
    assert {statement for statement in new.statements if statement not in both.statements} == set()
    assert new.beside(both) == both


@given(policies)
def test_nothing_is_kept_of_a_policy_that_only_grows(policy: Policy) -> None:
    more = Policy(
        statements=tuple(
            Statement(
                sid=one.sid,
                effect=one.effect,
                actions=(*one.actions, "more"),
                resources=one.resources,
                conditions=one.conditions,
                principals=one.principals,
            )
            for one in policy.statements
        )
    )
    assert more.beside(policy) == more


def test_a_role_without_room_for_both_takes_the_new_rights_at_once() -> None:
    arns = [f"arn:aws:s3:::{'x' * 200}{number}/*" for number in range(60)]
    old = Role(
        name="r",
        inline={"p": Policy(statements=(iam.allow("A", ["s3:GetObject"], arns[:30]),))},
        managed=tuple(f"arn:aws:iam::aws:policy/p{number}" for number in range(8)),
    )
    new = Role(
        name="r",
        inline={"p": Policy(statements=(iam.allow("A", ["s3:GetObject"], arns[30:]),))},
        managed=tuple(f"arn:aws:iam::aws:policy/p{number}" for number in range(6, 12)),
    )
    live = Live(old, RoleOut("r", "arn"), "arn")
    assert Roles().meanwhile(new, live) == new
    smaller = Role(name="r", inline={"p": Policy(statements=(iam.allow("A", ["s3:GetObject"], arns[30:31]),))})
    kept = Roles().meanwhile(smaller, live)
    assert kept.managed == old.managed
    assert len(kept.inline["p"].statements) == 2
