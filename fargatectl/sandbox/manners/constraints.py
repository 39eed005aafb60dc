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
        re.compile(r"[\w+=/:,.@-]*"),
        "InvalidParameterException",
    ),
)
for _constraint in CONSTRAINTS:
    HANDLERS.handles(_constraint.service, *_constraint.operations)(_constraint)

_LETTERS = re.compile(r"[\w\s.:/=+\-@]{0,256}")
_ANY, _SOMETHING = re.compile(r".{0,256}", re.DOTALL), re.compile(r".{1,256}", re.DOTALL)
_MAP_MAKES = ("CreateHttpNamespace", "CreatePrivateDnsNamespace", "CreateService")


@dataclass(frozen=True, slots=True)
class Tagging:
    """What keys and values a service takes in requests for some operations, and how it refuses others."""

    service: str
    operations: tuple[str, ...]
    value: re.Pattern[str]
    code: str
    too_many: tuple[str, str] | None = None

    def __call__(self, _region: Region, call: Call, forward: Forward) -> Answer:
        """Refuse keys and values that are not like that, and more than fifty."""
        given: Any = call.params.get("Tags") or call.params.get("tags") or {}
        pairs = list(given.items()) if isinstance(given, dict) else [(tag["Key"], tag["Value"]) for tag in given]
        if self.too_many and len({key for key, _ in pairs}) > _MOST_TAGS:
            raise AwsError(*self.too_many)
        for key, value in pairs:
            if key.lower().startswith("aws:"):
                raise AwsError(self.code, "Tag keys cannot start with aws:")
            if not (_LETTERS if self.value is _LETTERS else _SOMETHING).fullmatch(key) or len(key) > _LONGEST_KEY:
                raise AwsError(self.code, f"'{key}' at 'tags.key' failed to satisfy constraint")
            if not self.value.fullmatch(value):
                raise AwsError(self.code, f"'{value}' at 'tags.value' failed to satisfy constraint")
        return forward()


_LONGEST_KEY = 128
TAGGINGS = (
    Tagging(
        "elbv2",
        ("AddTags", "CreateListener", "CreateLoadBalancer", "CreateRule", "CreateTargetGroup"),
        _LETTERS,
        "ValidationError",
        ("TooManyTags", "The maximum number of tags has been reached"),
    ),
    Tagging(
        "servicediscovery",
        (*_MAP_MAKES, "TagResource"),
        _ANY,
        "InvalidInput",
        ("TooManyTagsException", "The list of tags on the resource is over the quota of 50."),
    ),
    Tagging(
        "logs",
        ("CreateLogGroup", "TagResource"),
        _LETTERS,
        "InvalidParameterException",
        ("TooManyTagsException", "The limit of 50 tags for a resource has been reached."),
    ),
    Tagging("acm", ("RequestCertificate", "AddTagsToCertificate"), _LETTERS, "ValidationException"),
    Tagging("iam", ("CreateRole", "TagRole"), _LETTERS, "ValidationError"),
    Tagging("ssm", ("PutParameter", "AddTagsToResource"), _LETTERS, "ValidationException"),
    Tagging("secretsmanager", ("CreateSecret", "TagResource"), _ANY, "ValidationException"),
    Tagging("scheduler", ("CreateScheduleGroup", "TagResource"), _SOMETHING, "ValidationException"),
    Tagging("application-autoscaling", ("RegisterScalableTarget", "TagResource"), _ANY, "ValidationException"),
)
for _tagging in TAGGINGS:
    HANDLERS.handles(_tagging.service, *_tagging.operations)(_tagging)
