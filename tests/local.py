"""The tool's door to a local AWS: inline, on its clock, without a socket."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
import botocore.useragent
from boto3.session import Session
from botocore.loaders import create_loader

from fargatectl.aws.session import Aws
from fargatectl.sandbox.inprocess import LocalAws
from tests.inline import Inline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSRequest

_LOADER = create_loader()
"""Shared by all sessions: AWS's service models are large, and reading them is most of what a small test would cost."""

# botocore cleans a dozen strings for each request, always the same.
_clean = botocore.useragent.sanitize_user_agent_string_component
setattr(botocore.useragent, _clean.__name__, cache(_clean))


def make_aws(local: LocalAws, *, account: str | None = None, secret: str = "") -> Aws:
    """Return a door to `local`, with credentials of `account` or of its own account; `secret` is their secret part."""
    environment: Mapping[str, str] = (local if account is None else LocalAws(account=account)).environment
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    key, own = environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    session.set_credentials(key, secret or own, secret or None)
    _vouch(session, key)
    local.attach(session)
    return Aws(
        Session(botocore_session=session),
        region=local.region,
        pool=Inline(),
        clock=local.clock.now,
        monotonic=local.clock.monotonic,
        sleep=local.clock.sleep,
    )


def _vouch(session: botocore.session.Session, key: str) -> None:
    """Have requests say whose they are without a true signature: the local AWS does not check it, and it takes time."""

    def sign(request: AWSRequest, signing_name: str, region_name: str, **_: Any) -> None:
        scope = f"{key}/20200101/{region_name}/{signing_name}/aws4_request"
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"

    events = session.get_component("event_emitter")
    events.register("choose-signer", lambda **_: botocore.UNSIGNED)
    events.register("before-sign", sign)
