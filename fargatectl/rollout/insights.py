"""Asking CloudWatch Logs Insights: a query is started, runs for a while, and is looked at until it has ended.

CloudWatch Logs API Reference, StartQuery, GetQueryResults and StopQuery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.aws.errors import ClientError, explain, says
from fargatectl.errors import AwsFailure, UsageError
from fargatectl.model.insights import QueryResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from fargatectl.aws.session import Aws

_POLL_SECONDS = 1.0
_GOES_ON = frozenset({"Scheduled", "Running", "Unknown"})
_POINTER = "@ptr"  # what GetLogRecord takes: nothing for people


def performance_group(cluster: str) -> str:
    """Return where Container Insights records the tasks of a cluster (CloudWatch User Guide, "Container Insights")."""
    return f"/aws/ecs/containerinsights/{cluster}/performance"


class Query:
    """One query over log groups and a time. Raises UsageError for what Insights cannot read, and AwsFailure."""

    def __init__(  # noqa: PLR0913 - what makes up a query
        self, aws: Aws, text: str, groups: Sequence[str], *, since: datetime, until: datetime, limit: int
    ) -> None:
        self._aws = aws
        try:
            self._id = aws.logs.start_query(
                logGroupNames=list(groups),
                startTime=int(since.timestamp()),
                endTime=int(until.timestamp()),
                queryString=text,
                limit=limit,
            )["queryId"]
        except ClientError as error:
            raise _refused(error) from error

    def results(self) -> Iterator[QueryResult]:
        """Yield what has been found so far, and in the end everything."""
        while True:
            try:
                answer: Any = self._aws.logs.get_query_results(queryId=self._id)
            except ClientError as error:
                raise explain(error) from error
            found = _result(answer)
            if found.status not in {*_GOES_ON, "Complete"}:
                message = f"the query ended as {found.status}"
                raise AwsFailure(message, operation="logs:GetQueryResults", code=found.status, hint="ask for less time")
            yield found
            if found.status == "Complete":
                return
            self._aws.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop the query; AWS bills what it has read until then. One that has ended is no mistake."""
        try:
            self._aws.logs.stop_query(queryId=self._id)
        except ClientError as error:
            if not says(error, "InvalidParameterException"):
                raise explain(error) from error


def _refused(error: ClientError) -> Exception:
    if says(error, "MalformedQueryException"):
        said = str(error.response.get("Error", {}).get("Message", ""))
        return UsageError(f"Logs Insights cannot read the query: {said}")
    if says(error, "ResourceNotFoundException"):
        failure = explain(error)
        failure.hint = "what was never deployed, or never said anything, has no log group"
        return failure
    return explain(error)


def _result(answer: Any) -> QueryResult:  # noqa: ANN401 - AWS's answer
    rows = tuple(
        {cell["field"]: cell.get("value", "") for cell in row if cell["field"] != _POINTER} for row in answer["results"]
    )
    counted = answer.get("statistics") or {}
    return QueryResult(
        status=answer["status"],
        columns=tuple(dict.fromkeys(name for row in rows for name in row)),
        rows=rows,
        matched=int(counted.get("recordsMatched", 0)),
        scanned=int(counted.get("recordsScanned", 0)),
        scanned_bytes=int(counted.get("bytesScanned", 0)),
    )
