"""Log groups (AWS: CloudWatch Logs API Reference, CreateLogGroup, PutRetentionPolicy and AssociateKmsKey)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fargatectl.sandbox import moto_adapter
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/.+")
_CLASSES = ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")


@dataclass(slots=True)
class Classes:
    """The class of each log group that is not STANDARD, by name."""

    of: dict[str, str] = field(default_factory=dict)


@HANDLERS.handles("logs", "CreateLogGroup")
def create_log_group(region: Region, call: Call, forward: Forward) -> Answer:
    """Create a group; AWS keeps names that begin with aws/ to itself."""
    name = call.params.get("logGroupName", "")
    if not _NAME.fullmatch(name):
        message = f"1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member "
        raise AwsError(
            "InvalidParameterException", f"{message}must satisfy regular expression pattern: {_NAME.pattern}"
        )
    if name.startswith("aws/"):
        raise AwsError("InvalidParameterException", "Log groups starting with AWS/ are reserved for AWS.")
    if call.params.get("kmsKeyId"):
        _check_key(call.params["kmsKeyId"])
    wanted = call.params.get("logGroupClass") or _CLASSES[0]
    if wanted not in _CLASSES:
        raise AwsError("InvalidParameterException", f"Invalid log group class: {wanted}")
    answer = forward()
    region.state(Classes).of[name] = wanted
    return answer


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise AwsError("InvalidParameterException", "The ARN of the KMS key is not valid; aliases are not supported.")


@HANDLERS.handles("logs", "DescribeLogGroups")
def describe_log_groups(region: Region, _call: Call, forward: Forward) -> Answer:
    """Return log groups, each with its class."""
    answer = forward()
    classes = region.state(Classes).of
    for group in answer.get("logGroups", []):
        group["logGroupClass"] = classes.get(group["logGroupName"], _CLASSES[0])
    return answer


@HANDLERS.handles("logs", "DeleteLogGroup")
def delete_log_group(region: Region, call: Call, forward: Forward) -> Answer:
    """Delete a group."""
    answer = forward()
    region.state(Classes).of.pop(call.params.get("logGroupName", ""), None)
    return answer


@HANDLERS.handles("logs", "AssociateKmsKey")
def associate_kms_key(region: Region, call: Call, _forward: Forward) -> Answer:
    """Encrypt with a key what is written from now on."""
    _check_key(call.params.get("kmsKeyId", ""))
    moto_adapter.set_log_group_key(region.backend("logs"), call.params.get("logGroupName", ""), call.params["kmsKeyId"])
    return {}


@HANDLERS.handles("logs", "DisassociateKmsKey")
def disassociate_kms_key(region: Region, call: Call, _forward: Forward) -> Answer:
    """Encrypt with AWS's own key what is written from now on."""
    moto_adapter.set_log_group_key(region.backend("logs"), call.params.get("logGroupName", ""), None)
    return {}


@HANDLERS.handles("logs", "PutRetentionPolicy")
def put_retention_policy(_region: Region, call: Call, forward: Forward) -> Answer:
    """Set after how many days events expire: one of the numbers that AWS offers."""
    days = call.params.get("retentionInDays")
    if days not in _DAYS:
        message = f"Invalid retention value: {days}. Possible values are: {', '.join(map(str, _DAYS))}"
        raise AwsError("InvalidParameterException", message)
    return forward()
