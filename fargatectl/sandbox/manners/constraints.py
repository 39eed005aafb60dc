"""Names, sizes and tags that services refuse before they look at anything else: the constraints of their shapes.

AWS: the API reference of each service, under the member that is named. Registered before the other manners.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a text in requests for some operations is like; `secret` texts are not repeated in the refusal."""

    service: str
    operations: tuple[str, ...]
    member: str
    pattern: re.Pattern[str]
    code: str
    secret: bool = False

    def __call__(self, _region: Region, call: Call, forward: Forward) -> Answer:
        """Refuse a text that is not like that."""
        value = call.params.get(self.member)
        if value is not None and not self.pattern.fullmatch(value):
            shown = "" if self.secret else f" '{value}'"
            member = f"{self.member[0].lower()}{self.member[1:]}"
            message = (
                f"1 validation error detected: Value{shown} at '{member}' failed to satisfy constraint: Member must "
            )
            raise AwsError(self.code, f"{message}satisfy regular expression pattern: {self.pattern.pattern}")
        return forward()


_ROLES = ("CreateRole",)
_LABEL = r"((?=^.{1,127}$)^([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9])(\.([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}"
CONSTRAINTS = (
    Constraint("iam", _ROLES, "RoleName", re.compile(r"[\w+=,.@-]{1,64}"), "ValidationError"),
    Constraint("iam", _ROLES, "Path", re.compile(r"/|/[!-~]+/"), "ValidationError"),
    Constraint("secretsmanager", ("CreateSecret",), "Name", re.compile(r"[\w/+=.@-]{1,512}"), "ValidationException"),
    Constraint(
        "secretsmanager",
        ("CreateSecret", "PutSecretValue", "UpdateSecret"),
        "SecretString",
        re.compile(r"[\s\S]{1,65536}"),
        "ValidationException",
        secret=True,
    ),
    Constraint("ssm", ("PutParameter",), "Name", re.compile(r"[a-zA-Z0-9_.\-/]{1,1011}"), "ValidationException"),
    Constraint(
        "servicediscovery",
        ("CreateService",),
        "Name",
        re.compile(rf"{_LABEL}[a-zA-Z0-9_]|[a-zA-Z0-9]))*$)|(^\.$)"),
        "InvalidInput",
    ),
    # What DescribeLogGroups calls `arn` ends in :*, which is for policies; tags want `logGroupArn`.
    Constraint(
        "logs",
        ("TagResource", "UntagResource", "ListTagsForResource"),
        "resourceArn",
        re.compile(r"[\w+=/:,.@#-]*"),
        "InvalidParameterException",
    ),
)
for _constraint in CONSTRAINTS:
    HANDLERS.handles(_constraint.service, *_constraint.operations)(_constraint)

_TOO_MANY = {
    "elbv2": ("TooManyTags", "The maximum number of tags has been reached"),
    "servicediscovery": ("TooManyTagsException", "The list of tags on the resource is over the quota of 50."),
    "logs": ("TooManyTagsException", "The limit of 50 tags for a resource has been reached."),
}


@HANDLERS.handles("elbv2", "AddTags", "CreateListener", "CreateLoadBalancer", "CreateRule", "CreateTargetGroup")
@HANDLERS.handles(
    "servicediscovery", "CreateHttpNamespace", "CreatePrivateDnsNamespace", "CreateService", "TagResource"
)
@HANDLERS.handles("logs", "CreateLogGroup", "TagResource")
def count_tags(_region: Region, call: Call, forward: Forward) -> Answer:
    """Refuse more than fifty tags, and tags of AWS's own."""
    given: Any = call.params.get("Tags") or call.params.get("tags") or {}
    keys = list(given) if isinstance(given, dict) else [tag["Key"] for tag in given]
    code, message = _TOO_MANY[call.service]
    if len(set(keys)) > _MOST_TAGS:
        raise AwsError(code, message)
    if any(key.lower().startswith("aws:") for key in keys):
        refusal = {"elbv2": "ValidationError", "servicediscovery": "InvalidInput"}
        raise AwsError(refusal.get(call.service, "InvalidParameterException"), "Tag keys cannot start with aws:")
    return forward()
