"""Roles that a profile assumes: the code that it asks for is given once, and not at all where the CLI has a session."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.credentials import AssumeRoleCredentialFetcher

from fargatectl.aws.connections import CONNECTIONS
from fargatectl.aws.credentials import settle
from fargatectl.aws.session import make_session
from fargatectl.errors import AwsFailure
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.inprocess import LocalAws

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from boto3.session import Session

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call

ROLE = "arn:aws:iam::123456789012:role/deployer"
DEVICE = "arn:aws:iam::123456789012:mfa/ann"
CONFIG = f"""
[profile keys]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = example
region = eu-central-1

[profile deploy]
role_arn = {ROLE}
source_profile = keys
mfa_serial = {DEVICE}
region = eu-central-1
"""


@pytest.fixture
def local() -> LocalAws:
    return LocalAws()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").write_text(CONFIG)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def opened(local: LocalAws, ask: Callable[[str], str]) -> Session:
    session = make_session(profile="deploy", ask=ask)
    session.events.unregister("before-send", unique_id=CONNECTIONS)
    local.attach(session._session)
    return session


@pytest.mark.usefixtures("home")
def test_a_code_is_asked_for_once_and_first(local: LocalAws) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "123456"

    session = opened(local, ask)
    settle(session)
    settle(session)
    session.client("ecs").list_clusters()
    assert asked == [f"Enter MFA code for {DEVICE}: "]
    assert [call.operation for call in local.calls] == ["AssumeRole", "ListClusters"]
    assumed = local.calls[0].params
    assert (assumed["RoleArn"], assumed["SerialNumber"], assumed["TokenCode"]) == (ROLE, DEVICE, "123456")


def test_a_session_that_the_cli_has_open_is_used_and_none_is_kept(local: LocalAws, home: Path) -> None:
    def never(question: str) -> str:
        raise AssertionError(question)

    nobody: Any = None
    fetcher: Any = AssumeRoleCredentialFetcher(nobody, nobody, ROLE, extra_args={"SerialNumber": DEVICE})
    folder = home / ".aws" / "cli" / "cache"
    folder.mkdir(parents=True)
    until = (local.clock.now() + timedelta(days=365_0)).isoformat()
    held = {"AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x", "SessionToken": "y", "Expiration": until}
    (folder / f"{fetcher._cache_key}.json").write_text(json.dumps({"Credentials": held}))
    session = opened(local, never)
    settle(session)
    found: Any = session.get_credentials()
    assert found.get_frozen_credentials().access_key == held["AccessKeyId"]
    assert local.calls == []

    (folder / f"{fetcher._cache_key}.json").unlink()
    settle(opened(local, lambda _: "123456"))
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("home")
def test_a_wrong_code_is_told(local: LocalAws) -> None:
    def refuse(call: Call, _: Callable[[], Response]) -> Response:
        message = "MultiFactorAuthentication failed with invalid MFA one time pass code."
        raise AwsError("AccessDenied", f"{call.operation}: {message}", status=403)

    local.intercept(refuse)
    with pytest.raises(AwsFailure, match="sts:AssumeRole with AccessDenied") as refused:
        settle(opened(local, lambda _: "000000"))
    assert "wait for the next one" in refused.value.hint
