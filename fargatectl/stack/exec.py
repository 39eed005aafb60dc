"""Where sessions of `exec` are recorded, and what the tasks' roles need for that: they write the records themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.reconcilers import cluster, iam

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fargatectl.config.models import Config
    from fargatectl.engine.stack import Declared
    from fargatectl.reconcilers import logs
    from fargatectl.stack.shared import Shared


def recording(config: Config, groups: Mapping[str, Declared[logs.LogGroupOut]]) -> cluster.Recording | None:
    """Return where the cluster has sessions recorded, if the file says so."""
    wanted = config.cluster.exec
    if wanted is None:
        return None
    return cluster.Recording(
        log_group=groups[wanted.log_group].ref(lambda made: made.name) if wanted.log_group else "",
        bucket=wanted.bucket or "",
        prefix=wanted.prefix or "",
        kms_key=wanted.kms_key or "",
    )


def rights(shared: Shared) -> Iterator[iam.Statement]:
    """Yield what a task role needs for sessions, and for their records."""
    yield from iam.exec_channels()
    wanted = shared.config.cluster.exec
    if wanted is None:
        return
    if wanted.log_group:
        yield from iam.record_to_logs(shared.log_groups[wanted.log_group].ref(lambda made: made.arn))
    if wanted.bucket:
        bucket, prefix = wanted.bucket, f"{wanted.prefix.strip('/')}/" if wanted.prefix else ""
        arn = shared.identity.ref(lambda who: f"arn:{who.partition}:s3:::{bucket}")
        yield from iam.record_to_bucket(arn, prefix)
    if wanted.kms_key:
        yield iam.allow("ExecKey", ("kms:Decrypt",), (wanted.kms_key,))


def endpoints(config: Config) -> Iterator[str]:
    """Yield the VPC endpoints that sessions and their records go through where there is no way to the internet."""
    yield "ssmmessages"
    wanted = config.cluster.exec
    if wanted is not None:
        yield from (
            name for name, used in (("logs", wanted.log_group), ("s3", wanted.bucket), ("kms", wanted.kms_key)) if used
        )
