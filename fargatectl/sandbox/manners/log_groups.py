"""Log groups (AWS: CloudWatch Logs API Reference, CreateLogGroup and PutRetentionPolicy)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


@HANDLERS.handles("logs", "CreateLogGroup")
def create_log_group(_region: Region, call: Call, forward: Forward) -> Answer:
    """Create a group; AWS keeps names that begin with aws/ to itself."""
    name = call.params.get("logGroupName", "")
    if not _NAME.fullmatch(name):
        message = f"1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member "
        raise AwsError(
            "InvalidParameterException", f"{message}must satisfy regular expression pattern: {_NAME.pattern}"
        )
    if name.startswith("aws/"):
        raise AwsError("InvalidParameterException", "Log groups starting with AWS/ are reserved for AWS.")
    return forward()


@HANDLERS.handles("logs", "PutRetentionPolicy")
def put_retention_policy(_region: Region, call: Call, forward: Forward) -> Answer:
    """Set after how many days events expire: one of the numbers that AWS offers."""
    days = call.params.get("retentionInDays")
    if days not in _DAYS:
        message = f"Invalid retention value: {days}. Possible values are: {', '.join(map(str, _DAYS))}"
        raise AwsError("InvalidParameterException", message)
    return forward()
