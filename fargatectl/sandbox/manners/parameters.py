"""Parameter Store on the cloud's clock: moto stamps parameters with the machine's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from datetime import datetime

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call


_STANDARD_SIZE = 4096


class Written(dict[str, "datetime"]):
    """When the parameters of an account's Region were written last, by name."""


@HANDLERS.handles("ssm", "PutParameter")
def put_parameter(region: Region, call: Call, forward: Forward) -> Answer:
    """Note the time of a write that succeeded; a standard parameter holds 4 KB."""
    if call.params.get("Tier", "Standard") == "Standard" and len(call.params["Value"].encode()) > _STANDARD_SIZE:
        message = "Standard tier parameters support a maximum parameter value of 4096 characters."
        raise AwsError("ValidationException", message)
    answer = forward()
    region.state(Written)[call.params["Name"]] = region.date()
    return answer


@HANDLERS.handles("ssm", "GetParameter", "GetParameters", "GetParametersByPath")
def get_parameters(region: Region, call: Call, forward: Forward) -> Answer:
    """Show the time of the last write."""
    del call
    answer = forward()
    found = [*answer.get("Parameters", ()), *filter(None, [answer.get("Parameter")])]
    for parameter in found:
        stamp = region.state(Written).get(parameter["Name"])
        if stamp is not None:
            parameter["LastModifiedDate"] = stamp
    return answer
