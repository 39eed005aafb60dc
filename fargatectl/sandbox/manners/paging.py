"""Pages, filters and ids of the Describe operations of ELB and EC2, which moto takes as they come.

AWS: ELB v2 API Reference and EC2 API Reference, "Pagination" and "Filters" of each operation. Registered before the
other manners, so that those see and return everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

ALL = 100_000  # as a page size, what moto takes for everything
_LARGEST_PAGE = 400
_LISTS = {
    "DescribeLoadBalancers": "LoadBalancers",
    "DescribeTargetGroups": "TargetGroups",
    "DescribeListeners": "Listeners",
    "DescribeRules": "Rules",
    "DescribeListenerCertificates": "Certificates",
}
_LEAST, _MOST = 5, 1000
_OF_EC2 = {
    "DescribeSecurityGroups": ("SecurityGroups", "GroupIds"),
    "DescribeSubnets": ("Subnets", "SubnetIds"),
    "DescribeVpcs": ("Vpcs", "VpcIds"),
    "DescribeRouteTables": ("RouteTables", "RouteTableIds"),
    "DescribeNetworkInterfaces": ("NetworkInterfaces", "NetworkInterfaceIds"),
    "DescribeVpcEndpoints": ("VpcEndpoints", "VpcEndpointIds"),
}
_MALFORMED = {
    "GroupIds": ("sg", "InvalidGroupId.Malformed"),
    "SubnetIds": ("subnet", "InvalidSubnetID.Malformed"),
    "VpcIds": ("vpc", "InvalidVpcID.Malformed"),
    "RouteTableIds": ("rtb", "InvalidRouteTableId.Malformed"),
    "NetworkInterfaceIds": ("eni", "InvalidNetworkInterfaceId.Malformed"),
    "VpcEndpointIds": ("vpce", "InvalidVpcEndpointId.Malformed"),
}
_FAILS = ("LocalAwsFailure", "NotImplemented", "FilterNotImplementedError")


@HANDLERS.handles("elbv2", *_LISTS)
def page_of_elb(_region: Region, call: Call, forward: Forward) -> Answer:
    """Return one page, by `PageSize` and `Marker`."""
    size, marker = call.params.get("PageSize") or _LARGEST_PAGE, call.params.get("Marker") or "0"
    if not 1 <= size <= _LARGEST_PAGE:
        raise AwsError("ValidationError", f"Page size '{size}' must be between '1-400' inclusive")
    if not marker.isdigit():
        raise AwsError("ValidationError", f"The marker '{marker}' is not valid")
    answer = forward({**_without(call.params, "Marker"), "PageSize": ALL})
    items, start = answer.get(_LISTS[call.operation], []), int(marker)
    more = {"NextMarker": str(start + size)} if start + size < len(items) else {}
    return {_LISTS[call.operation]: items[start : start + size], **more}


def _without(params: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key not in names}


@HANDLERS.handles("ec2", *_OF_EC2)
def page_of_ec2(_region: Region, call: Call, forward: Forward) -> Answer:
    """Return one page, by `MaxResults` and `NextToken`; refuse filters and ids that there are not."""
    items_key, ids_key = _OF_EC2[call.operation]
    size, token = call.params.get("MaxResults"), call.params.get("NextToken") or "0"
    if size is not None and call.params.get(ids_key):
        message = f"The parameter {ids_key} cannot be used with the parameter maxResults"
        raise AwsError("InvalidParameterCombination", message)
    if size is not None and not _LEAST <= size <= _MOST:
        message = f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."
        raise AwsError("InvalidParameterValue", message)
    if not token.isdigit():
        raise AwsError("InvalidNextToken", "The token in the request is not valid.")
    _refuse_malformed(ids_key, call.params)
    answer = _asked(call, forward)
    items, start, size = answer.get(items_key, []), int(token), size or _MOST
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return {items_key: items[start : start + size], **more}


def _refuse_malformed(ids_key: str, params: Mapping[str, Any]) -> None:
    prefix, code = _MALFORMED[ids_key]
    for identifier in params.get(ids_key) or []:
        # Files for the local AWS may name things by ids that are easier to remember than AWS's.
        if not identifier.startswith(f"{prefix}-"):
            raise AwsError(code, f'Invalid id: "{identifier}" (expecting "{prefix}-...")')


def _asked(call: Call, forward: Forward) -> Answer:
    try:
        return forward(_without(call.params, "MaxResults", "NextToken"))
    except AwsError as error:
        if error.code in _FAILS and call.params.get("Filters"):
            names = ", ".join(one["Name"] for one in call.params["Filters"])
            raise AwsError("InvalidParameterValue", f"The filter '{names}' is invalid") from error
        raise
