"""Route 53 as its callers need it: records in the spelling of the file, and batches of changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fargatectl.aws.waits import polling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Aws

Row = Any
"""A ResourceRecordSet as Route 53 shows it; to delete it, all of it must be sent back."""

_ESCAPE = re.compile(r"\\([0-7]{3})")
_INSYNC_SECONDS = 600


def plain(name: str) -> str:
    """Return a name in lower case, without the last dot, and without octal codes, in which Route 53 writes `*`."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), name.lower().rstrip("."))


def records(aws: Aws, zone_id: str) -> list[Row]:
    """Return all records of a zone, asked for once in a planning pass. Raises `ClientError`."""

    def ask() -> list[Row]:
        pages = aws.route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
        return [row for page in pages for row in page["ResourceRecordSets"]]

    return aws.reads.once(("route53.records", zone_id), ask)


def change(aws: Aws, zone_id: str, *, delete: Sequence[Row] = (), create: Sequence[Row] = ()) -> str:
    """Delete and create records in one step that is done as a whole or not at all; return the change's id.

    What is deleted must be as it was read; where nothing is deleted, what is created must not exist. So nothing is
    overwritten that was not seen. Raises `ClientError`, `InvalidChangeBatch` where that is not so.
    """
    changes: list[Any] = [{"Action": "DELETE", "ResourceRecordSet": row} for row in delete]
    changes += [{"Action": "UPSERT" if delete else "CREATE", "ResourceRecordSet": row} for row in create]
    answer = aws.route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
    return answer["ChangeInfo"]["Id"]


def until_in_sync(aws: Aws, change_id: str) -> None:
    """Wait until all of Route 53's servers answer with a change; caches of others may still hold the old answer."""

    def look() -> bool | None:
        return True if aws.route53.get_change(Id=change_id)["ChangeInfo"]["Status"] == "INSYNC" else None

    polling(aws, "Route 53's servers know the change", look, seconds=_INSYNC_SECONDS, interval=4)
