"""What all operations of ECS have in common: finding things by name or ARN, paging, tags, and AWS's refusals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from fargatectl.sandbox.ecs.state import Cluster, Ecs, Members, Service, Tags, TaskDefinition
from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.sandbox.cloud import Region

T = TypeVar("T")

_TAG = re.compile(r"[\w\s.:/=+\-@]{0,256}")
_LONGEST_TAG_KEY = 128


def invalid(message: str) -> AwsError:
    """Return ECS's refusal of a parameter."""
    return AwsError("InvalidParameterException", message)


def refused(message: str) -> AwsError:
    """Return ECS's refusal of a request as a whole."""
    return AwsError("ClientException", message)


def require(params: Mapping[str, Any], *names: str) -> None:
    """Raise AwsError unless all members are there."""
    for name in names:
        if params.get(name) in (None, ""):
            raise invalid(f"{name[0].upper()}{name[1:]} can not be blank.")


def short(reference: str) -> str:
    """Return the name in a name or ARN."""
    return reference.rpartition("/")[2]


def cluster(region: Region, params: Mapping[str, Any], key: str = "cluster") -> Cluster:
    """Return the ACTIVE cluster that a request names ("default" where it names none). Raises AwsError."""
    found = region.state(Ecs).clusters.get(short(params.get(key) or "default"))
    if found is None or found.status != "ACTIVE":
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return found


def service(region: Region, params: Mapping[str, Any], key: str = "service") -> Service:
    """Return the service that a request names, INACTIVE ones included. Raises AwsError."""
    require(params, key)
    found = cluster(region, params).services.get(short(params[key]))
    if found is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    return found


def definition(region: Region, reference: str) -> TaskDefinition | None:
    """Return a task definition by `family`, `family:revision` or ARN; a family alone means its newest ACTIVE one."""
    family, _, revision = short(reference).partition(":")
    known = [one for one in region.state(Ecs).families.get(family, []) if one.status != "DELETED"]
    if revision:
        return next((one for one in known if str(one.revision) == revision), None)
    return next((one for one in reversed(known) if one.status == "ACTIVE"), None)


def page(params: Mapping[str, Any], items: Sequence[T], *, default: int, most: int = 100) -> tuple[list[T], Members]:
    """Return one page of `items` and the members that lead to the next. Raises AwsError for a bad size or token."""
    size = int(params.get("maxResults") or default)
    if not 1 <= size <= most:
        raise invalid(f"maxResults must be between 1 and {most}.")
    token = params.get("nextToken") or "page-0"
    if not (token.startswith("page-") and token[5:].isdigit()):
        raise invalid("Invalid token.")
    start = int(token[5:])
    more = {"nextToken": f"page-{start + size}"} if start + size < len(items) else {}
    return list(items[start : start + size]), more


def tags_in(params: Mapping[str, Any], key: str = "tags") -> Tags:
    """Return the tags of a request. Raises AwsError for what AWS does not take as one."""
    tags = {tag.get("key", ""): tag.get("value", "") for tag in params.get(key) or []}
    if len(tags) > 50:  # noqa: PLR2004 - AWS: tags per resource
        raise invalid("Too many tags: a resource can have at most 50.")
    for name, value in tags.items():
        if not (_TAG.fullmatch(name) and _TAG.fullmatch(value) and len(name) <= _LONGEST_TAG_KEY):
            raise invalid(f"Tag keys and values may hold only letters, digits, spaces and _.:/=+-@: ({name!r}).")
        if not name or name.lower().startswith("aws:"):
            raise invalid(f"Tag keys must not be empty nor begin with aws: ({name!r}).")
    return tags


def tags_out(tags: Tags) -> list[Members]:
    """Return tags as ECS shows them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def missing(arn: str) -> Members:
    """Return the failure for something that does not exist (AWS: ECS API failure reasons)."""
    return {"arn": arn, "reason": "MISSING"}


def without_empty(members: Mapping[str, Any]) -> Members:
    """Return the members that have a value."""
    return {key: value for key, value in members.items() if value is not None}
