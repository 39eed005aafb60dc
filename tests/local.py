"""The tool's door to a local AWS: inline, on its clock, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import botocore.session
from boto3.session import Session
from botocore.loaders import create_loader

from fargatectl.aws.session import Aws
from fargatectl.sandbox.inprocess import LocalAws
from tests.inline import Inline

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOADER = create_loader()
"""Shared by all sessions: AWS's service models are large, and reading them is most of what a small test would cost."""


def make_aws(local: LocalAws, *, account: str | None = None) -> Aws:
    """Return a door to `local`, with credentials of `account` or of its own account."""
    environment: Mapping[str, str] = (local if account is None else LocalAws(account=account)).environment
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    session.set_credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    local.attach(session)
    return Aws(
        Session(botocore_session=session),
        region=local.region,
        pool=Inline(),
        clock=local.clock.now,
        monotonic=local.clock.monotonic,
        sleep=local.clock.sleep,
    )
