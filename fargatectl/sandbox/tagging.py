"""Resource Groups Tagging API: what carries which tags, over all services that the real one knows.

AWS: Resource Groups Tagging API Reference, GetResources. IAM roles are never returned, as on AWS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import moto_adapter
from fargatectl.sandbox.autoscaling.state import Scaling
from fargatectl.sandbox.cloudmap.state import CloudMap
from fargatectl.sandbox.cloudwatch.state import Tags as OfCloudWatch
from fargatectl.sandbox.dns.zones import tagged as tagged_zones
from fargatectl.sandbox.ecs.tagging import tagged as tagged_in_ecs
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.schedules import tagged as tagged_schedule_groups
from fargatectl.sandbox.script import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.settings import Value
    from fargatectl.sandbox.wire import Call

_SERVICE = "resourcegroupstaggingapi"
_SERVICES = (
    "acm",
    "application-autoscaling",
    "autoscaling",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "elasticfilesystem",
    "elasticloadbalancing",
    "events",
    "kms",
    "lambda",
    "logs",
    "route53",
    "s3",
    "scheduler",
    "secretsmanager",
    "servicediscovery",
    "sns",
    "sqs",
    "ssm",
)  # of those that it knows, what anybody might ask for here
_OURS = (
    "cloudwatch",
    "ecs",
    "route53",
    "scheduler",
    "servicediscovery",
    "iam",
)  # what moto knows of these is not what is


def tagged(region: Region) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ARN and tags of everything that has tags."""
    yield from tagged_in_ecs(region)
    yield from region.state(CloudMap).tags.items()
    yield from region.state(Scaling).tags.items()
    yield from region.state(OfCloudWatch).items()
    yield from tagged_schedule_groups(region)
    yield from tagged_zones(region)
    for arn, tags in moto_adapter.tagged(region.account, region.name):
        if arn.split(":")[2] not in _OURS:
            yield arn, tags


@dataclass(slots=True)
class History:
    """What carried which tags after each write, by its moment, the oldest first; kept only while there is a lag."""

    views: list[tuple[float, list[tuple[str, dict[str, str]]]]] = field(default_factory=list)


@EFFECTS.after_write("tagging_lag")
def remember(region: Region) -> None:
    """Keep what is there now, for who asks later."""
    view = [(arn, dict(tags)) for arn, tags in tagged(region)]
    region.state(History).views.append((region.now, view))


@EFFECTS.of("tagging_lag")
def begin_to_remember(region: Region, _subject: str, value: Value | None) -> bool:
    """Keep what is there when the lag begins; forget it all when it ends."""
    region.state(History).views.clear()
    if value is not None:
        remember(region)
    return True


def _seen(region: Region) -> list[tuple[str, dict[str, str]]]:
    lag = region.script.number("tagging_lag")
    views = region.state(History).views
    while len(views) > 1 and views[1][0] <= region.now - lag:
        del views[0]
    return views[0][1] if lag and views else list(tagged(region))


@HANDLERS.handles(_SERVICE, "GetResources")
def get_resources(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return tagged resources by tags and types, fifty a page unless asked otherwise."""
    params = call.params
    wanted = params.get("ResourceARNList")
    if wanted and (params.get("TagFilters") or params.get("ResourceTypeFilters")):
        raise AwsError("InvalidParameterException", "ResourceARNList cannot be combined with filters.")
    for kind in params.get("ResourceTypeFilters") or []:
        service = kind.partition(":")[0]
        if service not in _SERVICES:
            raise AwsError(
                "InvalidParameterException", f"Unsupported service={service} in ResourceTypeFilter - {kind}:"
            )
    found = [
        {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for arn, tags in sorted(_seen(region))
        if tags and _carries(tags, params.get("TagFilters") or []) and _is(arn, params.get("ResourceTypeFilters") or [])
        if not wanted or arn in wanted
    ]
    size = int(params.get("ResourcesPerPage") or 50)
    if not 1 <= size <= 100:  # noqa: PLR2004 - AWS: GetResources
        raise AwsError("InvalidParameterException", "ResourcesPerPage must be between 1 and 100.")
    start = _start(params.get("PaginationToken") or "")
    token = f"from-{start + size}" if start + size < len(found) else ""
    return {"ResourceTagMappingList": found[start : start + size], "PaginationToken": token}


def _start(token: str) -> int:
    number = token.removeprefix("from-") or "0"
    if not number.isdigit():
        raise AwsError("PaginationTokenExpiredException", "The pagination token is not valid.")
    return int(number)


def _carries(tags: Mapping[str, str], filters: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether tags pass all filters; a filter without values asks for the key alone."""
    return all(one["Key"] in tags and tags[one["Key"]] in (one.get("Values") or [tags[one["Key"]]]) for one in filters)


def _is(arn: str, filters: Sequence[str]) -> bool:
    """Tell whether a resource is of one of the types: "ecs", "ecs:service", "logs:log-group"."""
    if not filters:
        return True
    _, _, service, _, _, resource = arn.split(":", 5)
    kind = resource.replace(":", "/").partition("/")[0]
    return service in filters or f"{service}:{kind}" in filters
