"""Security Token Service: who the access key belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call


@HANDLERS.handles("sts", "GetCallerIdentity")
def get_caller_identity(_region: Region, call: Call, _forward: Forward) -> Answer:
    """Answer with the account of the access key and a user of the local AWS's own."""
    return {
        "UserId": "AIDALOCALAWSLOCALAWS",
        "Account": call.account,
        "Arn": f"arn:aws:iam::{call.account}:user/local",
    }
