"""What a role may do: just enough of IAM's evaluation to tell whether a task can start.

Identity policies only; allow and deny with wildcards; conditions are taken as met, except those of a trust policy on
who asks (AWS: IAM user guide, "Policy evaluation logic").
"""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import moto_adapter
from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.moto_adapter import RoleView

PROPAGATION_SECONDS = 10.0


def role(region: Region, arn: str) -> RoleView | None:
    """Return a role of this account by its ARN, or None."""
    return moto_adapter.role(region.view("iam"), arn)


@dataclass(slots=True)
class Changes:
    """When roles of an account were last made or given another trust policy, by ARN (AWS seconds)."""

    at: dict[str, float] = field(default_factory=dict)


def note_change(region: Region, arn: str) -> None:
    """Take notice that a role begins to be assumable."""
    _changes(region).at[arn] = region.now


def is_new(region: Region, arn: str) -> bool:
    """Tell whether a role cannot be assumed yet (AWS: IAM user guide, "Changes that I make are not always ...")."""
    since = _changes(region).at.get(arn)
    return since is not None and region.now < since + region.script.number("iam_lag", PROPAGATION_SECONDS)


def _changes(region: Region) -> Changes:
    return region.cloud.state(Changes, region.account, "")


def allows(role: RoleView, action: str, resource: str) -> bool:
    """Tell whether a role's policies allow an action ("service:Name") on a resource (an ARN, or "*")."""
    allowed = False
    for statement in _statements(role.documents):
        if not (_action_matches(statement, action) and _resource_matches(statement, resource)):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = True
    return allowed


def trusts(role: RoleView, service: str, context: Mapping[str, str] | None = None) -> bool:
    """Tell whether a role may be assumed by a service ("ecs-tasks.amazonaws.com").

    `context` has what the service says of itself ("aws:SourceArn"); conditions on anything else are taken as met.
    """
    for statement in _statements((role.trust,)):
        principal = statement.get("Principal") or {}
        services = _list(principal.get("Service")) if isinstance(principal, dict) else [principal]
        trusted = statement.get("Effect") == "Allow" and {service, "*"} & set(services)
        if trusted and _conditions_hold(statement.get("Condition") or {}, context or {}):
            return True
    return False


def _conditions_hold(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    known = {key.lower(): value for key, value in context.items()}
    return all(
        _any_matches(_list(wanted), known[key.lower()])
        for operator, keys in conditions.items()
        if operator in ("ArnEquals", "ArnLike", "StringEquals", "StringLike")
        for key, wanted in keys.items()
        if key.lower() in known
    )


def bucket_admits(region: Region, bucket: str, service: str, action: str, key: str) -> bool:
    """Tell whether a bucket's policy lets a service do something with an object.

    The accounts that Elastic Load Balancing had before it had a name of its own are taken for it.
    """
    try:
        policy = region.moto("s3", "GetBucketPolicy", Bucket=bucket)["Policy"]
    except AwsError:
        return False
    allowed = False
    for statement in _statements((policy,)):
        principal = statement.get("Principal") or {}
        named = (
            [principal]
            if isinstance(principal, str)
            else [*_list(principal.get("Service")), *_list(principal.get("AWS"))]
        )
        meant = any(name in (service, "*") or str(name).endswith(":root") for name in named)
        if (
            meant
            and _action_matches(statement, action)
            and _resource_matches(statement, f"arn:aws:s3:::{bucket}/{key}")
        ):
            if statement.get("Effect") == "Deny":
                return False
            allowed = True
    return allowed


def _statements(documents: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for document in documents:
        try:
            content = json.loads(document)
        except ValueError:
            continue
        yield from _list(content.get("Statement"))


def _action_matches(statement: dict[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _any_matches(_list(statement["NotAction"]), action, ignore_case=True)
    return _any_matches(_list(statement.get("Action")), action, ignore_case=True)


def _resource_matches(statement: dict[str, Any], resource: str) -> bool:
    if "NotResource" in statement:
        return not _any_matches(_list(statement["NotResource"]), resource)
    return _any_matches(_list(statement.get("Resource")), resource)


def _any_matches(patterns: list[Any], text: str, *, ignore_case: bool = False) -> bool:
    # fnmatch's brackets have no meaning in IAM.
    escaped = (str(pattern).replace("[", "[[]") for pattern in patterns)
    if ignore_case:
        return any(fnmatch.fnmatchcase(text.lower(), pattern.lower()) for pattern in escaped)
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in escaped)


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
