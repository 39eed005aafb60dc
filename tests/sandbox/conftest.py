from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from boto3.session import Session
from botocore.config import Config

from fargatectl.sandbox.identity import SECRET_KEY, access_key
from fargatectl.sandbox.inprocess import LocalAws
from tests.sandbox.answer_shapes import Observer
from tests.sandbox.ecs_scene import Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def shared() -> tuple[LocalAws, dict[tuple[str, str, str], Any]]:
    """One local AWS with its clients for the whole run: making clients costs more than most tests do."""
    return LocalAws(), {}


@pytest.fixture
def local(shared: tuple[LocalAws, dict[tuple[str, str, str], Any]]) -> Iterator[LocalAws]:
    local, _ = shared
    local.reset()
    local.intercept(None)
    observer = Observer()
    local.observe(observer)
    yield local
    local.observe(None)
    assert observer.problems == []


@pytest.fixture
def client(local: LocalAws, shared: tuple[LocalAws, dict[tuple[str, str, str], Any]]) -> Callable[..., Any]:
    _, clients = shared

    def make(service: str, *, account: str = local.account, region: str = local.region) -> Any:
        key = (service, account, region)
        if key not in clients:
            core = botocore.session.Session()
            core.set_credentials(access_key(account), SECRET_KEY)
            local.attach(core)
            config = Config(retries={"total_max_attempts": 1})  # a test sees the first answer, and never waits
            clients[key] = Session(botocore_session=core).client(service, region_name=region, config=config)  # type: ignore[call-overload]
        return clients[key]

    return make


@pytest.fixture
def scene(local: LocalAws, client: Callable[..., Any]) -> Scene:
    return Scene(local, client)
