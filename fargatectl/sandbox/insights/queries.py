"""Queries of Logs Insights (AWS: CloudWatch Logs API Reference, StartQuery, GetQueryResults and StopQuery)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import moto_adapter
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.insights import language
from fargatectl.sandbox.insights.conditions import BadQuery
from fargatectl.sandbox.insights.language import Event, UnknownCommand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_RUNNING_AFTER_SECONDS, _COMPLETE_AFTER_SECONDS = 1.0, 4.0
_MOST_GROUPS, _MOST_AT_ONCE, _PAGE = 50, 30, 1000
_ENDED = ("Complete", "Cancelled")


@dataclass(slots=True)
class Query:
    """A query, and when it was started (AWS seconds)."""

    id: str
    text: str
    groups: list[str]
    started_at: float
    params: Mapping[str, Any]
    stopped: bool = False

    def status(self, now: float) -> str:
        """Return its status at a moment."""
        if self.stopped:
            return "Cancelled"
        if now < self.started_at + _RUNNING_AFTER_SECONDS:
            return "Scheduled"
        return "Running" if now < self.started_at + _COMPLETE_AFTER_SECONDS else "Complete"


@dataclass(slots=True)
class Queries:
    """All of one account's Region, by id."""

    known: dict[str, Query] = field(default_factory=dict)


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


@HANDLERS.handles("logs", "StartQuery")
def start_query(region: Region, call: Call, _forward: Forward) -> Answer:
    """Schedule a query over log groups and a time."""
    params, state = call.params, region.state(Queries)
    groups = _groups(region, params)
    if params["startTime"] > params["endTime"]:
        raise _invalid("The start time must not be after the end time.")
    if sum(one.status(region.now) not in _ENDED for one in state.known.values()) >= _MOST_AT_ONCE:
        raise AwsError("LimitExceededException", "Account maximum query concurrency limit of [30] reached.")
    if not 1 <= params.get("limit", language.MOST_ROWS) <= language.MOST_ROWS:
        raise _invalid("The limit must be between 1 and 10000.")
    try:
        language.check(params["queryString"])
    except BadQuery as error:
        raise AwsError("MalformedQueryException", str(error)) from None
    except UnknownCommand as error:
        message = f"The local AWS does not know this of Logs Insights: {error}"
        raise AwsError("NotImplemented", message, status=501) from None
    query = Query(region.uuid(), params["queryString"], groups, region.now, params)
    state.known[query.id] = query
    return {"queryId": query.id}


def _groups(region: Region, params: Mapping[str, Any]) -> list[str]:
    ways = [params[way] for way in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if params.get(way)]
    if len(ways) != 1:
        raise _invalid("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified.")
    (way,) = ways
    names = [_name(one) for one in ([way] if isinstance(way, str) else way)]
    if len(names) > _MOST_GROUPS:
        raise _invalid("A query has at most 50 log groups.")
    for name in names:
        if not moto_adapter.has_log_group(region.view("logs"), name):
            message = f"Log group '{name}' does not exist for account ID '{region.account}'"
            raise AwsError("ResourceNotFoundException", message)
    return names


def _name(identifier: str) -> str:
    if identifier.endswith("*"):
        raise _invalid("A log group identifier must not end with an asterisk.")
    return identifier.partition(":log-group:")[2] or identifier


def _find(region: Region, call: Call) -> Query:
    found = region.state(Queries).known.get(call.params.get("queryId") or "")
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Query {call.params.get('queryId')} does not exist.")
    return found


@HANDLERS.handles("logs", "GetQueryResults")
def get_query_results(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return what a query has found so far: nothing before it runs, a part while it does."""
    query = _find(region, call)
    status = query.status(region.now)
    rows: list[Any] = []
    matched = scanned = 0
    if status in ("Running", "Complete"):
        events = list(_events(region, query))
        rows, matched = language.run(query.text, events, limit=query.params.get("limit") or language.MOST_ROWS)
        scanned = len(events)
        rows = rows if status == "Complete" else rows[: len(rows) // 2]
    size = sum(len(event.message) for event in _events(region, query)) if scanned else 0
    counted = {"recordsMatched": float(matched), "recordsScanned": float(scanned), "bytesScanned": float(size)}
    return {"queryLanguage": "CWLI", "results": rows, "statistics": counted, "status": status}


def _events(region: Region, query: Query) -> Iterator[Event]:
    first, last = query.params["startTime"] * 1000, query.params["endTime"] * 1000
    view = region.view("logs")
    for group in query.groups:
        if moto_adapter.has_log_group(view, group):
            for stream, timestamp, message in moto_adapter.log_events(view, group):
                if first <= timestamp <= last:
                    yield Event(timestamp, message, stream, f"{region.account}:{group}")


@HANDLERS.handles("logs", "StopQuery")
def stop_query(region: Region, call: Call, _forward: Forward) -> Answer:
    """Cancel a query that runs."""
    query = _find(region, call)
    if query.status(region.now) in _ENDED:
        raise _invalid("The specified query is not running.")
    query.stopped = True
    return {"success": True}


@HANDLERS.handles("logs", "DescribeQueries")
def describe_queries(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return queries, newest first, by log group and status."""
    wanted, status = call.params.get("logGroupName"), call.params.get("status")
    found = [
        {
            "queryId": one.id,
            "queryString": one.text,
            "status": one.status(region.now),
            "createTime": int(region.cloud.timeline.stamp(one.started_at).timestamp() * 1000),
            "logGroupName": one.groups[0],
            "queryLanguage": "CWLI",
        }
        for one in reversed(region.state(Queries).known.values())
        if (not wanted or wanted in one.groups) and status in (None, one.status(region.now))
    ]
    size = int(call.params.get("maxResults") or _PAGE)
    return {"queries": found[:size]}
