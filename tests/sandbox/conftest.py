from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from boto3.session import Session
from botocore.config import Config

from fargatectl.sandbox.identity import SECRET_KEY, access_key
from fargatectl.sandbox.inprocess import LocalAws
from tests.sandbox.ecs_scene import Scene

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def local() -> LocalAws:
    return LocalAws()


@pytest.fixture
def client(local: LocalAws) -> Callable[..., Any]:
    sessions: dict[str, Session] = {}

    def make(service: str, *, account: str = local.account, region: str = local.region) -> Any:
        if account not in sessions:
            core = botocore.session.Session()
            core.set_credentials(access_key(account), SECRET_KEY)
            local.attach(core)
            sessions[account] = Session(botocore_session=core)
        config = Config(retries={"total_max_attempts": 1})  # a test sees the first answer, and never waits
        return sessions[account].client(service, region_name=region, config=config)  # type: ignore[call-overload]

    return make


@pytest.fixture
def scene(local: LocalAws, client: Callable[..., Any]) -> Scene:
    return Scene(local, client)
