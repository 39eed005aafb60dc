"""The tool's door to a local AWS: inline, on its clock, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto3.session import Session

from fargatectl.aws.session import Aws
from fargatectl.sandbox.inprocess import LocalAws
from tests.haste import quick_session, vouch
from tests.inline import Inline

if TYPE_CHECKING:
    from collections.abc import Mapping


def make_aws(local: LocalAws, *, account: str | None = None, secret: str = "") -> Aws:
    """Return a door to `local`, with credentials of `account` or of its own account; `secret` is their secret part."""
    environment: Mapping[str, str] = (local if account is None else LocalAws(account=account)).environment
    session = quick_session()
    key, own = environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    session.set_credentials(key, secret or own, secret or None)
    vouch(session, key)
    local.attach(session)
    return Aws(
        Session(botocore_session=session),
        region=local.region,
        pool=Inline(),
        clock=local.clock.now,
        monotonic=local.clock.monotonic,
        sleep=local.clock.sleep,
    )
