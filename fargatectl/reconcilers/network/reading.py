"""Reading security groups: one call for many, kept for the ingress rules that are read after them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fargatectl.aws.session import chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from types_boto3_ec2.type_defs import SecurityGroupTypeDef

    from fargatectl.aws.session import Aws

_FILTER_VALUES = 200  # EC2 API Reference, "List and filter using the CLI and API": values of one filter


def describe(aws: Aws, filters: Mapping[str, Iterable[str]]) -> list[SecurityGroupTypeDef]:
    """Return the security groups that have one of the values of every filter.

    Filters, unlike the ids and names of the request, do not fail for what is missing.
    """
    (first, values), *others = ((name, sorted(set(values))) for name, values in filters.items())
    parts = [
        [{"Name": first, "Values": part}, *({"Name": n, "Values": v} for n, v in others)]
        for part in chunks(values, _FILTER_VALUES)
    ]
    found = [group for groups in aws.each(lambda part: _ask(aws, part), parts) for group in groups]
    for group in found:
        aws.reads.once(_key(group["GroupId"]), partial(_same, group))
    return found


def by_id(aws: Aws, group_id: str) -> SecurityGroupTypeDef | None:
    """Return one security group, as it was read before in this planning pass."""
    filters = [{"Name": "group-id", "Values": [group_id]}]
    return aws.reads.once(_key(group_id), lambda: next(iter(_ask(aws, filters)), None))


def referring(aws: Aws, group_id: str) -> list[SecurityGroupTypeDef]:
    """Return the security groups with an ingress rule that names `group_id`."""
    return describe(aws, {"ip-permission.group-id": [group_id]})


def _key(group_id: str) -> tuple[str, str]:
    return ("ec2.security_group", group_id)


def _ask(aws: Aws, filters: Any) -> list[SecurityGroupTypeDef]:  # noqa: ANN401 - EC2's filters
    pages = aws.ec2.get_paginator("describe_security_groups").paginate(Filters=filters)
    return [group for page in pages for group in page["SecurityGroups"]]


def _same(group: SecurityGroupTypeDef) -> SecurityGroupTypeDef | None:
    return group
